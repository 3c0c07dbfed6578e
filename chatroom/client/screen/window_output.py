"""Adding lines to windows, and having the screen drawn again."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.screen.formatter import Line, MessageLine
from chatroom.client.screen.scrollback import Scrollback, StoredLine
from chatroom.client.screen.window_list import ChatWindow, Position, WindowKind, Windows


class WindowOutput:
    """Adds lines to windows.

    Args:
        windows: The windows.
        changed: Called after each change, to have the screen drawn soon.
    """

    def __init__(self, windows: Windows, changed: Callable[[], None]) -> None:
        self._windows = windows
        self._changed = changed

    def add(self, line: Line, window: ChatWindow | None = None) -> None:
        """Add a line to a window; to the one in front, if none is given."""
        (window or self._windows.front).lines.add(line)
        self._windows.thin_out()
        self._changed()

    def add_everywhere(self, line: Line) -> None:
        """Add a line about the whole chat to the window in front and, as a record, to the server's window."""
        self.add(line)
        if self._windows.front is not self._windows.server:
            self.add(line, self._windows.server)

    def message(self, line: MessageLine, window: ChatWindow, seq: int, *, unread_line: bool, id: str = "") -> None:
        """Add the line of a message to a window; of a room, before those of later messages.

        Args:
            line: The line.
            window: The window.
            seq: The seq of the message; 0 if it cannot be changed later.
            unread_line: Whether the unread line comes before it.
            id: The id of the message, if it is private.
        """
        if window.kind is WindowKind.ROOM and 0 < seq < window.newest:
            self._put_in_order(line, window, seq)
            return
        stored = self._stored(window.lines, line, seq, id)
        if unread_line:
            window.lines.mark = stored.number
            window.away = False
        window.newest = max(window.newest, seq)
        self._windows.thin_out()
        self._changed()

    def _put_in_order(self, line: MessageLine, window: ChatWindow, seq: int) -> None:
        """Put the line of a message that came late where it belongs."""
        older = Scrollback()
        self._stored(older, line, seq, "")
        self.put_before(window.lines.place_of(seq, window.began), older, window)

    @staticmethod
    def _stored(lines: Scrollback, line: MessageLine, seq: int, id: str) -> StoredLine:
        stored = lines.add(line.head, line.body, line.tail, seq, id)
        stored.edited, stored.reactions, stored.file = line.edited, line.reactions, line.file
        return stored

    def put_before(self, place: int, older: Scrollback, window: ChatWindow) -> None:
        """Put lines before the line with a number in a window, which stays where it is scrolled."""
        position = window.position
        window.lines.put_before(place, older)
        if position is not None and position.number >= place:
            window.position = Position(position.number + len(older), position.row)
        self.changed()

    def changed(self) -> None:
        """Have the windows kept within bounds, and the screen drawn, after lines were put into a window."""
        self._windows.thin_out()
        self._changed()

    def amend(self, stored: StoredLine, line: MessageLine, window: ChatWindow) -> None:
        """Give the message in a line of a window another text, or something else after the text.

        Args:
            stored: The line.
            line: What it becomes; its head is not used, and neither is its text if that is empty.
            window: The window.
        """
        window.lines.change(stored, line.body or None, line.tail)
        stored.edited, stored.reactions = line.edited, line.reactions
        if line.body:
            stored.file = line.file
        self._changed()
