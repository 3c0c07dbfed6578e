"""Work that is repeated, such as retention: a round at once, and another one every so many seconds."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from chatroom.model.log import Unavailable
from chatroom.model.logger import logger

_log = logger(__name__)


class PeriodicWork:
    """Repeats a piece of work.

    Args:
        what: A name of the work, for the log.
        work: Does one round; it checks ``stopping`` between its steps.
        every: Seconds from the start of one round to the next. A round that takes longer delays the next one.
        scheduler: Gives ``callLater``.

    Attributes:
        stopping: Whether ``stop`` was called, so that the present round should end after its present step.
    """

    def __init__(self, what: str, work: Callable[[], Coroutine[Any, Any, None]], every: float, scheduler: Any) -> None:
        self._what = what
        self._work = work
        self._every = every
        self._loop = LoopingCall(self._go)
        self._loop.clock = scheduler
        self._running: Deferred[None] | None = None
        self._failing = False
        self.stopping = False

    def start(self, *, now: bool = True) -> None:
        """Start the rounds: the first one now, or else after ``every`` seconds."""
        self._loop.start(self._every, now=now)

    def hurry(self) -> None:
        """Start the next round now, unless a round is running or the rounds have not been started or are stopped."""
        if self._loop.running and self._running is None and not self.stopping:
            self._loop.stop()
            self._loop.start(self._every)

    def stop(self) -> Deferred[None]:
        """Start no more rounds. The Deferred fires when the present round has ended; at once if none is running."""
        self.stopping = True
        if self._loop.running:
            self._loop.stop()
        done: Deferred[None] = Deferred()
        if self._running is None:
            done.callback(None)
        else:
            self._running.addCallback(done.callback)
        return done

    def _go(self) -> Deferred[None]:
        self._running = Deferred.fromCoroutine(self._work())
        return self._running.addCallbacks(self._done, self._failed).addCallback(self._over)

    def _over(self, _: None) -> None:
        self._running = None

    def _done(self, _: None) -> None:
        self._failing = False

    def _failed(self, failure: Any) -> None:
        """Log why a round failed. If the store is unavailable in several rounds in a row, log that only once."""
        if not failure.check(Unavailable):
            _log.failure("{what} failed", failure=failure, what=self._what)
        elif not self._failing:
            self._failing = True
            _log.warn("{what} is put off: {why}", what=self._what, why=failure.getErrorMessage())
