"""Computes how far a transfer is, how fast it goes and how long it will take."""

from __future__ import annotations

from collections import deque

from chatroom.model.shared_files import spell_size

LATELY = 5.0  # seconds over which the rate is measured
_SAMPLES = 50


class Progress:
    """Measures the progress of one transfer.

    Args:
        size: The size of the file in bytes.
        done: How many bytes of the file had been carried earlier.
        now: The time in seconds of the transfers' clock.
    """

    def __init__(self, size: int, done: int, now: float) -> None:
        self.size = size
        self._samples: deque[tuple[float, int]] = deque([(now, done)], _SAMPLES)

    @property
    def done(self) -> int:
        """How many bytes have been carried."""
        return self._samples[-1][1]

    def reach(self, done: int, now: float) -> None:
        """Note how many bytes have been carried by now."""
        self._samples.append((now, done))

    def rate(self, now: float) -> float:
        """Return how many bytes per second were carried in the last seconds; 0 if none were or nothing is known yet."""
        while len(self._samples) > 2 and self._samples[1][0] <= now - LATELY:
            self._samples.popleft()
        since, before = self._samples[0]
        return (self.done - before) / (now - since) if now > since else 0.0

    def spell(self, now: float) -> str:
        """Return the progress for people: ``42%, 1.2 MB/s, 12 s left``."""
        parts = [f"{100 * self.done // self.size}%"]
        rate = self.rate(now)
        if rate >= 1:
            parts.append(f"{spell_size(int(rate))}/s")
            parts.append(f"{_duration((self.size - self.done) / rate)} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
