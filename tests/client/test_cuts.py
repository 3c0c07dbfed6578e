"""The line is cut after every packet of a conversation: nothing is lost or doubled, all is shown once, in order."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from client.network import Network, Person
from harness import QuickPasswords, World

from chatroom.chat.rooms import join_leave
from chatroom.client import backfill
from chatroom.client.status import Gap
from chatroom.model import events as e

_SAID = re.compile(r"\S+: (mine|theirs|meanwhile) ")
WORDS = 6
MOST_PACKETS = 200


def converse(network: Network, person: Person, other: Any) -> None:
    """Let the person and somebody on telnet say something in turn; whoever is gone comes back by and by."""
    for i in range(WORDS):
        person.say(f"mine {i}")
        network.flow()
        other.say(f"theirs {i}")
        network.flow()
        if not person.client.online:
            other.say(f"meanwhile {i}")
            network.pass_time(3)


def conversation(cut_after: int, *, noticed: bool, account: bool) -> tuple[bool, Person, list[str], World]:
    """Return whether the cut came, the person, and what somebody else saw said in the room."""
    world = World(passwords=QuickPasswords())
    network = Network(world)
    network.noticed = noticed
    other = world.person("bob", "lobby")
    other.say("theirs before")
    other.lines()
    fields: dict[str, Any] = {"name": "alice"}
    if account:
        world.program().record(do="register", user="alice", password="secret")
        world.clients[-1].drop()
        fields = {"login": ("alice", "secret")}
    person = Person(network, room="lobby", **fields)
    network.cut_after = cut_after
    person.come()
    network.pass_time(3)
    converse(network, person, other)
    network.pass_time(3)
    cut = network.cut_after is None
    person.leave()
    seen = [line for line in other.lines() if _SAID.match(line)]
    world.close()
    return cut, person, seen, world


@pytest.mark.parametrize("account", [False, True], ids=["guest", "account"])
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "ghost"])
def test_nothing_is_lost_or_doubled_wherever_the_line_is_cut(noticed: bool, account: bool) -> None:
    cuts = 0
    for cut_after in itertools.count():
        cut, person, seen, _ = conversation(cut_after, noticed=noticed, account=account)
        where = f"cut after packet {cut_after}"
        mine = [f"mine {i}" for i in range(WORDS)]
        assert person.said == mine, where
        assert person.client.name == "alice", where
        assert [line for line in seen if not line.startswith("bob: ")] == [f"alice: {text}" for text in mine], where
        shown = [f"{event.by}: {event.text}" for event in person.heard(e.Said)]
        # What was said before they came for the first time is no business of theirs.
        assert shown == seen[len(seen) - len(shown) :], where
        assert len(shown) >= 2 * WORDS, where
        assert not person.heard(Gap), where
        if not cut:
            break
        cuts += 1
    assert 10 < cuts < MOST_PACKETS


def test_private_messages_come_once_wherever_the_line_is_cut() -> None:
    for cut_after in itertools.count():
        world = World(passwords=QuickPasswords())
        network = Network(world)
        world.program().record(do="register", user="alice", password="secret")
        world.clients[-1].drop()
        bob = world.person("bob")
        person = Person(network, login=("alice", "secret"))
        network.cut_after = cut_after
        person.come()
        for i in range(WORDS):
            bob.say(f"/msg alice {i}")
            network.pass_time(0.4)
        network.pass_time(5)
        cut = network.cut_after is None
        person.leave()
        assert [event.text for event in person.heard(e.Private)] == [str(i) for i in range(WORDS)], cut_after
        late = world.program()
        late.record(do="login", user="alice", password="secret")
        left = [record for record in late.records() if record["event"] == "private"]
        assert left == [], f"cut after packet {cut_after}: {left} was not acknowledged"
        world.close()
        if not cut:
            break
    assert cut_after > 10


def whisper(network: Network, person: Person, other: Any) -> list[str]:
    """Let a guest and somebody on telnet write to each other in turn; return what the latter has written."""
    written = [f"theirs {i}" for i in range(2 * WORDS)]
    for i in range(WORDS):
        person.client.do("message", user="bob", text=f"mine {i}").addCallback(
            lambda sent: person.said.append(sent.text)
        )
        network.flow()
        for text in written[2 * i : 2 * i + 2]:
            other.say(f"/msg alice {text}")
            network.pass_time(0.4 if person.client.online else 3)
    network.pass_time(3)
    return written


@pytest.mark.parametrize("again", [None, 1, 2, 3, 4, 5], ids=lambda n: f"and again after {n}" if n else "once")
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "ghost"])
def test_private_messages_of_guests_come_once_wherever_the_line_is_cut(noticed: bool, again: int | None) -> None:
    """In both directions: to who is cut what was not acknowledged comes again, from who is cut it is stored once."""
    for cut_after in itertools.count():
        world = World(passwords=QuickPasswords())
        network = Network(world)
        network.noticed = noticed
        bob = world.person("bob")
        person = Person(network, name="alice").come()
        network.cut_after, network.cut_again = network.packets + cut_after, again
        theirs = whisper(network, person, bob)
        cut = network.cut_after is None
        person.leave()
        where = f"cut after packet {cut_after}"
        mine = [f"mine {i}" for i in range(WORDS)]
        assert [event.text for event in person.heard(e.Private)] == theirs, where
        assert person.said == mine, where
        heard = [line for line in bob.lines() if " (private): mine" in line]
        assert heard == [f"alice (private): {text}" for text in mine], where
        world.close()
        if not cut:
            break
    assert cut_after > 10


ROOMS = ["lobby", "den", "work"]


def in_three_rooms(
    cut_after: int, *, noticed: bool, missed: int, again: int | None = None, largest: int = 1 << 30
) -> tuple[bool, Person, Any, World]:
    """Return whether the cut came, the person, and a program that is in the rooms, too, after all that was said there.

    Args:
        cut_after: The line is cut after so many packets.
        noticed: Whether the server notices the cut.
        missed: How many messages are said in each room while the person is cut off.
        again: After so many more packets it is cut once more; None: it is not.
        largest: Bytes of a packet.
    """
    world = World(passwords=QuickPasswords())
    network = Network(world)
    network.noticed, network.largest = noticed, largest
    other = world.program("bob")
    for room in ROOMS:
        other.record(do="join", room=room, stay=True)
    other.records()
    person = Person(network, name="alice", room=ROOMS, several=True)
    network.cut_after, network.cut_again = cut_after, again
    person.come()
    network.pass_time(3)
    for i in range(3):
        for room in ROOMS:
            person.say_in(room, f"mine {i}")
            network.flow()
            other.record(do="say", text=f"theirs {i}", room=room)
            network.flow()
        if not person.client.online:
            for n in range(missed):
                for room in ROOMS:
                    other.record(do="say", text=f"meanwhile {i}.{n}", room=room)
            network.pass_time(4)
    network.pass_time(4)
    return network.cut_after is None, person, other, world


def check_each_room(person: Person, records: list[dict[str, Any]], where: str) -> None:
    """Check that in each room all was said once, and was told once, in the order of the room's log."""
    said = [r for r in records if r["event"] == "said"]
    assert person.refused == [], where
    for room in ROOMS:
        of_room = [(r["by"], r["text"]) for r in said if r["room"] == room]
        assert [text for by, text in of_room if by == "alice"] == [f"mine {i}" for i in range(3)], where
        told = [(event.by, event.text) for event in person.heard(e.Said) if event.room == room]
        # What was said before they came for the first time is no business of theirs.
        assert told == of_room[len(of_room) - len(told) :], where
        assert len(told) >= 6, where
    assert [state.room for state in person.client.rooms.values()] == ROOMS, where
    assert not person.heard(Gap), where


