"""Shows an account's inbox to one session on a device, from the device's own mark on.

A feed reads the entries from the log, page by page, until it has shown everything. From then on it is given new
entries as they are stored. If an entry is stored while the feed reads, the feed reads on.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.people.inbox_pages import AGAIN, pages, show
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.events import Read
from chatroom.model.log import Entry, Unavailable
from chatroom.model.logger import logger

READ_AT_ONCE = 100  # entries

_log = logger(__name__)


def has_feed(session: Session) -> bool:
    """Return whether a session is shown its inbox by a feed: it is a program's, on a device, and logged in."""
    return bool(session.device.name) and not session.person and session.user.account is not None


class DeviceFeed:
    """Shows an inbox to one session.

    Args:
        state: What the parts of the chat share.
        session: The session.
        log: The name of the inbox's log.
        begin: Returns the device's mark, the seq up to which it has read; raises ``Unavailable`` if that is not known.

    Attributes:
        shown: The seq up to which everything was shown to the session, or is read on its device.
    """

    __slots__ = (
        "_begin",
        "_begun",
        "_current",
        "_log",
        "_news",
        "_pause",
        "_running",
        "_session",
        "_state",
        "_stopped",
        "shown",
    )

    def __init__(
        self, state: ChatState, session: Session, log: str, begin: Callable[[str], Coroutine[Any, Any, int]]
    ) -> None:
        self._state = state
        self._session = session
        self._log = log
        self._begin = begin
        self._begun = False
        self._running = False  # ``_catch_up`` is under way
        self._current = False  # everything stored was shown
        self._news = False  # something was stored while ``_running``
        self._stopped = False
        self._pause: tuple[Any, Deferred[None]] | None = None  # the timer of a pause, and what fires after it
        self.shown = 0

    def start(self) -> None:
        """Show what is not shown yet. If it cannot be read now, it goes on waiting for ``deliver``."""
        if not self._running:
            self._running = True
            Deferred.fromCoroutine(self._catch_up()).addBoth(self._finished)

    def stop(self) -> None:
        """Show nothing more, because the session has left."""
        self._stopped, self._current = True, False
        if self._pause is not None:
            self._pause[0].cancel()
            self._end_pause()

    def deliver(self, entries: list[Entry]) -> None:
        """Show new entries of the log: now, or when all that came before is shown."""
        if self._current:
            self._show(entries, late=False)
        elif not self._stopped:
            self._news = True
            self.start()

    def _show(self, entries: list[Entry], *, late: bool) -> None:
        """Show those entries that were not shown before."""
        fresh = [entry for entry in entries if entry.seq > self.shown and not isinstance(entry.event, Read)]
        self.shown = max(self.shown, entries[-1].seq)
        show(self._state, self._session, fresh, late, again=True)

    async def _catch_up(self) -> None:
        """Read and show pages until everything is shown.

        Raises:
            Unavailable: The log or the mark cannot be read.
        """
        if not self._begun:
            self.shown = await self._begin(self._session.device.name)
            self._begun = True
        while not self._stopped:
            if self._session.out.holds:
                await self._wait()
                continue
            self._news = False
            page = await self._state.engine.read(self._log, after=self.shown, limit=READ_AT_ONCE, oldest=True)
            if self._stopped:
                return
            some = next(pages(page.entries))
            if some:
                self._show(some, late=True)
            if len(some) == len(page.entries) < READ_AT_ONCE and not self._news:
                self._current = True
                return

    def _finished(self, result: Failure | None) -> None:
        self._running = False
        if isinstance(result, Failure):
            result.trap(Unavailable)
            _log.warn("the inbox of {name} could not be read: {why}", name=self._session.name, why=str(result.value))

    def _wait(self) -> Deferred[None]:
        """Return a Deferred that fires when the client may have taken what it was sent, or the feed is stopped."""
        turn: Deferred[None] = Deferred()
        self._pause = self._state.scheduler.callLater(AGAIN, self._end_pause), turn
        return turn

    def _end_pause(self) -> None:
        pause, self._pause = self._pause, None
        if pause is not None:
            pause[1].callback(None)
