"""Which messages of a device were opened, so that none is opened twice: hashes of ciphertexts, and inner ids."""

from __future__ import annotations

from collections import OrderedDict, deque

from msgspec import Struct
from msgspec.json import decode, encode

from chatroom.client.crypto.rows import Rows

TABLE = "olm-seen"
CHUNK = 32  # messages that share a row
CHUNKS = 32  # rows that are kept for a device, so at least 992 messages
CACHED = 500  # devices in memory


class _Chunk(Struct):
    """Messages in one row: the hash of each ciphertext, its outer id, and its inner id."""

    number: int
    messages: list[tuple[str, str, str]]


class _Seen:
    """What is remembered of one device."""

    def __init__(self, chunks: list[_Chunk]) -> None:
        self.chunks = deque(chunks or [_Chunk(0, [])], CHUNKS)
        self.index()

    def index(self) -> None:
        """Make the maps that answer questions."""
        messages = [message for chunk in self.chunks for message in chunk.messages]
        self.outer = {digest: outer for digest, outer, _ in messages}
        self.inner = {inner for _, _, inner in messages if inner}


class OpenedMessages:
    """The messages that were opened, by the device that sent them.

    Args:
        rows: Where they are kept.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._cache: OrderedDict[str, _Seen] = OrderedDict()

    def outer_id(self, peer: str, digest: str) -> str | None:
        """Return the id under which the server gave a ciphertext before; None if it never did.

        Args:
            peer: The device that sent it.
            digest: The hash of the ciphertext.
        """
        return self._of(peer).outer.get(digest)

    def has(self, peer: str, inner_id: str) -> bool:
        """Return whether a message with this inner id was opened."""
        return inner_id in self._of(peer).inner

    def add(self, peer: str, digest: str, outer_id: str, inner_id: str) -> None:
        """Remember a message.

        Args:
            peer: The device that sent it.
            digest: The hash of the ciphertext.
            outer_id: The id that the server gave.
            inner_id: The id inside; empty if the message was refused.
        """
        seen = self._of(peer)
        if len(seen.chunks[-1].messages) >= CHUNK:
            seen.chunks.append(_Chunk(seen.chunks[-1].number + 1, []))
            seen.index()
        chunk = seen.chunks[-1]
        chunk.messages.append((digest, outer_id, inner_id))
        seen.outer[digest] = outer_id
        if inner_id:
            seen.inner.add(inner_id)
        self._rows.put(TABLE, f"{peer} {chunk.number % CHUNKS}", encode(chunk))

    def _of(self, peer: str) -> _Seen:
        """Return what is remembered of a device."""
        seen = self._cache.get(peer)
        if seen is None:
            seen = self._cache[peer] = _Seen(self._read(peer))
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(peer)
        return seen

    def _read(self, peer: str) -> list[_Chunk]:
        """Return what the rows hold of a device, the oldest first."""
        chunks = []
        for slot in range(CHUNKS):
            value = self._rows.get(TABLE, f"{peer} {slot}")
            if value is None:
                break  # the slots are filled in order
            chunks.append(decode(value, type=_Chunk))
        return sorted(chunks, key=lambda chunk: chunk.number)
