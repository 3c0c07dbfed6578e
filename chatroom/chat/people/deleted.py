"""Accounts that were deleted, by the address of their last sessions: what is held against them is held there on.

Otherwise whoever is banned would only delete the account, come again, and register another. In memory: a restart, or
another address, is a way round, as it is for anybody who never had an account.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from chatroom.chat.limits import GUESTS, WAS
from chatroom.network import is_local, network


class DeletedAccounts:
    """See the module."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # by network, the longest unchanged first

    def note(self, address: str, ids: Iterable[str]) -> None:
        """An account that was used from an address is deleted.

        Args:
            address: The address; this machine's, from which everybody may come, is not remembered.
            ids: Of the account, and of those that it was before.
        """
        if is_local(address):
            return
        place = network(address)
        self._ids[place] = tuple(dict.fromkeys((*self._ids.pop(place, ()), *ids)))[-WAS:]
        if len(self._ids) > GUESTS:
            self._ids.popitem(last=False)

    def at(self, address: str) -> tuple[str, ...]:
        """Return the ids of the accounts that were deleted there."""
        return self._ids.get(network(address), ())
