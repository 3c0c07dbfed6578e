"""What is of our inbox is acknowledged when it has been told, what comes right after one another together.

A seq is one of an inbox, and who logs in or out has another: nothing is acknowledged while that is under way, for it
could be taken for something in the other inbox that has not been told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ACK_AFTER = 0.5  # seconds


class Acks:
    """See the module.

    Args:
        clock: The time.
        send: Sends a record.
    """

    def __init__(self, clock: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._clock = clock
        self._send = send
        self._done = self._due = 0
        self._held = False
        self._timer: Any = None

    def told(self, seq: int) -> None:
        """A message with that seq of our inbox has been told, now or before."""
        self._due = max(self._due, seq)
        if self._timer is None and not self._held:
            self._timer = self._clock.callLater(ACK_AFTER, self.flush)

    def flush(self) -> None:
        """Acknowledge what is due, now."""
        self._stop_timer()
        if self._due > self._done:
            self._done = self._due
            self._send({"do": "ack", "seq": self._due})

    def hold(self) -> None:
        """Acknowledge what is due, then nothing until ``release`` or ``reset``: we may be about to be somebody else."""
        self.flush()
        self._held = True

    def release(self) -> None:
        """We are who we were."""
        self._held = False
        if self._due > self._done:
            self.told(self._due)

    def reset(self) -> None:
        """The connection is gone, or the inbox is another; what is not acknowledged comes again."""
        self._stop_timer()
        self._done = self._due = 0
        self._held = False

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
