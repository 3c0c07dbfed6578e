"""Which commands are about a room: the client's list is that of the table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatroom.client.pending import PendingQueue
from chatroom.client.room_commands import is_about_room, is_about_sealed, lacks_room
from chatroom.model.commands import TABLE, CommandRow

ROWS = {row.do: row for row in TABLE}


def example(row: CommandRow, **fields: Any) -> Any:
    """Return a command of a row, with a value in each required field."""
    required = {
        field.name: 1 if field.type is int else "x" for field in msgspec.structs.fields(row.command) if field.required
    }
    return row.command(**{**required, **fields})


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_commands_about_a_room_are_known_to_be_so(row: CommandRow) -> None:
    assert is_about_room(row.do, {}) == row.about_room


@pytest.mark.parametrize("do", ["history", "search", "share", "typing", "read"])
def test_with_a_person_they_are_about_no_room(do: str) -> None:
    assert not example(ROWS[do], user="bob").needs_room
    assert not is_about_room(do, {"user": "bob"})
    assert is_about_room(do, {})


def test_what_must_name_a_room() -> None:
    assert lacks_room("say", {"text": "hi"})
    assert not lacks_room("say", {"text": "hi", "room": "lobby"})
    assert not lacks_room("get", {"file": "f"})
    assert not lacks_room("who", {})


@pytest.mark.parametrize(
    ("do", "fields", "about"),
    [("edit", {"user": "bob"}, True), ("quote", {}, False), ("say", {"user": "bob"}, False)],
)
def test_what_is_done_to_a_message_of_a_person_is_about_a_sealed_one(
    do: str, fields: dict[str, Any], *, about: bool
) -> None:
    assert is_about_sealed(do, fields) is about
    assert not (about and is_about_room(do, fields))


def test_an_edit_for_a_person_does_not_go_astray_with_a_room_that_was_not_reached() -> None:
    waiting = PendingQueue()
    waiting.add("join", {"room": "work"}).answer.addErrback(lambda failure: None)
    waiting.add("edit", {"text": "better", "id": "to-room"}).answer.addErrback(lambda failure: None)
    waiting.add("edit", {"user": "bob", "text": "better", "id": "to-bob"})
    waiting.lost()
    assert (waiting.has("to-bob"), waiting.has("to-room")) == (True, False)
