"""The windows of the screen: one for each room and for each private conversation, and the server's, which has number 0.

Nothing here draws or sends anything. ``Windows`` knows which windows there are, which is in front, and what each holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from chatroom.client.screen.scrollback import Scrollback
from chatroom.client.screen.wrapping import Row
from chatroom.model.names import fold

MOST = 120  # windows; a server cannot make the client have more
MOST_LINES = 12_000  # lines of all windows
MOST_TEXT = 1024 * 1024  # characters of these lines
MOST_SENT = 200  # ids of our messages


class WindowKind(Enum):
    """What a window shows."""

    SERVER = "server"
    ROOM = "room"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a window is scrolled back: the last row that is shown.

    Args:
        number: The number of the line.
        row: The number of the row in that line, from 0.
    """

    number: int
    row: int


@dataclass(slots=True, eq=False)
class ChatWindow:
    """A window.

    Args:
        kind: What it shows.
        name: The name of the room or of the other person; ``server`` for the server's.
        number: The number by which the user goes to it. It stays the same until the window is closed.

    Attributes:
        lines: What was shown in it.
        draft: What is typed in it and not sent, while another window is in front.
        cursor: The position of the cursor in the draft.
        position: How far it is scrolled back; None while it shows the newest line.
        topic: The topic of the room.
        unread: Messages that came since it was last looked at.
        mentions: Those of them that mention the user, or are private.
        hidden: Whether the user has hidden it; the next message shows it again.
        away: Whether the user has looked away from it since its last message.
        newest: The seq of its newest message.
        began: The number of its first line since the user joined the room last.
        lacks_past: Whether the older messages of a private conversation are still to be fetched from the server.
        sent: The ids of our messages that were shown meanwhile.
    """

    kind: WindowKind
    name: str
    number: int
    lines: Scrollback = field(default_factory=Scrollback)
    draft: str = ""
    cursor: int = 0
    position: Position | None = None
    topic: str = ""
    unread: int = 0
    mentions: int = 0
    hidden: bool = False
    away: bool = False
    newest: int = 0
    began: int = 0
    lacks_past: bool = False
    sent: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_SENT))

    @property
    def label(self) -> str:
        """The name as the bar and the prompt show it: ``lobby``, ``@bob``."""
        return f"@{self.name}" if self.kind is WindowKind.PERSON else self.name


