"""Removing the input line and the bar from the terminal without a trace, even after its width has changed.

Two things would leave traces. Most terminals rewrap lines when they become narrower, so the cursor is then further
below the first row of the input line than when it was drawn. And if "erase to the end of the screen" begins in the top
row, tmux keeps the erased rows in its scrollback; it does not keep deleted rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.screen import Char, Screen
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import Renderer
from prompt_toolkit.styles import BaseStyle


def wraps_anew(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal rewraps its lines when its width changes; all but a few old terminals do.

    Args:
        environ: The environment variables of this process, which tell the kind of terminal.
    """
    term = environ.get("TERM", "")
    screen = "STY" in environ or (term.startswith("screen") and "TMUX" not in environ)
    return not (screen or "XTERM_VERSION" in environ or term in ("linux", "vt100", "vt220"))


class Redraw(Renderer):
    """Draws and erases the input line and the bar below it.

    Args:
        style: The styles of the input line, the bar and the completion menu.
        output: The terminal.
        wraps_anew: Whether the terminal wraps its lines anew when its width changes.
    """

    def __init__(self, style: BaseStyle, output: Output, *, wraps_anew: bool) -> None:
        super().__init__(style, output)
        self._wraps_anew = wraps_anew

    def render(self, app: Application[Any], layout: Layout, is_done: bool = False) -> None:
        """Draw what has changed; if the terminal's size has changed, erase and draw everything."""
        if self._last_size is not None and self._last_size != self.output.get_size():
            self.erase()
        super().render(app, layout, is_done)

    def erase(self, leave_alternate_screen: bool = True) -> None:
        """Delete the rows that were drawn, and leave the cursor where the first of them was."""
        size = self.output.get_size()
        width = self._last_size.columns if self._last_size is not None else size.columns
        x, y = self._cursor_pos
        if self._last_screen is not None and self._wraps_anew and size.columns < width:
            y = self._rows_above_cursor(self._last_screen, width, size.columns)
        self.output.cursor_backward(max(x, size.columns))
        self.output.cursor_up(y)
        self.output.reset_attributes()
        self.output.write_raw(f"\x1b[{size.rows}M")
        self.output.enable_autowrap()
        self.output.flush()
        self.reset(leave_alternate_screen=leave_alternate_screen)

    def _rows_above_cursor(self, screen: Screen, drawn: int, columns: int) -> int:
        """Return the number of rows above the cursor's row after the terminal has rewrapped its lines.

        Args:
            screen: The characters that were drawn last.
            drawn: The terminal's width in columns when they were drawn.
            columns: The terminal's width in columns now.
        """
        x, y = self._cursor_pos
        rows = sum(_wrapped(self._widths(screen, row, drawn), columns)[-1] + 1 for row in range(y))
        before, widths = 0, self._widths(screen, y, drawn)
        ends = _wrapped(widths, columns)
        for width, row in zip(widths, ends, strict=False):
            before += width
            if before > x:
                return rows + row
        return rows + ends[-1]

    def _widths(self, screen: Screen, row: int, drawn: int) -> list[int]:
        """Return the widths of the characters in a drawn row, without the unstyled spaces at its end.

        Args:
            screen: The characters that were drawn last.
            row: The number of the row.
            drawn: The terminal's width in columns when they were drawn.
        """
        cells: Mapping[int, Char] = screen.data_buffer[row]
        styled: Mapping[str, bool] = self._style_string_has_style or {}
        seen = (i for i, cell in cells.items() if cell.char != " " or styled[cell.style])
        widths: list[int] = []
        i, last = 0, min(max(seen, default=-1), drawn - 1)
        while i <= last:
            widths.append(cells[i].width or 1)
            i += widths[-1]
        return widths


def _wrapped(widths: list[int], columns: int) -> list[int]:
    """Return the row (0 for the first) in which each character of a line lands when the terminal wraps the line.

    Args:
        widths: The widths of the characters, in columns.
        columns: The terminal's width.

    Returns:
        ``[0]`` for a line without characters, which takes a row as well.
    """
    rows, row, column = [], 0, 0
    for width in widths:
        if column + width > columns:
            row, column = row + 1, 0
        column += width
        rows.append(row)
    return rows or [0]
