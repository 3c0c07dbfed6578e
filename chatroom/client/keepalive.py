"""Whether the server is still there: it is asked when it has been silent, and given up when it stays so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.model.durations import spell

PING_AFTER = 30.0  # seconds of silence
LOST_AFTER = 90.0


class ServerKeepalive:
    """See the module.

    Args:
        clock: The time.
        ping: Asks the server for any answer.
        drop: Gives the connection up; told why.

    Attributes:
        lag: Seconds that the server took to answer lately; None if not known.
        paused: Nobody reads what the server says, so that its silence means nothing.
    """

    def __init__(self, clock: Any, ping: Callable[[], None], drop: Callable[[str], None]) -> None:
        self._clock = clock
        self._ping = ping
        self._drop = drop
        self._heard = 0.0
        self._timer: Any = None
        self.lag: float | None = None
        self.paused = False

    def start(self) -> None:
        """There is a new connection."""
        self.beat()
        self._timer = self._clock.callLater(PING_AFTER, self._look)

    def stop(self) -> None:
        """There is none any more."""
        self.lag = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def beat(self) -> None:
        """Something was heard."""
        self._heard = self._clock.seconds()

    def _look(self) -> None:
        silent = self._clock.seconds() - self._heard
        if silent >= LOST_AFTER and not self.paused:
            self._timer = None
            self._drop(f"nothing was heard from the server for {spell(LOST_AFTER)}")
            return
        if silent >= PING_AFTER:
            self._ping()
        self._timer = self._clock.callLater(max(1.0, PING_AFTER - silent % PING_AFTER), self._look)
