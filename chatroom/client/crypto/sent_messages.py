"""The messages that were sealed for a device, kept for a while in case that device cannot open them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from chatroom.client.crypto.rows import Rows

TABLE = "olm-sent"
KEPT = 200  # messages for each device
KEPT_FOR = 30 * 86_400_000  # ms, as long as the server keeps mail
TIMES = 3  # that one message is sealed again; otherwise a device could make us send for ever
NOT_KEPT = frozenset({"session.reset", "p2p.offer", "p2p.answer", "p2p.refuse"})  # worthless when they come late


class SentMessage(Struct, frozen=True, kw_only=True):
    """A message that was sealed for a device.

    Args:
        type: The kind of message.
        id: The id of the message.
        ts: When it was sealed first, in milliseconds.
        body: What it says.
        number: How many messages were kept for the device before.
        again: How many times it was sealed again.
    """

    type: str
    id: str
    ts: int
    body: dict[str, Any]
    number: int
    again: int = 0

    def __repr__(self) -> str:
        return f"<SentMessage {self.type} {self.id}>"  # never the body


class SentMessages:
    """The messages that were sealed, by the device for which they were.

    Args:
        rows: Where they are kept.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, peer: str, message: SentMessage) -> None:
        """Keep a message for a device in place of the one that is ``KEPT`` messages older."""
        self._rows.put(TABLE, f"{peer} {message.number % KEPT}", encode(message))

    def take(self, peer: str, ids: Collection[str], now: int) -> list[SentMessage]:
        """Return those messages for a device which are to be sealed for it again, and count that.

        Args:
            peer: The device that asked for them.
            ids: The ids for which it asked. Messages that were sealed for other devices are not among the result.
            now: The time in milliseconds.
        """
        wanted = set(ids)
        found = []
        for row, message in self._all(peer):
            if message.id in wanted and message.again < TIMES and now - message.ts < KEPT_FOR:
                self._rows.put(TABLE, row, encode(replace(message, again=message.again + 1)))
                found.append(message)
        return sorted(found, key=lambda message: message.number)

    def forget_old(self, peer: str, now: int) -> None:
        """Remove the messages for a device that were kept long enough."""
        for row, message in self._all(peer):
            if now - message.ts >= KEPT_FOR:
                self._rows.delete(TABLE, row)

    def _all(self, peer: str) -> Iterator[tuple[str, SentMessage]]:
        """Return each message that is kept for a device, with the key of its row."""
        for slot in range(KEPT):
            row = f"{peer} {slot}"
            value = self._rows.get(TABLE, row)
            if value is not None:
                yield row, decode(value, type=SentMessage)
            # A missing row may be one that was removed, so the search goes on.
