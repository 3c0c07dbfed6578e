"""What the user has typed, and the server or this client has refused: it is kept, so that it can be sent again."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.errors import Rejected
from chatroom.client.screen.formatter import notice
from chatroom.client.screen.window_list import ChatWindow, Windows
from chatroom.client.screen.window_output import WindowOutput


class HasDraft(Protocol):
    """The part of a ``Terminal`` that is needed here.

    Attributes:
        draft: What is typed in the input line, and the position of the cursor in it.
    """

    draft: tuple[str, int]


class Unsent:
    """Puts lines back where they were typed.

    Args:
        windows: The windows.
        terminal: Has the input line.
        output: Adds lines to the windows.
    """

    def __init__(self, windows: Windows, terminal: HasDraft, output: WindowOutput) -> None:
        self._windows = windows
        self._terminal = terminal
        self._output = output

    def put_back(self, line: str, window: ChatWindow, refused: Rejected) -> None:
        """Put a line back into the input line of its window. Only show the line if something else is typed there, or
        if there is no connection any more: Enter on an empty line makes one.

        Args:
            line: The line, as it was typed.
            window: The window in which it was typed.
            refused: Why it was not sent.
        """
        front = self._windows.front
        there = self._terminal.draft[0] if window is front else window.draft
        if there or refused.code == "ended" or window not in list(self._windows):
            self.show(line, window)
        elif window is front:
            self._terminal.draft = line, len(line)
        else:
            window.draft, window.cursor = line, len(line)
            self._show(f"what you typed in {window.label} was not sent; it stands in the input line there.", front)

    def show(self, line: str, window: ChatWindow) -> None:
        """Show a line that was not sent."""
        self._show(f"not sent to {window.label}: {line}", window)

    def _show(self, text: str, window: ChatWindow) -> None:
        """Show a text in a window; in the one in front, if that window was closed."""
        for line in text.split("\n"):
            self._output.add(notice(line), window if window in list(self._windows) else None)


def as_typed(text: str) -> str:
    """Return the line that says a text: one slash more, if the text begins with one."""
    return f"/{text}" if text.startswith("/") else text
