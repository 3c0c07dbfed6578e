"""The listeners of a room: the sessions of its members on this daemon, and how entries of its log are shown to them.

Each entry of a batch is rendered once per dialect, and each session gets the whole batch as one write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from chatroom.chat.interfaces import Dialect, Recipient
from chatroom.model.counters import Counters
from chatroom.model.event_base import Event
from chatroom.model.log import Entry
from chatroom.model.logger import logger

_log = logger(__name__)

Write = Callable[[bytes], None]
Rendered = dict[Dialect, list[bytes]]


class Listener(Protocol):
    """What is needed of a session to show it what happens in a room."""

    out: Recipient
    dialect: Dialect
    user_id: str
    name: str

    @property
    def filters(self) -> bool:
        """Whether the session is not shown some entries, such as its own messages or those of ignored users."""

    def hears(self, entry: Entry) -> bool:
        """Return whether the session is to be shown an entry."""

    def ignores_user(self, name: str, id: str) -> bool:
        """Return whether the session's user ignores the user with this name and this id."""


class Listeners:
    """The sessions that are shown what happens in a room.

    Args:
        room: The room's name as shown.
        counters: Counts deliveries.
    """

    __slots__ = ("_counters", "_filtering", "_name", "_writes")

    def __init__(self, room: str, counters: Counters) -> None:
        self._name = room
        self._counters = counters
        self._writes: dict[Dialect, dict[Listener, Write]] = {}  # of the sessions that are shown everything
        self._filtering: dict[Listener, None] = {}  # the sessions that are not shown everything

    def seat(self, session: Listener) -> None:
        """Add a session, which is shown all entries from now on."""
        if session.filters:
            self._filtering[session] = None
        else:
            self._writes.setdefault(session.dialect, {})[session] = session.out.write

    def unseat(self, session: Listener) -> None:
        """Remove a session, if it has been added."""
        self._filtering.pop(session, None)
        writes = self._writes.get(session.dialect)
        if writes is not None and writes.pop(session, None) is not None and not writes:
            del self._writes[session.dialect]

    def show(self, entries: list[Entry]) -> Rendered:
        """Show entries to all sessions. Return the rendered entries by dialect, for ``show_part``."""
        rendered: Rendered = {}
        name = self._name
        for dialect, writes in self._writes.items():
            render = dialect.render
            pieces = rendered[dialect] = [render(name, entry) for entry in entries]
            self._counters.deliveries += len(writes) * len(pieces)
            _send(writes.values(), pieces[0] if len(pieces) == 1 else b"".join(pieces))
        for session in self._filtering:
            pieces = self._pieces(session.dialect, entries, rendered)
            heard = [p for p, e in zip(pieces, entries, strict=True) if session.hears(e)]
            self._counters.deliveries += len(heard)
            _send((session.out.write,), b"".join(heard))
        return rendered

    def tell_programs(self, event: Event, by: Listener) -> None:
        """Tell the programs among the sessions something that no log keeps, except those that do not hear its author.

        Args:
            event: The event. Dialects of people have no words for it.
            by: The author's session, whose user is not told.
        """
        for dialect, writes in self._writes.items():
            data = dialect.answer(event)
            _send([write for session, write in writes.items() if session.user_id != by.user_id], data)
        for session in self._filtering:
            if session.user_id != by.user_id and not session.ignores_user(by.name, by.user_id):
                _send((session.out.write,), session.dialect.answer(event))

    def show_part(self, session: Listener, entries: list[Entry], rendered: Rendered, seen: Iterable[int]) -> None:
        """Show some entries of a batch to a session that is not among the listeners at the moment.

        Args:
            session: The session.
            entries: The batch.
            rendered: What ``show`` returned for the batch. The session's dialect is added if it is missing.
            seen: The indexes of the entries that the session sees.
        """
        pieces = self._pieces(session.dialect, entries, rendered)
        shown = [pieces[i] for i in seen]
        self._counters.deliveries += len(shown)
        _send((session.out.write,), b"".join(shown))

    def _pieces(self, dialect: Dialect, entries: list[Entry], rendered: Rendered) -> list[bytes]:
        """Return the entries as bytes of a dialect: those in ``rendered``, or else new ones, which are added to it."""
        pieces = rendered.get(dialect)
        if pieces is None:
            pieces = rendered[dialect] = [dialect.render(self._name, entry) for entry in entries]
        return pieces


def _send(writes: Iterable[Write], data: bytes) -> None:
    """Call each of the functions with the data. If one raises an exception, log that and go on with the next."""
    if data:
        for write in writes:
            try:
                write(data)
            except Exception:
                _log.failure("a member could not be told")
