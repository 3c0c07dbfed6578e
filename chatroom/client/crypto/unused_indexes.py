"""The indexes of a session that sealed a message which is not in the room's log, so that nobody misses it.

The server may refuse a message. And after a crash a message may be sealed once more, under the same id, because nobody
knows whether the server has it: it stores an id once, so one of the two ciphertexts will not be there. Each message
that is sealed later in the session says so, inside, where the server cannot change it. Readers believe that an index
was replaced only if they have opened the message that stands in its place: so the server can hide nothing behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chatroom.client.crypto.room_plaintext import UnusedIndex

FULL = 4  # entries after which a new session begins, so that they fit beside the longest text
MOST_EARLIER = 3  # sealings of one message that are told

Sealing = tuple[str, int]
"""Where a message was sealed: the session, and the index in it."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A message whose fate is not known."""

    index: int
    ct: str = field(repr=False)


class UnusedIndexes:
    """What the owner of a session knows of its own messages. It is forgotten with the session, at the end of a run."""

    def __init__(self) -> None:
        self._under_way: dict[str, _UnderWay] = {}  # by id
        self._unused: dict[int, tuple[Sealing, ...]] = {}  # with the sealings that may stand in the log instead

    @property
    def full(self) -> bool:
        """Whether no further message may be sealed, because there is too much to tell in it."""
        return len(self.told()) >= FULL

    def sealed(self, id: str, index: int, ct: str, earlier: Sequence[Sealing]) -> None:
        """Note that a message was sealed.

        Args:
            id: The id of the message.
            index: Its index.
            ct: The sealed text.
            earlier: Where the same message was sealed before, if the server may have that.
        """
        self._under_way[id] = _UnderWay(index, ct)
        if earlier:
            self._unused[index] = tuple(earlier[-MOST_EARLIER:])

    def settled(self, id: str, ct: str) -> None:
        """Note what became of a message.

        Args:
            id: The id of the message.
            ct: The sealed text that is in the room's log under this id; empty if the server has refused the message.
        """
        sealed = self._under_way.pop(id, None)
        if sealed is None:
            return
        if ct == sealed.ct:
            self._unused.pop(sealed.index, None)
        elif not ct:
            self._unused[sealed.index] = ()

    def told(self) -> tuple[UnusedIndex, ...]:
        """Return what the next message says."""
        return tuple(self._all())

    def _all(self) -> Iterator[UnusedIndex]:
        for index, earlier in self._unused.items():
            if not earlier:
                yield UnusedIndex(index)
            for sid, before in earlier:
                yield UnusedIndex(index, sid, before)
