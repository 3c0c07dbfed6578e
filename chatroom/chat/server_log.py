"""What concerns the whole server is a log, too: every daemon follows it, and acts on what it reads.

Who logged in or out and what an operator announces is told to everybody, a slice of the sessions at a time. The rest is
for the daemons: put a user out, look at the bans again, take a name from the guest who has it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatroom.chat.people.membership import deregister, sign_out
from chatroom.model.errors import EXPELLED
from chatroom.model.events import (
    Announced,
    Arrived,
    BansChanged,
    Departed,
    Deregistered,
    Expelled,
    PasswordChanged,
    Registered,
)
from chatroom.model.log import Entry, Subscription
from chatroom.model.names import user_name

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.interfaces import Dialect
    from chatroom.chat.session import Session

LOG = "server/all"
SLICE = 200  # sessions told in one turn of the reactor


class ServerLog:
    """See the module.

    Args:
        chat: The chat.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._sub: Subscription | None = None
        self._telling: deque[tuple[Entry, deque[Session]]] = deque()
        self._act: dict[type, Callable[[Any], None]] = {
            Expelled: self._expel,
            Registered: lambda event: chat.evict(user_name(event.name), event.by_id),
            Deregistered: lambda event: deregister(chat, event.by_id),
            PasswordChanged: lambda event: sign_out(chat, event.by_id, event.session),
            BansChanged: lambda event: chat.bans.reload(),
        }

    async def start(self) -> None:
        """Follow it."""
        self._sub = await self._chat.engine.follow(LOG, self._apply)

    def stop(self) -> None:
        """Tell nobody any more."""
        if self._sub is not None:
            self._sub.stop()
        self._telling.clear()

    def _apply(self, entries: list[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, Arrived | Departed | Announced):
                self._telling.append((entry, deque(self._chat.sessions.values())))
                if len(self._telling) == 1:
                    self._tell()
            else:
                self._act[type(entry.event)](entry.event)

    def _tell(self) -> None:
        """Tell some of them; the others in the next turns."""
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
            self._chat.counters.deliveries += 1
        if not sessions:
            self._telling.popleft()
        if self._telling:
            self._chat.scheduler.callLater(0, self._tell)

    def _expel(self, event: Expelled) -> None:
        user = self._chat.users.get(event.user_id)
        for session in user.sessions if user is not None else ():
            more = f": {event.reason}" if event.reason else "."
            self._chat.put_out(session, EXPELLED(by=event.by, more=more))


def _own(session: Session, event: Any) -> bool:
    return session.user_id == event.by_id or session.id == getattr(event, "session", "")
