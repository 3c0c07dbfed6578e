"""The one-time keys of devices: a record for each, given out once, the oldest first.

Two daemons may want the same key at the same time. Then one of them cannot remove the record, and takes the next key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.device_keys import SignedKey
from chatroom.model.log import Change

ONE_TIME = "one-time-keys"  # a record for each key, by ``<user id>/<device>/<when it came>``

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SignedKey).decode


def _prefix(user_id: str, device: str) -> str:
    return f"{user_id}/{device}/"


class OneTimeKeys:
    """The one-time keys of all devices.

    Args:
        engine: Keeps the records.
        now: Returns the time in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    async def count(self, user_id: str, device: str) -> int:
        """Return how many one-time keys of a device are left."""
        return await self._engine.count(ONE_TIME, _prefix(user_id, device))

    async def clear(self, user_id: str, device: str) -> None:
        """Remove all one-time keys of a device."""
        async for page in pages(self._engine, ONE_TIME, _prefix(user_id, device)):
            await self._engine.change([Change(ONE_TIME, key, None) for key, _ in page])

    @retried_on_conflict
    async def add(self, user_id: str, device: str, keys: Sequence[SignedKey], most: int) -> None:
        """Keep one-time keys of a device: those that are not kept yet, so that it has no more than ``most``."""
        prefix = _prefix(user_id, device)
        held = [(key, _decode(value)) async for page in pages(self._engine, ONE_TIME, prefix) for key, value in page]
        known = {kept.key for _, kept in held}
        new = {key.key: key for key in keys if key.key not in known}
        last = int(held[-1][0].rpartition("/")[2]) if held else 0
        first = max(last + 1, self._now() * 1000)  # after all others, even if the clock was set back
        fitting = list(new.values())[: max(0, most - len(held))]
        if fitting:
            await self._engine.change(
                [Change(ONE_TIME, f"{prefix}{first + i:020}", _encode(key), 0) for i, key in enumerate(fitting)]
            )

    @retried_on_conflict
    async def take(self, user_id: str, device: str) -> SignedKey | None:
        """Remove the oldest one-time key of a device, and return it; None if none is left."""
        for key, _ in await self._engine.page(ONE_TIME, _prefix(user_id, device), "", 1):
            held = await self._engine.get(ONE_TIME, key)
            if held is None:  # somebody else has taken it just now
                return await self.take(user_id, device)
            await self._engine.put(ONE_TIME, key, None, held[1])
            return _decode(held[0])
        return None
