"""The local history: opened messages, kept in the vault's file, so that encrypted messages can be read again.

A message's place, id and order are sealed in its *label*, and its content in its value. The order within a place is an
index in memory, made from the labels when the place is first read.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from chatroom.client.vault.errors import VaultDamaged
from chatroom.client.vault.sealing import Sealer

MOST_OF_A_PLACE = 20_000  # messages
MOST = 200_000  # messages in all
SPARE = 200  # how many more the oldest go at once, so that not each message removes one
STEP = 200  # messages that one job on the vault's thread reads
MOST_ANSWERED = 500  # messages of one answer
MOST_INDEXED = 20  # places whose order is kept in memory

TextOf = Callable[[bytes], str]


@dataclass(frozen=True)
class NotedMessage:
    """A message of the local history.

    Attributes:
        place: The room or the conversation.
        id: The message's id, unique in the place.
        seq: What orders the messages of the place.
        at: When it was sent, milliseconds since 1970.
        value: What was noted.
    """

    place: str
    id: str
    seq: int
    at: int
    value: bytes = field(repr=False)

    def of(self, value: bytes | None) -> bytes | None:
        """Return the value of the message after the change; None stands for a message that is not there."""
        return self.value if value is None else value


@dataclass(frozen=True)
class ReplacedMessage:
    """The new value of a message, such as an edited one."""

    place: str
    id: str
    value: bytes = field(repr=False)

    def of(self, value: bytes | None) -> bytes | None:
        """Return the value of the message after the change; see ``NotedMessage``."""
        return None if value is None else self.value


@dataclass(frozen=True)
class ForgottenMessage:
    """A message to remove."""

    place: str
    id: str

    def of(self, value: bytes | None) -> None:
        """Return the value of the message after the change: it is not there."""


HistoryChange = NotedMessage | ReplacedMessage | ForgottenMessage


class Label(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed beside a message's value."""

    place: str
    id: str
    seq: int
    at: int


class _Order:
    """The messages of a place in their order: tuples of seq, time and row number.

    Attributes:
        last: The greatest row number that was read; None when all were read.
    """

    def __init__(self) -> None:
        self.last: int | None = 0
        self.items: list[tuple[int, int, int]] = []


