"""Acknowledging what this device has opened and kept, and asking again for what it could not open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

ACK_AFTER = 0.2  # seconds
ASK_AFTER = 2.0  # seconds after the last mail; a key that is only late comes before


class MailAcks:
    """Acknowledges mail together, and asks again when the mail has stopped coming.

    Args:
        clock: Tells the time and makes delayed calls.
        acknowledge: Acknowledges everything up to a seq.
        ask: Asks again for what could not be opened.
    """

    def __init__(self, clock: Any, acknowledge: Callable[[int], None], ask: Callable[[], Deferred[None]]) -> None:
        self._clock = clock
        self._acknowledge = acknowledge
        self._ask = ask
        self._due = self._done = 0
        self._on = False
        self._timer: Any = None
        self._asking: Any = None

    def start(self) -> None:
        """Take mail: there is a new connection."""
        self._on = True

    def stop(self) -> None:
        """Take no more mail before ``start``, and acknowledge nothing more."""
        self._on = False
        self._due = self._done = 0
        for timer in (self._timer, self._asking):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._asking = None

    def takes(self, seq: int) -> bool:
        """Return whether the mail with a seq is to be opened now."""
        return self._on and seq > self._due

    def note(self, seq: int) -> None:
        """Acknowledge the mail with a seq soon: it is opened, and stored."""
        if not self._on:
            return
        self._due = max(self._due, seq)
        if self._timer is None:
            self._timer = self._clock.callLater(ACK_AFTER, self._flush)
        self.ask_soon()

    def ask_soon(self) -> None:
        """Ask again for what could not be opened when nothing more has come for a while."""
        if not self._on:
            return
        if self._asking is not None and self._asking.active():
            self._asking.reset(ASK_AFTER)
        else:
            self._asking = self._clock.callLater(ASK_AFTER, self._ask)

    def _flush(self) -> None:
        self._timer = None
        if self._due > self._done:
            self._done = self._due
            self._acknowledge(self._due)
