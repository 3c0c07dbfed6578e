"""The direct links of the user that we are now, for the screen, the pipe, bots and files; another user has others."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail

from chatroom.client.direct.channel import UseRelay
from chatroom.client.encryption.interface import LinkPath
from chatroom.client.encryption.links import Links
from chatroom.client.errors import Rejected


class CurrentLinks:
    """Implements ``UserLinks`` and ``FileLinks``.

    Attributes:
        links: The links of the user that we are now; None while we have no keys.
    """

    def __init__(self) -> None:
        self.links: Links | None = None

    def use(self, links: Links | None) -> None:
        """End the links that there are, and use others; none if ``links`` is None."""
        if self.links is not None:
            self.links.stop()
        self.links = links

    @property
    def _there(self) -> Links:
        """Return the links.

        Raises:
            Rejected: We have no keys.
        """
        if self.links is None:
            raise Rejected("no-keys", "There can be no direct link, because there are no keys here now; see /keys.")
        return self.links

    def path(self, user: str) -> LinkPath:
        return self.links.path(user) if self.links is not None else LinkPath.NONE

    async def addresses(self, user: str) -> list[str]:
        return await self._there.addresses(user)

    async def agree(self, user: str, addresses: list[str]) -> None:
        await self._there.agree(user, addresses)

    async def refuse(self, user: str) -> None:
        await self._there.refuse(user)

    async def end(self, user: str) -> None:
        await self._there.end(user)

    def peer(self, user: str) -> tuple[str, str] | None:
        """Return the device of a user to which a link is open; None if there is none."""
        return self.links.peer(user) if self.links is not None else None

    def is_open(self, peer: tuple[str, str]) -> bool:
        """Return whether a link to a device is open."""
        return self.links is not None and self.links.is_open(peer)

    def send_chunk(self, peer: tuple[str, str], data: bytes) -> Deferred[None]:
        """Send bytes of a file to a device."""
        return self.links.send_chunk(peer, data) if self.links is not None else fail(UseRelay("there is no link"))
