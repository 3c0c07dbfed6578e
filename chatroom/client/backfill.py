"""Fetches the events of a room that were missed while there was no connection, if the server sends too few unasked.

The events are fetched page by page, the oldest first. New events of the room are held back meanwhile, up to a limit of
events and of bytes. Events beyond the limit are dropped; they are in the log, and a later page brings them. So each
event is told once and in order.
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
HELD_BYTES = 4 << 20  # of these events, as records

Heard = Callable[[e.Event | Piece, Ref | None], None]


class Backfill:
    """Passes events on, or holds those of one room back while missed ones are fetched.

    Args:
        ask: Gives the server a command; returns a Deferred that gives the answer.
        outgoing: The commands that the server has not answered.
        heard: Called with each event in order, and the ``ref`` of the command that the event answers.
    """

    def __init__(self, ask: Callable[..., Deferred[e.Event]], outgoing: PendingQueue, heard: Heard) -> None:
        self._ask = ask
        self._outgoing = outgoing
        self._heard = heard
        self._held: deque[e.RoomEvent] | None = None
        self._room = ""  # whose events are held back
        self._sizes: deque[int] = deque()  # of each event that is held
        self._bytes = 0  # of all of them
        self._let_go = 0  # how many events were dropped

    def receive(self, event: e.Event | Piece, re: Ref | None) -> None:
        """Pass on an event of the server, or hold it back while missed events are fetched."""
        if self._held is None:
            self._heard(event, re)
        elif isinstance(event, a.History):
            self._fetched(event, re)
        elif re is None and isinstance(event, e.RoomEvent) and event.seq and self._is_of_room(event):
            self._hold(self._held, event)
        else:
            self._heard(event, re)

    def _is_of_room(self, event: e.RoomEvent) -> bool:
        """Return whether an event is of the room whose events are held back."""
        return event.room == self._room and not e.of_inbox(event)

    def _fetched(self, page: a.History, re: Ref | None) -> None:
        """Give a page of missed events, the answer to a ``history`` command, to ``fetch``, which waits for it."""
        command = self._outgoing.answered(re)
        if command is not None:
            command.answer.callback(page)

    def _hold(self, held: deque[e.RoomEvent], event: e.RoomEvent) -> None:
        """Keep an event for later; drop the oldest kept events while they are too many or too large."""
        size = len(e.encode(event))
        held.append(event)
        self._sizes.append(size)
        self._bytes += size
        while len(held) > HELD or self._bytes > HELD_BYTES:
            held.popleft()
            self._bytes -= self._sizes.popleft()
            self._let_go += 1

    async def fetch(self, room: str, after: int) -> bool:
        """Fetch and pass on the missed events of a room; hold back its new events until ``tell`` or ``forget``.

        Args:
            room: The name of the room that we are in.
            after: The seq (number in the room's log) of the last event that was passed on.

        Returns:
            Whether all missed events were passed on.

        Raises:
            Rejected: The server refuses, or the connection has gone.
        """
        held = self._hold_anew(room)
        while True:
            let_go = self._let_go
            page = cast(a.History, await self._ask("history", room=room, after=after, messages=PAGE))
            if page.room != room:
                return False  # we were put out of the room; an event that is held back tells why
            for event in page.events:
                self._heard(event, None)
            last = max([after, *(event.seq for event in page.events)])
            # Events that were dropped while this page was under way may be on no page yet.
            if (held and last >= held[0].seq) or (page.complete and let_go == self._let_go):
                return True
            if last == after and not page.complete:
                return False  # an empty page: the next would be the same
            after = last

    def tell(self) -> None:
        """Pass on the events that were held back, and hold back no more."""
        held, self._held = self._held or (), None
        self.forget()
        for event in held:
            self._heard(event, None)

    def forget(self) -> None:
        """Drop the events that were held back: the connection has gone, and the next one brings them."""
        self._held = None
        self._sizes.clear()
        self._bytes = 0

    def _hold_anew(self, room: str) -> deque[e.RoomEvent]:
        """Hold back the events of a room from now on. Returns the queue, still empty, in which they are kept."""
        self.forget()
        self._room = room
        held: deque[e.RoomEvent] = deque()
        self._held = held
        return held
