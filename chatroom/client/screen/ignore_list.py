"""Whom the user ignores: the server's list is the only one, and what it says is hidden here, too.

The server keeps the list of an account. That of a guest ends with the connection, so it is remembered here and given to
the server again. Names that the server does not take, for nobody is called so now, are hidden here alone until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.client.screen.presenter import Filter
from chatroom.model.names import fold
from chatroom.model.replies import Settings

MOST = 1000  # names that a server may tell


class HasGuest(Protocol):
    """The part of a ``Link`` that is needed."""

    @property
    def guest(self) -> bool: ...


class IgnoreList:
    """Keeps what is hidden here the same as what the server has.

    Args:
        client: Knows whether the user is a guest.
        filter: Hides people; what it begins with is remembered from the last time.
        ask: Gives the server a command whose answer is not shown; its Deferred fires with the answer, or with None.
    """

    def __init__(self, client: HasGuest, filter: Filter, ask: Callable[..., Deferred[Any]]) -> None:
        self._client = client
        self._filter = filter
        self._ask = ask
        self._here = set(filter.ignored)  # names that the server does not have, folded

    @property
    def remembered(self) -> list[str]:
        """The names to begin with the next time."""
        return sorted(self._filter.ignored if self._client.guest else self._here)

    def whole(self, settings: Settings) -> Settings:
        """Return the settings with the names that are hidden here alone."""
        return replace(settings, ignored=[*settings.ignored, *sorted(self._here - set(map(fold, settings.ignored)))])

    def heard(self, settings: Settings) -> None:
        """Hide whom the server says that the user ignores."""
        self._filter.ignored = {*map(fold, settings.ignored[:MOST]), *self._here}

    def forget(self, name: str) -> None:
        """Hide somebody no more; the server's list is not changed."""
        self._here.discard(fold(name))

    def changed_user(self) -> None:
        """Ask for the list of the account, or of the guest, that the user is from now on."""
        self._ask("set", Settings)

    async def restore(self) -> None:
        """Give the server the names that it does not have, one after another."""
        if self._client.guest:
            self._here = set(self._filter.ignored)
        else:
            await self._ask("set", Settings)
        for name in sorted(self._here):
            if name in self._here and await self._ask("ignore", Settings, user=name, on=True) is not None:
                self.forget(name)
