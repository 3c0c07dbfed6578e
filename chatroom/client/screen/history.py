"""The history of typed lines, without passwords. Each server has a file of its own, which only its owner can read.

In the file an entry is one line. A message of several lines has U+000B (VT) between them there, which cannot be typed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import History

MOST = 1000  # lines kept
LONGEST = 4096  # characters, as many as a message has at most; longer entries are not kept in the file
_LINE_END = "\v"


class SavedHistory(History):
    """The lines that the arrow keys recall.

    A line that may hold a password is not kept here.

    Args:
        path: The file; its folder is made when there is something to write. If the file cannot be read or written,
            the history works without it.
        secret: Returns whether a line may hold a password.
        private: Returns whether a line is private: it is recalled in this run, and not kept in the file.
    """

    def __init__(
        self, path: Path, secret: Callable[[str], bool], private: Callable[[str], bool] = lambda line: False
    ) -> None:
        super().__init__()
        self._private = private
        self._path = path
        self._secret = secret

    def load_history_strings(self) -> Iterable[str]:
        """See ``History``: return the lines, the newest first. A file that has grown is cut to the newest lines."""
        try:
            lines = self._path.read_text("utf-8-sig", "replace").split("\n")
        except OSError:
            return []
        entries = [line for line in lines if line]
        if len(entries) > 2 * MOST:
            self._write("w", entries[-MOST:])
        return [entry.replace(_LINE_END, "\n") for entry in reversed(entries[-MOST:])]

    def append_string(self, string: str) -> None:
        """See ``History``: add a line, unless it is blank or may hold a password."""
        if string.strip() and not self._secret(string):
            super().append_string(string)
            del self._loaded_strings[MOST:]

    def store_string(self, string: str) -> None:
        """See ``History``: add an entry to the file, unless it is very long or private."""
        if len(string) <= LONGEST and not self._private(string):
            self._write("a", [_LINE_END.join(" ".join(line.splitlines()) for line in string.split("\n"))])

    def _write(self, mode: str, lines: list[str]) -> None:
        """Write lines to the file, opened in this mode; do nothing if that fails."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path, mode, encoding="utf-8", errors="replace", opener=private) as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError:
            return


def private(path: str, flags: int) -> int:
    """Open a file so that, if it is new, only its owner can read it. This is an ``opener`` for ``open``."""
    return os.open(path, flags, 0o600)
