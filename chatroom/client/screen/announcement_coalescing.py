"""One line for one happening: who logs in or out in my room is told by the room's own line alone.

The server tells everybody that ``bob has entered the chat.``, and it tells a room that bob is in what happens there: he
joins, is cut off, or is called something else from now on. An announcement therefore waits a moment for the room's
event about the same user; when that comes, or came just before, the announcement is dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from chatroom.model import events as e

WITHIN = 1.0  # seconds from one event to the other of the same happening
MOST = 200  # announcements that wait, and happenings that are remembered

Announcement = e.Arrived | e.Departed
_Key = tuple[bool, str]  # whether the user comes, and the user's id


class AnnouncementCoalescing:
    """Drops announcements of what the room tells, too.

    Args:
        reactor: Knows the time.
        show: Shows an announcement that the room did not tell.
    """

    def __init__(self, reactor: IReactorTime, show: Callable[[Announcement], None]) -> None:
        self._reactor = reactor
        self._show = show
        self._waiting: dict[_Key, Announcement] = {}
        self._told: dict[_Key, float] = {}
        self._call: IDelayedCall | None = None

    def announced(self, event: Announcement) -> None:
        """Show the announcement after a moment, unless the room tells the same."""
        key = isinstance(event, e.Arrived), event.by_id
        told = self._told.pop(key, None)
        if told is not None and self._reactor.seconds() - told <= WITHIN:
            return
        self._waiting.pop(key, None)  # so that the last one is shown last
        self._waiting[key] = event
        if len(self._waiting) >= MOST:
            self.flush()
        elif self._call is None:
            self._call = self._reactor.callLater(WITHIN, self.flush)
        else:
            self._call.reset(WITHIN)

    def happened(self, event: e.Event) -> None:
        """Drop the announcement of what has happened in the room."""
        for key in _same(event):
            if self._waiting.pop(key, None) is None:
                self._told.pop(key, None)
                self._told[key] = self._reactor.seconds()
        while len(self._told) > MOST:
            del self._told[next(iter(self._told))]

    def before(self, event: e.Event) -> None:
        """Show what waits about a user before something that this user says."""
        by = getattr(event, "by_id", "")
        if any(by == id for _, id in self._waiting):
            self.flush()

    def flush(self) -> None:
        """Show all announcements that wait."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        waiting, self._waiting = self._waiting, {}
        for event in waiting.values():
            self._show(event)


def _same(event: e.Event) -> list[_Key]:
    """Return which announcements would tell the same as an event of the room."""
    match event:
        case e.Joined(by_id=id):
            return [(True, id)]
        case e.Disconnected(by_id=id):
            return [(False, id)]
        case e.Renamed(by_id=before, user_id=after) if after:
            return [(True, after), (False, before)]
    return []
