"""Sealed messages that the server has not confirmed. They are kept in the vault, so that after a lost connection, or a
crash, the very same bytes are sent again: sealing once more would use another key for the same message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.unused_indexes import Sealing
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import Envelope
from chatroom.model.text import on_one_line

TABLE = "outbox"
MOST = 1000  # messages


class SealedCommand(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command as it was given, and as it was sealed.

    Args:
        number: Orders the outbox.
        record: The command: its name ``do`` and its fields, without ``ref``.
        envelopes: The sealed message, if it is private.
        revs: The device-list revision of each user among the envelopes.
        to: The name and the id of the person, if it is private.
        room_record: The record to send, if it is for a room.
        sealings: Where a message for a room was sealed, the latest last.
    """

    number: int
    record: dict[str, Any]
    envelopes: tuple[Envelope, ...] = ()
    revs: dict[str, int] = {}
    to: tuple[str, str] = ("", "")
    room_record: dict[str, Any] = {}
    sealings: tuple[Sealing, ...] = ()

    def not_sent(self, sentence: str) -> SecurityNotice:
        """Return the alarm that the message was not sent, for its window; after a sentence it has the text."""
        said = on_one_line(str(self.record.get("text", "")))
        where = {"user": self.to[0], "room": str(self.room_record.get("room", ""))}
        return SecurityNotice(f"{sentence} It was: {said}" if said else sentence, alarm=True, **where)


class SealedOutbox:
    """The sealed messages that are not confirmed.

    Args:
        rows: Keeps them.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._number = max((command.number for command in self.all()), default=0)

    def get(self, id: str) -> SealedCommand | None:
        """Return the sealed message with an id; None if there is none."""
        value = self._rows.get(TABLE, id)
        return None if value is None else decode(value, type=SealedCommand)

    def members_of(self, id: str) -> int:
        """Return the membership revision that a message to a room was sealed for; 0 if it is not here."""
        kept = self.get(id)
        return int(kept.room_record.get("members", 0)) if kept is not None else 0

    def put(self, record: Mapping[str, Any], **sealed: Any) -> SealedCommand:
        """Keep a sealed message.

        Args:
            record: The command as it was given.
            sealed: The other fields of ``SealedCommand``.
        """
        self._number += 1
        plain = {key: value for key, value in record.items() if key != "ref"}
        command = SealedCommand(number=self._number, record=plain, **sealed)
        self._rows.put(TABLE, str(record["id"]), encode(command))
        return command

    def spoil(self, sid: str) -> None:
        """Let all messages that a session of a room has sealed be sealed anew before they are sent again."""
        for command in self.all():
            if command.room_record.get("sid") == sid:
                spoilt = replace(command, room_record={**command.room_record, "members": 0})
                self._rows.put(TABLE, str(command.room_record["id"]), encode(spoilt))

    def remove(self, id: str) -> None:
        """Forget a message: the server has it, or will never have it."""
        self._rows.delete(TABLE, id)

    def all(self) -> list[SealedCommand]:
        """Return all sealed messages, in the order in which they were sealed."""
        values = [self._rows.get(TABLE, id) for id in self._rows.keys(TABLE)]
        commands = [decode(value, type=SealedCommand) for value in values if value is not None]
        return sorted(commands, key=lambda command: command.number)
