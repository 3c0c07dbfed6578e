"""Which entries of a batch each session sees that comes or goes within the batch."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from chatroom.chat.rooms.members import MemberSession
from chatroom.model.log import Entry


class Passage:
    """What a batch of log entries does to the sessions on this daemon.

    Attributes:
        came: For each session that joined, the index of its ``Joined``.
        went: For each session that left, the index of the first entry that it does not see. A session that is removed
            still sees the entry that says why.
        own: For each session, the indexes of the entries that it is not shown, because it gets them as the answer to
            its command.
        hidden: The indexes of the entries that are shown to nobody.
        alone: The sessions that are told of an entry that is hidden from all others, each with that entry.
    """

    __slots__ = ("alone", "came", "hidden", "own", "went")

    def __init__(self) -> None:
        self.came: dict[MemberSession, int] = {}
        self.went: dict[MemberSession, int] = {}
        self.own: dict[MemberSession, set[int]] = {}
        self.hidden: set[int] = set()
        self.alone: list[tuple[MemberSession, Entry]] = []

    def seen_by(self, session: MemberSession, entries: list[Entry]) -> Iterable[int]:
        """Return the indexes of the entries that a session sees."""
        seen = range(self.came.get(session, -1) + 1, self.went.get(session, len(entries)))
        own = self.own.get(session, ())
        if not own and not session.filters:
            return seen
        return [i for i in seen if i not in own and session.hears(entries[i])]

    def without_hidden(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries that are not hidden, and change all indexes to those in the returned list.

        An entry that changed nothing is hidden, such as the end of a connection that never joined, or the coming of a
        person who has another connection in the room.
        """
        kept = [i for i in range(len(entries)) if i not in self.hidden]
        place = {old: new for new, old in enumerate(kept)}
        self.came = {session: bisect_right(kept, i) - 1 for session, i in self.came.items()}
        self.own = {session: {place[i] for i in own if i in place} for session, own in self.own.items()}
        self.went = {session: bisect_left(kept, end) for session, end in self.went.items()}
        return [entries[i] for i in kept]
