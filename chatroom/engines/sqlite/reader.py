"""Reads history, records and lists from the SQLite file. Thanks to the WAL, reading never waits for the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from chatroom.engines.amending import OTHER
from chatroom.model import events
from chatroom.model.log import Entry, Page

PAGE_ROWS = 500  # records on one page ...
PAGE_BYTES = 256 * 1024  # ... or fewer, if they have so many bytes, which take about two milliseconds to decode
PAGE_LOGS = 1000  # names of logs on one page
LAST_CHARACTER = "\U0010ffff"

_NEVER = 1 << 62  # greater than every seq


class Reader:
    """A connection that only reads.

    Args:
        db: A connection that nothing else uses. Only one thread at a time may use it.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.execute("PRAGMA query_only=1")

    def read(self, log: str, after: int, before: int | None, limit: int, kinds: tuple[int, ...], oldest: bool) -> Page:
        """Return entries of a log of these kinds, as ``chatroom.chat.interfaces.Engine.read`` describes."""
        number, floor = self._log(log)
        order = "ASC" if oldest else "DESC"
        rows: list[tuple[int, bytes]] = []
        for kind in kinds:
            rows += self.db.execute(
                f"SELECT seq, body FROM log WHERE log=? AND message=? AND seq>? AND seq<? ORDER BY seq {order} LIMIT ?",
                (number, kind, after, _NEVER if before is None else before, limit + 1),
            ).fetchall()
        rows.sort(reverse=not oldest)
        complete = len(rows) <= limit and (OTHER not in kinds or after >= floor)
        return Page(_entries(log, sorted(rows[:limit])), complete)

    def cut(self, log: str, message: bool, keep: int) -> int:
        """Return the greatest seq to remove if the newest ``keep`` entries stay; 0 if there are no others.

        Args:
            log: The log.
            message: Whether to count messages, or other entries. Amendments do not count.
            keep: How many messages, or other entries, stay.
        """
        row = self.db.execute(
            "SELECT seq FROM log WHERE log=? AND message=? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (self._log(log)[0], message, keep),
        ).fetchone()
        return row[0] if row else 0

    def logs(self, after: str) -> list[str]:
        """Return the names of the logs that follow the name ``after`` in the order of names, at most ``PAGE_LOGS``."""
        rows = self.db.execute("SELECT name FROM logs WHERE name>? ORDER BY name LIMIT ?", (after, PAGE_LOGS))
        return [row[0] for row in rows]

    def get(self, bucket: str, key: str) -> tuple[bytes, int] | None:
        """Return the value of a record and its revision; None if there is no such record."""
        row: tuple[bytes, int] | None = self.db.execute(
            "SELECT value, rev FROM record WHERE bucket=? AND key=?", (bucket, key)
        ).fetchone()
        return row

    def page(self, bucket: str, prefix: str, after: str, most: int) -> list[tuple[str, bytes]]:
        """Return keys and values of the next records whose keys begin with ``prefix`` and come after the key ``after``.

        There are at most ``most`` records, if ``most`` is not 0, and never more than a page (``cut_page``).
        """
        # LAST_CHARACTER sorts after all others, and no key holds it, since no name or id does.
        rows = self.db.execute(
            "SELECT key, value FROM record WHERE bucket=? AND key>? AND key>=? AND key<? ORDER BY key",
            (bucket, after, prefix, prefix + LAST_CHARACTER),
        )
        with closing(rows):  # an open statement would keep SQLite from shortening the write-ahead log
            return cut_page(rows, most)

    def last(self, bucket: str, prefix: str, most: int) -> list[tuple[str, bytes]]:
        """Return the records with the last keys that begin with ``prefix``, in the order of keys.

        There are at most ``most`` records, if ``most`` is not 0, and never more than a page (``cut_page``).
        """
        rows = self.db.execute(
            "SELECT key, value FROM record WHERE bucket=? AND key>=? AND key<? ORDER BY key DESC",
            (bucket, prefix, prefix + LAST_CHARACTER),
        )
        with closing(rows):
            return cut_page(rows, most)[::-1]

    def all(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Return all records of a bucket whose keys begin with ``prefix``, without pages: reading all may be slow."""
        return self.db.execute(
            "SELECT key, value FROM record WHERE bucket=? AND key>=? AND key<? AND value IS NOT NULL ORDER BY key",
            (bucket, prefix, prefix + LAST_CHARACTER),
        )

    def count(self, bucket: str, prefix: str = "") -> int:
        """Return how many records of a bucket have keys that begin with ``prefix``."""
        row = self.db.execute(
            "SELECT count(*) FROM record WHERE bucket=? AND key>=? AND key<?", (bucket, prefix, prefix + LAST_CHARACTER)
        ).fetchone()
        return int(row[0])

    def _log(self, log: str) -> tuple[int | None, int]:
        """Return a log's number (None if there is no such log) and the greatest seq removed from it."""
        row: tuple[int, int] | None = self.db.execute("SELECT no, floor FROM logs WHERE name=?", (log,)).fetchone()
        return row or (None, 0)


def cut_page(rows: Iterable[tuple[str, bytes]], most: int) -> list[tuple[str, bytes]]:
    """Return the first rows: at most ``PAGE_ROWS``, or at most ``most`` if that is fewer and not 0.

    They end earlier with the row by which their values reach ``PAGE_BYTES``.
    """
    most = min(most or PAGE_ROWS, PAGE_ROWS)
    page: list[tuple[str, bytes]] = []
    size = 0
    for row in rows:
        page.append(row)
        size += len(row[1])
        if size >= PAGE_BYTES or len(page) == most:
            break
    return page


def _entries(log: str, rows: list[tuple[int, bytes]]) -> list[Entry]:
    return [Entry(log, events.decode(body), body, seq) for seq, body in rows]
