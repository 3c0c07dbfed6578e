"""Measures the lag of the reactor: how late it makes a call that is due once a second."""

from __future__ import annotations

from typing import Any

from chatroom.model.counters import Histogram

EVERY = 1.0  # seconds between two measurements


class Lag:
    """The lag of a reactor.

    Args:
        reactor: The reactor to measure; it has ``callLater`` and ``seconds``.

    Attributes:
        history: All lags since ``start``.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._last = 0.0
        self._due = 0.0
        self._call: Any = None
        self.history = Histogram()

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._reactor.seconds() + EVERY
        self._call = self._reactor.callLater(EVERY, self._look)

    def stop(self) -> None:
        """Stop measuring. Idempotent."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def seconds(self) -> float:
        """Return how late the last call came, in seconds; or how late the next call is already, if that is more."""
        now = self._reactor.seconds() if self._call is not None else self._due
        return max(self._last, now - self._due)

    def _look(self) -> None:
        """Measure how late this call is, and schedule the next one."""
        self._last = max(0.0, self._reactor.seconds() - self._due)
        self.history.observe(self._last)
        self.start()
