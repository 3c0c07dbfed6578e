"""Changes that must reach the store, even if it fails now: events that have happened in any case, such as the end of a
connection, and the erasing of messages that nobody may read.

A change that fails is tried again after a while, and at once when the engine says that it works again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.chat.interfaces import Engine
from chatroom.model.events import LogEvent
from chatroom.model.log import Entry, NotAmended, Unavailable
from chatroom.model.logger import logger

_log = logger(__name__)

AGAIN = 5.0  # seconds until failed changes are tried again


class RetryQueue:
    """Repeats changes that failed until they are stored.

    Args:
        engine: Stores the changes.
        scheduler: Gives ``callLater``.
    """

    def __init__(self, engine: Engine, scheduler: Any) -> None:
        self._engine = engine
        self._scheduler = scheduler
        self._events: dict[str, tuple[str, LogEvent]] = {}  # the log and the event, by the event's id
        self._erasures: set[tuple[str, int]] = set()  # log and seq
        self._calls: dict[object, Callable[[], None]] = {}
        self._timer: Any = None
        engine.on_state = self._state_changed

    def append(self, log: str, event: LogEvent) -> None:
        """Append an event to a log; if the store fails, retry until the event is stored, or can never be."""

        def done(entry: Entry, error: Unavailable | None) -> None:
            if error is not None and not isinstance(error, NotAmended):
                self._events[event.id] = log, event
                self._try_later()

        self._engine.append(log, event, done, once=True)

    def erase(self, log: str, seq: int) -> None:
        """Erase the text of the message at ``seq`` of a log; if the store fails, retry until the text is erased."""

        def failed(failure: Any) -> None:
            failure.trap(Unavailable)
            self._erasures.add((log, seq))
            self._try_later()

        self._engine.erase(log, seq).addErrback(failed).addErrback(_broken)

    def call(self, key: object, function: Callable[[], None]) -> None:
        """Call a function when the store may work again, once for each key. It must call this again if it fails."""
        self._calls[key] = function
        self._try_later()

    def stop(self) -> None:
        """Stop retrying, because the engine is about to stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._engine.on_state = lambda state: None
        self._scheduler = None

    def _state_changed(self, state: str) -> None:
        if state == "ok":
            self._try()

    def _try_later(self) -> None:
        """Start the timer for the next try, unless it is running or the queue has been stopped."""
        if self._timer is None and self._scheduler is not None:
            self._timer = self._scheduler.callLater(AGAIN, self._over)

    def _over(self) -> None:
        self._timer = None
        self._try()

    def _try(self) -> None:
        """Try all failed changes again; those that fail once more come back into the queue."""
        events, self._events = self._events, {}
        for log, event in events.values():
            self.append(log, event)
        erasures, self._erasures = self._erasures, set()
        for log, seq in erasures:
            self.erase(log, seq)
        calls, self._calls = self._calls, {}
        for function in calls.values():
            function()


def _broken(failure: Any) -> None:
    _log.failure("a message could not be erased", failure=failure)
