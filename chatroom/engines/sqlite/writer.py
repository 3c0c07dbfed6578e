"""Writes to the SQLite file, on the writer thread. Each method is one transaction, done completely or not at all."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chatroom.engines.amending import KINDS, MESSAGE, OTHER, erase, relate, sent_again
from chatroom.engines.base import NEARLY_FULL, ROW, TRIM_STEP, enough, not_before
from chatroom.engines.sqlite.indexer import Indexer
from chatroom.engines.sqlite.message_rows import SQLiteRows
from chatroom.engines.sqlite.places import Place, Places
from chatroom.engines.sqlite.purger import IndexPurger
from chatroom.engines.sqlite.record_changes import make
from chatroom.model import events
from chatroom.model.events import Edited
from chatroom.model.log import Change, Conflict, Entry, NotAmended

EXPIRE_STEP = 500  # entries that one call of ``expire`` or ``drop`` removes
MOST_PLACES = 20_000  # logs whose numbers and times are kept in memory; one batch may add some more

_Row = tuple[int, int, bytes, int, int]  # seq, the log's number, body, the kind of row, milliseconds since 1970


class Writer:
    """The connection that writes. It remembers the last seq it gave to an entry, and the number and time of logs.

    Args:
        db: A connection from ``open_database``. Only one thread at a time may use it.
        seconds: Returns the time in seconds; called on the thread that uses the connection.
    """

    def __init__(self, db: sqlite3.Connection, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self.db = db
        # Retention may have removed the newest entries, and their seqs must not be used again.
        self._seq: int = db.execute(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM log), (SELECT coalesce(max(floor), 0) FROM logs))"
        ).fetchone()[0]
        self._page_size: int = db.execute("PRAGMA page_size").fetchone()[0]
        self._places = Places(db)
        self._grown: Counter[int] = Counter()  # by a log's number: bytes by which it grew, not stored yet
        self.index = Indexer(db)
        self._purger = IndexPurger(db, seconds)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what the ``with`` block writes; if the block raises, undo all of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self._places.clear()
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def store(self, batch: list[Entry]) -> None:
        """Give each entry and its copy their seqs and store them, unless the entry's key was stored earlier.

        An entry that may not change the message that it is about is not stored; its ``error`` says why.
        """
        rows: list[tuple[Any, ...]] = []
        inserted = 0
        keyed: set[str] = set()
        if len(self._places) >= MOST_PLACES:
            self._places.clear()
        with self._transaction():
            for entry in batch:
                key = entry.key
                if key in keyed:
                    self._insert(rows[inserted:])  # the earlier entry with this key is among them
                    inserted = len(rows)
                if key is not None and self._was_there(entry):
                    continue
                place = self._places[entry.log]
                last = place.time.at
                if entry.copy is not None:
                    last = max(last, self._places[entry.copy.log].time.at)
                if entry.event.at < last:
                    not_before(entry, last)
                if entry.event.about:
                    self._insert(rows[inserted:])  # the entry may change rows of this batch
                    inserted = len(rows)
                    if not self._insert_about(place, entry):
                        continue
                else:
                    rows.append(self._row(place, entry, KINDS[type(entry.event)]))
                    if entry.copy is not None:
                        rows.append(self._row(self._places[entry.copy.log], entry.copy, rows[-1][2]))
                if key is not None:
                    keyed.add(key)
            self._insert(rows[inserted:])
        grown = self._grown
        for row in rows:
            grown[row[1]] += len(row[5]) + ROW

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        self.db.executemany("INSERT INTO log(seq, log, message, at, key, body) VALUES (?,?,?,?,?,?)", rows)

    def _row(self, place: Place, entry: Entry, kind: int) -> tuple[Any, ...]:
        """Give an entry its seq, note its time as the last of its log, and return its row in the table ``log``."""
        self._seq += 1
        entry.seq = self._seq
        place.time.at = at = entry.event.at
        return self._seq, place.number, kind, at, entry.key, entry.body

    def _insert_about(self, place: Place, entry: Entry) -> bool:
        """Store an entry that is about a message, and change that message; return False if the entry may not do so."""
        about = entry.event.about
        try:
            kind = relate(self._rows(place.number), entry)
        except NotAmended as error:
            entry.error = error
            return False
        row = self._row(place, entry, kind)
        self._insert([row])
        if kind != OTHER:
            self.db.execute("UPDATE log SET about=? WHERE seq=?", (about, entry.seq))
        self._grown[place.number] += len(entry.body) + ROW
        return True

    def _was_there(self, entry: Entry) -> bool:
        """Return whether an entry with the same key is stored; if so, copy that one into ``entry``, marked as repeated.

        An earlier entry of the same batch must be in the database by now: others of the batch may have changed it.
        """
        row = self.db.execute(
            "SELECT logs.name, seq, body FROM log JOIN logs ON logs.no=log.log WHERE key=?", (entry.key,)
        ).fetchone()
        if row is None:
            return False
        entry.log, entry.seq, entry.body = row
        entry.event, entry.repeated = events.decode(entry.body), True
        if isinstance(entry.event, Edited):
            entry.event = sent_again(self._rows(self._places.number(entry.log)), entry.event)
            entry.body = events.encode(entry.event)
        return True

    def _rows(self, number: int) -> SQLiteRows:
        """Return the rows of the log with a number, for the functions of ``amending``."""
        return SQLiteRows(self.db, self.index, self._grown, number)

    # ---- search ------------------------------------------------------------------------------------------------

    def index_some(self) -> bool:
        """Take a small step of the work on the search index; return whether more may be left to do now.

        A step adds some messages, removes a part of an earlier schema's index, or removes words of erased messages.
        """
        if self.index.has_old:
            with self._transaction():
                self.index.remove_old()
            return True
        messages = self.index.next()
        if messages:
            with self._transaction():
                self.index.add(messages)
            return True
        if self._purger.wait() != 0:
            return False
        with self._transaction():
            self._purger.step()
        return True

    def purge_wait(self) -> float | None:
        """Return the seconds until words of erased messages may be removed; None if there are none."""
        return self._purger.wait()

    # ---- how much there is -------------------------------------------------------------------------------------

    def used(self, most: int = 0) -> int:
        """Return how many bytes of the file are in use.

        Args:
            most: The bytes that may be in use. While the file is far smaller, its size is returned, which is quicker.
        """
        size = int(self._page_size * self.db.execute("PRAGMA page_count").fetchone()[0])
        if size < NEARLY_FULL * most:
            return size
        return size - int(self._page_size * self.db.execute("PRAGMA freelist_count").fetchone()[0])

    def usage(self) -> int:
        """Return how many bytes of the file are in use, and store the sizes of logs that have changed."""
        self._write_down()
        return self.used()

    def _write_down(self) -> None:
        """Add the growth of each log, which is counted in memory, to the log's stored size."""
        if self._grown:
            with self._transaction():
                self.db.executemany(
                    "UPDATE logs SET bytes=max(0, bytes+?) WHERE no=?", [(n, log) for log, n in self._grown.items()]
                )
            self._grown.clear()

    def trim(self, wanted: int) -> tuple[str, int]:
        """Remove some of the oldest entries of the room whose log takes the most bytes.

        Args:
            wanted: Bytes that are to become free; not more entries are removed than that takes.

        Returns:
            The log's name and how many entries were removed; 0 if no room has entries any more.
        """
        self._write_down()
        with self._transaction():
            # A room may have entries even if it takes nothing by our count, since a crash loses a part of the count.
            room = self.db.execute(
                "SELECT no, name FROM logs WHERE name GLOB 'room/*'"
                " AND EXISTS (SELECT 1 FROM log WHERE log.log=logs.no AND message IN (?,?))"
                " ORDER BY bytes DESC LIMIT 1",
                (OTHER, MESSAGE),
            ).fetchone()
            if room is None:
                return "", 0
            rows = sorted(row for message in (False, True) for row in self._oldest(room[0], message, TRIM_STEP))
            gone = self._remove(enough(rows[:TRIM_STEP], wanted, lambda row: len(row[2])))
            self._raise_floor(gone)
        return room[1], len(gone)

    def _oldest(self, number: int, message: bool, most: int) -> list[_Row]:
        """Return the oldest messages of a log, or if ``message`` is false its oldest entries that are about none."""
        return self.db.execute(
            "SELECT seq, log, body, message, at FROM log WHERE log=? AND message=? ORDER BY seq LIMIT ?",
            (number, message, most),
        ).fetchall()

    def _remove(self, rows: list[_Row]) -> list[_Row]:
        """Remove entries of one log, with the amendments to them, from the log and from the search index.

        Returns:
            The entries that were removed. They are fewer than ``rows`` if there were very many amendments to them.
        """
        if rows:
            rows = rows[: self._rows(rows[0][1]).remove_about([row[0] for row in rows])]
            self.index.forget([row[:3] for row in rows if row[3] == MESSAGE])
            self.db.executemany("DELETE FROM log WHERE seq=?", [(row[0],) for row in rows])
            self._grown[rows[0][1]] -= sum(len(row[2]) + ROW for row in rows)
        return rows

    def _raise_floor(self, gone: list[_Row]) -> None:
        """Store the greatest seq removed from a log, so that readers learn that entries are missing.

        Args:
            gone: Entries of one log that were removed, the oldest first.
        """
        if gone:
            self.db.execute("UPDATE logs SET floor=max(floor, ?) WHERE no=?", (gone[-1][0], gone[-1][1]))

    # ---- retention ---------------------------------------------------------------------------------------------

    def expire(self, log: str, message: bool, older_than: int, cut: int) -> int:
        """Remove some of a log's oldest entries.

        Args:
            log: The log.
            message: Whether to remove messages, with the amendments to them, or entries that are about no message.
            older_than: Entries made before this time (milliseconds since 1970) are removed ...
            cut: ... and entries with a seq up to this one.

        Returns:
            How many entries were removed; 0 if no such entries are left.
        """
        with self._transaction():
            rows = self._oldest(self._places.number(log), message, EXPIRE_STEP)
            old = self._remove([row for row in rows if row[4] < older_than or row[0] <= cut])
            self._raise_floor(old)
            return len(old)

    def drop(self, log: str) -> bool:
        """Remove some of a log's entries, and the log itself with the last of them; return whether more may be left."""
        with self._transaction():
            number = self._places.number(log)
            rows = self.db.execute(
                "SELECT seq, log, body, message, at FROM log WHERE log=? LIMIT ?", (number, EXPIRE_STEP)
            ).fetchall()
            more = len(self._remove(rows)) < len(rows) or len(rows) == EXPIRE_STEP
            if not more:
                self._grown.pop(number, None)
                self._places.clear()
                self.db.execute("DELETE FROM logs WHERE name=?", (log,))
                # No seq may be used twice, even if the newest entries have gone with their log.
                self.db.execute(
                    "INSERT INTO logs(name, floor) VALUES ('', ?1) ON CONFLICT DO UPDATE SET floor=max(floor, ?1)",
                    (self._seq,),
                )
            return more

    def erase(self, log: str, seq: int) -> bool | None:
        """Erase a message, as ``amending.erase`` does: None means that this must be called again."""
        with self._transaction():
            return erase(self._rows(self._places.number(log)), seq)

    # ---- records -----------------------------------------------------------------------------------------------

    def change(self, changes: Sequence[Change]) -> int:
        """Make all changes if each record has the revision that its change expects; return the new revision of all.

        Raises:
            Conflict: A record has another revision than its change expects; no change was made.
        """
        (rev,) = self.change_all([changes])
        if isinstance(rev, Conflict):
            raise rev
        return rev

    def change_all(self, several: Iterable[Sequence[Change]]) -> list[int | Conflict]:
        """Do what ``change`` does for each of several sets of changes, in one transaction.

        Returns:
            For each set the new revision of its records, or the Conflict because of which the set was not made.
        """
        with self._transaction():
            return [make(self.db, changes) for changes in several]
