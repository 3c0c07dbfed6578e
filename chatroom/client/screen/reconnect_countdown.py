"""Counting down to the next attempt to connect: the bar at the bottom of the screen shows the seconds that
are left, and is redrawn whenever their number changes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any


def whole_seconds(left: float) -> int:
    """Return the seconds left, rounded up to a whole number; at least 1."""
    return max(1, ceil(left))


class Countdown:
    """Redraws the bar each second until the next attempt to connect.

    Args:
        clock: Gives ``callLater`` and ``seconds``.
        left: Returns the seconds until the attempt; None if no attempt is scheduled.
        draw: Draws the bar.
    """

    def __init__(self, clock: Any, left: Callable[[], float | None], draw: Callable[[], None]) -> None:
        self._clock = clock
        self._left = left
        self._draw = draw
        self._timer: Any = None

    def begin(self) -> None:
        """Start counting down. The countdown ends by itself when no attempt is scheduled any more."""
        self.end()
        self._draw()
        left = self._left()
        if left is not None:
            until_next = max(left - (whole_seconds(left) - 1), 0.01)
            self._timer = self._clock.callLater(until_next, self._tick)

    def end(self) -> None:
        """Stop counting down."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        self.begin()
