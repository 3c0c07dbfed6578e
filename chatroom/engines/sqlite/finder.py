"""One step of a search in the SQLite file, on a connection and a thread of its own.

The index (``indexer.py``) keeps the words of each room, and of each stretch of seqs, apart from all others. So a step
costs what is in one stretch of one room, whatever else the file holds. The index only proposes messages; the text of
each decides. What is not indexed yet, and a stretch with few messages, is read without the index.
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

FEW = 50  # messages; it takes about as long to look at them as to ask the index
SCANNED = 500  # messages that are looked at in one step without the index, unless its time is over before
CHECK_EVERY = 1000  # instructions of SQLite's between two looks at the clock

_INTERRUPTED = "interrupted"  # what SQLite says of a statement that took too long


class Finder:
    """Holds the searching connection.

    Args:
        db: A connection of its own; used by one thread at a time.
        seconds: The clock, which is asked on that thread.
    """

    def __init__(self, db: sqlite3.Connection, seconds: Callable[[], float]) -> None:
        self.db = db
        self._seconds = seconds
        db.execute("PRAGMA query_only=1")

    def step(self, log: str, wanted: Query, before: int, most: int, until: float) -> Step:
        """Take a step, as ``searches.Take``; SQLite is interrupted at ``until``."""
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
        """Return the seq of the newest message before a seq, or of one so many messages further back; -1 for none."""
        row = self.db.execute(
            "SELECT seq FROM log WHERE log=? AND message=1 AND seq<? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (number, before, further),
        ).fetchone()
        return row[0] if row else -1

    def _scan(self, log: str, number: int, wanted: Query, before: int, most: int) -> Step:
        """Look at the next messages themselves."""
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
        """Look at what the index proposes in one stretch."""
        prefix = prefix_of(number, block << BLOCK_BITS)
        # Tokens hold no quotation mark, so nothing that a user writes is an operator.
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
    event = events.decode(body)
    return Entry(log, event, body, seq) if isinstance(event, MESSAGES) and wanted.matches(event.text) else None
