"""The read marks of one user: how far the user has read each room, and the private messages with each person."""

from __future__ import annotations

import msgspec


class MarksRecord(msgspec.Struct, frozen=True, gc=False):
    """The stored marks of an account. The fields are those of ``Marks``."""

    before: int
    seqs: dict[str, int]


class Marks:
    """The read marks of one user. A mark never goes back.

    Args:
        most: How many marks are kept; the one that was moved longest ago goes first.
        before: Private messages up to this seq were read before there were marks.
        seqs: The marks by their places, the one that was moved longest ago first. The place of a room is its id, that
            of a conversation ``place_of_peer``.
        rev: The revision of the record that holds the marks; 0 if there is none.

    Attributes:
        gone: Whether the account was deleted, so that its marks are not stored any more.
    """

    __slots__ = ("_most", "_seqs", "before", "gone", "rev")

    def __init__(self, most: int, *, before: int = 0, seqs: dict[str, int] | None = None, rev: int = 0) -> None:
        self._most = most
        self._seqs = dict(seqs or {})
        self.before = before
        self.rev = rev
        self.gone = False

    def of(self, place: str) -> int | None:
        """Return the mark of a place; None if it has none."""
        return self._seqs.get(place)

    def of_peer(self, key: str) -> int:
        """Return up to which seq the private messages with a person were read.

        Args:
            key: The person's ``Peer.key``.
        """
        return max(self.before, self._seqs.get(place_of_peer(key), 0))

    def move(self, place: str, seq: int) -> bool:
        """Move the mark of a place forward; return False if it is there, or further on, already."""
        if self._seqs.get(place, -1) >= seq:
            return False
        self._seqs.pop(place, None)
        self._seqs[place] = seq  # at the end, because it is the one that was moved last
        if len(self._seqs) > self._most:
            del self._seqs[next(iter(self._seqs))]
        return True

    def merge(self, record: MarksRecord) -> None:
        """Take over those marks of a record that are further on."""
        for place, seq in record.seqs.items():
            self.move(place, seq)

    def record(self) -> MarksRecord:
        """Return the record to store."""
        return MarksRecord(self.before, dict(self._seqs))


def place_of_peer(key: str) -> str:
    """Return the place of the marks of a conversation. No room's id begins with ``@``.

    Args:
        key: The person's ``Peer.key``.
    """
    return f"@{key}"
