"""Half-close: who has said all that was to be said still hears the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World
from wire.framing import TOO_LONG, said


def test_what_stands_unfinished_at_a_half_close_is_a_line(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(b"one\ntwo")
    alice.finish()
    assert alice.lines() == ["alice: one", "alice: two"] == bob.lines()
    assert not alice.open
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]


def test_a_half_close_without_a_tail_just_ends(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.finish()
    assert alice.lines() == []
    assert not alice.open


def test_a_half_close_waits_for_a_message_under_way(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    engine.holding = True
    alice.send(b"last words")
    alice.finish()
    assert alice.open
    engine.let_go()
    assert alice.lines() == ["alice: last words"] == bob.lines()
    assert not alice.open


@pytest.mark.parametrize("line", ["/msg bob bye", "/reply bye"])
def test_a_half_close_waits_for_the_answer_to_a_private_message(world: World, line: str) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    bob.say("/msg alice psst")
    bob.lines()
    alice.lines()
    alice.send(line.encode())
    alice.finish()
    assert bob.lines() == ["alice (private): bye"]
    assert alice.lines() == ["To bob (private): bye"]
    assert not alice.open


@pytest.mark.parametrize(
    "record",
    [
        {"do": "say", "text": "hello", "id": "x", "ref": 1},  # said again: its first echo is the acknowledgement
        {"do": "say", "text": "unheard", "ref": 1},  # without echo "ok" is
        {"do": "message", "user": "bot", "text": "hello", "id": "y", "ref": 1},
        {"do": "message", "user": "bot", "text": "hello", "id": "z", "ref": 1},
        {"do": "who", "ref": 1},
    ],
    ids=["said again", "without echo", "private", "private again", "a question"],
)
def test_a_half_close_waits_for_the_acknowledgement(world: World, record: dict[str, Any]) -> None:
    bot = world.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    bot.record(do="message", user="bot", text="hello", id="z")
    bot.record(do="echo", on=False)
    bot.take()
    bot.send(json.dumps(record).encode())
    bot.finish()
    answers = [heard for heard in bot.records() if heard["event"] != "private"]
    assert [heard.get("re", heard.get("id")) for heard in answers] in ([1], ["x"])
    assert not bot.open


def test_a_half_close_waits_for_an_acknowledgement_that_must_be_looked_up(moody: World, engine: MoodyEngine) -> None:
    bot = moody.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    bot.record(do="join", room="den")
    bot.take()
    engine.slow = True
    bot.send(b'{"do":"say","text":"hello","id":"x"}')  # it was said in a room that nobody is in any more
    bot.finish()
    assert bot.open
    engine.let_go()
    assert [(heard["id"], heard["room"]) for heard in bot.records()] == [("x", "lobby")]
    assert not bot.open


def test_a_half_close_waits_for_a_command_and_does_what_follows(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice"), moody.person("bob", "lobby")
    engine.holding = True
    alice.send(b"/join lobby\nhello\nbye")
    alice.finish()
    assert alice.open
    engine.let_go()
    assert bob.lines() == ["alice has joined the room.", "alice: hello", "alice: bye"]
    assert alice.lines()[-2:] == ["alice: hello", "alice: bye"]
    assert not alice.open


def test_a_half_close_while_lines_are_delayed_does_all_of_them_first(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.send(b"\n".join(b"%d" % i for i in range(20)))
    alice.finish()
    assert alice.open
    for _ in range(12):
        paced.pass_time(0.5)
    assert said(bob) == [str(i) for i in range(20)]
    assert not alice.open


def test_a_half_close_in_the_middle_of_a_line_that_is_too_long(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(b"x" * 5000)
    alice.finish()
    assert alice.lines() == [TOO_LONG]
    assert bob.lines() == []
    assert not alice.open


def test_a_half_close_before_the_greeting_is_a_visit(world: World) -> None:
    visitor = world.connect()
    visitor.send(b"GE")
    visitor.finish()
    assert visitor.lines()[-1].startswith("Error: you are not in a room")
    assert not visitor.open


def test_a_program_may_half_close_too(world: World) -> None:
    bot = world.program("bot", "lobby")
    bot.send(b'{"do":"say","text":"bye","ref":7}')
    bot.finish()
    assert [r["text"] for r in bot.records()] == ["bye"]
    assert not bot.open
