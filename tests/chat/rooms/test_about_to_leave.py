"""What is sealed for members of whom one is about to leave is refused, also before the room knows of that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from order import ask, session_of
from sealing import CT, encrypted_room, members_rev, seal, sealed
from twisted.internet.task import Clock

from chatroom.model.events import DevicesChanged


def give(client: Client, **fields: Any) -> None:
    """Send a record, and let nothing be stored yet."""
    client.transport.protocol.dataReceived(json.dumps(fields).encode() + b"\n")


def codes(client: Client) -> list[str]:
    """Return the codes of the errors that have come."""
    return [each["code"] for each in client.records() if each["event"] == "error"]


@pytest.mark.parametrize("how", ["leave", "quit", "disconnect", "logout", "devices"])
def test_whoever_is_about_to_leave_counts_as_gone(world: World, how: str) -> None:
    alice, bob, carol = encrypted_room(world, "alice", "bob", "carol")
    rev = members_rev(alice)
    (room,) = world.chat.loaded_rooms.rooms()
    if how == "devices":
        about = "d1", 1, "carol", session_of(carol).user_id
        world.chat.owe(room.log, DevicesChanged(*about, rev=2))
    elif how == "disconnect":
        carol.transport.end()
    else:
        give(carol, do=how, **({"room": "den"} if how == "leave" else {}))
    assert (world.engine.is_ending(room.log), room.members_rev) == (True, rev)
    for number in range(4):
        give(bob, do="say-sealed", room="den", id=f"m{number}", sid="c2Vzc2lvbg", ct=CT, members=rev)
    assert codes(bob) == ["stale-members"] * 4
    assert not world.engine.is_ending(room.log)
    seal(bob, "after")
    assert sealed(bob) == ["after"]


def test_the_members_are_told_when_nobody_is_about_to_leave(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    give(bob, do="leave", room="den")
    give(alice, do="member-ids", room="den", ref="ids")
    (page,) = [each for each in alice.records() if each.get("re") == "ids"]
    assert [member[1] for member in page["members"]] == ["alice"]


def test_an_event_that_could_not_be_stored_is_no_longer_waited_for() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    alice, bob = encrypted_room(world, "alice", "bob")
    rev = members_rev(alice)
    engine.broken = True
    assert ask(bob, "leave", room="den") == "not-confirmed"
    engine.broken = False
    (room,) = session_of(alice).rooms
    assert not engine.is_ending(room.log)
    seal(alice, "m1", members=rev)
    assert sealed(alice) == ["m1"]
    world.close()