@pytest.mark.parametrize("missed", [1, 12], ids=["few missed", "many missed"])
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "ghost"])
def test_nothing_is_lost_or_doubled_in_three_rooms_wherever_the_line_is_cut(
    monkeypatch: pytest.MonkeyPatch, noticed: bool, missed: int
) -> None:
    monkeypatch.setattr(join_leave, "CATCH_UP", 5)  # what is beyond that, the client must fetch
    monkeypatch.setattr(backfill, "PAGE", 4)
    for cut_after in itertools.count():
        cut, person, other, world = in_three_rooms(cut_after, noticed=noticed, missed=missed)
        check_each_room(person, other.records(), f"cut after packet {cut_after}")
        person.leave()
        world.close()
        if not cut:
            break
    assert 15 < cut_after < MOST_PACKETS


def reading_in_three_rooms(cut_after: int, *, missed: int) -> tuple[bool, Person, Any, World]:
    """Return what ``in_three_rooms`` does; some messages were read, edited or deleted, and some mention the person."""
    world = World(passwords=QuickPasswords())
    network = Network(world)
    other = world.program("bob")
    for room in ROOMS:
        other.record(do="join", room=room, stay=True)
    other.records()
    person = Person(network, name="alice", room=ROOMS, several=True).come()
    network.cut_after = network.packets + cut_after
    for i in range(4):
        for room in ROOMS:
            other.record(do="say", text=f"alice {i}" if i % 2 else f"{i}", room=room)
            network.flow()
        other.record(do="edit", text=f"alice, {i}", room=ROOMS[0])
        if i == 1:
            other.record(do="delete", room=ROOMS[1])
            network.flow()
            state = person.client.rooms["work"]
            person.client.mark_read(state.after, room="work")
        network.flow()
        if not person.client.online:
            for n in range(missed):
                for room in ROOMS:
                    other.record(do="say", text=f"meanwhile {n}", room=room)
            network.pass_time(4)
    network.pass_time(4)
    return network.cut_after is None, person, other, world


