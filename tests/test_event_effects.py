"""What an event says that it changes is what the daemon's room and the client's room then do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room, RoomReports
from chatroom.client.room_state import RoomState
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.counters import Counters
from chatroom.model.log import Entry

VALUES: dict[str, Any] = {"id": "x", "at": 1, "by": "bob", "by_id": "b", "user": "bob", "user_id": "b", "name": "rob"}
OTHERWISE = {str: "s", int: 1, bool: True}


def example(kind: type[e.Event]) -> Any:
    """Return an event that bob causes, and that is about bob. Only ``joined`` is of somebody who was not there."""
    fields = msgspec.structs.fields(kind)
    made = {field.name: VALUES.get(field.name, OTHERWISE[field.type]) for field in fields if field.required}
    if issubclass(kind, e.AboutMember):
        made["user_id"] = "b"
    if kind is e.Joined:
        made |= {"by": "carol", "by_id": "c", "session": "c"}
    return kind(**made, room="lobby", seq=9)


def room_of_the_daemon(asked: list[Room]) -> Room:
    """Return a room with one member, bob, that notes when it is told that its record may have changed."""
    record = RoomRecord(id="r", name="lobby", made=0, owner="", owner_id="")
    room = Room(record, 1, {}, Counters(), RoomReports(lambda room: None, asked.append, lambda entry: None))
    room.apply([Entry(room.log, e.Joined("1", 1, "bob", "b", session="s"), b"", 1)])
    return room


@pytest.mark.parametrize("kind", e.OF_A_ROOM, ids=lambda kind: kind.__name__)
def test_the_room_of_a_daemon_does_what_the_event_says(kind: type[e.Event]) -> None:
    asked: list[Room] = []
    room = room_of_the_daemon(asked)
    room.apply([Entry(room.log, example(kind), b"", 9)])
    names = [member.name for member in room.members.values()]
    assert (names != ["bob"]) == kind.changes_members
    assert bool(asked) == kind.changes_record


@pytest.mark.parametrize("kind", e.OF_A_ROOM, ids=lambda kind: kind.__name__)
def test_the_room_of_a_client_does_what_the_event_says(kind: type[e.Event]) -> None:
    room = RoomState()
    room.enter(a.Entered(room="lobby", room_id="r", topic="", users=["me", "bob"], seq=5, complete=True))
    room.apply(example(kind), "me")
    assert (room.users != ["me", "bob"]) == kind.changes_members
