"""How long nothing was heard from a connection: programs are pinged, and connections that stay silent are ended.

The factory counts the seconds in rounds, so that no connection has a timer of its own; only who is asked by
``check_alive`` whether it is still there has one, until something comes.
"""

from __future__ import annotations

from typing import Any

from twisted.protocols.basic import LineReceiver

from chatroom.chat.session import Session
from chatroom.model.errors import TOO_QUIET, Refused
from chatroom.model.replies import Ping
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.outbox import Outbox
from chatroom.wire.server_state import ServerState

PING_AFTER = 90.0  # seconds of silence
DROP_AFTER = 150.0
CLOSING = 10.0  # seconds for somebody to take what is left for them


class Keepalive(LineReceiver):
    """The part of a connection that notices silence."""

    _server: ServerState
    _dialect: WireDialect
    _session: Session
    _outbox: Outbox
    _stops = 0  # why reading has stopped, if it has
    _spoken = False  # a whole line has come
    _silence = 0.0  # seconds since something was heard, as the factory's rounds count them
    _check: Any = None  # the timer that ends the connection unless it answers the ping of ``check_alive``

    def abort(self) -> None:
        """Close at once."""
        raise NotImplementedError

    def _drop(self, refused: Refused) -> None:
        """Say why, and close."""
        raise NotImplementedError

    def _hear(self) -> None:
        """Something has come."""
        self._silence = 0.0
        if self._check is not None:
            self._end_check()

    def sweep(self, seconds: float) -> None:
        """Count a round in which nothing was heard: ping the other side, or end the connection, when it is time.

        Args:
            seconds: Since the last round.
        """
        if self._stops and not self._outbox.closing:
            return  # it may have said much that we do not read
        before, self._silence = self._silence, self._silence + seconds
        if self._outbox.closing:
            if self._silence >= CLOSING:
                self.abort()
        elif not self._spoken and self._silence >= self._dialect.patience:
            self._drop(TOO_QUIET(seconds=int(self._dialect.patience)))
        elif not self._dialect.person:
            if self._silence >= DROP_AFTER:
                self._drop(TOO_QUIET(seconds=int(DROP_AFTER)))
            elif before < PING_AFTER <= self._silence:
                self._session.answer(Ping())

    def check_alive(self, within: float) -> None:
        """Ping a program, and end its session unless something comes from it in time.

        A check that is under way goes on unchanged. While the server does not read the connection, the answer may have
        come already, so the session is given the same time again.

        Args:
            within: Seconds.
        """
        if self._check is None and not self._outbox.closing and not self._session.over:
            self._session.answer(Ping())
            self._check = self._server.reactor.callLater(within, self._unanswered, within)

    def _unanswered(self, within: float) -> None:
        self._check = None
        if self._stops and not self._outbox.closing:
            self._check = self._server.reactor.callLater(within, self._unanswered, within)
        elif not self._session.over:
            self._silence = 0.0  # from now on it has time to take what is left for it
            self._server.chat.connections.put_out(self._session, TOO_QUIET(seconds=int(within)))

    def _end_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
