"""Going from window to window: the drafts, the room in focus, and what counts as read.

A line that the user enters goes where the window in front says. So the input line and the focus of the client change
together with the window, in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chatroom.client.screen.scrolling import Viewport
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold


class HasRooms(Protocol):
    """The part of a ``Client`` that is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def rooms(self) -> Mapping[str, Any]: ...
    @property
    def peers(self) -> Mapping[str, Any]: ...
    def focus(self, room: str) -> None: ...
    def mark_read(self, seq: int, *, room: str = "", user: str = "") -> None: ...


class HasDraftAndView(Protocol):
    """The part of a ``Terminal`` that is needed here.

    Attributes:
        draft: What is typed in the input line, and the position of the cursor in it.
    """

    draft: tuple[str, int]

    @property
    def view(self) -> Viewport: ...


class Switcher:
    """Brings windows to the front, and closes them.

    Args:
        windows: The windows.
        client: The rooms that we are in, and what is unread of them.
        terminal: Has the input line.
        changed: Called after each change, to have the screen drawn soon.

    Attributes:
        looking: Whether the terminal has the focus; True for a terminal that does not tell.
        came_to_front: Called with each window that comes to the front.
    """

    def __init__(
        self,
        windows: Windows,
        client: HasRooms,
        terminal: HasDraftAndView,
        changed: Callable[[], None],
    ) -> None:
        self._windows = windows
        self._client = client
        self._terminal = terminal
        self._changed = changed
        self.looking = True
        self.came_to_front: Callable[[ChatWindow], None] = lambda window: None

    # ---- by the user -----------------------------------------------------------------------------------------------

    def go(self, window: ChatWindow) -> None:
        """Bring a window to the front, with its draft; the one before keeps its own."""
        before = self._windows.front
        if window is before:
            return
        before.draft, before.cursor = self._terminal.draft
        before.away = True
        self._windows.go(window)
        self._terminal.draft = window.draft, window.cursor
        self._now_in_front()

    def go_to_number(self, number: int) -> bool:
        """Go to the window with that number. Returns False if there is none."""
        window = self._windows.numbered(number)
        if window is not None:
            self.go(window)
        return window is not None

    def go_beside(self, step: int) -> None:
        """Go to the window so many places after the one in front; after the last comes the first."""
        self.go(self._windows.beside(step))

    def go_to_unread(self) -> bool:
        """Go to the next window with something unread, mentions first. Returns False if there is none."""
        self.count()
        window = self._windows.next_unread()
        if window is not None:
            self.go(window)
        return window is not None

    def close(self, window: ChatWindow) -> None:
        """Close a window; that of a room that we are in is only hidden, and its next message shows it again."""
        if window.kind is WindowKind.ROOM and fold(window.name) in self._client.rooms:
            if window is self._windows.front:
                window.draft, window.cursor = self._terminal.draft
            self._step(lambda: self._windows.hide(window), along=False)
        else:
            self._step(lambda: self._windows.close(window), along=True)

    @property
    def scrolled(self) -> bool:
        """Whether the window in front is scrolled back."""
        return self._windows.front.position is not None

    def scroll(self, step: int) -> None:
        """Scroll the window in front by a screenful: back if ``step`` is -1, forward if it is 1."""
        view = self._terminal.view
        (view.up if step < 0 else view.down)(self._windows.front)
        self._changed()

    def show_newest(self) -> None:
        """Show the newest line of the window in front."""
        self._windows.front.position = None
        self._changed()

    def focus(self, there: bool) -> None:
        """Note that the terminal has got the focus (``there`` is True) or lost it."""
        self.looking = there
        self._windows.front.away = not there
        self._changed()

    def begin(self) -> None:
        """Open the windows of the rooms that the client is in already, and go to the one in focus."""
        for room in self._client.rooms.values():
            self._open(room.room)
        if self._client.room:
            self._windows.go(self._open(self._client.room))

    # ---- by what happens -------------------------------------------------------------------------------------------

    def before(self, event: object) -> None:
        """Before an event is shown: close the window of a room that we have left by ourselves."""
        if isinstance(event, e.Left) and event.by == self._client.name and fold(event.room) not in self._client.rooms:
            window = self._windows.find(WindowKind.ROOM, event.room)
            if window is not None:
                self._step(lambda: self._windows.close(window), along=True)
        elif isinstance(event, e.Renamed) and event.by != self._client.name:
            self._windows.renamed(event.by, event.name)

    def after(self, event: object) -> None:
        """After an event was shown: go to a room that we have joined, and note a room's topic."""
        if isinstance(event, a.Entered):
            window = self._open(event.room)
            window.topic = event.topic
            if fold(event.room) == fold(self._client.room):
                self._step(lambda: self._windows.go(window), along=True)
            elif window is not self._windows.front:
                window.away = True  # nobody has looked at it yet
        elif isinstance(event, e.Topic):
            changed = self._windows.find(WindowKind.ROOM, event.room)
            if changed is not None:
                changed.topic = event.text

    def drawn(self, window: ChatWindow) -> None:
        """Count what was drawn as read, if the user looks at it and the newest line is shown."""
        self._count(window)
        if self.looking and window.position is None and window.unread and not window.lacks_past:
            self._read(window)

    def count(self) -> None:
        """Take over from the client what is unread in each window; nothing is in the one that the user looks at."""
        for window in self._windows:
            self._count(window)
        front = self._windows.front
        if self.looking and front.position is None:
            front.unread = front.mentions = 0

    # ---- details ---------------------------------------------------------------------------------------------------

    def _count(self, window: ChatWindow) -> None:
        if window.kind is WindowKind.ROOM:
            room = self._client.rooms.get(fold(window.name))
            window.unread, window.mentions = (room.unread, room.mentions) if room is not None else (0, 0)
        elif window.kind is WindowKind.PERSON:
            peer = self._client.peers.get(fold(window.name))
            window.unread = window.mentions = peer.unread if peer is not None else 0

    def _open(self, room: str) -> ChatWindow:
        return self._windows.open(WindowKind.ROOM, room)

    def _read(self, window: ChatWindow) -> None:
        """Note that the user has read a window up to its newest message."""
        if window.kind is WindowKind.ROOM:
            self._client.mark_read(window.newest, room=window.name)
        elif window.kind is WindowKind.PERSON:
            self._client.mark_read(window.newest, user=window.name)

    def _step(self, change: Callable[[], None], *, along: bool) -> None:
        """Make a change that may bring another window to the front.

        Args:
            change: Makes the change.
            along: Whether what is being typed goes along: the user is still typing while the answer to ``/join`` comes.
        """
        before, typed = self._windows.front, self._terminal.draft
        change()
        front = self._windows.front
        if front is before:
            return
        before.away = True
        if along and not front.draft:
            before.draft, before.cursor = "", 0
        else:
            before.draft, before.cursor = typed
            self._terminal.draft = front.draft, front.cursor
        self._now_in_front()

    def _now_in_front(self) -> None:
        front = self._windows.front
        front.away = not self.looking
        inside = front.kind is WindowKind.ROOM and fold(front.name) in self._client.rooms
        self._client.focus(front.name if inside else "")
        self.came_to_front(front)
        self._changed()
