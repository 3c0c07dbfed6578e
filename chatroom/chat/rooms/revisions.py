"""Which membership revisions of a room a sealed message may have been sealed for.

A revision is the seq of an entry that changed the members, or a member's devices. A message that was sealed at a
revision is readable for those who were members then, as far as its author gave them the key. So it must not be said any
more once one of them has gone, or has removed a device. Somebody who has come since, and perhaps gone again, does not
matter: that person got no key at that revision.
"""

from __future__ import annotations

from collections import deque

REMEMBERED = 64  # stays that have ended, of one room; revisions before those that are forgotten are stale


class Revisions:
    """The revisions of one room.

    Attributes:
        newest: The revision now; 0 if nobody has come yet.
    """

    __slots__ = ("_ended", "_floor", "_since", "newest")

    def __init__(self) -> None:
        self.newest = 0
        self._since: dict[str, int] = {}  # at which revision each member came, by user id
        self._ended: deque[tuple[int, int]] = deque()  # the stays that have ended: when they began and ended
        self._floor = 0  # revisions before it are stale

    def move(self, seq: int) -> None:
        """Note that there is a new revision, for whatever reason."""
        if not self.newest:
            self._floor = seq  # who was there before the room was loaded is not known
        self.newest = seq

    def came(self, user_id: str, seq: int) -> None:
        """Note that a user has become a member."""
        self.move(seq)
        self._since[user_id] = seq

    def went(self, user_id: str, seq: int) -> None:
        """Note that a user is no member any more."""
        self._end(self._since.pop(user_id, 0), seq)

    def changed(self, user_id: str, seq: int) -> None:
        """Note that a member's devices have changed."""
        self._end(self._since.get(user_id, 0), seq)

    def _end(self, since: int, seq: int) -> None:
        """Note that what was sealed since a revision for a member must not be said any more."""
        self.move(seq)
        self._ended.append((since, seq))
        if len(self._ended) > REMEMBERED:
            self._floor = max(self._floor, self._ended.popleft()[1])

    def spares(self, rev: int) -> bool:
        """Return whether all who were members at a revision are still members, with the same devices."""
        return self._floor <= rev <= self.newest and not any(since <= rev < end for since, end in self._ended)
