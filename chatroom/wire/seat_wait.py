"""A connection that found no free seat. (A seat is a place in the chat; ``--max-users`` says how many there are.)

Its user may log in for a short while, because the user's account may have a seat: a reserved one, or one that another
session of the account has already.
"""

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
    """The time in which a session without a seat may log in. Making the object starts it, and tells the session so.

    Args:
        server: What all connections share.
        session: The session.
        close: Closes the connection; called if the session has no seat when the time is up.
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

        When the time is up, the connection is closing and handles no more lines.

        Args:
            command: The command in the line; None if there was none.
        """
        if not self._server.chat.seats.within_reach(self._session):
            return False  # no login can give it a seat, nor has it freed one by ending its own old connection
        if self._session.offer is not None:
            self._timer.reset(TAKEOVER_WITHIN)
            return True
        return isinstance(command, Login | Takeover | Hello | Pong) or self._session.question is not None

    def stop(self) -> None:
        """Cancel the timer, because the session has a seat or the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self, close: Callable[[], None]) -> None:
        """Close the connection unless the session has got a seat meanwhile."""
        self._timer = None
        if not self._session.seated:
            close()
