"""Counts down to the next attempt to connect: the bar is drawn anew whenever the number of seconds in it changes."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any


def whole_seconds(left: float) -> int:
    """Return the number of seconds that is shown while so many are left: never fewer, and at least one."""
    return max(1, ceil(left))


class Countdown:
    """Draws the bar anew while an attempt is awaited.

    Args:
        clock: The time.
        left: Returns the seconds until the attempt; None when none is awaited.
        draw: Draws the bar.
    """

    def __init__(self, clock: Any, left: Callable[[], float | None], draw: Callable[[], None]) -> None:
        self._clock = clock
        self._left = left
        self._draw = draw
        self._timer: Any = None

    def begin(self) -> None:
        """Count down from now on; it ends by itself when no attempt is awaited any more."""
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
