"""Fetches what was missed when it is more than the server sends unasked: page by page, oldest first.

What happens in the room meanwhile is held back, bounded in events and in bytes. What has to be dropped is in the log,
and a later page brings it. So each message is told once, in order, however many there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred

from chatroom.client.connection import Piece, Ref
from chatroom.client.pending import PendingQueue
from chatroom.model import events as e
from chatroom.model import replies as a

PAGE = 200  # messages; the server gives no more at a time
HELD = 2000  # events
HELD_BYTES = 4 << 20  # of the same events, as records

Heard = Callable[[e.Event | Piece, Ref | None], None]


class Backfill:
    """See the module.

    Args:
        ask: Gives the server a command.
        outgoing: What the server has not answered yet.
        heard: Told each event in its turn.
    """

    def __init__(self, ask: Callable[..., Deferred[e.Event]], outgoing: PendingQueue, heard: Heard) -> None:
        self._ask = ask
        self._outgoing = outgoing
        self._heard = heard
        self._held: deque[e.RoomEvent] | None = None
        self._sizes: deque[int] = deque()  # of each event that is held
        self._bytes = 0  # of all of them
        self._let_go = 0  # how many events are not held any more

    def came(self, event: e.Event | Piece, re: Ref | None) -> None:
        """Something came from the server: it is heard now, or in its turn."""
        if self._held is None:
            self._heard(event, re)
        elif isinstance(event, a.History):
            self._fetched(event, re)
        elif re is None and isinstance(event, e.RoomEvent) and event.seq:
            self._hold(self._held, event)
        else:
            self._heard(event, re)

    def _fetched(self, page: a.History, re: Ref | None) -> None:
        """It is not told as an answer, but event by event."""
        command = self._outgoing.answered(re)
        if command is not None:
            command.answer.callback(page)

    def _hold(self, held: deque[e.RoomEvent], event: e.RoomEvent) -> None:
        """Keep an event for later; drop the oldest ones while there are too many, or they are too large."""
        size = len(e.encode(event))
        held.append(event)
        self._sizes.append(size)
        self._bytes += size
        while len(held) > HELD or self._bytes > HELD_BYTES:
            held.popleft()
            self._bytes -= self._sizes.popleft()
            self._let_go += 1

    async def fetch(self, room: str, after: int) -> bool:
        """Tell all that was said since. What happens is held back from now on, until it is told or forgotten.

        Args:
            room: Where we are.
            after: The seq up to which all has been told.

        Returns:
            Whether that was all of it.

        Raises:
            Rejected: The server does not give it, or the connection has gone.
        """
        held = self._hold_anew()
        while True:
            let_go = self._let_go
            page = cast(a.History, await self._ask("history", after=after, messages=PAGE))
            if page.room != room:
                return False  # we have been put out meanwhile; what is held back tells why
            for event in page.events:
                self._heard(event, None)
            last = max([after, *(event.seq for event in page.events)])
            # What was let go of while this was asked for may be on no page yet.
            if (held and last >= held[0].seq) or (page.complete and let_go == self._let_go):
                return True
            if last == after and not page.complete:
                return False  # a page that leads nowhere
            after = last

    def tell(self) -> None:
        """Tell what has been held back, and what comes as it comes."""
        held, self._held = self._held or (), None
        self.forget()
        for event in held:
            self._heard(event, None)

    def forget(self) -> None:
        """The connection is gone: what was held back is told by the next."""
        self._held = None
        self._sizes.clear()
        self._bytes = 0

    def _hold_anew(self) -> deque[e.RoomEvent]:
        """Hold back nothing yet, and from now on all that happens in the room."""
        self.forget()
        held: deque[e.RoomEvent] = deque()
        self._held = held
        return held
