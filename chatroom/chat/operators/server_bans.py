"""Bans from the whole server, of accounts, guests, names and addresses. All daemons have the same list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from chatroom.chat.bans_and_mutes import Sanction, matching
from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.errors import SERVER_BANNED
from chatroom.model.logger import logger

BUCKET = "ban"

_log = logger(__name__)
_decode = msgspec.json.Decoder(Sanction).decode


class ServerBans:
    """The list of bans from the server.

    Args:
        engine: Stores the list.
        now: Returns the time, in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now
        self._by_key: dict[str, Sanction] = {}

    @property
    def all(self) -> tuple[Sanction, ...]:
        """Return all bans in the order in which they were made, including those that have ended."""
        return tuple(sorted(self._by_key.values(), key=lambda ban: ban.at))

    async def load(self) -> None:
        """Read the list of bans from the engine."""
        read = {ban.key: ban async for page in pages(self._engine, BUCKET) for ban in map(_decode_row, page)}
        self._by_key = read

    def reload(self) -> None:
        """Begin to read the list again, because this or another daemon has changed it."""
        Deferred.fromCoroutine(self.load()).addErrback(_failed)

    def check(self, keys: tuple[str, ...]) -> None:
        """Check that none of the keys is banned now.

        Args:
            keys: The keys of a session or a user (``chatroom.chat.bans_and_mutes``).

        Raises:
            Refused: A ban that has not ended holds for one of the keys.
        """
        ban = matching((self._by_key[key] for key in keys if key in self._by_key), keys, self._now())
        if ban is not None:
            raise SERVER_BANNED(more=ban.more(self._now()))

    async def add(self, ban: Sanction) -> None:
        """Add a ban; it replaces an earlier ban with the same key."""
        await self._put(ban.key, msgspec.json.encode(ban))
        self._by_key[ban.key] = ban

    async def remove(self, bans: list[Sanction]) -> None:
        """Remove bans."""
        for ban in bans:
            await self._put(ban.key, None)
            self._by_key.pop(ban.key, None)

    @retried_on_conflict
    async def _put(self, key: str, value: bytes | None) -> None:
        """Store the ban with a key, or remove it if the value is None. If two daemons do so, the last change holds."""
        held = await self._engine.get(BUCKET, key)
        if held is not None or value is not None:
            await self._engine.put(BUCKET, key, value, held[1] if held is not None else 0)


def _decode_row(row: tuple[str, bytes]) -> Sanction:
    return _decode(row[1])


def _failed(failure: Any) -> None:
    _log.warn("the bans could not be read again: {why}", why=failure.getErrorMessage())
