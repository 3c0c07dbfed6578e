"""What a session needs of the chat that it is in, as a protocol: the module of the chat imports that of the session."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.model.events import LogEvent
from chatroom.model.log import Entry


class SessionHost(Protocol):
    """What a session needs of the chat that it is in."""

    engine: Engine
    rules: Rules

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""

    def append_and_wait(self, log: str, event: LogEvent, *, once: bool = False) -> Deferred[Entry]:
        """Append an event to a log. The Deferred gives its entry when it is stored and this daemon has acted on it.

        The Deferred fails with ``Unavailable`` if the event may not be stored.
        """

    def announce(self, session: Any) -> None:
        """Tell all daemons which rooms the session is in."""

    def withdraw(self, entry: Entry) -> None:
        """Remove the text of a message whose author had lost the right to speak when the log stored it."""

    def room_name(self, log: str) -> Coroutine[Any, Any, str]:
        """Return the shown name of the room that has this log; empty if the room does not exist any more."""