class HistoryRows:
    """The history's rows, on the vault's thread. What changes them runs inside the vault's transaction.

    Args:
        db: The vault's connection.
        sealer: The vault's.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer
        self._orders: OrderedDict[bytes, _Order] = OrderedDict()
        self._counts: dict[bytes, int] | None = None

    # ---- changes -------------------------------------------------------------------------------------------------

    def apply(self, changes: Sequence[HistoryChange]) -> None:
        """Make changes in their order, and remove the oldest messages beyond the bounds."""
        if not changes:
            return
        for change in changes:
            if isinstance(change, NotedMessage):
                self._note(change)
            elif isinstance(change, ReplacedMessage):
                self._replace(change)
            else:
                self._forget(change)
        self._trim()

    def _note(self, message: NotedMessage) -> None:
        """Add a message, unless its id is there: it may have been edited since it was first noted."""
        name = self._name(message.place, message.id)
        if self._db.execute("SELECT 1 FROM history WHERE name=?", (name,)).fetchone():
            return
        counts = self._counted()
        place = self._place(message.place)
        label = msgspec.json.encode(Label(message.place, message.id, message.seq, message.at))
        sealed = self._sealer.seal(label, "history label", name.hex())
        value = self._sealer.seal(message.value, "history", message.place, message.id)
        added = self._db.execute(
            "INSERT INTO history(place, name, label, value) VALUES (?,?,?,?)", (place, name, sealed, value)
        )
        counts[place] = counts.get(place, 0) + 1
        order = self._orders.get(place)
        if order is not None and order.last is None:
            insort(order.items, (message.seq, message.at, added.lastrowid or 0))

    def _replace(self, message: ReplacedMessage) -> None:
        value = self._sealer.seal(message.value, "history", message.place, message.id)
        self._db.execute("UPDATE history SET value=? WHERE name=?", (value, self._name(message.place, message.id)))

    def _forget(self, message: ForgottenMessage) -> None:
        name = self._name(message.place, message.id)
        row = self._db.execute("SELECT no FROM history WHERE name=?", (name,)).fetchone()
        if row:
            self._remove(self._place(message.place), [row[0]])

    def _trim(self) -> None:
        """Remove the oldest messages, by when they were noted, of places and of all places beyond the bounds."""
        counts = self._counted()
        for place in [place for place, count in counts.items() if count > MOST_OF_A_PLACE]:
            excess = counts[place] - MOST_OF_A_PLACE + SPARE
            rows = self._db.execute("SELECT no FROM history WHERE place=? ORDER BY no LIMIT ?", (place, excess))
            self._remove(place, [no for (no,) in rows.fetchall()])
        excess = sum(counts.values()) - MOST
        if excess > 0:
            rows = self._db.execute("SELECT place, no FROM history ORDER BY no LIMIT ?", (excess + SPARE,))
            gone: dict[bytes, list[int]] = {}
            for place, no in rows.fetchall():
                gone.setdefault(place, []).append(no)
            for place, numbers in gone.items():
                self._remove(place, numbers)

    def _remove(self, place: bytes, numbers: list[int]) -> None:
        """Remove rows of one place."""
        counts = self._counted()
        self._db.executemany("DELETE FROM history WHERE no=?", [(no,) for no in numbers])
        counts[place] -= len(numbers)
        if not counts[place]:
            del counts[place]
        order = self._orders.get(place)
        if order is not None:
            gone = set(numbers)
            order.items = [item for item in order.items if item[2] not in gone]

    def _counted(self) -> dict[bytes, int]:
        """Return how many messages each place has."""
        if self._counts is None:
            self._counts = dict(self._db.execute("SELECT place, count(*) FROM history GROUP BY place").fetchall())
        return self._counts

    def _place(self, place: str) -> bytes:
        return self._sealer.name("place", place)

    def _name(self, place: str, message: str) -> bytes:
        return self._sealer.name("message", place, message)

    # ---- reading, in steps ---------------------------------------------------------------------------------------

    def index_some(self, place: str) -> bool:
        """Read some labels of a place; return whether the order of the place is complete."""
        key = self._place(place)
        order = self._orders.setdefault(key, _Order())
        self._orders.move_to_end(key)
        if len(self._orders) > MOST_INDEXED:
            self._orders.popitem(last=False)
        if order.last is None:
            return True
        rows = self._db.execute(
            "SELECT no, name, label FROM history WHERE place=? AND no>? ORDER BY no LIMIT ?", (key, order.last, STEP)
        ).fetchall()
        for no, name, sealed in rows:
            label = self._label(name, sealed, place)
            order.items.append((label.seq, label.at, no))
            order.last = no
        if len(rows) < STEP:
            order.items.sort()
            order.last = None
        return order.last is None

    def recent(self, place: str, before: int, limit: int) -> list[NotedMessage]:
        """Return the newest messages of a place whose order is complete, the oldest of them first.

        Args:
            place: The place.
            before: Only messages with a smaller seq; 0 for all.
            limit: How many at most.
        """
        order = self._orders.get(self._place(place), _Order())
        end = bisect_left(order.items, (before, -1, 0)) if before else len(order.items)
        found = []
        for _, _, no in order.items[max(0, end - min(limit, MOST_ANSWERED)) : end]:
            row = self._db.execute("SELECT name, label, value FROM history WHERE no=?", (no,)).fetchone()
            found.append(self._message(row, place))
        return found

    def search_some(
        self, place: str, words: Sequence[str], text_of: TextOf, before: int
    ) -> tuple[list[NotedMessage], int]:
        """Look for words in some messages, the newest first by when they were noted.

        Args:
            place: Where to look; empty for everywhere.
            words: Casefolded words; each must be in the text.
            text_of: Returns the text in a value.
            before: Only rows with a smaller number; 0 to begin.

        Returns:
            The messages found, and the number for the next call; that is 0 at the end.
        """
        rows = self._db.execute(
            "SELECT no, name, label, value FROM history WHERE no<?" + " AND place=?" * bool(place) + " ORDER BY no DESC"
            " LIMIT ?",
            (before or 1 << 62, *([self._place(place)] if place else []), STEP),
        ).fetchall()
        found = []
        for _, *row in rows:
            message = self._message(row, place)
            text = text_of(message.value).casefold()
            if all(word in text for word in words):
                found.append(message)
        return found, rows[-1][0] if len(rows) == STEP else 0

    def _label(self, name: bytes, sealed: bytes, place: str) -> Label:
        """Open a label; ``place`` is where its message should be, or empty."""
        label = msgspec.json.decode(self._sealer.open(sealed, "history label", name.hex()), type=Label)
        if place and label.place != place:
            raise VaultDamaged("the vault is damaged: a message was moved by another program")
        return label

    def _message(self, row: Sequence[bytes], place: str) -> NotedMessage:
        """Open a message: its name, label and value. ``place`` is where it should be, or empty."""
        name, sealed, value = row
        label = self._label(name, sealed, place)
        content = self._sealer.open(value, "history", label.place, label.id)
        return NotedMessage(label.place, label.id, label.seq, label.at, content)
