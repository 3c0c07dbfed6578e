"""Where the client keeps its keys, and what it has read: the vault, or memory in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from chatroom.client.crypto.rows import MemoryRows, Rows


class Noted(Protocol):
    """A message as the history has it."""

    @property
    def id(self) -> str: ...
    @property
    def value(self) -> bytes: ...


class Store(Rows, Protocol):
    """Rows that are stored durably by ``commit``, and the history of opened messages."""

    @property
    def generation(self) -> int:
        """How often the store was opened, this time included."""
        ...

    def commit(self) -> Deferred[None]:
        """Store durably what was put, deleted and noted up to now."""

    def note(self, place: str, id: str, seq: int, at: int, value: bytes) -> None:
        """Add a message to the history of a place, unless it is there."""

    def replace(self, place: str, id: str, value: bytes) -> None:
        """Replace a message of the history, if it is there."""

    def forget(self, place: str, id: str) -> None:
        """Remove a message from the history."""

    def find(self, place: str, id: str) -> bytes | None:
        """Return what was noted of a message of the history, stored or not; None if it is not there."""
        ...

    def recent(self, place: str, before: int, limit: int) -> Deferred[Sequence[Noted]]:
        """Return the newest messages of a place before a seq (0: no such limit), the newest last."""

    def search(
        self, place: str, words: Iterable[str], limit: int, text_of: Callable[[bytes], str]
    ) -> Deferred[Sequence[Noted]]:
        """Return the newest messages of a place, or of all if it is empty, with all words; those that were
        noted last first.

        ``text_of`` returns the text in a value; it is called on another thread.
        """

    def close(self) -> Deferred[None]:
        """Store what is not stored yet, and close the store."""


@dataclass(frozen=True, slots=True)
class _Kept:
    place: str
    id: str
    seq: int
    value: bytes


class MemoryStore(MemoryRows):
    """A store in memory, for tests and for programs that keep nothing.

    Attributes:
        generation: As in ``Store``.
        commits: How often ``commit`` was called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generation = 1
        self.commits = 0
        self._history: dict[tuple[str, str], _Kept] = {}

    def commit(self) -> Deferred[None]:
        """Count the call."""
        self.commits += 1
        return succeed(None)

    def note(self, place: str, id: str, seq: int, at: int, value: bytes) -> None:
        """Add a message to the history of a place, unless it is there."""
        self._history.setdefault((place, id), _Kept(place, id, seq, value))

    def replace(self, place: str, id: str, value: bytes) -> None:
        """Replace a message of the history, if it is there."""
        kept = self._history.get((place, id))
        if kept is not None:
            self._history[place, id] = _Kept(place, id, kept.seq, value)

    def forget(self, place: str, id: str) -> None:
        """Remove a message from the history."""
        self._history.pop((place, id), None)

    def find(self, place: str, id: str) -> bytes | None:
        """Return what was noted of a message of the history."""
        kept = self._history.get((place, id))
        return kept.value if kept is not None else None

    def recent(self, place: str, before: int, limit: int) -> Deferred[Sequence[Noted]]:
        """Return the newest messages of a place before a seq."""
        there = [kept for kept in self._history.values() if kept.place == place and (not before or kept.seq < before)]
        return succeed(sorted(there, key=lambda kept: kept.seq)[-limit:])

    def search(
        self, place: str, words: Iterable[str], limit: int, text_of: Callable[[bytes], str]
    ) -> Deferred[Sequence[Noted]]:
        """Return the newest messages with all words."""
        wanted = [word.casefold() for word in words]
        there = [
            kept
            for kept in reversed(self._history.values())
            if place in ("", kept.place) and all(word in text_of(kept.value).casefold() for word in wanted)
        ]
        return succeed(there[:limit])

    def close(self) -> Deferred[None]:
        """Do nothing."""
        return succeed(None)
