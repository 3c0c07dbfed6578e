"""Drawing the window in front: its topic, if it has one, and its lines, the newest just above the input line."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.layout import Container, Dimension
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen, WritePosition
from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.hyperlinks import LinkTable
from chatroom.client.screen.scrolling import Viewport
from chatroom.client.screen.window_list import ChatWindow
from chatroom.client.screen.wrapping import Row

ROWS_FOR_TOPIC = 10  # rows of the area; a lower one shows no topic
_TOPIC = "class:topic"


class MessageArea(Container):
    """A part of the layout that writes rows of text into the screen's cells, without the detours of a text control.

    Args:
        front: Returns the window to draw.
        heading: Returns the row above the lines, given the width; None for no such row.
        drawn: Called after each drawing with the window that was drawn.
        links: Gives the links on the screen their numbers.
    """

    def __init__(
        self,
        front: Callable[[], ChatWindow],
        heading: Callable[[int], Row | None],
        drawn: Callable[[ChatWindow], None],
        links: LinkTable,
    ) -> None:
        self.view = Viewport()
        self._front = front
        self._heading = heading
        self._drawn = drawn
        self._links = links

    def reset(self) -> None:
        """See ``Container``."""

    def preferred_width(self, max_available_width: int) -> Dimension:
        """See ``Container``."""
        return Dimension()

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        """See ``Container``: the area takes what the input line and the bar leave."""
        return Dimension(min=1, preferred=1)

    def get_children(self) -> list[Container]:
        """See ``Container``."""
        return []

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """See ``Container``."""
        window, top, height = self._front(), write_position.ypos, write_position.height
        heading = self._heading(write_position.width) if height >= ROWS_FOR_TOPIC else None
        if heading is not None:
            screen.data_buffer[top].update(cells(heading))
            top, height = top + 1, height - 1
        self.view.resize(write_position.width, height)
        rows = self.view.rows(window) if height > 0 else []
        self._links.begin()
        for y, row in enumerate(rows, top + height - len(rows)):
            screen.data_buffer[y].update(cells([(self._links.style(style), text) for style, text in row]))
        self._drawn(window)


def cells(row: Row) -> dict[int, Char]:
    """Return the cells of a row by their columns; a mark joins the character before it."""
    found: dict[int, Char] = {}
    x = last = 0
    for style, text in row:
        for char in text:
            width = 1 if char.isascii() else get_cwidth(char)
            if width > 0:
                found[x] = _CHAR_CACHE[char, style]
                if width > 1:
                    found[x + 1] = _CHAR_CACHE["", style]
                last, x = x, x + width
            elif x:
                found[last] = Char(found[last].char + char, found[last].style)
    return found
