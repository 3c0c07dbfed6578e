"""Which rooms somebody is about to leave, by events that are on their way to the log and not applied yet."""

from __future__ import annotations

from collections import Counter

from twisted.internet.defer import Deferred

from chatroom.model.log import Done, Entry, Unavailable


class Endings:
    """Counts for each log the events with ``ends_stay`` that were appended and are not told yet."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, list[Deferred[None]]] = {}

    def until_told(self, log: str, done: Done | None) -> Done:
        """Count an event of a log, until the function that is returned has been called in place of ``done``."""
        self._under_way[log] += 1

        def told(entry: Entry, error: Unavailable | None) -> None:
            try:
                if done is not None:
                    done(entry, error)
            finally:
                self._less(log)

        return told

    def is_any(self, log: str) -> bool:
        """Return whether there is such an event."""
        return log in self._under_way

    def all_told(self, log: str) -> Deferred[None]:
        """Return a Deferred that fires when there is no such event any more."""
        waiting: Deferred[None] = Deferred()
        if self.is_any(log):
            self._waiting.setdefault(log, []).append(waiting)
        else:
            waiting.callback(None)
        return waiting

    def _less(self, log: str) -> None:
        self._under_way[log] -= 1
        if not self._under_way[log]:
            del self._under_way[log]
            for waiting in self._waiting.pop(log, ()):
                waiting.callback(None)
