"""A connection that found no free seat: it may log in for a short while, since its owner may have a reserved seat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.chat.limits import TAKEOVER_WITHIN
from chatroom.chat.session import Session
from chatroom.model.commands import Command, Hello, Login, Pong, Takeover
from chatroom.model.replies import Ok
from chatroom.wire.server_state import ServerState

SEAT_WAIT = 10.0  # seconds in which a session without a seat may log in

_INVITATION = "Seats are kept for some: if one is yours, log in now with /login <user> <password>."


class SeatWait:
    """The time in which one session without a seat may log in. Telling the session so is part of starting it.

    Args:
        server: What all connections share.
        session: The session.
        close: Closes the connection; called when the time is up and the session still has no seat.
    """

    __slots__ = ("_server", "_session", "_timer")

    def __init__(self, server: ServerState, session: Session, close: Callable[[], None]) -> None:
        self._server = server
        self._session = session
        session.refuse(server.chat.seats.full())
        if session.person:
            session.answer(Ok(_INVITATION))
        self._timer: Any = server.reactor.callLater(SEAT_WAIT, self._time_is_up, close)

    def allows(self, command: Command | None) -> bool:
        """Return whether the session, which has no seat, may stay after one of its lines was handled.

        Args:
            command: What the line said; None if it was no command.
        """
        if self._timer is None:
            return True  # the time is up, and the connection is closing already
        if not self._server.chat.seats.kept:
            return False  # the session was told why, and has not freed a seat by ending a ghost of its own
        if self._session.offer is not None:
            self._timer.reset(TAKEOVER_WITHIN)
            return True
        return isinstance(command, Login | Takeover | Hello | Pong) or self._session.question is not None

    def stop(self) -> None:
        """Stop waiting, because the session has a seat or the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self, close: Callable[[], None]) -> None:
        """Close the connection unless the session has logged in meanwhile and got a seat."""
        self._timer = None
        if not self._session.seated:
            close()
