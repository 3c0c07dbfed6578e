"""What is said twice under the same id is stored and seen once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World


def said(records: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return texts and places of what was said."""
    return [(record["text"], record["seq"]) for record in records if record["event"] in ("said", "acted")]


def in_packets(batch: str, *records: dict[str, Any]) -> list[bytes]:
    """Return the records as packets: all in one, or each in its own."""
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    return lines if batch == "later" else [b"".join(lines)]


@pytest.mark.parametrize("batch", ["the same", "later"])
@pytest.mark.parametrize("word", ["say", "me"])
def test_the_same_id_twice_is_stored_once_and_acknowledged_twice(world: World, batch: str, word: str) -> None:
    bot, alice, other = world.program("bot", "lobby"), world.person("alice", "lobby"), world.program("other", "lobby")
    for client in (bot, alice):
        client.take()
    record = {"do": word, "text": "hello", "id": "one"}
    for packet in in_packets(batch, record, {**record, "text": "not this"}, {"do": word, "text": "next", "id": "two"}):
        bot.send(packet)
    heard = bot.records()
    assert sorted(r["id"] for r in heard) == ["one", "one", "two"]
    first, second = (r for r in heard if r["id"] == "one")
    assert first == second
    assert [text for text, _ in said(other.records())] == ["hello", "next"]
    assert len(alice.lines()) == 2
    bot.record(do="history")
    assert [r["text"] for r in bot.records()[0]["events"]] == ["hello", "next"]


def test_anothers_same_id_is_another_message(world: World) -> None:
    one, two, alice = world.program("one", "lobby"), world.program("two", "lobby"), world.person("alice", "lobby")
    for client in (one, two):
        client.take()
    one.record(do="say", text="mine", id="x")
    two.record(do="say", text="mine too", id="x")
    one.record(do="say", text="again", id="x")
    assert alice.lines() == ["one: mine", "two: mine too"]
    assert [record["text"] for record in one.records()] == ["mine", "mine too", "mine"]
    assert [record["text"] for record in two.records()] == ["mine", "mine too"]


@pytest.mark.parametrize("batch", ["the same", "later"])
def test_a_private_message_with_the_same_id_is_delivered_once_and_acknowledged_twice(world: World, batch: str) -> None:
    bot, alice = world.program("bot"), world.person("alice")
    record = {"do": "message", "user": "alice", "text": "hello", "id": "one"}
    for packet in in_packets(batch, {**record, "ref": 1}, {**record, "ref": 2}):
        bot.send(packet)
    assert alice.lines() == ["bot (private): hello"]
    assert [(r["event"], r["id"], r["re"]) for r in bot.records()] == [("sent", "one", 1), ("sent", "one", 2)]


def test_an_id_is_not_confirmed_and_sent_again_is_stored_once(moody: World, engine: MoodyEngine) -> None:
    bot, alice = moody.program("bot", "lobby"), moody.person("alice", "lobby")
    bot.take()
    engine.broken = True
    bot.record(do="say", text="hello", id="one", ref=1)
    assert [(r["event"], r["code"], r["re"]) for r in bot.records()] == [("error", "not-confirmed", 1)]
    engine.broken = False
    for _ in range(2):
        bot.record(do="say", text="hello", id="one", ref=1)
    assert alice.lines() == ["bot: hello"]
    assert [r["id"] for r in bot.records()] == ["one", "one"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"do": "say", "text": "hello"}, {"do": "message", "user": "alice", "text": "psst"}),
        ({"do": "message", "user": "alice", "text": "psst"}, {"do": "say", "text": "hello"}),
        ({"do": "message", "user": "alice", "text": "psst"}, {"do": "me", "text": "waves"}),
    ],
)
def test_an_id_used_for_two_things_is_answered_each_time(
    world: World, first: dict[str, Any], second: dict[str, Any]
) -> None:
    # It is the client's mistake; but one who waits for an answer must get one, and the room nothing that is private.
    bot, alice, other = world.program("bot", "lobby"), world.person("alice", "lobby"), world.program("other", "lobby")
    bot.take()
    bot.record(**first, id="x", ref=1)
    assert bot.records()
    bot.record(**second, id="x", ref=2)
    assert bot.records()
    assert all("psst" not in json.dumps(record) for record in other.records())
    assert len(alice.lines()) <= 3


def test_an_id_said_again_in_another_room_is_acknowledged_as_what_it_was(world: World) -> None:
    bot = world.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    (echo,) = bot.records()
    bot.record(do="join", room="den")
    bot.take()
    bot.record(do="say", text="hello", id="x")
    assert bot.records() == [echo]


def test_one_id_for_commands_of_different_kinds_is_several_events(world: World) -> None:
    bot, alice = world.program("bot", "lobby"), world.program("alice", "lobby")
    bot.record(do="say", text="to all", id="x", ref=1)
    seq = next(r["seq"] for r in bot.records() if r["event"] == "said")
    bot.record(do="message", user="alice", text="to alice", id="x", ref=2)
    bot.record(do="me", text="waves", id="x", ref=3)
    bot.record(do="edit", seq=seq, text="to everybody", id="x", ref=4)
    assert [(r["event"], r.get("text"), r.get("re")) for r in bot.records()] == [
        ("sent", "to alice", 2),
        ("acted", "waves", None),
        ("edited", "to everybody", None),
        ("ok", None, 4),
    ]
    assert [r["text"] for r in alice.records() if "text" in r] == ["to all", "to alice", "waves", "to everybody"]


def test_who_is_banned_learns_nothing_from_an_id_said_again(world: World) -> None:
    """The message comes back, but not what others have made of it since."""
    boss = world.program("boss", "den")
    mm, vv = world.program("mm", "den"), world.program("vv", "den")
    vv.record(do="say", text="first words")
    seq = next(r["seq"] for r in vv.records() if r["event"] == "said")
    mm.record(do="say", text="quoting", quote=seq, id="q")
    own = next(r["seq"] for r in mm.records() if r.get("text") == "quoting")
    mm.record(do="join", room="other", stay=True)
    boss.record(do="ban", user="mm")
    vv.record(do="edit", seq=seq, text="SECRET")
    vv.record(do="react", seq=own, emoji="!")
    mm.records()
    mm.record(do="say", text="x", id="q", room="other")
    (again,) = mm.records()
    assert (again["text"], again["quoted"]) == ("quoting", {"by": "vv", "text": ""})
    assert "reactions" not in again
    assert "SECRET" not in str(again)
