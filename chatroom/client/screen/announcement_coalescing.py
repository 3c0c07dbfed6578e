"""Showing one line when a user of my room logs in or out: the room's own line, without the announcement to everybody.

The server tells everybody ``bob has entered the chat.``, and it also tells bob's room that he joins, disconnects or
changes his name. So an announcement waits a moment for the room's event about the same user. If that event comes, or
came just before, the announcement is dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from chatroom.model import events as e

WITHIN = 1.0  # seconds between an announcement and the room's event about the same thing
MOST = 200  # announcements that wait, and keys of room events that are remembered

Announcement = e.Arrived | e.Departed
_Key = tuple[bool, str]  # whether the user comes, and the user's id


class AnnouncementCoalescing:
    """Drops announcements that repeat an event of the room.

    Args:
        reactor: Tells the time and makes delayed calls.
        show: Shows an announcement.
    """

    def __init__(self, reactor: IReactorTime, show: Callable[[Announcement], None]) -> None:
        self._reactor = reactor
        self._show = show
        self._waiting: dict[_Key, Announcement] = {}
        self._told: dict[_Key, float] = {}
        self._call: IDelayedCall | None = None

    def announced(self, event: Announcement) -> None:
        """Show the announcement after a moment, unless an event of the room says the same."""
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
        """Drop the announcement that says the same as an event of the room, whether it waits or is yet to come."""
        for key in _same(event):
            if self._waiting.pop(key, None) is None:
                self._told.pop(key, None)
                self._told[key] = self._reactor.seconds()
        while len(self._told) > MOST:
            del self._told[next(iter(self._told))]

    def before(self, event: e.Event) -> None:
        """Show the waiting announcements now if one is about the author of an event that is shown next."""
        by = getattr(event, "by_id", "")
        if any(by == id for _, id in self._waiting):
            self.flush()

    def flush(self) -> None:
        """Show all waiting announcements."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        waiting, self._waiting = self._waiting, {}
        for event in waiting.values():
            self._show(event)


def _same(event: e.Event) -> list[_Key]:
    """Return the keys (see ``_Key``) of the announcements that an event of the room makes unnecessary."""
    match event:
        case e.Joined(by_id=id):
            return [(True, id)]
        case e.Disconnected(by_id=id):
            return [(False, id)]
        case e.Renamed(by_id=before, user_id=after) if after:
            return [(True, after), (False, before)]
    return []
