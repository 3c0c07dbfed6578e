"""Which rows of a window fill the screen, and scrolling. Lines are wrapped only when they are to be shown."""

from __future__ import annotations

from chatroom.client.screen.colours import MARK, NOTICE
from chatroom.client.screen.hyperlinks import with_links
from chatroom.client.screen.scrollback import StoredLine
from chatroom.client.screen.window_list import ChatWindow, Position
from chatroom.client.screen.wrapping import Row, wrapped

MOST_ROWS = 200  # of wrapped lines that are remembered
_RULE = "-" * 12
_UNREAD = f"{_RULE} new since you looked away {_RULE}"

_Place = tuple[int, int]  # the index of a line, and the number of a row in it


class Viewport:
    """The part of the screen that shows the lines of the window in front.

    Attributes:
        columns: Its width.
        height: Its rows.
    """

    def __init__(self) -> None:
        self.columns = 80
        self.height = 20
        self._wrapped: dict[StoredLine, tuple[str, list[Row]]] = {}
        self._remembered = 0  # rows in it

    def resize(self, columns: int, height: int) -> None:
        """Take a new size, in columns and rows; lines are wrapped anew for it."""
        if columns != self.columns:
            self._forget()
        self.columns, self.height = columns, height

    def rows(self, window: ChatWindow) -> list[Row]:
        """Return the rows to show, at most as many as fit; the last row of a window that is scrolled back says so."""
        last = self._last(window)
        if last is None:
            return []
        if window.position is None or self.height < 2:
            first = window.lines.index(window.lines.hidden + 1)
            return self._up_to(window, last, self.height, first)
        return [*self._up_to(window, last, self.height - 1), self._more(len(window.lines) - 1 - last[0])]

    def up(self, window: ChatWindow) -> None:
        """Scroll back by a screenful less one row, at most to the oldest line; hidden lines are shown again."""
        window.lines.hidden = 0
        last, end = self._last(window), self._end(window)
        if last is None or self._moved(window, (0, 0), self.height - 1) == end:
            return  # everything is shown
        top = self._moved(window, (0, 0), self.height - 2)
        self._go(window, max(self._moved(window, last, -self._page), top))

    def down(self, window: ChatWindow) -> None:
        """Scroll forward by a screenful less one row; at the newest line, show whatever comes from now on, too."""
        last = self._last(window)
        if last is not None and window.position is not None:
            self._go(window, self._moved(window, last, self._page))

    # ---- places ----------------------------------------------------------------------------------------------------

    @property
    def _page(self) -> int:
        return max(self.height - 2, 1)

    def _go(self, window: ChatWindow, place: _Place) -> None:
        """Make this the last row that is shown."""
        at_end = place >= self._end(window)
        window.position = None if at_end else Position(window.lines[place[0]].number, place[1])

    def _end(self, window: ChatWindow) -> _Place:
        last = len(window.lines) - 1
        return last, len(self._rows_of(window, last)) - 1 if last >= 0 else 0

    def _last(self, window: ChatWindow) -> _Place | None:
        """Return the place of the last row that is shown; None if the window has no lines."""
        if not len(window.lines):
            return None
        if window.position is None:
            return self._end(window)
        index = min(window.lines.index(window.position.number), len(window.lines) - 1)
        return index, min(window.position.row, len(self._rows_of(window, index)) - 1)

    def _moved(self, window: ChatWindow, place: _Place, by: int) -> _Place:
        """Return the place so many rows further down, or up if ``by`` is negative; at most the first or the last."""
        index, row = place
        row += by
        while row < 0 and index > 0:
            index -= 1
            row += len(self._rows_of(window, index))
        while (over := row - len(self._rows_of(window, index))) >= 0 and index < len(window.lines) - 1:
            index, row = index + 1, over
        return index, max(min(row, len(self._rows_of(window, index)) - 1), 0)

    # ---- rows ------------------------------------------------------------------------------------------------------

    def _up_to(self, window: ChatWindow, last: _Place, count: int, first: int = 0) -> list[Row]:
        """Return so many rows, or fewer if there are no more, of which that one is the last.

        Args:
            window: The window.
            last: The place of the last row.
            count: The number of rows.
            first: The index of the first line that may be among them.
        """
        index, row = last
        if index < first:
            return []
        rows = self._rows_of(window, index)[: row + 1]
        while len(rows) < count and index > first:
            index -= 1
            rows = [*self._rows_of(window, index), *rows]
        return rows[-count:]

    def _rows_of(self, window: ChatWindow, index: int) -> list[Row]:
        """Return the rows of a line, after the unread line if that stands before it."""
        line = window.lines[index]
        known = self._wrapped.get(line)
        if known is None or known[0] is not line.text:
            if self._remembered >= MOST_ROWS:
                self._forget()
            known = self._wrapped[line] = line.text, wrapped(with_links(line.pieces), self.columns)
            self._remembered += len(known[1])
        marked = line.number == window.lines.mark
        return [[(MARK, _UNREAD[: self.columns])], *known[1]] if marked else known[1]

    def _forget(self) -> None:
        self._wrapped.clear()
        self._remembered = 0

    def _more(self, below: int) -> Row:
        """Return the row that says how many lines are further down."""
        lines = f"{below} more line{'s' if below != 1 else ''} below" if below else "more below"
        text = f"-- {lines}; the End key shows the newest --"
        short = f"-- {below} below --" if below else "-- more below --"
        return [(NOTICE, text if len(text) <= self.columns else short[: self.columns])]
