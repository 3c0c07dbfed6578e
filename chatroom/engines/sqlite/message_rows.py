"""The rows of one log in the SQLite file, as amendments read and change them inside a transaction of the ``Writer``."""

from __future__ import annotations

import sqlite3
from collections import Counter

from chatroom.engines.amending import AMENDMENT, MESSAGE, SPENT, AboutRow
from chatroom.engines.base import ROW
from chatroom.engines.sqlite.indexer import Indexer

REMOVE_STEP = 5000  # amendments that go together with messages in one transaction


class SQLiteRows:
    """Implements ``MessageRows``.

    Args:
        db: The writing connection.
        index: The search index.
        grown: Counts the bytes by which logs grow, by a log's number.
        number: The log's number.
    """

    def __init__(self, db: sqlite3.Connection, index: Indexer, grown: Counter[int], number: int) -> None:
        self._db = db
        self._index = index
        self._grown = grown
        self._number = number

    def message(self, seq: int) -> bytes | None:
        row = self._db.execute(
            "SELECT body FROM log WHERE seq=? AND log=? AND message=?", (seq, self._number, MESSAGE)
        ).fetchone()
        return row[0] if row is not None else None

    def about(self, seq: int, kind: int, most: int) -> list[AboutRow]:
        rows = self._db.execute(
            "SELECT seq, key, body FROM log WHERE about=? AND message=? ORDER BY seq DESC LIMIT ?", (seq, kind, most)
        )
        return [AboutRow(*row) for row in rows]

    def write(self, seq: int, old: bytes, new: bytes) -> None:
        self._index.replace((seq, self._number, old), new)
        self._db.execute("UPDATE log SET body=? WHERE seq=?", (new, seq))
        self._grown[self._number] += len(new) - len(old)

    def spend(self, row: AboutRow, body: bytes) -> None:
        self._db.execute("UPDATE log SET message=?, body=? WHERE seq=?", (SPENT, body, row.seq))
        self._grown[self._number] += len(body) - len(row.body)

    def part(self, seq: int, rows: list[AboutRow]) -> None:
        self._db.executemany("UPDATE log SET about=NULL WHERE seq=?", [(row.seq,) for row in rows])

    def remove(self, seq: int, rows: list[AboutRow]) -> None:
        self._db.executemany("DELETE FROM log WHERE seq=?", [(row.seq,) for row in rows])
        self._grown[self._number] -= sum(len(row.body) + ROW for row in rows)

    def remove_about(self, messages: list[int]) -> int:
        """Remove all rows that are about messages, except messages that quote them.

        Args:
            messages: The seqs of messages that are to be removed.

        Returns:
            For how many of the messages that was done: after ``REMOVE_STEP`` rows no further message is begun.
        """
        removed = 0
        for done, seq in enumerate(messages, 1):
            gone = self._db.execute(
                "DELETE FROM log WHERE about=? AND message>=? RETURNING length(body)", (seq, AMENDMENT)
            ).fetchall()
            removed += len(gone)
            self._grown[self._number] -= sum(size + ROW for (size,) in gone)
            if removed >= REMOVE_STEP:
                return done
        return len(messages)
