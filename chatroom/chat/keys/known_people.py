"""To whom each user has written private messages that are sealed. These people are no strangers to the user.

Nobody gets in here by writing to somebody, or by being in a room: only what the user has sent counts.
"""

from __future__ import annotations

import msgspec

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import WRITTEN_TO
from chatroom.chat.records import retried_on_conflict

BUCKET = "written-to"  # the ids of people, those written to first at the beginning, by the id of who wrote

_decode = msgspec.json.Decoder(list[str]).decode


class KnownPeople:
    """Remembers for each user the people to whom that user has written.

    Args:
        engine: Keeps the records.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def knows(self, user_id: str, other: str) -> bool:
        """Return whether a user has written to another one."""
        return other in (await self._read(user_id))[0]

    @retried_on_conflict
    async def note(self, user_id: str, other: str) -> None:
        """Note that a user has written to another one. Of these, the last ``WRITTEN_TO`` are kept."""
        known, rev = await self._read(user_id)
        if other not in known:
            await self._engine.put(BUCKET, user_id, msgspec.json.encode([*known, other][-WRITTEN_TO:]), rev)

    async def _read(self, user_id: str) -> tuple[list[str], int]:
        held = await self._engine.get(BUCKET, user_id)
        return (_decode(held[0]), held[1]) if held is not None else ([], 0)