class Windows:
    """All windows.

    Attributes:
        server: The window of what belongs to no room and to nobody.
        front: The window that is shown.
    """

    def __init__(self) -> None:
        self.server = ChatWindow(WindowKind.SERVER, "server", 0)
        self.front = self.server
        self._windows = [self.server]  # by number
        self._recent = [self.server]  # the one in front is at the end
        self._kept_free: list[str] = []  # the folded names of the rooms for which the first numbers are kept
        self._first = True  # no other window was ever opened

    def __iter__(self) -> Iterator[ChatWindow]:
        return iter(self._windows)

    @property
    def shown(self) -> list[ChatWindow]:
        """The windows that are not hidden, by number."""
        return [window for window in self._windows if not window.hidden]

    @property
    def person(self) -> str:
        """The person of the window in front; empty if it is none of a private conversation."""
        return self.front.name if self.front.kind is WindowKind.PERSON else ""

    def newest_first(self) -> Iterator[Row]:
        """Yield the lines of the window in front, each in pieces, the newest first."""
        yield from (line.pieces for line in reversed(list(self.front.lines)))

    def find(self, kind: WindowKind, name: str) -> ChatWindow | None:
        """Return the window of a room or of a person; None if there is none."""
        key = fold(name)
        return next((one for one in self._windows if one.kind is kind and fold(one.name) == key), None)

    def meant(self, word: str) -> ChatWindow | None:
        """Return the window that a word means: its number, its name, or the beginning of one name only; or None."""
        if word.isascii() and word.isdigit():
            return self.numbered(int(word[:9]))
        key = fold(word)
        names = [(window, (fold(window.label), fold(window.name))) for window in self._windows]
        whole = [window for window, labels in names if key in labels]
        begun = [window for window, labels in names if any(label.startswith(key) for label in labels)]
        return whole[0] if whole else begun[0] if len(begun) == 1 else None

    def numbered(self, number: int) -> ChatWindow | None:
        """Return the window with that number; None if there is none."""
        return next((window for window in self._windows if window.number == number), None)

    # ---- opening and closing ---------------------------------------------------------------------------------------

    def open(self, kind: WindowKind, name: str) -> ChatWindow:
        """Return the window of a room or of a person, made or shown again if need be; it does not come to the front.

        The first window that is made begins with what the server's window shows, so that the user still sees it.
        """
        window = self.find(kind, name)
        if window is None:
            self._make_place()
            window = ChatWindow(kind, name, self._free_number(kind, name), lacks_past=kind is WindowKind.PERSON)
            self._windows.append(window)
            self._windows.sort(key=lambda one: one.number)
            self._recent.insert(0, window)
            if self._first:
                window.lines.take_from(self.server.lines)
            self._first = False
        window.hidden = False
        return window

    def close(self, window: ChatWindow) -> None:
        """Remove a window and what it shows. If it is in front, the one that was there before it comes to the front.

        The server's window stays.
        """
        if window is not self.server:
            self._windows.remove(window)
            self._recent.remove(window)
            self._leave_front(window)

    def hide(self, window: ChatWindow) -> None:
        """Hide a window until a message comes in it; what it shows is kept. The server's window stays."""
        if window is not self.server:
            window.hidden = True
            self._leave_front(window)

    def renamed(self, old: str, new: str) -> None:
        """Give the window of a person who has a new name that name, unless there is one of that name."""
        window = self.find(WindowKind.PERSON, old)
        if window is not None and self.find(WindowKind.PERSON, new) in (None, window):
            window.name = new

    def _leave_front(self, window: ChatWindow) -> None:
        if window is self.front:
            self.front = next(one for one in reversed(self._recent) if one is not window and not one.hidden)

    def keep_numbers(self, rooms: Iterable[str]) -> None:
        """Keep the first numbers for the windows of these rooms, in this order, until ``free_numbers``."""
        self._kept_free = [fold(room) for room in rooms][: MOST - 1]

    def free_numbers(self) -> None:
        """Let any window have the numbers that were kept for rooms."""
        self._kept_free = []

    def _free_number(self, kind: WindowKind, name: str) -> int:
        taken = {window.number for window in self._windows}
        if kind is WindowKind.ROOM and fold(name) in self._kept_free:
            number = self._kept_free.index(fold(name)) + 1
            if number not in taken:
                return number
        taken.update(range(1, len(self._kept_free) + 1))
        return next(number for number in range(1, 2 * MOST + 1) if number not in taken)

    def _make_place(self) -> None:
        """If there are as many windows as there may be, close the one that was not looked at for longest: a window of
        a person before one of a room, and one without unread messages before others."""
        if len(self._windows) < MOST:
            return
        others = [window for window in self._recent if window not in (self.server, self.front)]
        self.close(min(others, key=lambda one: (one.kind is WindowKind.ROOM, one.unread > 0)))

    # ---- going from one to another ---------------------------------------------------------------------------------

    def go(self, window: ChatWindow) -> None:
        """Bring a window to the front."""
        window.hidden = False
        self.front = window
        self._recent.remove(window)
        self._recent.append(window)

    def beside(self, step: int) -> ChatWindow:
        """Return the window so many places after the one in front; after the last comes the first."""
        windows = self.shown
        return windows[(windows.index(self.front) + step) % len(windows)]

    def next_unread(self) -> ChatWindow | None:
        """Return the next window with something unread: with mentions if there is such a one; None if there is none."""
        at = self._windows.index(self.front)
        around = [*self._windows[at + 1 :], *self._windows[:at]]
        waiting = [window for window in around if window.unread]
        return next((window for window in waiting if window.mentions), waiting[0] if waiting else None)

    # ---- bounds ----------------------------------------------------------------------------------------------------

    def thin_out(self) -> None:
        """Drop the oldest lines of the windows with most lines, or with most text, until all together have no more than
        they may."""
        while sum(len(window.lines) for window in self._windows) > MOST_LINES:
            max(self._windows, key=lambda window: len(window.lines)).lines.drop(100)
        while sum(window.lines.size for window in self._windows) > MOST_TEXT:
            max(self._windows, key=lambda window: window.lines.size).lines.drop(100)
