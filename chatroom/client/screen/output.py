"""Writing lines above the input line. Lines wait at most 20 ms for others, and are then written together.

If thousands of lines were written one by one, the input line would be redrawn as often. All text goes through ``clean``
here, so nothing that a server sends can control the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from chatroom.client.screen.formatter import Line
from chatroom.model.text import clean

TOGETHER = 0.02  # seconds that a line may wait
MOST = 200  # waiting lines; when there are so many, they are written at once
MOST_TEXT = 32 * 1024  # characters of the waiting lines; likewise


class Later(Protocol):
    """The part of a reactor that ``LineOutput`` uses."""

    def callLater(self, delay: float, call: Callable[[], None]) -> IDelayedCall: ...  # noqa: N802


class LineOutput:
    """Collects lines and writes them together.

    Args:
        reactor: Makes delayed calls.
        write: Writes pieces of styled text above the input line; each line ends with a piece that is a newline.
    """

    def __init__(self, reactor: Later, write: Callable[[Line], None]) -> None:
        self._reactor = reactor
        self._write = write
        self._waiting: list[Line] = []
        self._length = 0  # characters of the waiting lines
        self._call: IDelayedCall | None = None

    def add(self, line: Line) -> None:
        """Write a line, together with others, within 20 ms."""
        self._waiting.append(line)
        self._length += sum(len(text) for _, text in line)
        if len(self._waiting) >= MOST or self._length >= MOST_TEXT:
            self.flush()
        elif self._call is None:
            self._call = self._reactor.callLater(TOGETHER, self._due)

    def flush(self) -> None:
        """Write the waiting lines now."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        waiting, self._waiting, self._length = self._waiting, [], 0
        if waiting:
            self._write([piece for line in waiting for piece in (*map(_cleaned, line), ("", "\n"))])

    def _due(self) -> None:
        self._call = None
        self.flush()


def _cleaned(piece: tuple[str, str]) -> tuple[str, str]:
    style, text = piece
    return style, clean(text)
