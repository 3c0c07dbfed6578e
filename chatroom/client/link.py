"""One's place on a server, kept alive over reconnections. (This is the interface; what is behind it follows.)"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.notices import Notice
from chatroom.events import Event


class Refused(Exception):
    """A command was answered by an error, or cannot be given now (``offline``, ``lost``).

    Args:
        code: For a program.
        text: For a person.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Link:
    """See the module.

    Args:
        reactor: Everything of it that is not the clock.
        connect: Dials once; gives a ``chatroom.client.connection.Connection``.
        clock: The time.
        mint: Returns an id that nobody has had, of at most 64 characters.
        tell: Given every event that comes, answers included, but for errors that fail a Deferred; and every notice.
            Of a room each event is told once, in order, over reconnections.
        name: The name to take as a guest.
        room: The room to join, if any.
        login: Name and password of an account to log in to.
        chance: Returns a number from 0 up to 1, for the waits.

    Attributes:
        online: We are on the server; commands may be given.
        name: Who we are; empty until the server has said so.
        guest: We are nobody's account.
        server: What the server calls itself.
        room: Where we are, or empty.
        users: Who is there, us included.
        security: ``TLS 1.3``, ``plain``; empty when there is no connection.
        lag: Seconds that the server took to answer lately; None if not known.
        unread: Private messages that came; whoever shows them sets it back to 0.
    """

    online: bool
    name: str
    guest: bool
    server: str
    room: str
    users: list[str]
    security: str
    lag: float | None
    unread: int

    def __init__(
        self,
        reactor: Any,
        connect: Callable[[], Deferred[Any]],
        clock: Any,
        mint: Callable[[], str],
        tell: Callable[[Event | Notice], None],
        *,
        name: str = "",
        room: str = "",
        login: tuple[str, str] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Leave: wait until what was said is acknowledged, or for ten seconds, then say goodbye."""
        raise NotImplementedError

    def do(self, do: str, **fields: Any) -> Deferred[Event]:
        """Give a command of docs/protocol.md, as ``do("join", room="lobby")``, and return its answer.

        What says something (``say``, ``me``, ``message``, ``reply``) is kept as by ``say``. Another command fails with
        ``Refused`` (code ``offline`` or ``lost``) when there is no connection, or it goes before the answer has come.
        """
        raise NotImplementedError

    def say(self, text: str) -> Deferred[None]:
        """Say something to the room: kept with its id, sent again after a reconnection. Fires when its echo came."""
        raise NotImplementedError
