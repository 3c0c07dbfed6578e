"""What the writer thread does to the SQLite file. Every method is one transaction that happens whole or not at all."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from chatroom.engines.base import NEARLY_FULL, ROW, TRIM_STEP
from chatroom.engines.sqlite.indexer import Indexer
from chatroom.model import events
from chatroom.model.events import MESSAGES, blanked
from chatroom.model.log import Change, Conflict, Entry

EXPIRE_STEP = 500  # entries
MOST_NUMBERS = 20_000  # logs whose number is remembered


_Row = tuple[int, int, bytes, bool, int]  # seq, number of the log, body, whether it is a message, time in ms


class Writer:
    """Holds the writing connection, the counter of seqs and the numbers of the logs.

    Args:
        db: A connection from ``open_database``; used by one thread at a time.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        # Retention may have removed the newest entries: their seqs must not come again.
        self._seq: int = db.execute(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM log), (SELECT coalesce(max(floor), 0) FROM logs))"
        ).fetchone()[0]
        self._page_size: int = db.execute("PRAGMA page_size").fetchone()[0]
        self._numbers: dict[str, int] = {}
        self._grown: Counter[int] = Counter()  # bytes by log that are not written down yet
        self.index = Indexer(db)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self._numbers.clear()
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def store(self, batch: list[Entry]) -> None:
        """Give every entry its seq and store it, unless its key says that it is there already."""
        rows = []
        keyed: dict[str, Entry] = {}
        with self._transaction():
            for entry in batch:
                key = entry.key
                if key is not None:
                    if self._was_there(entry, keyed.get(key)):
                        continue
                    keyed[key] = entry
                self._seq += 1
                entry.seq = self._seq
                event = entry.event
                number = self._numbers.get(entry.log) or self._number(entry.log)
                rows.append((entry.seq, number, isinstance(event, MESSAGES), event.at, key, entry.body))
            self.db.executemany("INSERT INTO log(seq, log, message, at, key, body) VALUES (?,?,?,?,?,?)", rows)
        grown = self._grown
        for row in rows:
            grown[row[1]] += len(row[5]) + ROW

    def _was_there(self, entry: Entry, earlier: Entry | None) -> bool:
        """If the key is known the entry becomes what was stored first under it."""
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
        """Return the number of a log, 0 when there is none of that name."""
        row = self.db.execute("SELECT no FROM logs WHERE name=?", (log,)).fetchone()
        return int(row[0]) if row is not None else 0

    def _number(self, log: str) -> int:
        """Return the number of a log, which begins to exist if there is none of that name."""
        row = self.db.execute("SELECT no FROM logs WHERE name=?", (log,)).fetchone()
        if row is None:
            row = self.db.execute("INSERT INTO logs(name) VALUES (?) RETURNING no", (log,)).fetchone()
        if len(self._numbers) >= MOST_NUMBERS:
            self._numbers.clear()
        self._numbers[log] = int(row[0])
        return self._numbers[log]

    # ---- search ------------------------------------------------------------------------------------------------

    def index_some(self) -> bool:
        """Index some more messages, or remove some of an old index; return whether there may be more to do."""
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
            most: While the whole file takes less than most of that, the file's size will do.
        """
        size = int(self._page_size * self.db.execute("PRAGMA page_count").fetchone()[0])
        if size < NEARLY_FULL * most:
            return size
        return size - int(self._page_size * self.db.execute("PRAGMA freelist_count").fetchone()[0])

    def usage(self) -> int:
        """Return how many bytes of the file are in use, and write down how much each log takes."""
        self._write_down()
        return self.used()

    def _write_down(self) -> None:
        if self._grown:
            with self._transaction():
                self.db.executemany(
                    "UPDATE logs SET bytes=max(0, bytes+?) WHERE no=?", [(n, log) for log, n in self._grown.items()]
                )
            self._grown.clear()

    def trim(self) -> tuple[str, int]:
        """Remove some of the oldest entries of the room that takes most; return its log and how many they were."""
        self._write_down()
        with self._transaction():
            # A room that takes nothing by our count may have entries all the same: a crash loses some of the count.
            room = self.db.execute(
                "SELECT no, name FROM logs WHERE name GLOB 'room/*'"
                " AND EXISTS (SELECT 1 FROM log WHERE log.log=logs.no) ORDER BY bytes DESC LIMIT 1"
            ).fetchone()
            if room is None:
                return "", 0
            rows = sorted(row for message in (False, True) for row in self._oldest(room[0], message, TRIM_STEP))
            self._remove(rows[:TRIM_STEP])
            self._raise_floor(rows[:TRIM_STEP])
        return room[1], len(rows[:TRIM_STEP])

    def _oldest(self, number: int, message: bool, most: int) -> list[_Row]:
        return self.db.execute(
            "SELECT seq, log, body, message, at FROM log WHERE log=? AND message=? ORDER BY seq LIMIT ?",
            (number, message, most),
        ).fetchall()

    def _remove(self, rows: list[_Row]) -> None:
        """Remove entries of one log, the oldest first, and what the index has of them."""
        if rows:
            self.index.forget([row[:3] for row in rows if row[3]])
            self.db.executemany("DELETE FROM log WHERE seq=?", [(row[0],) for row in rows])
            self._grown[rows[0][1]] -= sum(len(row[2]) + ROW for row in rows)

    def _raise_floor(self, gone: list[_Row]) -> None:
        """Note how far a log has been eaten into: who missed what has gone is told so."""
        if gone:
            self.db.execute("UPDATE logs SET floor=max(floor, ?) WHERE no=?", (gone[-1][0], gone[-1][1]))

    # ---- retention ---------------------------------------------------------------------------------------------

    def expire(self, log: str, message: bool, older_than: int, cut: int) -> int:
        """Remove some of the oldest entries: made before ``older_than`` (ms), or with a seq up to ``cut``.

        Returns:
            How many were removed; 0 when there are no more.
        """
        with self._transaction():
            rows = self._oldest(self._known(log), message, EXPIRE_STEP)
            old = [row for row in rows if row[4] < older_than or row[0] <= cut]
            self._remove(old)
            self._raise_floor(old)
            return len(old)

    def drop(self, log: str) -> bool:
        """Remove some of a log's entries, or the last and the log with them; return whether there is more to remove."""
        with self._transaction():
            number = self._known(log)
            rows = self.db.execute(
                "SELECT seq, log, body, message, at FROM log WHERE log=? LIMIT ?", (number, EXPIRE_STEP)
            ).fetchall()
            self._remove(rows)
            if len(rows) < EXPIRE_STEP:
                self._grown.pop(number, None)
                self._numbers.clear()
                self.db.execute("DELETE FROM logs WHERE name=?", (log,))
                # No seq comes twice, not even when the newest entries of all have gone with their log.
                self.db.execute(
                    "INSERT INTO logs(name, floor) VALUES ('', ?1) ON CONFLICT DO UPDATE SET floor=max(floor, ?1)",
                    (self._seq,),
                )
            return len(rows) == EXPIRE_STEP

    def erase(self, log: str, seq: int) -> bool:
        """Take one message's text away; return whether there was such a message."""
        with self._transaction():
            row = self.db.execute(
                "SELECT seq, log, body FROM log WHERE seq=? AND log=? AND message", (seq, self._number(log))
            ).fetchone()
            if row is None:
                return False
            self.index.blank(row)
            blank = events.encode(blanked(events.decode(row[2])))
            self.db.execute("UPDATE log SET body=? WHERE seq=?", (blank, seq))
            return True

    # ---- records -----------------------------------------------------------------------------------------------

    def change(self, changes: Sequence[Change]) -> int:
        """Compare and set records, all of them or none; return their new revision.

        Raises:
            Conflict: A record has another revision than its change expects.
        """
        (rev,) = self.change_all([changes])
        if isinstance(rev, Conflict):
            raise rev
        return rev

    def change_all(self, several: Iterable[Sequence[Change]]) -> list[int | Conflict]:
        """Do for each of several what ``change`` does, in one transaction; return revisions, or what was in the way.

        Revisions of all records come from one counter, so that a removed record leaves nothing behind, and a revision
        of before never fits what is made later under the same key.
        """
        done: list[int | Conflict] = []
        with self._transaction():
            for changes in several:
                conflict = next((change for change in changes if not self._fits(change)), None)
                if conflict is not None:
                    done.append(Conflict(f"{conflict.bucket}/{conflict.key}"))
                    continue
                rev = int(self.db.execute("UPDATE revision SET last=last+1 RETURNING last").fetchone()[0])
                for change in changes:
                    self._change(change, rev)
                done.append(rev)
        return done

    def _fits(self, change: Change) -> bool:
        """Return whether the record has the revision that a change expects."""
        if change.rev is None:
            return True
        where = change.bucket, change.key
        row = self.db.execute("SELECT rev FROM record WHERE bucket=? AND key=?", where).fetchone()
        return change.rev == (row[0] if row else 0)

    def _change(self, change: Change, rev: int) -> None:
        where = change.bucket, change.key
        if change.value is None:
            self.db.execute("DELETE FROM record WHERE bucket=? AND key=?", where)
        else:
            self.db.execute(
                "INSERT INTO record(bucket, key, rev, value) VALUES (?1,?2,?3,?4)"
                " ON CONFLICT DO UPDATE SET rev=?3, value=?4",
                (*where, rev, change.value),
            )
