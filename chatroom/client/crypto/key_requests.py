"""Asking for the key of a session that did not arrive, and answering who asks.

An answer comes from the session's owner, or from another device of our own user, and is believed only if it was asked
for. We answer our own signed devices, and a device that we gave the key of our own session before, from the same index.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import to_builtins

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inbound_sessions import InboundSessions
from chatroom.client.crypto.outbound_sessions import OutboundSessions
from chatroom.client.crypto.room_messages import (
    DeviceId,
    RoomCiphertext,
    RoomKey,
    RoomKeyRequest,
    SessionName,
    read_body,
)
from chatroom.client.crypto.rows import Rows

MOST_ASKED = 200  # sessions whose keys we wait for
ASK_AGAIN = 60_000  # ms
ASKED = "room-keys-asked"


class KeyRequests:
    """Requests for the keys of sessions, ours and those of others.

    Args:
        rows: Keeps what we asked for.
        inbound: The sessions that open messages.
        outbound: Knows who was given the keys of our own sessions.
        own: This device.
    """

    def __init__(self, rows: Rows, inbound: InboundSessions, outbound: OutboundSessions, own: DeviceId) -> None:
        self._rows = rows
        self._inbound = inbound
        self._outbound = outbound
        self._own = own

    def ask(self, sealed: RoomCiphertext, now: int) -> dict[str, Any] | None:
        """Note that we ask for the key of a message, and return the body of ``room.key.request``.

        The body goes to the device that owns the session, and to the other devices of our own user.

        Args:
            sealed: The message that could not be opened.
            now: The time in ms.

        Returns:
            The body; None if the key is known, or was asked for less than a minute ago.
        """
        name = sealed.name()
        if self._inbound.knows(name) or name.owner == self._own:
            return None
        before = self._rows.get(ASKED, name.key())
        if before is not None and 0 <= now - int(before) < ASK_AGAIN:
            return None
        self._forget_oldest()
        self._rows.put(ASKED, name.key(), str(now).encode())
        request = RoomKeyRequest(room=name.room, sid=name.sid, owner=name.owner)
        body: dict[str, Any] = to_builtins(request)
        return body

    def answer(self, asker: DeviceId, ed25519: str, body: object, signed: Collection[str]) -> dict[str, Any]:
        """Answer a request: return the body of ``room.key`` for the device that asks.

        Args:
            asker: The device, as Olm has proved.
            ed25519: Its key, as Olm has proved.
            body: The body of its request.
            signed: The devices in the device list of our own user, as our user key has signed it.

        Raises:
            CryptoRefusal: The device may not have the key, or we do not know it.
        """
        request = read_body(body, RoomKeyRequest)
        name = SessionName(request.room, request.sid, request.owner)
        session = self._inbound.find(name)
        if asker[0] == self._own[0]:
            if asker[1] not in signed or asker == self._own:
                raise CryptoRefusal("not-yours", "a device that is not signed asked for a room key")
            index = session.ratchet.first_known_index if session is not None else 0
        else:
            given = self._outbound.was_given(name, asker, ed25519)
            if given is None:
                raise CryptoRefusal("not-given", "a device asked for a room key that it was never given")
            index = given
        exported = session.ratchet.export_at(index) if session is not None and session.authenticated else None
        if exported is None:
            raise CryptoRefusal("no-key", "a device asked for a room key that is not known here")
        answer = RoomKey(room=name.room, sid=name.sid, key=exported.to_base64(), index=index, owner=name.owner)
        found: dict[str, Any] = to_builtins(answer)
        return found

    def take_key(self, sender: DeviceId, body: object) -> SessionName | None:
        """Take the body of a ``room.key``, shared or as an answer.

        Args:
            sender: The device that sent it, as Olm has proved; of our own user only if it is signed.
            body: The body.

        Returns:
            The session, if messages of it can be opened or authenticated now that could not be before.

        Raises:
            CryptoRefusal: The key is none, is not the session's, contradicts a known one, or is an answer that
                nobody asked for.
        """
        key = read_body(body, RoomKey)
        if key.owner is None:
            name = SessionName(key.room, key.sid, sender)
            return name if self._inbound.take_shared(name, key) else None
        name = SessionName(key.room, key.sid, key.owner)
        if self._rows.get(ASKED, name.key()) is None or (sender != key.owner and sender[0] != self._own[0]):
            raise CryptoRefusal("unasked", "a device sent a room key that it was not asked for")
        taken = self._inbound.take_exported(name, key, authenticated=True)
        self._rows.delete(ASKED, name.key())
        return name if taken else None

    def _forget_oldest(self) -> None:
        """Forget the request that has waited longest, if there are too many."""
        waiting = {key: int(self._rows.get(ASKED, key) or 0) for key in self._rows.keys(ASKED)}
        if len(waiting) >= MOST_ASKED:
            self._rows.delete(ASKED, min(waiting, key=waiting.__getitem__))
