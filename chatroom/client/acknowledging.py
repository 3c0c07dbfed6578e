"""Private messages are acknowledged when they have been told, those that come right after one another together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ACK_AFTER = 0.5  # seconds


class Acknowledging:
    """See the module.

    Args:
        clock: The time.
        send: Sends a record.
    """

    def __init__(self, clock: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._clock = clock
        self._send = send
        self._done = self._due = 0
        self._timer: Any = None

    def told(self, seq: int) -> None:
        """A message with that seq of our inbox has been told, now or before."""
        self._due = max(self._due, seq)
        if self._timer is None:
            self._timer = self._clock.callLater(ACK_AFTER, self.flush)

    def flush(self) -> None:
        """Acknowledge what is due, now."""
        self._stop_timer()
        if self._due > self._done:
            self._done = self._due
            self._send({"do": "ack", "seq": self._due})

    def reset(self) -> None:
        """The connection is gone; what is not acknowledged comes again with the next."""
        self._stop_timer()
        self._done = self._due = 0

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
