"""Writes to the SQLite file, on the writer thread. Each method is one transaction, done completely or not at all."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chatroom.engines.base import NEARLY_FULL, ROW, TRIM_STEP, enough, not_before
from chatroom.engines.sqlite.indexer import Indexer
from chatroom.engines.sqlite.record_changes import make
from chatroom.model import events
from chatroom.model.events import MESSAGES, blanked
from chatroom.model.log import Change, Conflict, Entry

EXPIRE_STEP = 500  # entries that one call of ``expire`` or ``drop`` removes
MOST_PLACES = 20_000  # logs whose numbers and times are kept in memory; one batch may add some more


_Row = tuple[int, int, bytes, bool, int]  # seq, the log's number, body, whether it is a message, ms since 1970


class _Place:
    """What the writer keeps in memory about a log.

    Args:
        number: The log's number.
        at: The time of the log's last entry, in milliseconds since 1970; 0 if it has no entries.
    """

    __slots__ = ("at", "number")

    def __init__(self, number: int, at: int) -> None:
        self.number = number
        self.at = at


class Writer:
    """The connection that writes. It remembers the last seq it gave to an entry, and the number and time of logs.

    Args:
        db: A connection from ``open_database``. Only one thread at a time may use it.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        # Retention may have removed the newest entries, and their seqs must not be used again.
        self._seq: int = db.execute(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM log), (SELECT coalesce(max(floor), 0) FROM logs))"
        ).fetchone()[0]
        self._page_size: int = db.execute("PRAGMA page_size").fetchone()[0]
        self._places: dict[str, _Place] = {}
        self._grown: Counter[int] = Counter()  # by a log's number: bytes by which it grew, not stored yet
        self.index = Indexer(db)

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
        """Give each entry and its copy their seqs and store them, unless the entry's key was stored earlier."""
        rows: list[tuple[Any, ...]] = []
        keyed: dict[str, Entry] = {}
        if len(self._places) >= MOST_PLACES:
            self._places.clear()
        with self._transaction():
            for entry in batch:
                key = entry.key
                if key is not None:
                    if self._was_there(entry, keyed.get(key)):
                        continue
                    keyed[key] = entry
                place = self._places.get(entry.log) or self._place(entry.log)
                if entry.copy is not None:
                    place.at = max(place.at, self._place(entry.copy.log).at)
                if entry.event.at < place.at:
                    not_before(entry, place.at)
                rows.append(self._row(place, entry))
                if entry.copy is not None:
                    rows.append(self._row(self._place(entry.copy.log), entry.copy))
            self.db.executemany("INSERT INTO log(seq, log, message, at, key, body) VALUES (?,?,?,?,?,?)", rows)
        grown = self._grown
        for row in rows:
            grown[row[1]] += len(row[5]) + ROW

    def _row(self, place: _Place, entry: Entry) -> tuple[Any, ...]:
        """Give an entry its seq, note its time as the last of its log, and return its row in the table ``log``."""
        self._seq += 1
        entry.seq = self._seq
        event = entry.event
        place.at = event.at
        return self._seq, place.number, isinstance(event, MESSAGES), event.at, entry.key, entry.body

    def _was_there(self, entry: Entry, earlier: Entry | None) -> bool:
        """Return whether an entry with the same key came earlier; if so, copy that one into ``entry``.

        Args:
            entry: The entry, which has a key. A copy is marked as repeated.
            earlier: An earlier entry of the same batch with the same key; None if there is none.
        """
        if earlier is not None:
            entry.log, entry.seq, entry.body = earlier.log, earlier.seq, earlier.body
        else:
            row = self.db.execute(
                "SELECT logs.name, seq, body FROM log JOIN logs ON logs.no=log.log WHERE key=?", (entry.key,)
            ).fetchone()
            if row is None:
                return False
            entry.log, entry.seq, entry.body = row
        entry.event, entry.repeated = events.decode(entry.body), True
        return True

    def _known(self, log: str) -> int:
        """Return the number of a log; 0 if there is no such log."""
        row = self.db.execute("SELECT no FROM logs WHERE name=?", (log,)).fetchone()
        return int(row[0]) if row is not None else 0

    def _place(self, log: str) -> _Place:
        """Return what is known about a log; make the log if there is none of that name."""
        place = self._places.get(log)
        if place is None:
            number = self._known(log)
            if not number:
                number = self.db.execute("INSERT INTO logs(name) VALUES (?) RETURNING no", (log,)).fetchone()[0]
            place = self._places[log] = _Place(number, self._last_time(number))
        return place

    def _last_time(self, number: int) -> int:
        """Return the time of a log's last entry, in milliseconds since 1970; 0 if the log has no entries."""
        last = "SELECT at FROM log WHERE log=?1 AND message={} ORDER BY seq DESC LIMIT 1"
        row = self.db.execute(
            f"SELECT max(coalesce(({last.format(0)}), 0), coalesce(({last.format(1)}), 0))", (number,)
        ).fetchone()
        return int(row[0])

    # ---- search ------------------------------------------------------------------------------------------------

    def index_some(self) -> bool:
        """Index some messages, or remove a part of an earlier schema's index; return whether more may be left to do."""
        if self.index.has_old:
            with self._transaction():
                self.index.remove_old()
            return True
        messages = self.index.next()
        if messages:
            with self._transaction():
                self.index.add(messages)
        return bool(messages)

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
                " AND EXISTS (SELECT 1 FROM log WHERE log.log=logs.no) ORDER BY bytes DESC LIMIT 1"
            ).fetchone()
            if room is None:
                return "", 0
            rows = sorted(row for message in (False, True) for row in self._oldest(room[0], message, TRIM_STEP))
            gone = enough(rows[:TRIM_STEP], wanted, lambda row: len(row[2]))
            self._remove(gone)
            self._raise_floor(gone)
        return room[1], len(gone)

    def _oldest(self, number: int, message: bool, most: int) -> list[_Row]:
        """Return the oldest messages of a log, or its oldest other entries if ``message`` is false."""
        return self.db.execute(
            "SELECT seq, log, body, message, at FROM log WHERE log=? AND message=? ORDER BY seq LIMIT ?",
            (number, message, most),
        ).fetchall()

    def _remove(self, rows: list[_Row]) -> None:
        """Remove entries of one log from the log and from the search index."""
        if rows:
            self.index.forget([row[:3] for row in rows if row[3]])
            self.db.executemany("DELETE FROM log WHERE seq=?", [(row[0],) for row in rows])
            self._grown[rows[0][1]] -= sum(len(row[2]) + ROW for row in rows)

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
            message: Whether to remove messages, or other entries.
            older_than: Entries made before this time (milliseconds since 1970) are removed ...
            cut: ... and entries with a seq up to this one.

        Returns:
            How many entries were removed; 0 if no such entries are left.
        """
        with self._transaction():
            rows = self._oldest(self._known(log), message, EXPIRE_STEP)
            old = [row for row in rows if row[4] < older_than or row[0] <= cut]
            self._remove(old)
            self._raise_floor(old)
            return len(old)

    def drop(self, log: str) -> bool:
        """Remove some of a log's entries, and the log itself with the last of them; return whether more may be left."""
        with self._transaction():
            number = self._known(log)
            rows = self.db.execute(
                "SELECT seq, log, body, message, at FROM log WHERE log=? LIMIT ?", (number, EXPIRE_STEP)
            ).fetchall()
            self._remove(rows)
            if len(rows) < EXPIRE_STEP:
                self._grown.pop(number, None)
                self._places.clear()
                self.db.execute("DELETE FROM logs WHERE name=?", (log,))
                # No seq may be used twice, even if the newest entries have gone with their log.
                self.db.execute(
                    "INSERT INTO logs(name, floor) VALUES ('', ?1) ON CONFLICT DO UPDATE SET floor=max(floor, ?1)",
                    (self._seq,),
                )
            return len(rows) == EXPIRE_STEP

    def erase(self, log: str, seq: int) -> bool:
        """Remove the text of one message, but not its entry; return whether there was such a message."""
        with self._transaction():
            row = self.db.execute(
                "SELECT seq, log, body FROM log WHERE seq=? AND log=? AND message", (seq, self._known(log))
            ).fetchone()
            if row is None:
                return False
            self.index.blank(row)
            blank = events.encode(blanked(events.decode(row[2])))
            self.db.execute("UPDATE log SET body=? WHERE seq=?", (blank, seq))
            return True

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
