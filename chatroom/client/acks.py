"""Acknowledgements of the events of our inbox. Events that come shortly after one another are acknowledged together.

An acknowledgement holds a seq, the number of an event in our inbox. A login or logout gives us another inbox, where the
same seq is another event. So nothing is acknowledged while a login or logout is under way: the server could apply
the acknowledgement to an event of the other inbox that was never told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ACK_AFTER = 0.5  # seconds


class Acks:
    """Acknowledges events of our inbox after they were told, that is, shown to the user or given to the program.

    Args:
        clock: Tells the time and makes delayed calls.
        send: Sends a record to the server.
    """

    def __init__(self, clock: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._clock = clock
        self._send = send
        self._done = self._due = 0
        self._held = False
        self._timer: Any = None

    def told(self, seq: int) -> None:
        """Note that the event with this seq was told; it is acknowledged after ``ACK_AFTER`` seconds, unless held."""
        self._due = max(self._due, seq)
        if self._timer is None and not self._held:
            self._timer = self._clock.callLater(ACK_AFTER, self.flush)

    def flush(self) -> None:
        """Acknowledge now all events that were told and not yet acknowledged."""
        self._stop_timer()
        if self._due > self._done:
            self._done = self._due
            self._send({"do": "ack", "seq": self._due})

    def hold(self) -> None:
        """Acknowledge what was told, then nothing until ``release`` or ``reset``: a command may change our inbox."""
        self.flush()
        self._held = True

    def release(self) -> None:
        """End ``hold``, and acknowledge what was told since: our inbox has not changed."""
        self._held = False
        if self._due > self._done:
            self.told(self._due)

    def reset(self) -> None:
        """Forget what was told, and end ``hold``: the connection has gone, or our inbox has changed.

        The server sends unacknowledged events again.
        """
        self._stop_timer()
        self._done = self._due = 0
        self._held = False

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
