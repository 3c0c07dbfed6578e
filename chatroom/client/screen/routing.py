"""Which window an event belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chatroom.client.opened import PrivateChange
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.client.status import Gap, Notice, SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold


class Router:
    """Finds the window of each event, and opens it if need be.

    Args:
        windows: The windows.
        rooms: Returns the folded names of the rooms that we are in. A server cannot open windows of other rooms.
        me: Returns our name.
    """

    def __init__(self, windows: Windows, rooms: Callable[[], Collection[str]], me: Callable[[], str]) -> None:
        self._windows = windows
        self._rooms = rooms
        self._me = me

    def window(self, event: e.Event | Notice) -> ChatWindow:
        """Return the window to show an event in: of its room or of the other person, else the one in front."""
        if isinstance(event, e.Private) or (isinstance(event, e.Shared) and e.of_inbox(event)):
            return self._of_person(event.to if event.by == self._me() else event.by)
        if isinstance(event, a.Sent):
            return self._of_person(event.to)
        if isinstance(event, PrivateChange):
            return self._of_person(event.user)
        if isinstance(event, a.Entered | Gap) or (isinstance(event, e.RoomEvent) and not e.of_inbox(event)):
            return self._of_room(event.room, message=isinstance(event, e.MESSAGES))
        if isinstance(event, SecurityNotice):
            return self._noticed(event)
        return self._windows.front

    def _noticed(self, event: SecurityNotice) -> ChatWindow:
        """Return the window of the person or the room that a notice is about; it opens none."""
        kind, name = (WindowKind.PERSON, event.user) if event.user else (WindowKind.ROOM, event.room)
        return self._windows.find(kind, name) or self._windows.front

    def typed_in(self, event: a.Typing) -> ChatWindow | None:
        """Return the window in which somebody is typing; None if there is none, because nothing opens for that."""
        if event.room:
            return self._windows.find(WindowKind.ROOM, event.room)
        return self._windows.find(WindowKind.PERSON, event.by)

    def in_front(self, window: ChatWindow) -> bool:
        """Return whether a window is the one in front."""
        return window is self._windows.front

    def _of_person(self, name: str) -> ChatWindow:
        return self._windows.open(WindowKind.PERSON, name) if name else self._windows.front

    def _of_room(self, room: str, *, message: bool) -> ChatWindow:
        """Return the window of a room; a message shows it again if it is hidden."""
        found = self._windows.find(WindowKind.ROOM, room)
        if fold(room) in self._rooms() and (found is None or message):
            return self._windows.open(WindowKind.ROOM, room)
        return found or self._windows.front
