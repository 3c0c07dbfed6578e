"""A log that fails: what was not stored is not seen, its author is told, and the chat goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from chat.states import NOT_CONFIRMED, members, online
from fakes import MoodyEngine
from harness import Client, World
from twisted.internet.task import Clock

IN_ROOM = {
    "a message": ("hello", ["alice: hello"], ["alice: hello"]),
    "an act": ("/me waves", ["* alice waves"], ["* alice waves"]),
    "a private message": ("/msg bob psst", ["To bob (private): psst"], ["alice (private): psst"]),
    "a name": ("/name carol", ["You are now carol."], ["alice is now known as carol."]),
    "leaving": ("/leave", ["You have left room lobby."], ["alice has left the room."]),
}


@pytest.mark.parametrize(("line", "answer", "seen"), IN_ROOM.values(), ids=IN_ROOM)
def test_what_the_log_refuses_is_not_confirmed_not_seen_and_works_later(
    moody: World, engine: MoodyEngine, line: str, answer: list[str], seen: list[str]
) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    engine.broken = True
    for _ in range(3):
        alice.say(line)
        assert alice.lines() == [NOT_CONFIRMED]
    assert bob.lines() == []
    engine.broken = False
    assert members(moody) == ["alice", "bob"]
    assert online(moody) == ["alice  in lobby", "bob  in lobby"]
    for client in (alice, bob):
        client.take()
    alice.say(line)
    assert alice.lines() == answer
    assert bob.lines() == seen


ENTERING = {
    "joining": ("/join lobby", ["Welcome to room lobby!", "Current users: bob, alice"]),
    "joining what exists": ("JOIN_ROOM lobby", ["Welcome to room lobby!", "Current users: bob, alice"]),
    "a new room by joining": ("/join den", ["Welcome to room den!", "Current users: alice"]),
    "a new room": ("/create den", ["Room den created.", "Welcome to room den!", "Current users: alice"]),
}


@pytest.mark.parametrize(("line", "answer"), ENTERING.values(), ids=ENTERING)
@pytest.mark.parametrize("before", ["", "cellar"])
def test_a_room_that_cannot_be_entered_is_not_entered_and_can_be_later(
    moody: World, engine: MoodyEngine, before: str, line: str, answer: list[str]
) -> None:
    alice, bob = moody.person("alice", before), moody.person("bob", "lobby")
    engine.broken = True
    alice.say(line)
    assert alice.lines() == [NOT_CONFIRMED]
    engine.broken = False
    assert members(moody) == ["bob"]
    bob.take()
    alice.say(line)
    heard = alice.lines()
    assert heard == ([f"You have left room {before}."] if before else []) + answer
    assert bob.lines() == (["alice has joined the room."] if "lobby" in line else [])


def test_a_room_whose_last_step_failed_can_still_be_made(moody: World, engine: MoodyEngine) -> None:
    alice = moody.person("alice")
    append, engine.append = engine.append, lambda *args, **options: fail_once(engine, append, args, options)  # type: ignore[method-assign]
    alice.say("/create den")
    assert alice.lines() == [NOT_CONFIRMED]
    assert not moody.chat.loaded_rooms.by_name
    alice.say("/join den")
    assert alice.lines() == ["Welcome to room den!", "Current users: alice"]


def fail_once(engine: MoodyEngine, append: Any, args: Any, options: Any) -> None:
    """Fail this one append and no other."""
    del engine.append  # type: ignore[attr-defined]
    engine.broken = True
    append(*args, **options)
    engine.broken = False


@pytest.mark.parametrize("word", ["rooms", "history", "search"])
def test_what_cannot_be_read_is_refused_and_works_later(moody: World, engine: MoodyEngine, word: str) -> None:
    bot = moody.program("bot", "lobby")
    bot.record(do="say", text="hello")
    bot.take()
    fields = {"words": "hello"} if word == "search" else {}
    engine.broken = True
    bot.record(do=word, ref=1, **fields)
    assert [(r["event"], r["code"], r["re"]) for r in bot.records()] == [("error", "not-confirmed", 1)]
    engine.broken = False
    bot.record(do=word, ref=2, **fields)
    (answer,) = bot.records()
    assert (answer["event"], answer["re"]) == ({"search": "found"}.get(word, word), 2)


@pytest.mark.parametrize("end", [Client.drop, lambda client: client.say("/quit")])
def test_who_goes_while_the_log_fails_is_gone_when_it_works_again(
    moody: World, engine: MoodyEngine, end: Callable[[Client], None]
) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    engine.broken = True
    end(alice)
    moody.pass_time(1)
    engine.broken = False
    for _ in range(12):
        moody.pass_time(10)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]
    bob.drop()
    assert not moody.chat.loaded_rooms.by_name


def test_a_server_that_stops_while_its_log_fails_waits_for_nothing() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.person("alice", "lobby")
        engine.broken = True
        alice.drop()


def test_messages_on_either_side_of_a_failure_keep_their_order(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    for i, broken in enumerate([False, True, False, True, False]):
        engine.broken = broken
        alice.say(str(i))
    assert bob.lines() == ["alice: 0", "alice: 2", "alice: 4"]
    assert alice.lines() == ["alice: 0", NOT_CONFIRMED, "alice: 2", NOT_CONFIRMED, "alice: 4"]
