"""The way in: events are handled in the order in which they came, those that are sealed opened.

What was opened is handled when the vault has stored what the opening changed, and the server is told only after that:
so after a crash the server sends it again, or the vault has it. Events that come meanwhile wait behind it. Events that
wait at the same time share one commit of the vault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.client.connection import Piece, Ref
from chatroom.client.encryption.port import Port
from chatroom.client.errors import Rejected
from chatroom.client.status import Notice
from chatroom.model.events import Event

_log = Logger()

TOGETHER = 100  # events that share a commit at most


@dataclass(frozen=True, slots=True)
class OpenedEvents:
    """What an event was opened to.

    Args:
        events: What is to be handled or told in place of the event.
        late: Events that are to be handled before these, though events that came after them were told already.
        done: Called when these were handled; for a sealed event of our mailbox it acknowledges the event.
        changed: Whether the vault has something to store first.
    """

    events: Sequence[Event | Notice] = ()
    late: Sequence[Event | Notice] = ()
    done: Callable[[], None] = lambda: None
    changed: bool = True


class EventOpener(Protocol):
    """Opens events."""

    def opens(self, event: Event | Piece) -> bool:
        """Return whether an event is sealed, or has sealed ones in it."""

    async def open(self, event: Event) -> OpenedEvents:
        """Open an event. It does not raise: what cannot be opened is told to the user in words."""

    def note(self, event: Event) -> None:
        """Follow an event that is not sealed, before it is handled."""

    async def store(self) -> None:
        """Store durably what was noted up to now. If that is impossible, tell the user, and raise ``Rejected``."""


class WayIn:
    """Has events handled in order.

    Args:
        opener: Opens events.
        port: Acts on events, and tells notices.
    """

    def __init__(self, opener: EventOpener, port: Port) -> None:
        self._opener = opener
        self._port = port
        self._queue: deque[tuple[Event | Piece, Ref | None]] = deque()
        self._working = False
        self._idle: list[Deferred[None]] = []

    def receive(self, event: Event | Piece, re: Ref | None) -> bool:
        """Take an event, unless it can be handled as it is now: then return False."""
        if not (self._queue or self._working) and not self._opener.opens(event):
            self._note(event)
            return False
        self._queue.append((event, re))
        self._work()
        return True

    def lost(self) -> None:
        """Drop the events that are not opened yet: the connection has gone, and the next one brings them again."""
        self._queue.clear()

    def tell_late(self, told: Sequence[Event | Notice]) -> None:
        """Have events handled now that came long ago; see ``OpenedEvents.late``."""
        for each in told:
            self._show(each, None, late=True)

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when everything that came was handled."""
        waiting: Deferred[None] = Deferred()
        if self._working:
            self._idle.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    # ---- details ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Open and handle what waits, unless that is under way."""
        if not self._working and self._queue:
            self._working = True
            Deferred.fromCoroutine(self._handle_all()).addErrback(self._failed).addCallback(self._rested)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(Rejected):  # the user was told why nothing can be stored
            _log.failure("events could not be opened", failure)

    def _rested(self, result: object) -> None:
        self._working = False
        self._work()
        if not self._working:
            idle, self._idle = self._idle, []
            for waiting in idle:
                waiting.callback(None)

    def _note(self, event: Event | Piece) -> None:
        if not isinstance(event, Piece):
            self._opener.note(event)

    async def _handle_all(self) -> None:
        """Handle what waits, and open runs of sealed events together, until nothing waits."""
        while self._queue:
            event, re = self._queue[0]
            if self._opener.opens(event):
                await self._handle_sealed()
            else:
                self._queue.popleft()
                self._note(event)
                self._port.handle(event, re)

    async def _handle_sealed(self) -> None:
        """Open the sealed events that wait in front, store what that has changed, and handle what was opened."""
        batch: list[tuple[OpenedEvents, Ref | None]] = []
        while self._queue and len(batch) < TOGETHER:
            event, re = self._queue[0]
            if isinstance(event, Piece) or not self._opener.opens(event):
                break
            self._queue.popleft()
            batch.append((await self._opener.open(event), re))
        if any(opened.changed for opened, _ in batch):
            await self._opener.store()
        for opened, re in batch:
            self.tell_late(opened.late)
            for each in opened.events:
                self._show(each, re)
            opened.done()

    def _show(self, what: Event | Notice, re: Ref | None, *, late: bool = False) -> None:
        if isinstance(what, Event):
            self._port.handle(what, re, late=late)
        else:
            self._port.tell(what)
