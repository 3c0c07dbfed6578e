"""Much was said while the client was away: it fetches all, and tells it once, in order, with what is said meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from client.network import Network, Person
from harness import QuickPasswords, World
from twisted.internet.defer import Deferred

from chatroom.chat.limits import CATCH_UP
from chatroom.chat.rooms import join_leave
from chatroom.client import backfill
from chatroom.client.backfill import Backfill
from chatroom.client.pending import PendingQueue
from chatroom.client.status import Gap
from chatroom.model import events as e
from chatroom.model import replies as a

MISSED = CATCH_UP + 700


def away(network: Network) -> tuple[Person, Any]:
    """Return alice, who has missed much, and bob, who said it."""
    bob = network.world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    network.lines[0].end()
    bob.say(*map(str, range(MISSED)))
    return alice, bob


def whisper(alice: Person, bob: Any, each: int) -> None:
    """Let bob say something whenever alice has been told so many messages; the last time soon after she is back."""
    tell = alice.client._conversation.handler.tell

    def told(event: Any) -> None:
        tell(event)
        number = len(alice.texts)
        if getattr(event, "text", "").isdigit() and number % each == 0 and number < MISSED:
            bob.say(f"meanwhile {number}")

    alice.client._conversation.handler.tell = told


@pytest.mark.parametrize("held", [backfill.HELD, 300, 1])
def test_all_is_told_once_in_order(network: Network, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(backfill, "HELD", held)
    alice, bob = away(network)
    whisper(alice, bob, 100)
    network.pass_time(30)
    said = [text for text in alice.texts if text.isdigit()]
    assert said == [str(i) for i in range(MISSED)]
    meanwhile = [text for text in alice.texts if not text.isdigit()]
    assert meanwhile == [f"meanwhile {i}" for i in range(100, MISSED, 100)]
    seqs = [event.seq for event in alice.told if getattr(event, "seq", 0) and hasattr(event, "text")]
    assert seqs == sorted(set(seqs))
    assert alice.heard(Gap) == []
    bob.say("live")
    network.flow()
    assert alice.texts[-1] == "live"
    alice.leave()


def test_what_is_let_go_of_while_a_page_is_on_its_way_is_fetched_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "HELD", 1)
    asked: list[int] = []
    outgoing, heard = PendingQueue(), []

    def ask(do: str, **fields: Any) -> Deferred[e.Event]:
        asked.append(fields["after"])
        return outgoing.add(do, fields).answer

    catching = Backfill(ask, outgoing, lambda event, re: heard.append(event.seq))
    fetched = Deferred.fromCoroutine(catching.fetch("lobby", 0))
    for seq in (3, 4, 5):  # said when the server had read the page, and told before it
        catching.receive(said(seq), None)
    catching.receive(a.History("lobby", [said(1), said(2)], True), 1)
    assert asked == [0, 2]
    catching.receive(a.History("lobby", [said(3), said(4), said(5)], True), 2)
    assert fetched.result is True
    catching.tell()
    catching.receive(said(6), None)
    assert heard == [1, 2, 3, 4, 5, 5, 6]  # ``Place`` drops what was shown before


def test_what_was_done_to_messages_is_fetched_too(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server tells only the newest of what was missed by itself."""
    monkeypatch.setattr(join_leave, "CATCH_UP", 5)
    monkeypatch.setattr(backfill, "PAGE", 4)
    bob = network.world.program("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    for i in range(3):
        bob.record(do="say", text=str(i))
    network.flow()
    gone = alice.heard(e.Said)[1].seq
    network.lines[0].end()
    bob.record(do="delete", seq=gone)
    for i in range(3, 20):
        bob.record(do="say", text=str(i))
    network.pass_time(5)
    assert alice.texts == [str(i) for i in range(20)]
    assert [event.message for event in alice.heard(e.Deleted)] == [gone]
    assert (alice.heard(Gap), alice.client.place.unread) == ([], 19)
    alice.leave()


def said(seq: int) -> e.Said:
    """Return what was said at that place of the log."""
    return e.Said(f"id-{seq}", 0, "bob", "bob-id", text=str(seq), seq=seq, room="lobby")


def test_what_is_found_among_it_is_not_said_again(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    network.cut_after = network.packets + 1  # the echo is lost
    alice.say("mine")
    network.flow()
    bob.say(*map(str, range(MISSED)))
    alice.say("mine too")
    network.pass_time(30)
    assert alice.said == ["mine", "mine too"]
    assert alice.texts == ["mine", *map(str, range(MISSED)), "mine too"]
    alice.leave()


def test_who_is_put_out_meanwhile_is_told_that_last(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    network.lines[0].end()
    bob.say(*map(str, range(MISSED)))
    tell = alice.client._conversation.handler.tell

    def told(event: Any) -> None:
        tell(event)
        if getattr(event, "text", "") == "5":
            bob.say("/kick alice")

    alice.client._conversation.handler.tell = told  # type: ignore[method-assign]
    network.pass_time(30)
    assert alice.texts[:6] == [str(i) for i in range(6)]
    assert alice.texts[-1] == str(MISSED - 1)
    assert len(alice.heard(Gap)) == 1
    assert alice.client.room == ""
    assert alice.client.online
    alice.leave()


def test_nothing_is_lost_or_doubled_wherever_the_line_is_cut_meanwhile() -> None:
    for cut_after in itertools.count(2):
        world = World(passwords=QuickPasswords())
        network = Network(world)
        alice, bob = away(network)
        network.noticed = False
        network.cut_after = network.packets + cut_after
        network.pass_time(30)
        bob.say("live")
        network.pass_time(5)
        cut = network.cut_after is None
        assert alice.texts == [*map(str, range(MISSED)), "live"], f"cut after packet {cut_after}"
        alice.leave()
        world.close()
        if not cut:
            break
    assert cut_after > 5


def test_what_is_held_back_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "HELD_BYTES", 100_000)
    heard: list[int] = []
    catching = Backfill(lambda *_, **__: Deferred(), PendingQueue(), lambda event, re: heard.append(event.seq))
    Deferred.fromCoroutine(catching.fetch("lobby", 0))
    for seq in range(1, 101):
        catching.receive(msgspec.structs.replace(said(seq), text="x" * 9000), None)
    assert heard == []
    catching.tell()
    assert heard == list(range(91, 101))


def test_one_event_that_is_larger_than_all_that_may_be_held_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "HELD_BYTES", 1000)
    heard: list[int] = []
    catching = Backfill(lambda *_, **__: Deferred(), PendingQueue(), lambda event, re: heard.append(event.seq))
    Deferred.fromCoroutine(catching.fetch("lobby", 0))
    catching.receive(said(1), None)
    catching.receive(msgspec.structs.replace(said(2), text="ж" * 600), None)
    catching.tell()
    assert heard == []
