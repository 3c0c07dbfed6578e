"""A line editor: the text, the cursor, and a history of lines. It knows no terminal."""

from __future__ import annotations

import re

MOST = 4096  # characters of a line
REMEMBERED = 200  # lines

_LAST_WORD = re.compile(r"\w*\W*\Z")


class Editor:
    """A line that is being edited.

    Attributes:
        text: The text of the line.
        cursor: The index of the character after the cursor.
    """

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self._history: list[str] = []
        self._at = 0  # the index of the shown line in the history; len(history) if it is the line being typed
        self._typed = ""  # the line being typed, while a line of the history is shown

    def insert(self, text: str) -> None:
        """Insert text before the cursor. Characters that would make the line longer than ``MOST`` are dropped."""
        text = text[: MOST - len(self.text)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def replace(self, text: str) -> None:
        """Replace the line, and put the cursor at its end."""
        self.text = text[:MOST]
        self.cursor = len(self.text)

    def finish(self) -> str:
        """Return the line and begin an empty one."""
        line, self.text, self.cursor = self.text, "", 0
        self._at = len(self._history)
        return line

    def remember(self, line: str) -> None:
        """Add a line to the history."""
        if line.strip() and self._history[-1:] != [line]:
            self._history = [*self._history, line][-REMEMBERED:]
        self._at = len(self._history)

    # ---- keys ------------------------------------------------------------------------------------------------------

    def left(self) -> None:
        """Move the cursor one character to the left."""
        self.cursor = max(0, self.cursor - 1)

    def right(self) -> None:
        """Move the cursor one character to the right."""
        self.cursor = min(len(self.text), self.cursor + 1)

    def home(self) -> None:
        """Move the cursor to the beginning."""
        self.cursor = 0

    def end(self) -> None:
        """Move the cursor to the end."""
        self.cursor = len(self.text)

    def backspace(self) -> None:
        """Delete the character before the cursor."""
        if self.cursor:
            self._cut(self.cursor - 1, self.cursor)

    def delete(self) -> None:
        """Delete the character after the cursor."""
        self._cut(self.cursor, self.cursor + 1)

    def cut_to_end(self) -> None:
        """Delete everything after the cursor."""
        self._cut(self.cursor, len(self.text))

    def cut_to_start(self) -> None:
        """Delete everything before the cursor."""
        self._cut(0, self.cursor)

    def cut_word(self) -> None:
        """Delete the word before the cursor."""
        match = _LAST_WORD.search(self.text, 0, self.cursor)
        self._cut(match.start() if match else 0, self.cursor)

    def older(self) -> None:
        """Show the previous line of the history."""
        self._show(self._at - 1)

    def newer(self) -> None:
        """Show the next line of the history."""
        self._show(self._at + 1)

    def _show(self, at: int) -> None:
        """Show the line at that index of the history, or the line being typed if the index is beyond its end."""
        if 0 <= at <= len(self._history) and at != self._at:
            if self._at == len(self._history):
                self._typed = self.text
            self._at = at
            self.replace(self._typed if at == len(self._history) else self._history[at])

    def _cut(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start
