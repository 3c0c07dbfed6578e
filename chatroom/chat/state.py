"""What the parts of the chat share: engine, rules, clock, who is here, and how something gets into a log."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore

from chatroom.chat.interfaces import Clock, Engine, Mint
from chatroom.chat.limits import LISTS_AT_ONCE, Rules
from chatroom.chat.people.nicknames import Nicknames
from chatroom.chat.retry_queue import RetryQueue
from chatroom.chat.session import Session, User
from chatroom.model.events import LogEvent, ServerEvent
from chatroom.model.log import Entry, Presence, Unavailable
from chatroom.model.log_names import SERVER_LOG


class ChatState:
    """What all parts of the chat share; a session's host (``chatroom.chat.session_parts``).

    Args:
        engine: Keeps logs, records and files.
        rules: What the operator decided.
        scheduler: Gives ``callLater`` and ``seconds`` (a reactor, or a test's clock).
        clock: Seconds since 1970.
        mint: Makes random words.

    Attributes:
        counters: What the daemon has counted.
        sessions: Everybody connected to this daemon, by session id.
        users: The same people by user id; the owner of an account may have several sessions.
        names: The names that are in use.
        lists: Bounds how many long lists are read at the same time.
        retries: Stores later what cannot be stored now.
        withdraw: Removes what a message said, because its author could not speak any more when the log took it.
        room_name: Returns a room's shown name by its log; empty when there is no such room any more.
    """

    withdraw: Callable[[Entry], None]
    room_name: Callable[[str], Coroutine[Any, Any, str]]

    def __init__(self, engine: Engine, rules: Rules, scheduler: Any, clock: Clock, mint: Mint) -> None:
        self.engine = engine
        self.rules = rules
        self.scheduler = scheduler
        self.mint = mint
        self.counters = engine.counters
        self.sessions: dict[str, Session] = {}
        self.users: dict[str, User] = {}
        self.names = Nicknames()
        self.retries = RetryQueue(engine, scheduler)
        self.clock = clock
        self.lists = DeferredSemaphore(LISTS_AT_ONCE)
        self._stopping = False
        self._node = mint(12)
        self._counter = 0

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self.clock() * 1000)

    def next_id(self) -> str:
        """Return an id for an event of the chat's own; see ``Session.next_id``."""
        self._counter += 1
        return f"{self._node}:{self._counter}"

    def stop_retrying(self) -> None:
        """Give up storing what cannot be stored now, because the engine is about to stop."""
        self._stopping = True
        self.retries.stop()

    # ---- into a log --------------------------------------------------------------------------------------------

    def owe(self, log: str, event: LogEvent) -> None:
        """Append an event that has happened in any case; retry until it is stored."""
        if not self._stopping:
            self.retries.append(log, event)

    def append_and_wait(self, log: str, event: LogEvent, *, once: bool = False) -> Deferred[Entry]:
        """Append an event. The Deferred fires when it is stored and applied, or fails with ``Unavailable``."""
        deferred: Deferred[Entry] = Deferred()

        def done(entry: Entry, error: Unavailable | None) -> None:
            if error is None:
                deferred.callback(entry)
            else:
                deferred.errback(error)

        self.engine.append(log, event, done, once=once)
        return deferred

    async def append_surely(self, log: str, event: LogEvent) -> None:
        """Append an event for a change that a record shows already, and wait; retry later if it cannot be stored now.

        Raises:
            Unavailable: The event is not stored yet; it will be.
        """
        try:
            await self.append_and_wait(log, event)
        except Unavailable:
            self.owe(log, event)
            raise

    # ---- what everybody sees -----------------------------------------------------------------------------------

    def announce(self, session: Session) -> None:
        """Tell all daemons which room the session is in."""
        if session.over or not session.seated:
            return
        room = session.room.name if session.room is not None else ""
        self.engine.announce(f"user/{session.id}", Presence(session.name, room, session.user.away, session.user_id))

    def who(self) -> list[Presence]:
        """Return everybody online on all daemons."""
        return self.engine.who("user/")

    def tell_all(self, event: ServerEvent) -> None:
        """Append an event to the server's log, for all daemons."""
        if not self._stopping:
            self.engine.append(SERVER_LOG, event)

    def tell_all_and_wait(self, event: ServerEvent) -> Deferred[Entry]:
        """As ``tell_all``; the Deferred fires when this daemon has acted on it, or fails with ``Unavailable``."""
        return self.append_and_wait(SERVER_LOG, event)

    async def tell_all_surely(self, event: ServerEvent) -> None:
        """As ``tell_all_and_wait``, for a change that a record shows already; see ``append_surely``."""
        await self.append_surely(SERVER_LOG, event)
