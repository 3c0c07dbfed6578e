"""Acknowledgements of the events of our inbox. Events that come shortly after one another are acknowledged together.

A seq counts in one inbox, and a login or logout gives us another. Nothing is acknowledged while either is under way:
the server could apply the acknowledgement to the other inbox, and to an event there that was never told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ACK_AFTER = 0.5  # seconds


class Acks:
    """Acknowledges events after they were told.

    Args:
        clock: Tells the time and makes delayed calls.
        send: Sends a record.
    """

    def __init__(self, clock: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._clock = clock
        self._send = send
        self._done = self._due = 0
        self._held = False
        self._timer: Any = None

    def told(self, seq: int) -> None:
        """Acknowledge soon: the event of our inbox with this seq was told."""
        self._due = max(self._due, seq)
        if self._timer is None and not self._held:
            self._timer = self._clock.callLater(ACK_AFTER, self.flush)

    def flush(self) -> None:
        """Acknowledge now whatever is due."""
        self._stop_timer()
        if self._due > self._done:
            self._done = self._due
            self._send({"do": "ack", "seq": self._due})

    def hold(self) -> None:
        """Acknowledge what is due, and then nothing until ``release`` or ``reset``: our inbox may change."""
        self.flush()
        self._held = True

    def release(self) -> None:
        """Acknowledge again: our inbox has not changed."""
        self._held = False
        if self._due > self._done:
            self.told(self._due)

    def reset(self) -> None:
        """Forget what is due: the connection has gone, or our inbox has changed; the server sends it again."""
        self._stop_timer()
        self._done = self._due = 0
        self._held = False

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
