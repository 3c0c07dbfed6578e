"""What people on a terminal are shown counts as read, since they have no command that says how far they have read."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.marks import place_of_peer
from chatroom.chat.people.mark_store import MarkStore, tell_marked
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session, User
from chatroom.model.events import Private
from chatroom.model.log import Entry
from chatroom.model.logger import logger
from chatroom.model.replies import Marked

_log = logger(__name__)


class TerminalReading:
    """Moves the read marks of accounts whose owners use a terminal.

    Args:
        marks: The read marks of everybody.
    """

    def __init__(self, marks: MarkStore) -> None:
        self._marks = marks

    def closed(self, session: Session) -> None:
        """Note that a session ends, in the rooms that it is in."""
        for room in session.rooms:
            self.left(session, room)

    def left(self, session: Session, room: Room) -> None:
        """Note that a session leaves a room: a person has read everything that the room has shown until now."""
        user = session.user  # its marks were loaded when it joined
        if session.person and user.account is not None and self._marks.move(user, room.id, room.seq):
            tell_marked(session.user, Marked(room=room.name, seq=room.seq), mover=session)

    def shown(self, user: User, entries: list[Entry]) -> None:
        """Note that private messages have been shown to the owner of an account."""
        newest = {entry.event.by_id: entry for entry in entries if isinstance(entry.event, Private)}
        if newest:
            Deferred.fromCoroutine(self._shown(user, newest)).addErrback(_not_marked)

    async def _shown(self, user: User, newest: dict[str, Entry]) -> None:
        """Move the marks of conversations; ``newest`` has the newest message of each person, by the person's id."""
        marks = await self._marks.of(user)
        for id, entry in newest.items():
            if entry.seq > marks.before and self._marks.move(user, place_of_peer(id), entry.seq):
                tell_marked(user, Marked(user=entry.event.by, user_id=id, seq=entry.seq))


def _not_marked(failure: Any) -> None:
    _log.warn("what was shown on a terminal is not marked as read: {why}", why=failure.getErrorMessage())
