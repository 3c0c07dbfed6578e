"""A small way to be on a server from a program: connect, join, say, and iterate over what is heard. See the package."""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Rejected
from chatroom.client.files.transfers import Transfers
from chatroom.client.known_hosts import KnownHosts
from chatroom.client.login import LoginState
from chatroom.client.paths import state_folder
from chatroom.client.status import Connected, Denied, Ended, Notice
from chatroom.model.events import Event

MOST = 1000  # events that wait to be taken before nothing more is read

Heard = Event | Notice


class Bot:
    """One's place on a server.

    Args:
        reactor: Tells the time.
        connect: As for ``Client``.
        server: Host and port, as they are known.
        fields: Of ``Client``.

    Attributes:
        client: All else that one can do.
        files: Sends and fetches them.
    """

    def __init__(
        self, reactor: Any, connect: Callable[[], Deferred[ServerConnection]], server: str, **fields: Any
    ) -> None:
        self.client = Client(connect, reactor, mint, self._tell, secret=mint(), **fields)
        self.files = Transfers(self.client, server, reactor)
        self._waiting: deque[Heard] = deque()
        self._taker: Deferred[None] | None = None
        self._over = False
        self._arrived: Deferred[None] | None = Deferred()

    @property
    def name(self) -> str:
        """Who we are."""
        return self.client.name

    async def arrive(self) -> None:
        """Connect.

        Raises:
            Rejected: There is no way to the server, or it does not give what was asked for.
        """
        assert self._arrived is not None
        self.client.start()
        await self._arrived

    async def join(self, room: str, messages: int = 0) -> None:
        """Join a room, leaving the one before.

        Args:
            room: Its name.
            messages: How many of those of before to hear.

        Raises:
            Rejected: Why not.
        """
        await self.client.do("join", room=room, messages=messages)

    async def say(self, text: str) -> None:
        """Say something to the room; returns when it is stored. Raises ``Rejected``."""
        await self.client.say(text)

    async def tell(self, user: str, text: str) -> None:
        """Write to one person; returns when it is stored. Raises ``Rejected``."""
        await self.client.do("message", user=user, text=text)

    async def events(self) -> AsyncIterator[Heard]:
        """Yield what is heard, and how it stands with the server (``chatroom.client.status``), until ``leave``."""
        while self._waiting or not self._over:
            if not self._waiting:
                self._taker = Deferred()
                await self._taker
                continue
            event = self._waiting.popleft()
            if len(self._waiting) == MOST // 2:
                self.client.resume()
            yield event

    async def leave(self) -> None:
        """Leave the server, when what was said is acknowledged."""
        await self.client.stop()
        self._over = True
        self._stir()

    def _tell(self, event: Heard) -> None:
        arrived = self._arrived
        if arrived is not None:
            if isinstance(event, Connected):
                self._arrived = None
                arrived.callback(None)
            elif isinstance(event, Denied | Ended):
                self._arrived = None
                arrived.errback(Rejected(getattr(event, "code", "ended"), getattr(event, "text", "") or f"{event}"))
        self._over = self._over or isinstance(event, Ended)
        self._waiting.append(event)
        if len(self._waiting) == MOST:
            self.client.pause()
        self._stir()

    def _stir(self) -> None:
        taker, self._taker = self._taker, None
        if taker is not None:
            taker.callback(None)


def mint() -> str:
    """Return what nobody has had, and nobody can guess."""
    return secrets.token_urlsafe(15)


async def connect(
    reactor: Any,
    host: str,
    port: int,
    *,
    name: str = "",
    login: tuple[str, str] | LoginState | None = None,
    plain: bool = False,
    known: KnownHosts | None = None,
) -> Bot:
    """Connect to a server, and stay connected.

    Args:
        reactor: Twisted's; it runs.
        host: Of the server.
        port: Of the server.
        name: The name to take as a guest.
        login: Name and password of an account.
        plain: Speak in plain text; otherwise by TLS.
        known: The keys of servers; those that ``chatroom-client`` knows, if not given.

    Raises:
        Rejected: The server does not give what was asked for; or trying again would be no use.
    """
    from chatroom.client.dialing import Dialer  # loads OpenSSL

    servers = known or KnownHosts(state_folder(os.environ) / "known_servers")
    dialer = Dialer(reactor, host, port, servers, plain=plain)
    bot = Bot(reactor, dialer.connect, dialer.server, name=name, login=login)
    await bot.arrive()
    return bot
