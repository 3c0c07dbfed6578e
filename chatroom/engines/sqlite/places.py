"""What the writer knows about the logs in the SQLite file without a look: their numbers and the times of their ends."""

from __future__ import annotations

import sqlite3

from chatroom.engines.amending import AMENDMENT, MESSAGE, OTHER
from chatroom.engines.base import LastTime
from chatroom.model.log_names import other_half

_LAST = "coalesce((SELECT at FROM log WHERE log=?1 AND message={} ORDER BY seq DESC LIMIT 1), 0)"
_LAST_TIME = f"SELECT max({', '.join(_LAST.format(kind) for kind in (OTHER, MESSAGE, AMENDMENT))})"


class Place:
    """What is known about a log.

    Args:
        number: The log's number.
        time: The time of its last entry.
    """

    __slots__ = ("number", "time")

    def __init__(self, number: int, time: LastTime) -> None:
        self.number = number
        self.time = time


class Places(dict[str, Place]):
    """The places of logs, by the log's name. A look-up makes the log if there is none of that name.

    Args:
        db: The writing connection, in a transaction whenever a place is looked up.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, log: str) -> Place:
        """Read the place of a log from the file, and remember it."""
        number = self.number(log)
        if not number:
            number = self._db.execute("INSERT INTO logs(name) VALUES (?) RETURNING no", (log,)).fetchone()[0]
        place = self[log] = Place(number, self._time(log, number))
        return place

    def _time(self, log: str, number: int) -> LastTime:
        """Return the time of the last entry of a log, which it may share with another log."""
        half = other_half(log)
        if half in self:
            return self[half].time
        numbers = [number, self.number(half) if half else 0]
        return LastTime(max(self.last_time(each) for each in numbers if each))

    def number(self, log: str) -> int:
        """Return the number of a log; 0 if there is no such log."""
        row = self._db.execute("SELECT no FROM logs WHERE name=?", (log,)).fetchone()
        return int(row[0]) if row is not None else 0

    def last_time(self, number: int) -> int:
        """Return the time of a log's last entry, in milliseconds since 1970; 0 if the log has no entries."""
        return int(self._db.execute(_LAST_TIME, (number,)).fetchone()[0])
