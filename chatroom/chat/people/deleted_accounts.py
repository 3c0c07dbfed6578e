"""The ids of deleted accounts, by the address of their last sessions: their bans and mutes hold for new sessions there.

Otherwise a banned user could delete the account, connect again and register another one. Each address has a record in
the engine, so a restart forgets nothing. A user with another address can evade this, as guests can.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import GUESTS, WAS
from chatroom.chat.records import pages
from chatroom.model.log import Change
from chatroom.model.logger import logger
from chatroom.model.network import is_local, network

BUCKET = "deleted"

_log = logger(__name__)
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


class DeletedAccounts:
    """Remembers the ids of deleted accounts by address.

    Args:
        engine: Stores the records.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids: OrderedDict[str, tuple[str, ...]] = (
            OrderedDict()
        )  # by network; those unchanged since the start, then the others by their last change

    async def start(self) -> None:
        """Read the stored ids."""
        async for page in pages(self._engine, BUCKET):
            self._ids.update((place, _decode(value)) for place, value in page)

    def note(self, address: str, ids: Iterable[str]) -> None:
        """Note that an account that was used from an address is deleted.

        Args:
            address: The address. For this machine's own address nothing is noted, because everybody may use it.
            ids: The ids of the account, and of the guests and accounts that its owner was before.
        """
        if is_local(address):
            return
        place = network(address)
        self._ids[place] = tuple(dict.fromkeys((*self._ids.pop(place, ()), *ids)))[-WAS:]
        changes = [Change(BUCKET, place, msgspec.json.encode(self._ids[place]))]
        if len(self._ids) > GUESTS:
            forgotten, _ = self._ids.popitem(last=False)
            changes.append(Change(BUCKET, forgotten, None))
        self._engine.change(changes).addErrback(_not_stored)

    def at(self, address: str) -> tuple[str, ...]:
        """Return the ids noted for an address: of deleted accounts, and of the guests and accounts of their owners."""
        return self._ids.get(network(address), ())


def _not_stored(failure: Any) -> None:
    _log.warn("a restart will forget a deleted account: {why}", why=failure.getErrorMessage())
