"""All Megolm sessions of this device: what seals, what opens, and what is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inbound_sessions import InboundSessions
from chatroom.client.crypto.key_export import ExportedKey
from chatroom.client.crypto.key_requests import KeyRequests
from chatroom.client.crypto.outbound_sessions import OutboundSessions
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.room_messages import DeviceId, RoomKey, SessionName
from chatroom.client.crypto.rows import Rows


class GroupSessions:
    """The sessions of all encrypted rooms.

    Args:
        rows: Keeps them.
        own: This device.
        generation: The vault's, which counts up each time that the vault is opened.
        random: Returns so many random bytes.

    Attributes:
        inbound: Opens messages.
        outbound: Seals messages.
        requests: Takes keys, asks for missing ones, and answers who asks.
    """

    def __init__(self, rows: Rows, own: DeviceId, generation: int, random: Random) -> None:
        self.inbound = InboundSessions(rows, random)
        self.outbound = OutboundSessions(rows, self.inbound, own, generation, random)
        self.requests = KeyRequests(rows, self.inbound, self.outbound, own)

    def exported(self) -> Iterator[ExportedKey]:
        """Yield the keys of all sessions, the oldest first, each from its first index on. Each takes about 0.1 ms."""
        for name in self.inbound.names():
            session = self.inbound.find(name)
            exported = session and session.ratchet.export_at(session.ratchet.first_known_index)
            if session and exported:
                yield ExportedKey(
                    name.room, name.sid, name.owner, exported.to_base64(), session.ratchet.first_known_index
                )

    def import_key(self, exported: ExportedKey) -> bool:
        """Take one key of a file. Its messages are marked as not authenticated until the owner's own key arrives.

        Returns:
            Whether messages can be opened now that could not be before; False also for a key that is refused.
        """
        room, sid, owner = exported.room, exported.sid, exported.owner
        key = RoomKey(room=room, sid=sid, key=exported.key, index=exported.index, owner=owner)
        try:
            return self.inbound.take_exported(SessionName(room, sid, owner), key, authenticated=False)
        except CryptoRefusal:
            return False
