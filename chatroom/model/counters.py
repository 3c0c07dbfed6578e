"""What a daemon counts while it works: plain numbers, cheap enough for the path of a message."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


class Histogram:
    """How often a duration was up to which bound.

    Attributes:
        counts: One number for each bound, then one for all that is longer. Not cumulative.
        total: The sum of all durations, in seconds.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCIES) + 1)
        self.total = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a duration, as often as told; a clock that was set back makes it nothing, not less."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(LATENCIES, seconds)] += times
        self.total += seconds * times


class Counters:
    """See the module.

    Attributes:
        messages: Messages stored, private ones too.
        deliveries: Events of rooms given to a connection.
        drops: Connections ended by us, by cause (the code of the refusal, or ``too-slow``).
        logins: Accounts logged in.
        commits: How long storing a batch took, one for each batch.
        waits: How long it took from the ``append`` of a batch's first entry until all followers, and all who asked,
            were told of the batch; one for each batch.
    """

    __slots__ = ("commits", "deliveries", "drops", "logins", "messages", "waits")

    def __init__(self) -> None:
        self.messages = 0
        self.deliveries = 0
        self.logins = 0
        self.drops: Counter[str] = Counter()
        self.commits = Histogram()
        self.waits = Histogram()
