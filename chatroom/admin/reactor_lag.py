"""How late the reactor is: once a second, by how much a call came after its time."""

from __future__ import annotations

from typing import Any

from chatroom.model.counters import Histogram

EVERY = 1.0  # seconds


class Lag:
    """See the module.

    Args:
        reactor: The one that is watched; gives ``callLater`` and ``seconds``.

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
        """Begin to watch."""
        self._due = self._reactor.seconds() + EVERY
        self._call = self._reactor.callLater(EVERY, self._look)

    def stop(self) -> None:
        """Watch no more. Idempotent."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def seconds(self) -> float:
        """Return the last lag in seconds, or how late the next look is by now if that is more."""
        now = self._reactor.seconds() if self._call is not None else self._due
        return max(self._last, now - self._due)

    def _look(self) -> None:
        self._last = max(0.0, self._reactor.seconds() - self._due)
        self.history.observe(self._last)
        self.start()
