"""The users who are ignored. The server has the list; the client hides the messages of the same users.

The server stores an account's list. A guest's list ends with the connection, so the client remembers it and gives it to
the server again. The server does not accept a name that nobody has at present; until it does, only the client hides the
user.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.client.screen.presenter import Filter
from chatroom.model.names import fold
from chatroom.model.replies import Settings

MOST = 1000  # ignored names taken over from the server's list


class HasGuest(Protocol):
    """The part of a ``Client`` that is needed here."""

    @property
    def guest(self) -> bool: ...


class IgnoreList:
    """Keeps the hidden names equal to the server's list.

    Args:
        client: Tells whether the user is a guest.
        filter: Hides users; it has the names remembered from the last run.
        ask: Gives the server a command whose answer is not shown; its Deferred fires with the answer, or with None.
    """

    def __init__(self, client: HasGuest, filter: Filter, ask: Callable[..., Deferred[Any]]) -> None:
        self._client = client
        self._filter = filter
        self._ask = ask
        self._here = set(filter.ignored)  # folded names that the server's list lacks

    @property
    def remembered(self) -> list[str]:
        """The names to remember for the next run."""
        return sorted(self._filter.ignored if self._client.guest else self._here)

    def whole(self, settings: Settings) -> Settings:
        """Return the server's settings, with the names that only the client hides added to the ignored names."""
        return replace(settings, ignored=[*settings.ignored, *sorted(self._here - set(map(fold, settings.ignored)))])

    def heard(self, settings: Settings) -> None:
        """Take over what the server hides: reactions, and users; those that only the client hides stay hidden."""
        self._filter.reactions = settings.reactions
        self._filter.ignored = {*map(fold, settings.ignored[:MOST]), *self._here}

    def forget(self, name: str) -> None:
        """Take a name off those that only the client hides; the server's list is not changed."""
        self._here.discard(fold(name))

    def changed_user(self) -> None:
        """Ask the server for its list after the user has logged in or out."""
        self._ask("set", Settings)

    async def restore(self) -> None:
        """On a new connection, give the server the names that its list lacks, one after the other."""
        if self._client.guest:
            self._here = set(self._filter.ignored)
        else:
            await self._ask("set", Settings)
        for name in sorted(self._here):
            if name in self._here and await self._ask("ignore", Settings, user=name, on=True) is not None:
                self.forget(name)
