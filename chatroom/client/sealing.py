"""The protocol of what seals commands on their way out and opens events on their way in: end-to-end encryption.

``chatroom.client.encryption`` implements it. A client without a vault for keys has ``NoSealing``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from chatroom.client.connection import Piece, Ref
from chatroom.client.encryption import words
from chatroom.client.errors import Rejected
from chatroom.client.pending import PendingCommand
from chatroom.model.events import Event
from chatroom.model.key_replies import E2eNotice


class Sealing(Protocol):
    """Seals and opens what a client sends and receives; ``Conversation`` calls it."""

    def arrive(self) -> Deferred[None]:
        """Publish our keys on a new connection, or after we have become another user.

        The Deferred fires when rooms may be joined; it fails with ``Rejected`` if the connection has gone.
        """

    def settled(self) -> Deferred[None]:
        """Wait for our keys: the Deferred fires when they are published, or it is known that we have none.

        It fails with ``Rejected`` if there can be none now, which the text explains.
        """

    def send(self, command: PendingCommand) -> bool:
        """Take a command that is to be sent, and send it sealed, or later. Returns False if it is to be sent as it is,
        now."""

    def receive(self, event: Event | Piece, re: Ref | None) -> bool:
        """Take an event of the server, and have it handled opened, or later. Returns False if it is to be handled as it
        is, now."""

    def read(self, user: str) -> None:
        """Note that the user has read all sealed messages of a person."""

    def missed(self, room: str) -> None:
        """Note that some events of a room, of which we know the name, are not told."""

    def lost(self) -> None:
        """Drop what is under way: the connection has gone. Commands that wait are given to ``send`` again."""

    def end(self) -> Deferred[None]:
        """Close the vault: no other connection will come. The Deferred fires when it is closed."""


class NoSealing:
    """The sealing of a client that has no keys."""

    def arrive(self) -> Deferred[None]:
        """Return a Deferred that has fired."""
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def settled(self) -> Deferred[None]:
        """Return a Deferred that has fired."""
        return self.arrive()

    def send(self, command: PendingCommand) -> bool:
        """Return False: every command is sent as it is."""
        return False

    def receive(self, event: Event | Piece, re: Ref | None) -> bool:
        """Return False: every event is handled as it is."""
        return False

    def read(self, user: str) -> None:
        """Do nothing."""

    def missed(self, room: str) -> None:
        """Do nothing."""

    def lost(self) -> None:
        """Do nothing."""

    def end(self) -> Deferred[None]:
        """Return a Deferred that has fired."""
        return self.arrive()


class LateSealing:
    """The sealing of a client that loads what seals only when a server knows keys: the libraries take 13 MB.

    Args:
        knows_keys: Returns whether the server that we are connected to knows keys, or knew them in an earlier run: a
            server that says no more that it does must not get messages in plain text.
        load: Loads what seals on a thread; its Deferred gives a function that makes it.
    """

    def __init__(self, knows_keys: Callable[[], bool], load: Callable[[], Deferred[Callable[[], Sealing]]]) -> None:
        self._knows_keys = knows_keys
        self._load = load
        self._sealing: Sealing = NoSealing()
        self._loaded = False
        self._arrivals = 0  # how often ``arrive`` was called
        self._loading = 0  # how many of these calls are under way
        self._settled: list[Deferred[None]] = []

    def arrive(self) -> Deferred[None]:
        """Load what seals, if it is needed and not loaded yet, and let it arrive."""
        self._arrivals += 1
        self._loading += 1
        return Deferred.fromCoroutine(self._arrive()).addBoth(self._arrived)

    def _arrived(self, result: Any) -> Any:
        """Let those go on that wait for our keys. Returns the result of the arrival."""
        self._loading -= 1
        if not self._loading:
            settled, self._settled = self._settled, []
            for waiting in settled:
                waiting.callback(None)
        return result

    def settled(self) -> Deferred[None]:
        """See ``Sealing``."""
        return Deferred.fromCoroutine(self._wait())

    async def _wait(self) -> None:
        """Wait for our keys.

        Raises:
            Rejected: There is no connection yet, or the server knows no keys.
        """
        if self._loading:
            waiting: Deferred[None] = Deferred()
            self._settled.append(waiting)
            await waiting
        if not self._loaded:
            raise Rejected("no-keys", words.KNOWS_NONE) if self._arrivals else Rejected("offline", words.NOT_YET)
        await self._sealing.settled()

    async def _arrive(self) -> None:
        if not self._loaded and self._knows_keys():
            made = (await self._load())()
            if not self._loaded:
                self._loaded, self._sealing = True, made
        await self._sealing.arrive()

    def send(self, command: PendingCommand) -> bool:
        """See ``Sealing``."""
        return self._sealing.send(command)

    def receive(self, event: Event | Piece, re: Ref | None) -> bool:
        """See ``Sealing``. While our keys are loaded, no notice is shown of a message that they will open."""
        loading = self._loading and not self._loaded
        return bool(loading and isinstance(event, E2eNotice)) or self._sealing.receive(event, re)

    def read(self, user: str) -> None:
        """See ``Sealing``."""
        self._sealing.read(user)

    def missed(self, room: str) -> None:
        """See ``Sealing``."""
        self._sealing.missed(room)

    def lost(self) -> None:
        """See ``Sealing``."""
        self._sealing.lost()

    def end(self) -> Deferred[None]:
        """See ``Sealing``."""
        return self._sealing.end()
