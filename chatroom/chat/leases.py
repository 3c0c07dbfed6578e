"""Leases: of several daemons that share a store, one does work that one of them is enough for.

A lease is a record with a daemon and an end. Whoever holds it renews it in time; when its end has passed, or its daemon
has ended, another daemon takes it. A slow daemon may go on for a moment after that, so the work must be such that two
may do it at once.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from chatroom.chat.interfaces import Engine
from chatroom.model.log import Conflict

BUCKET = "leases"


class Lease(Struct, frozen=True, gc=False):
    """Who does a piece of work.

    Args:
        node: The daemon.
        until: Until when, in milliseconds since 1970.
    """

    node: str
    until: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Lease).decode


class Leases:
    """Takes and renews leases.

    Args:
        engine: Keeps the records.
        now: Returns the time in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    async def hold(self, work: str, seconds: float) -> bool:
        """Return whether this daemon may do a piece of work now, and for so many seconds from now on.

        Raises:
            Unavailable: The store fails.
        """
        own, now = self._engine.node, self._now()
        if not own:
            return True
        held = await self._engine.get(BUCKET, work)
        lease = _decode(held[0]) if held is not None else None
        if lease is not None and lease.node != own and lease.until > now and lease.node in self._engine.nodes():
            return False
        try:
            value = _encode(Lease(own, now + int(seconds * 1000)))
            await self._engine.put(BUCKET, work, value, held[1] if held is not None else 0)
        except Conflict:  # another daemon was first
            return False
        return True
