"""Counting down to the next attempt to connect: the bar is redrawn whenever its number of seconds changes."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any


def whole_seconds(left: float) -> int:
    """Return the seconds left, rounded up to a whole number; at least 1."""
    return max(1, ceil(left))


class Countdown:
    """Redraws the bar until the next attempt.

    Args:
        clock: Gives ``callLater`` and ``seconds``.
        left: Returns the seconds until the attempt; None if there is none.
        draw: Draws the bar.
    """

    def __init__(self, clock: Any, left: Callable[[], float | None], draw: Callable[[], None]) -> None:
        self._clock = clock
        self._left = left
        self._draw = draw
        self._timer: Any = None

    def begin(self) -> None:
        """Start counting. It ends by itself when there is no attempt to wait for."""
        self.end()
        self._draw()
        left = self._left()
        if left is not None:
            until_next = max(left - (whole_seconds(left) - 1), 0.01)
            self._timer = self._clock.callLater(until_next, self._tick)

    def end(self) -> None:
        """Stop counting."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        self.begin()
