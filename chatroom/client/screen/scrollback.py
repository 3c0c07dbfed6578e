"""The lines of one window, bounded in number and in characters. All text is cleaned here once more.

So nothing that a server sends can control the terminal: everything that is shown above the input line goes through
``Scrollback.add`` and ``Scrollback.change``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from chatroom.client.screen.wrapping import Row, sliced
from chatroom.model.events import EmojiReaction
from chatroom.model.text import clean

MOST = 4000  # lines of a window
MOST_TEXT = 128 * 1024  # characters of a window's lines
LONGEST = 16 * 1024  # characters of one line; the rest of a longer line is not shown
_CUT = "..."


@dataclass(slots=True, eq=False)
class StoredLine:
    """A line of a window, in little memory.

    Args:
        number: The line's number in its window; later lines have greater numbers.
        text: The whole text.
        styles: For each piece, where it ends in the text, and its style, one after the other.
        seq: The seq of the message in this line; 0 if there is none.
        id: The id of the message, if it is private: one that came sealed has no seq.
        start: Where the text of that message begins in ``text``.
        end: Where it ends.
        edited: When the message was last edited, in ms since 1970; 0 if it never was.
        reactions: The reactions to it.
        file: The name of the file, if the message shares one.
    """

    number: int
    text: str
    styles: tuple[int | str, ...]
    seq: int = 0
    id: str = ""
    start: int = 0
    end: int = 0
    edited: int = 0
    reactions: tuple[EmojiReaction, ...] = ()
    file: str = ""

    @property
    def pieces(self) -> Row:
        """The text in pieces, each with its style."""
        pieces, at = [], 0
        for i in range(0, len(self.styles), 2):
            end, style = self.styles[i], self.styles[i + 1]
            assert isinstance(end, int)
            assert isinstance(style, str)
            pieces.append((style, self.text[at:end]))
            at = end
        return pieces


class Scrollback:
    """The lines of a window.

    Attributes:
        size: The characters of all lines.
        mark: The number of the line before which the unread line is shown; 0 for none.
        hidden: The number of the last line that is hidden until the user scrolls back; 0 for none.
    """

    def __init__(self) -> None:
        self.size = 0
        self.mark = 0
        self.hidden = 0
        self._lines: list[StoredLine] = []
        self._next = 1

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[StoredLine]:
        return iter(self._lines)

    def __getitem__(self, index: int) -> StoredLine:
        return self._lines[index]

    def index(self, number: int) -> int:
        """Return the index of the line with that number; of the next one if it was dropped."""
        return bisect_left(self._lines, number, key=lambda line: line.number)

    def add(
        self, head: Row, body: Row | None = None, tail: Row | None = None, seq: int = 0, id: str = ""
    ) -> StoredLine:
        """Add a line, and drop the oldest if there are too many.

        Args:
            head: The pieces of the line; of a message, those before its text.
            body: The pieces of a message's text.
            tail: The pieces after it.
            seq: The seq of the message; 0 for a line that is no message.
            id: The id of the message, if it is private.
        """
        line = StoredLine(self._next, "", (), seq, id)
        _fill(line, head, body or [], tail or [])
        self._next += 1
        self._lines.append(line)
        self.size += len(line.text)
        self._fit()
        return line

    def first_message(self) -> int:
        """Return the number of the first line that holds a message; of the next new line if none does."""
        return next((line.number for line in self._lines if line.seq or line.end > line.start), self._next)

    @property
    def next(self) -> int:
        """The number of the next line that is added."""
        return self._next

    def place_of(self, seq: int, since: int) -> int:
        """Return the number of the line before which a message of a room belongs by its seq.

        Args:
            seq: The seq of the message.
            since: The number of the first line that counts; those before it show messages of an earlier stay.
        """
        place = self._next
        for line in reversed(self._lines):
            if line.number < since or 0 < line.seq <= seq:
                break
            place = line.number if line.seq else place
        return place

    def put_before(self, number: int, older: Scrollback) -> None:
        """Put the lines of another scrollback before the line with that number; drop the oldest if there are too many.

        The lines from there on get greater numbers.
        """
        at, count = self.index(number), len(older)
        for line in self._lines[at:]:
            line.number += count
        for place, line in enumerate(older, number):
            line.number = place
        self.mark += count if self.mark >= number else 0
        self.hidden += count if self.hidden >= number else 0
        self._next += count
        self._lines[at:at] = list(older)
        self.size += older.size
        self._fit()

    def _fit(self) -> None:
        while len(self._lines) > MOST or self.size > MOST_TEXT:
            self.drop()

    def drop(self, count: int = 1) -> None:
        """Drop the oldest lines, so many of them."""
        self.size -= sum(len(line.text) for line in self._lines[:count])
        del self._lines[:count]

    def hide_all(self) -> None:
        """Hide the present lines until the user scrolls back."""
        self.hidden = self._next - 1

    def take_from(self, other: Scrollback) -> None:
        """Begin with the lines of another window."""
        self._lines = list(other)
        self.size, self.mark, self.hidden, self._next = other.size, other.mark, other.hidden, other._next

    def find(self, seq: int) -> StoredLine | None:
        """Return the line of a message; None if it is not there any more."""
        return next((line for line in reversed(self._lines) if line.seq == seq), None) if seq else None

    def find_id(self, id: str) -> StoredLine | None:
        """Return the line of a private message by its id; None if it is not there any more."""
        return next((line for line in reversed(self._lines) if line.id == id), None) if id else None

    def change(self, line: StoredLine, body: Row | None, tail: Row) -> None:
        """Give the message in a line another text, and other pieces after it.

        Args:
            line: One of the lines.
            body: The pieces of the new text; None to keep the text.
            tail: The pieces after it.
        """
        before = len(line.text)
        head = sliced(line.pieces, 0, line.start)
        _fill(line, head, sliced(line.pieces, line.start, line.end) if body is None else body, tail)
        self.size += len(line.text) - before


def _fill(line: StoredLine, head: Row, body: Row, tail: Row) -> None:
    """Put these pieces, cleaned, into a line; only a message's text may have newlines."""
    texts: list[str] = []
    styles: list[int | str] = []
    at, ends = 0, []
    for part, clean_one in ((head, clean), (body, _clean_lines), (tail, clean)):
        for style, text in part:
            shown = clean_one(text if at + len(text) <= LONGEST else f"{text[: max(LONGEST - at, 0)]}{_CUT}")
            if shown and at < LONGEST:
                at += len(shown)
                texts.append(shown)
                styles += (at, style)
        ends.append(at)
    line.text, line.styles = "".join(texts), tuple(styles)
    line.start, line.end = ends[0], ends[1]


def _clean_lines(text: str) -> str:
    """Return a message's text without what acts on a terminal; the newlines between its lines stay."""
    return "\n".join(map(clean, text.split("\n"))) if "\n" in text else clean(text)
