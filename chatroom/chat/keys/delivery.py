"""Sends what is in the mailbox of a device to the session that has the device's keys.

At most ``MAILBOX_WINDOW`` messages are under way that the device has not acknowledged, so a device that is busy, or
that cannot store them, is not flooded. What was not acknowledged stays in the mailbox, and comes again on the next
connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.limits import MAILBOX_WINDOW, WATCHED
from chatroom.chat.people.inbox_pages import AGAIN, pages
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.key_events import E2eFrom
from chatroom.model.log import Entry, Subscription, Unavailable
from chatroom.model.logger import logger

READ_AT_ONCE = 25  # entries: long ones fill several pages, of which all but the first are read again

Acked = Callable[[str, int, list[str]], None]
"""Called with a log, the seq up to which it was acknowledged, and the ``sending`` of each acknowledged entry."""

_log = logger(__name__)


def sending(by_id: str, id: str) -> str:
    """Return what an author's message is known by in one mailbox."""
    return f"{by_id}/{id}"


class MailboxFeed:
    """Sends a mailbox to one session.

    Args:
        state: What the parts of the chat share.
        session: The session.
        device: The device whose keys it has.
        log: The log of the mailbox.
        acked: Called when the session acknowledges messages.
        left: Called when the feed is stopped.

    Attributes:
        session: The session.
        device: The device.
        log: The log of the mailbox.
        list_rev: The number of the newest device list of the session's user that is known here; 0 if none is.
        confirmed: Whether this daemon has read in the server's log that the session has the device.
        watched: The ids of users for whose device lists the session has asked, those asked for last at the end.
    """

    __slots__ = (
        "_acked",
        "_again",
        "_current",
        "_left",
        "_running",
        "_sent",
        "_shown",
        "_started",
        "_state",
        "_stopped",
        "_sub",
        "_timer",
        "confirmed",
        "device",
        "list_rev",
        "log",
        "session",
        "watched",
    )

    def __init__(
        self,
        state: ChatState,
        session: Session,
        device: str,
        log: str,
        acked: Acked,
        left: Callable[[MailboxFeed], None],
    ) -> None:
        self._state = state
        self.session = session
        self.device = device
        self.log = log
        self._acked = acked
        self._left = left
        self._sub: Subscription | None = None
        self._sent: deque[tuple[int, str]] = deque()  # the seq and the ``sending`` of what is not acknowledged
        self._shown = 0  # the seq up to which everything was sent
        self._running = False  # ``_catch_up`` is under way
        self._again = False  # there may be more since it began
        self._current = False  # everything that is stored was sent
        self._stopped = False
        self._timer: Any = None
        self._started = False
        self.list_rev = 0
        self.confirmed = False
        self.watched: dict[str, None] = {}

    def start(self) -> None:
        """Send what waits, and from now on what comes. Starting it again does nothing."""
        if self._started or self._stopped:
            return
        self._started = True
        self._state.engine.follow(self.log, self._deliver).addCallbacks(self._followed, self._failed)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped, self._current = True, False
        self._left(self)
        if self._sub is not None:
            self._sub.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def watch(self, user_id: str) -> None:
        """Note that the session has asked for the devices of a user; of these, the last ``WATCHED`` are kept."""
        self.watched.pop(user_id, None)
        self.watched[user_id] = None
        if len(self.watched) > WATCHED:
            del self.watched[next(iter(self.watched))]

    def acknowledge(self, upto: int) -> None:
        """Note that the device has stored everything up to a seq, and send what waits behind it."""
        done: list[str] = []
        upto = min(upto, self._shown)
        while self._sent and self._sent[0][0] <= upto:
            done.append(self._sent.popleft()[1])
        if done:
            self._acked(self.log, upto, done)
            if not self._current:
                self._go_on()

    def _followed(self, subscription: Subscription) -> None:
        self._sub = subscription
        if self._stopped:
            subscription.stop()
        else:
            self._go_on()

    def _deliver(self, entries: list[Entry]) -> None:
        """Send new entries at once, if all before them was sent and the window has room for them."""
        fits = len(self._sent) + len(entries) <= MAILBOX_WINDOW and not self.session.out.holds
        if self._current and fits:
            self._send(entries)
        elif not self._stopped:
            self._current = False
            self._go_on()

    def _go_on(self) -> None:
        """Send what waits; do so once more if that is being done already."""
        self._again = True
        if not self._running and not self._stopped and self._timer is None:
            self._running = True
            Deferred.fromCoroutine(self._catch_up()).addBoth(self._finished)

    async def _catch_up(self) -> None:
        """Send pages of the mailbox until all is sent, or the window is full, or the client takes nothing more.

        Raises:
            Unavailable: The mailbox cannot be read.
        """
        while self._again and not self._stopped and len(self._sent) < MAILBOX_WINDOW:
            if self.session.out.holds:
                self._timer = self._state.scheduler.callLater(AGAIN, self._later)
                return
            self._again = False
            limit = min(READ_AT_ONCE, MAILBOX_WINDOW - len(self._sent))
            page = await self._state.engine.read(self.log, after=self._shown, limit=limit, oldest=True)
            if self._stopped:
                return
            some = next(pages(page.entries))
            self._send(some)
            self._again = self._again or len(some) == limit or len(some) < len(page.entries)
            self._current = not self._again

    def _later(self) -> None:
        self._timer = None
        self._go_on()

    def _send(self, entries: list[Entry]) -> None:
        """Send those entries that were not sent before."""
        data = b""
        for entry in entries:
            event = entry.event
            if entry.seq > self._shown and isinstance(event, E2eFrom):
                self._shown = entry.seq
                self._sent.append((entry.seq, sending(event.by_id, event.id)))
                data += self.session.dialect.answer(replace(event, seq=entry.seq, via=""))
                self._state.counters.deliveries += 1
        if data:
            self.session.out.write(data)

    def _finished(self, result: Failure | None) -> None:
        self._running = False
        if isinstance(result, Failure):
            self._failed(result)

    def _failed(self, failure: Failure) -> None:
        failure.trap(Unavailable)
        why = failure.getErrorMessage()
        _log.warn("a mailbox of {name} could not be read: {why}", name=self.session.name, why=why)
