"""Counts what a user has not read in a room, by the rule of ``chatroom.model.unread``."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredSemaphore

from chatroom.chat.limits import COUNTED_BYTES, COUNTS_AT_ONCE
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.log import Entry
from chatroom.model.unread import MOST_COUNTED, is_living, is_mention, living_text

PAGE = 100  # messages that are read at a time; reading and looking at usual ones takes half a millisecond
LONGEST_TURN = 0.002  # seconds for which messages are looked at in one turn of the reactor


@dataclass(frozen=True, slots=True)
class UnreadInRoom:
    """How many messages a user has not read, and how many of them mention the user.

    Attributes:
        span: How many messages there are in all after the read mark, such as the user's own from another device.
    """

    messages: int = 0
    mentions: int = 0
    span: int = 0


def is_unread(entry: Entry, session: Session) -> bool:
    """Return whether a message after the read mark of the session's user is unread; the client counts like this, too.

    The client is not shown the messages of people whom the user ignores, so they do not count.
    """
    event = entry.event
    return is_living(event) and event.by_id != session.user_id and not session.ignores(event)


class UnreadInRooms:
    """Counts unread messages, for few users at a time: others wait, when many join at once.

    Args:
        state: What the parts of the chat share.
    """

    def __init__(self, state: ChatState) -> None:
        self._engine = state.engine
        self._scheduler = state.scheduler
        self._turns = DeferredSemaphore(COUNTS_AT_ONCE)

    async def count(self, log: str, session: Session, after: int, before: int | None = None) -> UnreadInRoom:
        """Count the unread messages among the newest ``MOST_COUNTED`` of a room.

        If the messages are long, only as many are looked at as ``COUNTED_BYTES`` hold.

        Args:
            log: The room's log.
            session: A session of the user. The messages of people whom the user ignores do not count.
            after: The user's read mark.
            before: Only messages with a smaller seq; None for all.

        Raises:
            Unavailable: The log cannot be read.
        """
        async with self._turns:
            unread, left, room = UnreadInRoom(), MOST_COUNTED, COUNTED_BYTES
            while left > 0 and room > 0:
                page = await self._engine.read(log, after=after, before=before, limit=min(PAGE, left), messages=True)
                unread = await self._add(unread, page.entries, session)
                if page.entries:
                    await self._turn()  # an engine in memory may have answered at once, and many may be waiting
                if page.complete:
                    break
                left -= len(page.entries)
                room -= sum(len(entry.body) for entry in page.entries)
                before = page.entries[0].seq
            return unread

    async def _add(self, unread: UnreadInRoom, entries: list[Entry], session: Session) -> UnreadInRoom:
        """Return a count with the unread messages among some entries added."""
        messages, named = unread.messages, unread.mentions
        until = self._scheduler.seconds() + LONGEST_TURN
        for entry in entries:
            if is_unread(entry, session):
                messages += 1
                named += is_mention(living_text(entry.event), session.name)
            if self._scheduler.seconds() > until:
                await self._turn()
                until = self._scheduler.seconds() + LONGEST_TURN
        return UnreadInRoom(messages, named, unread.span + len(entries))

    def _turn(self) -> Deferred[None]:
        """Return a Deferred that fires in the next turn of the reactor."""
        turn: Deferred[None] = Deferred()
        self._scheduler.callLater(0, turn.callback, None)
        return turn
