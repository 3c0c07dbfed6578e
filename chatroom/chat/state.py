"""What the parts of the chat share: the engine, rules, clock, connected users, and ways to append events to a log."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore

from chatroom.chat.interfaces import Clock, Engine, Mint
from chatroom.chat.limits import LISTS_AT_ONCE, Rules
from chatroom.chat.people.nicknames import Nicknames
from chatroom.chat.retry_queue import RetryQueue
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session, User
from chatroom.model.events import LogEvent, ServerEvent
from chatroom.model.log import Entry, Presence, Unavailable
from chatroom.model.log_names import SERVER_LOG


class ChatState:
    """What all parts of the chat share. Sessions know it as their ``SessionHost`` (``chatroom.chat.session``).

    Args:
        engine: Stores logs, records and files.
        rules: The limits and settings that the operator chose.
        scheduler: Gives ``callLater`` and ``seconds`` (a reactor, or a test's clock).
        clock: Returns the time in seconds since 1970.
        mint: Returns a given number of random characters.

    Attributes:
        counters: The counters of this daemon.
        sessions: All sessions on this daemon, by their ids.
        users: The users of these sessions, by their ids; the owner of an account may have several sessions.
        server_id: Names the server for ever; empty until the chat is started.
        names: The names that are in use.
        lists: Bounds how many long lists are read at the same time.
        retries: Repeats changes that could not be stored until they are stored.
        withdraw: Removes the text of a message whose author had lost the right to speak when the log stored it.
        shown_at_terminal: Notes that private messages were shown to a person who has an account.
        room_name: Returns the shown name of the room that has a log; empty if the room does not exist any more.
    """

    withdraw: Callable[[Entry], None]
    room_name: Callable[[str], Coroutine[Any, Any, str]]
    shown_at_terminal: Callable[[User, list[Entry]], None]

    def __init__(self, engine: Engine, rules: Rules, scheduler: Any, clock: Clock, mint: Mint) -> None:
        self.engine = engine
        self.rules = rules
        self.scheduler = scheduler
        self.mint = mint
        self.counters = engine.counters
        self.sessions: dict[str, Session] = {}
        self.users: dict[str, User] = {}
        self.server_id = ""
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
        """Return an id, unique among all events, for an event that the chat itself makes; see ``Session.next_id``."""
        self._counter += 1
        return f"{self._node}:{self._counter}"

    def stop_retrying(self) -> None:
        """Repeat no failed change, and let ``owe`` and ``tell_all`` do nothing: the engine is about to stop."""
        self._stopping = True
        self.retries.stop()

    # ---- into a log --------------------------------------------------------------------------------------------

    def owe(self, log: str, event: LogEvent) -> None:
        """Append an event that has happened whether it can be stored or not; retry until it is stored."""
        if not self._stopping:
            self.retries.append(log, event)

    def append_and_wait(self, log: str, event: LogEvent, *, once: bool = False, copy: str = "") -> Deferred[Entry]:
        """Append an event to a log, and to the log ``copy`` if there is one.

        The Deferred gives the event's entry when it is stored and this daemon has acted on it.

        The Deferred fails with ``Unavailable`` if the event may not be stored.
        """
        deferred: Deferred[Entry] = Deferred()

        def done(entry: Entry, error: Unavailable | None) -> None:
            if error is None:
                deferred.callback(entry)
            else:
                deferred.errback(error)

        self.engine.append(log, event, done, once=once, copy=copy)
        return deferred

    async def append_surely(self, log: str, event: LogEvent) -> None:
        """Append the event of a change that a record holds already, and wait until the event is stored.

        Raises:
            Unavailable: The event could not be stored now; it is retried until it is stored.
        """
        try:
            await self.append_and_wait(log, event)
        except Unavailable:
            self.owe(log, event)
            raise

    # ---- what everybody sees -----------------------------------------------------------------------------------

    def announce(self, session: Session) -> None:
        """Tell all daemons which rooms the session is in."""
        if session.over or not session.seated:
            return
        rooms = tuple(room.name for room in session.rooms)
        self.engine.announce(f"user/{session.id}", Presence(session.name, rooms, session.user.away, session.user_id))

    def who(self) -> list[Presence]:
        """Return the presence (name, rooms) of everybody who is online on any daemon, each person once."""
        people: dict[str, Presence] = {}
        for presence in self.engine.who("user/"):
            other = people.get(presence.id)
            if other is not None:
                rooms = dict.fromkeys((*other.rooms, *presence.rooms))
                presence = Presence(presence.name, tuple(rooms), presence.away, presence.id)
            people[presence.id] = presence
        return list(people.values())

    def tell_all(self, event: ServerEvent) -> None:
        """Append an event to the server's log, which all daemons follow; do nothing after ``stop_retrying``."""
        if not self._stopping:
            self.engine.append(SERVER_LOG, event)

    def tell_all_and_wait(self, event: ServerEvent) -> Deferred[Entry]:
        """Append an event to the server's log, which all daemons follow; see ``append_and_wait``."""
        return self.append_and_wait(SERVER_LOG, event)

    async def tell_all_surely(self, event: ServerEvent) -> None:
        """Append to the server's log the event of a change that a record holds already; see ``append_surely``."""
        await self.append_surely(SERVER_LOG, event)


def ids_in(rooms: Iterable[Room], session: Session) -> list[tuple[Room, str]]:
    """Return each of the rooms with an id for an event that tells all of them of one happening about a session.

    These ids are equal up to the dot, by which a client in several of the rooms sees that it is one happening.
    """
    id = session.next_id()
    return [(room, f"{id}.{room.id}") for room in rooms]
