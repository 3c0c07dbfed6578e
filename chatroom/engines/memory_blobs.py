"""Keeps the bytes of shared files ("blobs") in memory, for ``--ephemeral`` and tests; the chat limits their number."""

from __future__ import annotations

import hashlib
from typing import Any

from twisted.internet.defer import Deferred, succeed


class MemoryBlobs:
    """The shared files, in memory. ``chatroom.chat.interfaces.Blobs`` documents each method.

    Args:
        reactor: Gives ``callLater``.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._parts: dict[str, dict[int, bytes]] = {}
        self._whole: dict[str, dict[int, bytes]] = {}

    def write(self, id: str, index: int, data: bytes) -> Deferred[None]:
        self._parts.setdefault(id, {})[index] = data
        return succeed(None)

    def read(self, id: str, index: int) -> Deferred[bytes]:
        return succeed(self._whole.get(id, {}).get(index, b""))

    def size(self, id: str) -> Deferred[int]:
        chunks = self._whole.get(id) or self._parts.get(id) or {}
        return succeed(sum(map(len, chunks.values())))

    def seal(self, id: str, sha256: str) -> Deferred[bool]:
        return Deferred.fromCoroutine(self._seal(id, sha256))

    async def _seal(self, id: str, sha256: str) -> bool:
        """Check the hash of a file, and keep the file or remove it.

        One chunk is hashed in each turn of the reactor, because this store has no thread of its own.
        """
        if id in self._whole:
            return True
        digest = hashlib.sha256()
        for _, data in sorted(self._parts.get(id, {}).items()):
            digest.update(data)
            turn: Deferred[None] = Deferred()
            self._reactor.callLater(0, turn.callback, None)
            await turn
        chunks = self._parts.pop(id, {})
        if digest.hexdigest() != sha256:
            return False
        self._whole[id] = chunks
        return True

    def drop(self, id: str) -> Deferred[None]:
        self._parts.pop(id, None)
        self._whole.pop(id, None)
        return succeed(None)

    def all(self) -> Deferred[set[str]]:
        return succeed({*self._parts, *self._whole})
