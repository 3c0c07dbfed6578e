"""Devices that write in one encrypted room, for tests: each with the sessions and rows of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.group_sessions import GroupSessions
from chatroom.client.crypto.inbound_sessions import OpenedInRoom
from chatroom.client.crypto.outbound_sessions import KeyShare
from chatroom.client.crypto.room_messages import RoomCiphertext
from chatroom.client.crypto.rows import MemoryRows

ROOM = "room-1"
NOW = 1_800_000_000_000  # ms


class Member:
    """A device in the room.

    Args:
        user_id: Whose it is.
        device: Which of the user's devices.
    """

    def __init__(self, user_id: str, device: str = "A") -> None:
        self.id = (user_id, device)
        self.ed25519 = f"key of {user_id} {device}"
        self.rows = MemoryRows()
        self.generation = 0
        self.start()

    def start(self) -> None:
        """Start again from the rows, as after a start of the client."""
        self.generation += 1
        self.resume()

    def resume(self) -> None:
        """Read the state from the rows again, in the same generation of the vault."""
        self.sessions = GroupSessions(self.rows, self.id, self.generation, os.urandom)

    def prepare(self, members: Iterable[Member], rev: int = 1, now: int = NOW, room: str = ROOM) -> KeyShare | None:
        """Begin a session if one is due, and return who needs its key."""
        devices = {member.id: member.ed25519 for member in members}
        return self.sessions.outbound.prepare(room, rev, devices, now)

    def share(self, *members: Member, rev: int = 1, now: int = NOW, room: str = ROOM) -> list[Member]:
        """Share the key with all members who need it; return them."""
        share = self.prepare(members, rev, now, room)
        if share is None:
            return []
        needing = [member for member in members if member.id in share.devices]
        for member in needing:
            member.sessions.requests.take_key(self.id, share.body())
        self.sessions.outbound.given(share, share.devices)
        return needing

    def seal(
        self,
        text: str = "hi",
        id: str = "",
        rev: int = 1,
        now: int = NOW,
        room: str = ROOM,
        earlier: Sequence[tuple[str, int]] = (),
    ) -> RoomCiphertext:
        """Seal a message."""
        message: dict[str, Any] = {"id": id or f"id of {text}", "type": "msg", "ts": now, "body": {"text": text}}
        sealed = self.sessions.outbound.seal(room, rev, message, now, earlier)
        return RoomCiphertext(room, message["id"], self.id, sealed.sid, sealed.ct)

    def open(self, sealed: RoomCiphertext) -> OpenedInRoom:
        """Open a message."""
        return self.sessions.inbound.open(sealed)

    def text(self, sealed: RoomCiphertext) -> str:
        """Open a message and return its text."""
        return str(self.open(sealed).plain.body["text"])

    def refusal(self, sealed: RoomCiphertext) -> str:
        """Return the code with which a message is refused."""
        with pytest.raises(CryptoRefusal) as refused:
            self.open(sealed)
        return refused.value.code

    def key_refusal(self, sender: Member, body: object) -> str:
        """Return the code with which a room key is refused."""
        with pytest.raises(CryptoRefusal) as refused:
            self.sessions.requests.take_key(sender.id, body)
        return refused.value.code
