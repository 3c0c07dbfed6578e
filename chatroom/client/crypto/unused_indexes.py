"""The indexes of a session that sealed a message which is not in the room's log, so that nobody misses it.

The server may refuse a message. And after a crash a message may be sealed once more, under the same id, because nobody
knows whether the server has it: it stores an id once, so one of the two ciphertexts will not be there. Each message
that is sealed later in the session says so, inside, where the server cannot change it. Readers believe that an index
was replaced only if they have opened the message that stands in its place: so the server can hide nothing behind it.

And the first messages of the next session say how this one ended, as far as its author has seen it in the room's log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chatroom.client.crypto.room_plaintext import SessionEnd, UnusedIndex, mark_of

FULL = 4  # entries after which a new session begins, so that they fit beside the longest text
MOST_EARLIER = 3  # sealings of one message that are told
MOST_AT_END = 4  # entries that the next session tells

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
        self.used = 0  # the index after the last one that is in the room's log for certain

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

    def settled(self, id: str, ct: str) -> bool:
        """Note what became of a message.

        Args:
            id: The id of the message.
            ct: The sealed text that is in the room's log under this id; empty if the server has refused the message.

        Returns:
            Whether its fate was not known before.
        """
        sealed = self._under_way.pop(id, None)
        if sealed is None:
            return False
        if ct == sealed.ct:
            self._unused.pop(sealed.index, None)
            self.used = max(self.used, sealed.index + 1)
        elif not ct:
            self._unused[sealed.index] = ()
        return True

    def told(self) -> tuple[UnusedIndex, ...]:
        """Return what the next message says."""
        return tuple(self._all())

    def end(self, sid: str) -> SessionEnd | None:
        """Return what the next session says about this one; None if no message is in the room's log for certain.

        Args:
            sid: This session.
        """
        doubtful = {each.index for each in self._under_way.values()}
        listed = [UnusedIndex(index) for index in doubtful] + [
            each for each in self.told() if each.index not in doubtful
        ]
        return end_of(mark_of(sid), self.used, [each for each in listed if each.index < self.used])

    def _all(self) -> Iterator[UnusedIndex]:
        for index, earlier in self._unused.items():
            if not earlier:
                yield UnusedIndex(index)
            for sid, before in earlier:
                yield UnusedIndex(index, sid, before)


def end_of(mark: str, used: int, unused: Sequence[UnusedIndex]) -> SessionEnd | None:
    """Return how a session ended, without its last messages if there is too much to tell about them.

    Returns:
        The end; None if there is no message to tell of.
    """
    entries = sorted(unused, key=lambda each: each.index)
    if len(entries) > MOST_AT_END:
        used = entries[MOST_AT_END].index
    told = tuple(each for each in entries if each.index < used)
    return SessionEnd(mark, used, told) if used > len({each.index for each in told}) else None
