"""One log in memory, and its rows as amendments read and change them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from chatroom.engines.amending import AMENDMENT, MESSAGE, SPENT, AboutRow
from chatroom.engines.base import ROW, LastTime

Row = tuple[int, int, int, str | None, bytes]  # seq, the kind of row, milliseconds since 1970, ``Entry.key``, body


class MemoryLog:
    """One log: its rows (entries) in the order of their seq, the bytes that they take, its floor and its last time.

    The floor is the greatest seq of the entries that retention has removed. The time is that of the last entry.
    A row is a tuple of plain values, which the garbage collector does not track, so there may
    be many rows. ``about`` has the seqs of the rows that are about a message, by the message's seq; some of these rows
    may have been removed.
    """

    __slots__ = ("about", "bytes", "floor", "rows", "time")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.about: dict[int, list[int]] = {}
        self.floor = 0
        self.bytes = 0
        self.time = LastTime()

    def find(self, seq: int) -> int:
        """Return the index of the row with a seq; -1 if there is none."""
        i = bisect_left(self.rows, seq, key=seq_of)
        return i if i < len(self.rows) and self.rows[i][0] == seq else -1

    def take_out(self, seqs: set[int]) -> list[Row]:
        """Remove rows, and all rows that are about them except messages that quote them; return the removed rows."""
        about = [other for seq in seqs for other in self.about.pop(seq, ())]
        places = [self.find(other) for other in about]
        gone = seqs | {self.rows[i][0] for i in places if i >= 0 and self.rows[i][1] >= AMENDMENT}
        removed = [row for row in self.rows if row[0] in gone]
        self.rows = [row for row in self.rows if row[0] not in gone]
        return removed


class MemoryLogRows:
    """Implements ``MessageRows``.

    Args:
        name: The log's name.
        log: The log.
        by_key: The log, the seq and the body of each entry with a key.
        grow: Called with the bytes by which the log grows.
    """

    def __init__(
        self, name: str, log: MemoryLog, by_key: dict[str, tuple[str, int, bytes]], grow: Callable[[int], None]
    ) -> None:
        self._name = name
        self._log = log
        self._by_key = by_key
        self._grow = grow

    def message(self, seq: int) -> bytes | None:
        i = self._log.find(seq)
        return self._log.rows[i][4] if i >= 0 and self._log.rows[i][1] == MESSAGE else None

    def about(self, seq: int, kind: int, most: int) -> list[AboutRow]:
        found: list[AboutRow] = []
        for other in reversed(self._log.about.get(seq, ())):
            i = self._log.find(other)
            if i >= 0 and self._log.rows[i][1] == kind and len(found) < most:
                _, _, _, key, body = self._log.rows[i]
                found.append(AboutRow(other, key, body))
        return found

    def write(self, seq: int, old: bytes, new: bytes) -> None:
        self._change(seq, None, new)

    def spend(self, row: AboutRow, body: bytes) -> None:
        self._change(row.seq, SPENT, body)

    def _change(self, seq: int, kind: int | None, body: bytes) -> None:
        """Give a row another body, and another kind unless that is None."""
        i = self._log.find(seq)
        _, before, at, key, old = self._log.rows[i]
        self._log.rows[i] = seq, before if kind is None else kind, at, key, body
        self._grow(len(body) - len(old))
        if key is not None:
            self._by_key[key] = self._name, seq, body

    def part(self, seq: int, rows: list[AboutRow]) -> None:
        gone = {row.seq for row in rows}
        self._log.about[seq] = [other for other in self._log.about.get(seq, ()) if other not in gone]

    def remove(self, seq: int, rows: list[AboutRow]) -> None:
        for row in rows:
            del self._log.rows[self._log.find(row.seq)]
            self._grow(-len(row.body) - ROW)
            self._by_key.pop(row.key or "", None)
        if rows:
            self.part(seq, rows)


def seq_of(row: Row) -> int:
    """Return the seq of a row."""
    return row[0]
