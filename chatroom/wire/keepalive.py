"""Notices connections that have been silent for too long: pings programs, and ends connections that stay silent.

The factory adds to the silence of each connection in rounds, so that no connection needs a timer of its own. Only a
connection that ``check_alive`` has pinged has a timer, until something comes from the other side.
"""

from __future__ import annotations

from typing import Any, Protocol

from chatroom.chat.session import Session
from chatroom.model.errors import TOO_QUIET, Refused
from chatroom.model.replies import Ping
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.outbox import Outbox
from chatroom.wire.server_state import ServerState

PING_AFTER = 90.0  # seconds of silence after which a program is pinged
DROP_AFTER = 150.0  # seconds of silence after which a program's connection is ended
CLOSING = 10.0  # seconds that the other side of a closing connection has to take what is still held for it


class WatchedConnection(Protocol):
    """What ``Keepalive`` uses of the connection that it watches (``chatroom.wire.connection``)."""

    dialect: WireDialect
    spoken: bool
    stops: int

    def abort(self) -> None:
        """Close the connection at once."""

    def drop(self, refused: Refused) -> None:
        """Tell the other side why, then close the connection."""


class Keepalive:
    """Watches the silence of one connection. It keeps no reference to the connection, so the two form no circle.

    Args:
        server: What all connections share.
        session: The connection's session.
        outbox: The connection's outbox.

    Attributes:
        silence: Seconds since something came from the other side, as the factory's rounds count them.
        check: The timer that ends the session unless something comes after the ping of ``check_alive``; None if no
            check is running.
    """

    __slots__ = ("_outbox", "_server", "_session", "check", "silence")

    def __init__(self, server: ServerState, session: Session, outbox: Outbox) -> None:
        self._server = server
        self._session = session
        self._outbox = outbox
        self.silence = 0.0
        self.check: Any = None

    def sweep(self, connection: WatchedConnection, seconds: float) -> None:
        """Add a round to the silence, and ping the other side or end the connection when the silence is too long.

        A round does not count if reading is stopped, unless the connection is closing.

        Args:
            connection: The connection.
            seconds: The length of the round, in seconds.
        """
        if self._outbox.closing:
            self.silence += seconds
            if self.silence >= CLOSING:
                connection.abort()
        elif not connection.stops:  # while reading is stopped, much may have come that nobody has read
            before, self.silence = self.silence, self.silence + seconds
            self._judge(connection, before)

    def _judge(self, connection: WatchedConnection, before: float) -> None:
        """End or ping an open connection if its silence, which was ``before`` seconds a round ago, is too long now."""
        dialect = connection.dialect
        if not connection.spoken and self.silence >= dialect.patience:
            connection.drop(TOO_QUIET(seconds=int(dialect.patience)))
        elif not dialect.person:
            if self.silence >= DROP_AFTER:
                connection.drop(TOO_QUIET(seconds=int(DROP_AFTER)))
            elif before < PING_AFTER <= self.silence:
                self._session.answer(Ping())

    def check_alive(self, connection: WatchedConnection, within: float) -> None:
        """Ping a program, and end its session unless something comes from it in time.

        If a check is already running, it goes on unchanged. If the server is not reading the connection when the time
        is up, the answer may have arrived unread, so the session is given the same time again.

        Args:
            connection: The connection.
            within: Seconds within which something must come.
        """
        if self.check is None and not self._outbox.closing and not self._session.over:
            self._session.answer(Ping())
            self._start_check(connection, within)

    def end_check(self) -> None:
        """Cancel the timer of ``check_alive``, if a check is running."""
        if self.check is not None:
            self.check.cancel()
            self.check = None

    def _start_check(self, connection: WatchedConnection, within: float) -> None:
        self.check = self._server.reactor.callLater(within, self._time_is_up, connection, within)

    def _time_is_up(self, connection: WatchedConnection, within: float) -> None:
        self.check = None
        if connection.stops and not self._outbox.closing:
            self._start_check(connection, within)
        elif not self._session.over:
            self.silence = 0.0  # from here on the other side has ``CLOSING`` seconds to take what is held for it
            self._server.chat.connections.put_out(self._session, TOO_QUIET(seconds=int(within)))
