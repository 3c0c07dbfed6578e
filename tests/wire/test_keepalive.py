"""Asking a connection whether it is still there: programs must answer in time, people are never asked."""

from __future__ import annotations

import pytest
from fakes import SocketClient
from harness import Client, World

ASKED = {"event": "ping"}


def session_of(client: Client):
    """Return the server's session of a client."""
    return client.transport.protocol._session


def test_a_program_that_does_not_answer_in_time_is_ended(world: World) -> None:
    bot, alice = world.program("bot", "lobby"), world.person("alice", "lobby")
    bot.records()
    session_of(bot).check_alive(7.0)
    assert bot.records() == [ASKED]
    world.pass_time(6.9)
    assert bot.open
    world.pass_time(0.2)
    (error,) = bot.records()
    assert (error["code"], error["text"]) == ("too-quiet", "you sent nothing for 7 seconds.")
    assert not bot.open
    assert alice.lines() == ["bot has disconnected."]
    assert world.factory.counters.drops["too-quiet"] == 1


def test_the_session_is_over_at_once_though_the_other_side_never_closes(world: World) -> None:
    bot = SocketClient(world)
    bot.record(do="hello", version=1, name="bot")
    bot.records()
    bot.socket.room = 0
    session = session_of(bot)
    session.check_alive(10.0)
    world.pass_time(10.1)
    assert session.over
    alice = world.person("bot")  # the name is free
    assert alice.open
    for _ in range(3):
        world.pass_time(10)
    assert not bot.transport.connected


@pytest.mark.parametrize("sign", [b'{"do":"pong"}\n', b"\n", b'{"do":"who"}\n', b"x"])
def test_any_sign_of_life_is_an_answer(world: World, sign: bytes) -> None:
    bot = world.program("bot", "lobby")
    for _ in range(2):
        session_of(bot).check_alive(10.0)
        world.pass_time(9)
        bot.send(sign)
        world.pass_time(15)
    assert bot.open
    assert bot.take().count(b'"ping"') == 2


def test_a_person_is_never_asked_nor_ended(world: World) -> None:
    alice = world.person("alice", "lobby")
    session_of(alice).check_alive(10.0)
    world.pass_time(60)
    assert alice.take() == b""
    assert alice.open


def test_a_program_that_was_greeted_as_a_person_is_asked(world: World) -> None:
    bot = world.connect()
    world.pass_time(0.3)
    bot.record(do="hello", version=1)
    bot.take()
    session_of(bot).check_alive(10.0)
    assert bot.records() == [ASKED]
    world.pass_time(10.1)
    assert not bot.open


def test_asking_again_before_the_answer_changes_nothing(world: World) -> None:
    bot = world.program("bot")
    session_of(bot).check_alive(10.0)
    world.pass_time(6)
    session_of(bot).check_alive(10.0)
    assert bot.records() == [ASKED]
    world.pass_time(4.1)
    assert not bot.open


def test_an_answer_that_the_server_does_not_read_yet_counts(paced: World) -> None:
    bot = paced.program("bot", "lobby")
    paced.pass_time(60)
    bot.send(b'{"do":"say","text":"hi"}\n' * 30)  # the budget is spent, and reading has stopped for 10 s
    session_of(bot).check_alive(2.0)
    bot.record(do="pong")
    paced.pass_time(2.1)
    assert bot.open
    for _ in range(20):
        paced.pass_time(1)
    assert bot.open


def test_asking_when_the_connection_has_ended_does_nothing(world: World) -> None:
    bot = world.program("bot")
    session = session_of(bot)
    session.check_alive(10.0)
    bot.drop()
    session.check_alive(10.0)  # a timer that is left fails the test
    assert session.over


def test_asking_when_the_connection_is_closing_does_nothing(world: World) -> None:
    bot = world.program("bot")
    session = session_of(bot)
    bot.transport.protocol.close()
    session.check_alive(10.0)
    assert bot.take() == b""
