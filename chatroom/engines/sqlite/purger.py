"""Removes the words of edited and erased messages from the file.

When a message leaves the search index, FTS5 only notes that; the words stay in the file until FTS5 merges the parts
(segments) of the index that hold them. So all segments are merged, in small steps, after a text was edited or erased.
That writes the whole index anew, so the larger the index, the longer the pause before this is done again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

PAGES = 4  # of the index that are merged in one step, which takes about two milliseconds
PAUSE = 60  # times as long as all steps took together: the pause after the last of them


class IndexPurger:
    """Merges the segments of the search index. The caller of ``step`` must be in a transaction.

    Args:
        db: The writing connection.
        seconds: Returns the time in seconds; called on the writer thread.
    """

    def __init__(self, db: sqlite3.Connection, seconds: Callable[[], float]) -> None:
        self._db = db
        self._seconds = seconds
        self._removing = 0  # so many texts have left the index when the first step was taken; 0: none was taken yet
        self._took = 0.0  # seconds that the steps have taken so far
        self._not_before = 0.0  # the time from which on the first step may be taken

    def wait(self) -> float | None:
        """Return the seconds until the next step may be taken; None if no text has left the index."""
        if not self._left():
            return None
        return 0.0 if self._removing else max(0.0, self._not_before - self._seconds())

    def step(self) -> None:
        """Merge some pages of the index. After the last page, no erased text of this round is left in the file.

        A round counts only the texts that were erased before it began; a later round removes the others.
        """
        began = self._seconds()
        # A negative number of pages tells FTS5 to merge all segments, a positive one to go on with that.
        pages = PAGES if self._removing else -PAGES
        self._removing = self._removing or self._left()
        changes = self._db.total_changes
        self._db.execute("INSERT INTO terms(terms, rank) VALUES ('merge', ?)", (pages,))
        merged_all = self._db.total_changes - changes < 2  # FTS5's documented sign that nothing was left to merge
        self._took += self._seconds() - began
        if merged_all:
            self._db.execute("UPDATE indexed SET stale=max(0, stale-?)", (self._removing,))
            self._not_before = self._seconds() + PAUSE * self._took
            self._removing, self._took = 0, 0.0

    def _left(self) -> int:
        """Return how many texts have left the index and may still be in the file."""
        return int(self._db.execute("SELECT stale FROM indexed").fetchone()[0])
