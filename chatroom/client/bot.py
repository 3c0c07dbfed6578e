"""The library for bots: connect, join, say, and iterate over the events. The package's docstring has an example."""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.connection import ServerConnection
from chatroom.client.dialing import Dialer
from chatroom.client.errors import Rejected
from chatroom.client.files.transfers import Transfers
from chatroom.client.known_hosts import KnownHosts
from chatroom.client.login import LoginState
from chatroom.client.paths import state_folder
from chatroom.client.status import Connected, Denied, Ended, Notice
from chatroom.model.device import Device
from chatroom.model.events import Event

if TYPE_CHECKING:
    from chatroom.client.encryption.encryption import Encryption

MOST = 1000  # events that may wait for ``Bot.events``; beyond that, reading from the server stops

Heard = Event | Notice


class Bot:
    """A program's presence on a server.

    Args:
        reactor: Tells the time and makes delayed calls.
        connect: Makes one connection; see ``Client``.
        server: Host and port, as the user knows them.
        fields: Other arguments of ``Client``.

    Attributes:
        client: The ``Client`` beneath, for commands that have no method here.
        files: Sends and fetches files.
    """

    def __init__(
        self, reactor: Any, connect: Callable[[], Deferred[ServerConnection]], server: str, **fields: Any
    ) -> None:
        self._reactor = reactor
        self.client = Client(connect, reactor, mint, self._tell, secret=mint(), **fields)
        self.files = Transfers(self.client, server, reactor)
        self._waiting: deque[Heard] = deque()
        self._taker: Deferred[None] | None = None
        self._over = False
        self._arrived: Deferred[None] | None = Deferred()

    @property
    def name(self) -> str:
        """Our name."""
        return self.client.name

    def encrypt(self, folder: Path, label: str) -> Encryption:
        """Let the bot read and write encrypted messages; call this before ``arrive``.

        Args:
            folder: A folder for the bot's keys, which no other program uses.
            label: What people call the bot among the devices of its account.

        Returns:
            What knows whose keys are trusted, and links devices.
        """
        from chatroom.client.encryption.setup import encrypt, in_vault
        from chatroom.client.vault.vault_key import KEY_FILE

        store = in_vault(folder, "", folder / KEY_FILE, self._reactor)
        return encrypt(self.client, store, mint, label, self._reactor)

    async def arrive(self) -> None:
        """Connect, and return when the server has let us in.

        Raises:
            Rejected: The server refuses the name, login or room, or cannot be reached and trying again would not help.
        """
        assert self._arrived is not None
        self.client.start()
        await self._arrived

    @property
    def rooms(self) -> list[str]:
        """The names of the rooms that we are in, in the order of joining."""
        return [room.room for room in self.client.rooms.values()]

    async def join(self, room: str, messages: int = 0, *, stay: bool = False) -> None:
        """Join a room.

        Args:
            room: The name of the room. ``say`` is for this room from now on, unless it names another.
            messages: How many earlier messages to receive.
            stay: Whether to stay in the other rooms, if the server allows several; otherwise we leave them.

        Raises:
            Rejected: The server refuses.
        """
        fields = {"stay": True} if stay else {}
        await self.client.do("join", room=room, messages=messages, **fields)

    async def say(self, text: str, room: str = "") -> None:
        """Say something to a room; return when the server has stored it.

        Args:
            text: One line, or several with LF between them.
            room: The name of the room, such as the ``room`` of an event; empty for the room that was joined last.

        Raises:
            Rejected: The server refuses, as when we are not in the room.
        """
        await self.client.say(text, room)

    async def tell(self, user: str, text: str) -> None:
        """Send a private message; return when the server has stored it. Raises ``Rejected``."""
        await self.client.do("message", user=user, text=text)

    async def events(self) -> AsyncIterator[Heard]:
        """Yield each event and each notice (``chatroom.client.status``) until ``leave``, or after ``Ended``.

        The bot's own messages are among the events, and so are those that other sessions of its account send to one
        person: a bot that answers must look at ``by`` first.
        """
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
        """Leave the server when it has acknowledged all that was said, or after some seconds (``STOP_WITHIN``)."""
        await self.client.stop()
        self._over = True
        self._stir()

    def _tell(self, event: Heard) -> None:
        """Queue an event for `events`, and end `arrive` if the event shows that we are connected or refused."""
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
        self.client.taken(event)
        if len(self._waiting) == MOST:
            self.client.pause()
        self._stir()

    def _stir(self) -> None:
        """Let `events` go on, if it waits for an event."""
        taker, self._taker = self._taker, None
        if taker is not None:
            taker.callback(None)


def mint() -> str:
    """Return a new unique id that nobody can guess."""
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
    device: str = "",
    vault: Path | None = None,
) -> Bot:
    """Connect to a server, and stay connected.

    Args:
        reactor: Twisted's reactor, running.
        host: The server's name or address.
        port: The server's port.
        name: The name to take as a guest.
        login: Name and password of an account.
        plain: Whether to use plain text instead of TLS.
        known: The keys of servers; by default those that ``chatroom-client`` remembers.
        device: A name for the bot among the devices of its account: at most 32 lower-case letters, digits and ``-``.
            It lets the bot be online while the account is in use elsewhere, and a bot that starts again with this name
            ends the session of the one before. Without it, an account usually has one session.
        vault: A folder for the bot's keys, which no other program uses. With it, the bot reads and writes encrypted
            messages and rooms; the file ``vault.key`` in it unlocks them.

    Returns:
        The bot, once the server has let it in.

    Raises:
        Rejected: The server refuses the name or the login, or cannot be reached and trying again would not help.
    """
    servers = known or KnownHosts(state_folder(os.environ) / "known_servers")
    dialer = Dialer(reactor, host, port, servers, plain=plain)
    bot = Bot(reactor, dialer.connect, dialer.server, name=name, login=login, device=Device(device))
    if vault is not None:
        bot.encrypt(vault, name or device or "bot")
    await bot.arrive()
    return bot
