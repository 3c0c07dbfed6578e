"""A connection that is made again whenever it ends: sooner at first, then ever later, up to a minute.

Twisted's ``ClientService`` does nearly this. It does not tell why an attempt failed and when the next one comes, and
takes an accepted connection for a success, so that a server which closes it at once would be tried all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Failed

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 60.0


class Reconnector:
    """See the module.

    Args:
        connect: Dials once; fails with ``Failed``.
        clock: The time.
        chance: Returns a number from 0 up to 1: not all clients of a server that was restarted come back at once.
        made: Given each connection.
        lost: Told why there is none, and in how many seconds the next attempt is made; None: never.
    """

    def __init__(
        self,
        connect: Callable[[], Deferred[ServerConnection]],
        clock: Any,
        chance: Callable[[], float],
        made: Callable[[ServerConnection], None],
        lost: Callable[[str, float | None], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._chance = chance
        self._made = made
        self._lost = lost
        self._attempts = 0
        self._dialing: Deferred[None] | None = None
        self._timer: Any = None
        self._stopped = False

    def dial(self) -> None:
        """Try now."""
        self._timer = None
        self._dialing = dialing = self._connect().addCallbacks(self._succeeded, self._failed)
        if dialing.called:
            self._dialing = None

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt; None if none is awaited."""
        return None if self._timer is None else max(0.0, self._timer.getTime() - self._clock.seconds())

    def try_now(self) -> bool:
        """Make the attempt that is awaited now. Returns whether one was awaited."""
        if self._timer is None:
            return False
        self._timer.cancel()
        self.dial()
        return True

    def steady(self) -> None:
        """The connection is a success: when it ends, the next attempt comes soon."""
        self._attempts = 0

    def ended(self, why: Failed) -> None:
        """The connection is gone; the next is made by and by."""
        if self._stopped:
            return
        if why.hopeless:
            self._lost(why.why, None)
            return
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._attempts, 10)) * (0.5 + self._chance() / 2)
        self._attempts += 1
        self._timer = self._clock.callLater(wait, self.dial)
        self._lost(why.why, wait)

    def stop(self) -> None:
        """Try no more. A connection that is there stays."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._dialing is not None:
            self._dialing.cancel()

    def _succeeded(self, connection: ServerConnection) -> None:
        self._dialing = None
        if self._stopped:
            connection.abort(Failed("we are leaving"))
        else:
            self._made(connection)

    def _failed(self, failure: Failure) -> None:
        self._dialing = None
        if self._stopped and failure.check(CancelledError):
            return
        value = failure.value
        self.ended(value if isinstance(value, Failed) else Failed(failure.getErrorMessage()))
