"""Notices a dead connection: a silent server is asked for an answer, and given up if it stays silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.model.durations import spell

PING_AFTER = 30.0  # seconds of silence
LOST_AFTER = 90.0  # seconds of silence


class ServerKeepalive:
    """Watches how long the server has been silent.

    Args:
        clock: Tells the time and makes delayed calls.
        ping: Asks the server for any answer.
        drop: Ends the connection; given the reason.

    Attributes:
        lag: Seconds that the server's last answer took; None if not known.
        paused: Whether reading from the server has stopped, so that its silence means nothing.
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
        """Watch a new connection."""
        self.beat()
        self._timer = self._clock.callLater(PING_AFTER, self._look)

    def stop(self) -> None:
        """Stop watching: the connection has gone."""
        self.lag = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def beat(self) -> None:
        """Note that the server has sent something."""
        self._heard = self._clock.seconds()

    def _look(self) -> None:
        """Ask a silent server for an answer, or end the connection after too long a silence; call this again later."""
        silent = self._clock.seconds() - self._heard
        if silent >= LOST_AFTER and not self.paused:
            self._timer = None
            self._drop(f"nothing was heard from the server for {spell(LOST_AFTER)}")
            return
        if silent >= PING_AFTER:
            self._ping()
        self._timer = self._clock.callLater(max(1.0, PING_AFTER - silent % PING_AFTER), self._look)
