"""The names of guests, when several daemons share the same people: whoever stores a name first has it everywhere.

Each name that a guest has chosen is a record, and so is each of its looks (``chatroom.model.names``), with the daemon
and the guest. The records of a daemon that has ended count no more. A single daemon needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import retried_on_conflict
from chatroom.model.errors import NAME_IN_USE
from chatroom.model.log import Change, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import Name, fold, is_guest_name, user_looks

NAMES = "guest-names"  # a record for each name, by ``name/<folded>``, and for each look, by ``look/<look>``

_log = logger(__name__)


class NameHolder(Struct, frozen=True, gc=False):
    """The guest who has a name.

    Args:
        node: The daemon on which the guest is.
        user_id: The guest's id.
        name: The name as it is shown.
    """

    node: str
    user_id: str
    name: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(NameHolder).decode


def _keys(name: Name) -> list[str]:
    return [f"name/{name.folded}", *(f"look/{look}" for look in sorted(user_looks(name)))]


class SharedNames:
    """Stores which guest has which name.

    Args:
        engine: Keeps the records.
        later: Calls a function when the store may work again, once for each key; see ``RetryQueue.call``.
    """

    def __init__(self, engine: Engine, later: Callable[[object, Callable[[], None]], None]) -> None:
        self._engine = engine
        self._later = later

    async def claim(self, user_id: str, name: Name) -> None:
        """Store that a guest has a name.

        Raises:
            Refused: Another guest, on whatever daemon, has the name or one that looks like it.
            Unavailable: The store fails.
        """
        if self._engine.node:
            await self._claim(NameHolder(self._engine.node, user_id, name.shown), name)

    @retried_on_conflict
    async def _claim(self, holder: NameHolder, name: Name) -> None:
        changes = []
        for key in _keys(name):
            held = await self._engine.get(NAMES, key)
            if held is not None and self._is_taken(_decode(held[0]), holder):
                raise NAME_IN_USE()
            changes.append(Change(NAMES, key, _encode(holder), held[1] if held is not None else 0))
        await self._engine.change(changes)

    def _is_taken(self, held: NameHolder, by: NameHolder) -> bool:
        """Return whether a name is somebody else's. A guest who is back on another daemon keeps the name."""
        return held.user_id != by.user_id and held.node in self._engine.nodes()

    def release(self, user_id: str, name: Name) -> None:
        """Let others have a name that a guest of this daemon has given up; try again until that is stored."""
        if not self._engine.node or is_guest_name(name):
            return
        doing = Deferred.fromCoroutine(self._release(NameHolder(self._engine.node, user_id, name.shown), name))
        doing.addErrback(self._not_released, user_id, name)

    @retried_on_conflict
    async def _release(self, holder: NameHolder, name: Name) -> None:
        changes = []
        for key in _keys(name):
            held = await self._engine.get(NAMES, key)
            if held is not None and _decode(held[0]) == holder:
                changes.append(Change(NAMES, key, None, held[1]))
        if changes:
            await self._engine.change(changes)

    def _not_released(self, failure: Any, user_id: str, name: Name) -> None:
        failure.trap(Unavailable)
        _log.warn("a guest's name is free later: {why}", why=failure.getErrorMessage())
        self._later(("name", user_id, name.folded), lambda: self.release(user_id, name))

    async def find(self, name: str) -> NameHolder | None:
        """Return who has a name; None if no guest has it.

        Raises:
            Unavailable: The store fails.
        """
        if not self._engine.node:
            return None
        held = await self._engine.get(NAMES, f"name/{fold(name)}")
        holder = _decode(held[0]) if held is not None else None
        return holder if holder is not None and holder.node in self._engine.nodes() else None