def living(records: list[dict[str, Any]], room: str, after: int) -> tuple[int, int]:
    """Return how many messages of the room after a seq are living at the end, and how many of them mention alice."""
    texts: dict[int, str] = {}
    for record in records:
        if record.get("room") != room:
            continue
        if record["event"] == "said":
            texts[record["seq"]] = record["text"]
        elif record["event"] == "edited":
            texts[record["message"]] = record["text"]
        elif record["event"] == "deleted":
            del texts[record["message"]]
    left = [text for seq, text in texts.items() if seq > after]
    return len(left), sum("alice" in text for text in left)


@pytest.mark.parametrize("missed", [1, 12], ids=["few missed", "many missed"])
def test_what_is_unread_is_counted_right_wherever_the_line_is_cut(monkeypatch: pytest.MonkeyPatch, missed: int) -> None:
    monkeypatch.setattr(join_leave, "CATCH_UP", 5)
    monkeypatch.setattr(backfill, "PAGE", 4)
    for cut_after in itertools.count():
        cut, person, other, world = reading_in_three_rooms(cut_after, missed=missed)
        records = other.records()
        for state in person.client.rooms.values():
            counted = state.unread, state.mentions
            assert counted == living(records, state.room, state.read), f"{state.room}, cut after packet {cut_after}"
        person.leave()
        world.close()
        if not cut:
            break
    assert 10 < cut_after < MOST_PACKETS


def test_two_cuts_in_a_row_lose_nothing_though_packets_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a ``join`` and the missed messages after it come in several packets."""
    monkeypatch.setattr(join_leave, "CATCH_UP", 5)
    monkeypatch.setattr(backfill, "PAGE", 4)
    for cut_after in itertools.count():
        again = 9 + cut_after % 17
        cut, person, other, world = in_three_rooms(cut_after, noticed=False, missed=7, again=again, largest=400)
        check_each_room(person, other.records(), f"cut after packet {cut_after}, and again after {again}")
        person.leave()
        world.close()
        if not cut:
            break
    assert 30 < cut_after < MOST_PACKETS
