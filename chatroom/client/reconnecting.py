"""Connects again whenever the connection ends, with growing waits of up to a minute.

Twisted's ``ClientService`` does nearly this. But it tells neither why an attempt failed nor when the next comes, and it
counts an accepted connection as a success: it would dial without a wait if the server closes each connection at once.
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
    """Schedules the attempts to connect.

    Args:
        connect: Makes one attempt to connect; its Deferred may fail with ``Failed``.
        clock: Tells the time and makes delayed calls.
        chance: Returns a random number from 0 up to 1, so that the clients of a restarted server do not all come back
            at the same moment.
        made: Called with each connection.
        lost: Called with the reason why there is no connection, and the seconds until the next attempt; None: no more.
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
        """Start an attempt to connect."""
        self._timer = None
        self._dialing = dialing = self._connect().addCallbacks(self._succeeded, self._failed)
        if dialing.called:
            self._dialing = None

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt; None if none is scheduled."""
        return None if self._timer is None else max(0.0, self._timer.getTime() - self._clock.seconds())

    def try_now(self) -> bool:
        """Make the scheduled attempt now. Returns whether an attempt was scheduled."""
        if self._timer is None:
            return False
        self._timer.cancel()
        self.dial()
        return True

    def steady(self) -> None:
        """Count the connection as a success: when the connection ends, the next attempt comes soon."""
        self._attempts = 0

    def ended(self, why: Failed) -> None:
        """Schedule the next attempt after a failure or a loss, unless ``why`` is hopeless or ``stop`` was called."""
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
        """Make no more attempts; an existing connection stays."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._dialing is not None:
            self._dialing.cancel()

    def _succeeded(self, connection: ServerConnection) -> None:
        """Pass on the connection, or close it if ``stop`` was called meanwhile."""
        self._dialing = None
        if self._stopped:
            connection.abort(Failed("we are leaving"))
        else:
            self._made(connection)

    def _failed(self, failure: Failure) -> None:
        """Schedule the next attempt after a failed attempt, unless ``stop`` has cancelled that attempt."""
        self._dialing = None
        if self._stopped and failure.check(CancelledError):
            return
        value = failure.value
        self.ended(value if isinstance(value, Failed) else Failed(failure.getErrorMessage()))
