"""Members of a room are known to all daemons, whichever of them they are on, and also after one daemon has died."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cluster.nodes import Nodes
from harness import Client


@pytest.fixture(params=range(5), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons."""
    nodes = Nodes(request.param)
    yield nodes
    nodes.close()


def members(nodes: Nodes, client: Client, room: str = "lobby") -> set[str]:
    """Return who is in a room, as a program is told."""
    (users,) = [each for each in nodes.ask(client, do="who") if each["event"] == "users"]
    return {each["name"] for each in users["users"] if room in each.get("rooms", [each.get("room")])}


def entered(heard: list[dict[str, Any]]) -> list[str]:
    """Return whom a program that has joined a room found there."""
    (found,) = [each["users"] for each in heard if each["event"] == "entered"]
    return list(found)


def test_who_joins_later_on_another_daemon_finds_the_members(two: Nodes) -> None:
    alice = two.program(0, "alice", "lobby")
    bob = two.program(1, "bob")
    assert entered(two.ask(bob, do="join", room="lobby")) == ["alice", "bob"]
    assert [each["by"] for each in alice.records() if each["event"] == "joined"] == ["bob"]
    alice.drop()
    two.settle()
    assert [(each["event"], each["by"]) for each in bob.records()] == [("disconnected", "alice")]
    carol = two.program(1, "carol")
    assert entered(two.ask(carol, do="join", room="lobby")) == ["bob", "carol"]


def test_all_who_join_at_the_same_time_find_each_other_in_the_end(two: Nodes) -> None:
    clients = [two.program(number % 2, f"user{number}") for number in range(6)]
    for client in clients:
        client.record(do="join", room="lobby")
    two.settle()
    known = []
    for client in clients:
        found: set[str] = set()
        for each in client.records():
            if each["event"] == "entered":
                found = set(each["users"])
            elif each["event"] == "joined":
                found.add(each["by"])
        known.append(found)
    assert known == [{f"user{number}" for number in range(6)}] * 6
    rooms = [room for world in two.worlds for room in world.chat.loaded_rooms.rooms()]
    assert [len(room.members) for room in rooms] == [6, 6]


def test_a_room_that_is_loaded_again_knows_the_others(two: Nodes) -> None:
    two.program(0, "alice", "lobby")
    bob = two.program(1, "bob", "lobby")
    for _ in range(3):
        two.ask(bob, do="leave")
        assert two.worlds[1].chat.loaded_rooms.rooms() == []
        assert entered(two.ask(bob, do="join", room="lobby")) == ["alice", "bob"]


def test_a_daemon_shows_no_roster_of_a_room_that_it_has_unloaded(two: Nodes) -> None:
    alice = two.program(0, "alice", "lobby")
    (shown,) = two.store.nodes["n1"].shown.values()
    assert [each.name for each in shown.members] == ["alice"]
    two.ask(alice, do="leave")
    assert two.store.nodes["n1"].shown == {}


def test_a_roster_is_shown_again_when_much_was_said(two: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.chat.rooms.rosters.OUTDATED", 5)
    alice = two.program(0, "alice", "lobby")
    (before,) = two.store.nodes["n1"].shown.values()
    for number in range(7):
        two.ask(alice, do="say", text=str(number))
    two.settle(12)
    (after,) = two.store.nodes["n1"].shown.values()
    assert after.seq > before.seq + 5
    assert after.members == before.members


def test_the_members_of_a_daemon_that_died_are_gone_and_told_once(two: Nodes) -> None:
    two.program(0, "alice", "lobby")
    two.program(0, "amy", "lobby")
    bob = two.program(1, "bob", "lobby")
    third = two.start()
    carol = third.connect()
    carol.record(do="hello", version=1, name="carol")
    two.ask(carol, do="join", room="lobby")
    bob.records()
    two.kill(0)
    for client in (bob, carol):
        gone = [each["by"] for each in client.records() if each["event"] == "disconnected"]
        assert sorted(gone) == ["alice", "amy"]
    log = two.worlds[1].chat.loaded_rooms.rooms()[0].log
    stored = [row for row in two.store.engine._logs[log].rows if b'"disconnected"' in row[4]]
    assert len(stored) == 2, "both daemons have told it, with the same ids"
    assert members(two, bob) == {"bob", "carol"}


def test_a_room_that_is_loaded_while_a_daemon_ends_keeps_none_of_its_members(two: Nodes) -> None:
    two.program(0, "alice", "lobby")
    bob = two.program(1, "bob")
    rosters = two.worlds[1].engine.rosters

    def late(log: str) -> Any:
        found = rosters(log)
        two.worlds[1].engine.on_node_ended("n1")
        return found

    two.worlds[1].engine.rosters = late  # type: ignore[method-assign]
    two.ask(bob, do="join", room="lobby")
    (room,) = two.worlds[1].chat.loaded_rooms.rooms()
    assert [member.name for member in room.members.values()] == ["bob"]
