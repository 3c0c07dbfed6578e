"""Takes one step of a search in the SQLite file, on a connection and a thread of its own.

The index (``indexer.py``) keeps the words of each room and each block (range of seqs) apart from all others. So the
cost of a step depends on one block of one room, whatever else the file holds. The index only proposes messages; whether
a message matches is decided by its text. Messages that are not indexed yet, and blocks with few messages, are read
without the index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from chatroom.engines.search_scheduler import STEP, Step
from chatroom.engines.sqlite.indexer import BLOCK_BITS, prefix_of
from chatroom.engines.tokenizer import Query
from chatroom.model import events
from chatroom.model.events import MESSAGES
from chatroom.model.log import Entry, TooBroad

FEW = 50  # messages; reading so many takes about as long as asking the index
SCANNED = 500  # the most messages that one step reads without the index
CHECK_EVERY = 1000  # instructions of SQLite's virtual machine between two checks of the time

_INTERRUPTED = "interrupted"  # SQLite's error for a statement that took too long


class Finder:
    """Searches the messages of a log.

    Args:
        db: A connection to the database that nothing else uses; it is used by one thread at a time.
        seconds: Returns the time in seconds; called on the thread that calls ``step``.
    """

    def __init__(self, db: sqlite3.Connection, seconds: Callable[[], float]) -> None:
        self.db = db
        self._seconds = seconds
        db.execute("PRAGMA query_only=1")

    def step(self, log: str, wanted: Query, before: int, most: int, until: float) -> Step:
        """Take a step, as ``search_scheduler.Take`` describes; SQLite is interrupted at the time ``until`` (seconds).

        Raises:
            TooBroad: SQLite was interrupted.
        """
        self.db.set_progress_handler(lambda: self._seconds() > until, CHECK_EVERY)
        try:
            return self._step(log, wanted, before, most)
        except sqlite3.OperationalError as error:
            if str(error) == _INTERRUPTED:
                raise TooBroad from error
            raise
        finally:
            self.db.set_progress_handler(None, 0)

    def _step(self, log: str, wanted: Query, before: int, most: int) -> Step:
        """Ask the index if the next ``FEW`` messages are indexed and in one block; else read them without the index."""
        number = self.db.execute("SELECT no FROM logs WHERE name=?", (log,)).fetchone()
        if number is None:
            return Step([])
        upto = self.db.execute("SELECT upto FROM indexed").fetchone()[0]
        newest = self._older(number[0], before, 0)
        if newest < 0:
            return Step([])
        block = newest >> BLOCK_BITS
        if newest > upto or self._older(number[0], before, FEW - 1) >> BLOCK_BITS != block:
            return self._scan(log, number[0], wanted, before, most)
        return self._ask_index(log, number[0], wanted, before, most, block)

    def _older(self, number: int, before: int, further: int) -> int:
        """Return the seq of a message before the seq ``before``; -1 if there is none.

        Args:
            number: The number of the log.
            before: Only messages with a smaller seq count.
            further: How many of them, the newest first, to skip.
        """
        row = self.db.execute(
            "SELECT seq FROM log WHERE log=? AND message=1 AND seq<? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (number, before, further),
        ).fetchone()
        return row[0] if row else -1

    def _scan(self, log: str, number: int, wanted: Query, before: int, most: int) -> Step:
        """Read up to ``SCANNED`` messages before ``before``, newest first, and return those that match ``wanted``.

        Stop when ``most`` are found, or after ``STEP`` seconds.
        """
        rows = self.db.execute(
            "SELECT seq, at, body FROM log WHERE log=? AND message=1 AND seq<? ORDER BY seq DESC LIMIT ?",
            (number, before, SCANNED),
        )
        found: list[Entry] = []
        end = self._seconds() + STEP
        seen = seq = at = 0
        for seq, at, body in rows.fetchall():
            seen += 1
            entry = _matching(log, seq, body, wanted)
            if entry is not None:
                found.append(entry)
            if len(found) == most or self._seconds() > end:
                return Step(found, seq, at)
        return Step(found, seq, at) if seen == SCANNED else Step(found)

    def _ask_index(self, log: str, number: int, wanted: Query, before: int, most: int, block: int) -> Step:
        """Read the messages before ``before`` that the index proposes in a block; return those that match ``wanted``.

        Stop when ``most`` are found, or after ``STEP`` seconds.
        """
        prefix = prefix_of(number, block << BLOCK_BITS)
        # Tokens hold no quotation mark, so nothing that a user types can be an operator of SQLite's query language.
        terms = " ".join(f'"{prefix}{token}"{"*" if more else ""}' for token, more in wanted.terms())
        proposed = self.db.execute(
            "SELECT rowid FROM terms WHERE terms MATCH ? AND rowid<? ORDER BY rowid DESC", (terms, before)
        )
        found: list[Entry] = []
        end = self._seconds() + STEP
        for (seq,) in proposed:
            row = self.db.execute(
                "SELECT at, body FROM log WHERE seq=? AND log=? AND message=1", (seq, number)
            ).fetchone()
            entry = _matching(log, seq, row[1], wanted) if row else None
            if entry is not None:
                found.append(entry)
            if row and (len(found) == most or self._seconds() > end):
                proposed.close()
                return Step(found, seq, row[0])
        first = self.db.execute(
            "SELECT seq, at FROM log WHERE log=? AND message=1 AND seq>=? ORDER BY seq LIMIT 1",
            (number, block << BLOCK_BITS),
        ).fetchone()
        return Step(found, *first)


def _matching(log: str, seq: int, body: bytes, wanted: Query) -> Entry | None:
    """The entry with this body; None if it is no message that matches."""
    event = events.decode(body)
    return Entry(log, event, body, seq) if isinstance(event, MESSAGES) and wanted.matches(event.text) else None
