"""Counters of a daemon: plain numbers, cheap enough to be updated for each batch of messages."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


class Histogram:
    """Counts durations by the bounds in ``LATENCIES``.

    Attributes:
        counts: For each bound the number of durations up to it and above the previous one; then the number of longer
            ones.
        total: The sum of all durations, in seconds.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCIES) + 1)
        self.total = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a duration.

        Args:
            seconds: The duration. A negative one, after the clock was set back, counts as 0.
            times: How often to count it.
        """
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(LATENCIES, seconds)] += times
        self.total += seconds * times


class Counters:
    """The counters of one daemon, which start at 0.

    Attributes:
        messages: Messages that were stored, including private ones.
        deliveries: Events that were given to a connection.
        drops: Connections that the daemon ended, by cause: the code of the refusal, or ``too-slow``.
        logins: Logins to accounts.
        commits: For each batch of entries that an engine stored, how long storing took.
        waits: For each batch, the time from the ``append`` of its first entry until all its entries were delivered to
            the followers of their logs, and all callers of ``append`` were told.
    """

    __slots__ = ("commits", "deliveries", "drops", "logins", "messages", "waits")

    def __init__(self) -> None:
        self.messages = 0
        self.deliveries = 0
        self.logins = 0
        self.drops: Counter[str] = Counter()
        self.commits = Histogram()
        self.waits = Histogram()
