"""The log of events that concern the whole server. Every daemon follows it and acts on it.

Logins, logouts and announcements are told to everybody, some sessions at a time. Other events are for the daemons:
disconnect a user, read the bans again, take a name away from a guest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from chatroom.chat.interfaces import Dialect
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.errors import EXPELLED, Refused
from chatroom.model.events import Audience, Expelled
from chatroom.model.log import Entry, Subscription
from chatroom.model.log_names import SERVER_LOG

SLICE = 200  # sessions told in one turn of the reactor


class ServerLog:
    """Follows the server's log, and acts on its events.

    Args:
        state: What the parts of the chat share.
        put_out: Ends a session, and tells its client why.
        act: By type of event, a function that is called with each event of the type that is not told to everybody.
    """

    def __init__(
        self,
        state: ChatState,
        put_out: Callable[[Session, Refused], None],
        act: Mapping[type, Callable[[Any], None]],
    ) -> None:
        self._state = state
        self._put_out = put_out
        self._sub: Subscription | None = None
        self._telling: deque[tuple[Entry, deque[Session]]] = deque()
        self._act: dict[type, Callable[[Any], None]] = {Expelled: self._expel, **act}

    async def start(self) -> None:
        """Follow the log."""
        self._sub = await self._state.engine.follow(SERVER_LOG, self._apply)

    def stop(self) -> None:
        """Stop following the log, and stop telling sessions."""
        if self._sub is not None:
            self._sub.stop()
        self._telling.clear()

    def _apply(self, entries: list[Entry]) -> None:
        """Begin to tell everybody the events that are for people, and act on the others."""
        for entry in entries:
            if entry.event.audience is Audience.PERSON:
                self._telling.append((entry, deque(self._state.sessions.values())))
                if len(self._telling) == 1:
                    self._tell()
            else:
                self._act[type(entry.event)](entry.event)

    def _tell(self) -> None:
        """Tell the first event of the queue to some sessions; the others follow in the next turns of the reactor."""
        if not self._telling:
            return
        entry, sessions = self._telling[0]
        rendered: dict[Dialect, bytes] = {}
        for _ in range(min(SLICE, len(sessions))):
            session = sessions.popleft()
            if session.over or not session.seated or _own(session, entry.event):
                continue
            dialect = session.dialect
            data = rendered.get(dialect)
            if data is None:
                data = rendered[dialect] = dialect.answer(entry.event)
            session.out.write(data)
            self._state.counters.deliveries += 1
        if not sessions:
            self._telling.popleft()
        if self._telling:
            self._state.scheduler.callLater(0, self._tell)

    def _expel(self, event: Expelled) -> None:
        """End all sessions that the expelled user has on this daemon."""
        user = self._state.users.get(event.user_id)
        for session in user.sessions if user is not None else ():
            more = f": {event.reason}" if event.reason else "."
            self._put_out(session, EXPELLED(by=event.by, more=more))


def _own(session: Session, event: Any) -> bool:
    """Return whether the session, or another session of its user, caused the event."""
    return session.user_id == event.by_id or session.id == getattr(event, "session", "")
