"""Drawing on the whole screen, and giving it back.

The client draws on the terminal's alternate screen, as an editor does. So the shell's screen comes back when the client
stops or ends, and a resize leaves no trace: the alternate screen is never rewrapped or kept by the terminal.
"""

from __future__ import annotations

from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import Renderer
from prompt_toolkit.styles import BaseStyle

# Terminals that support this show a whole update at once.
_TOGETHER, _TOGETHER_UNTIL_HERE = "\x1b[?2026h", "\x1b[?2026l"
# On the alternate screen, many terminals turn the mouse wheel into arrow keys, which would recall old lines. Those that
# cannot save and restore this mode (1007) mostly begin with it, so it is set before it is restored.
_SAVE_WHEEL, _WHEEL_TYPES_NOTHING, _WHEEL_AS_BEFORE = "\x1b[?1007s", "\x1b[?1007l", "\x1b[?1007h\x1b[?1007r"


class FullScreen(Renderer):
    """Draws everything that the application shows.

    Args:
        style: The styles of the input line, the bar and the completion menu.
        output: The terminal.
    """

    def __init__(self, style: BaseStyle, output: Output) -> None:
        self._wheel_saved = False
        super().__init__(style, output, full_screen=True)

    def render(self, app: Application[Any], layout: Layout, is_done: bool = False) -> None:
        """Draw what has changed; if the terminal's size has changed, erase and draw everything."""
        self.output.write_raw(_TOGETHER)
        if not self._in_alternate_screen:
            self.output.enter_alternate_screen()
            self._in_alternate_screen = True
            self.output.write_raw("" if self._wheel_saved else _SAVE_WHEEL)
            self.output.write_raw(_WHEEL_TYPES_NOTHING)
            self._wheel_saved = True
            self._home()
        elif self._last_size is not None and self._last_size != self.output.get_size():
            self._home()
        super().render(app, layout, is_done)
        self.output.write_raw(_TOGETHER_UNTIL_HERE)
        self.output.flush()

    def erase(self, leave_alternate_screen: bool = True) -> None:
        """Erase everything that was drawn, and give the shell's screen back unless told otherwise."""
        if self._in_alternate_screen:
            self._home()
        super().erase(leave_alternate_screen)

    def reset(self, _scroll: bool = False, leave_alternate_screen: bool = True) -> None:
        """Forget what was drawn; give the shell's screen back, and the mouse wheel as it was, unless told otherwise."""
        if self._wheel_saved and leave_alternate_screen:
            self.output.write_raw(_WHEEL_AS_BEFORE)
            self._wheel_saved = False
        super().reset(_scroll, leave_alternate_screen)

    def draw_anew(self, app: Application[Any]) -> None:
        """Take the screen again and draw everything, whatever is on the terminal now."""
        self.reset(leave_alternate_screen=False)
        self._in_alternate_screen = False
        self.render(app, app.layout)

    def _home(self) -> None:
        """Move the cursor to the first cell, because after a change of the size nobody knows where it is."""
        self.output.cursor_goto(1, 1)
        self._cursor_pos = Point(x=0, y=0)
