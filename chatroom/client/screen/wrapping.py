"""Wrapping a line of styled text into the rows of a terminal, at the borders of words.

Every row but the first begins with blanks, so that no part of a long message can pose as a line of somebody else. The
further lines of a message of several lines, and what they are wrapped into, begin with ``    | ``.
"""

from __future__ import annotations

from collections.abc import Iterator

from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.colours import QUIET
from chatroom.model.text import CONTINUATION

Row = list[tuple[str, str]]
"""What is in one row: (style, text) after another."""

INDENT = "    "
NARROW = 16  # columns; a narrower terminal has shorter indents
_NARROW_INDENT = " "
_NARROW_FURTHER = "| "


def wrapped(pieces: Row, columns: int) -> list[Row]:
    """Return the rows of a line.

    Args:
        pieces: The line's clean text with its styles; a newline in it begins a further line of the same message.
        columns: The terminal's width.

    Returns:
        At least one row. A row is wider than the terminal only if the terminal is too narrow for one character.
    """
    rows: list[Row] = []
    for number, line in enumerate(_lines(pieces)):
        first, rest = _prefixes(number, columns)
        text = "".join(piece for _, piece in line)
        for start, end in _breaks(text, columns - len(first), columns - len(rest)):
            prefix = rest if start else first
            rows.append([*([(QUIET, prefix)] if prefix else []), *sliced(line, start, end)])
    return rows


def sliced(pieces: Row, start: int, end: int) -> Row:
    """Return the characters from ``start`` up to ``end`` with their styles."""
    row: Row = []
    at = 0
    for style, text in pieces:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            row.append((style, part))
        at += len(text)
    return row


def width(text: str) -> int:
    """Return the columns that a text takes."""
    return len(text) if text.isascii() else get_cwidth(text)


def _lines(pieces: Row) -> Iterator[Row]:
    """Yield the parts of a text between its newlines."""
    line: Row = []
    for style, text in pieces:
        head, *more = text.split("\n")
        line.append((style, head))
        for part in more:
            yield line
            line = [(style, part)]
    yield line


def _prefixes(number: int, columns: int) -> tuple[str, str]:
    """Return what the first row, and what each other row, of the line with that number (from 0) begins with."""
    if number:
        further = CONTINUATION if columns >= NARROW else _NARROW_FURTHER
        return further, further
    return "", INDENT if columns >= NARROW else _NARROW_INDENT


def _breaks(text: str, first: int, rest: int) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each row of a text.

    Args:
        text: The text, without newlines.
        first: The columns of the first row.
        rest: The columns of each other row.
    """
    start, room = 0, first
    while (end := _fitting(text, start, room)) < len(text):
        end = _cut(text, start, end, rest)
        yield start, start + len(text[start:end].rstrip(" "))
        start, room = end, rest
        while text[start : start + 1] == " ":
            start += 1
    if start < len(text) or not start:
        yield start, len(text)


def _fitting(text: str, start: int, room: int) -> int:
    """Return the position after the last character that fits into the columns; at least one character fits."""
    if text.isascii():
        return min(len(text), start + max(room, 1))
    end = start
    while end < len(text):
        room -= get_cwidth(text[end])
        if room < 0 and end > start:
            break
        end += 1
    return end


def _cut(text: str, start: int, end: int, rest: int) -> int:
    """Return where to end a row of which the text from ``start`` up to ``end`` would fit.

    A row ends at a blank, or between the wide characters of scripts without blanks. A word that would not fit into a
    row of its own is broken, so that no row is left half empty before it.
    """
    if text[end] == " ":
        return end
    blank = text.rfind(" ", start, end)
    if blank < 0 or text[start:blank].isspace() or blank == start or get_cwidth(text[end]) > 1:
        return end
    after = text.find(" ", end)
    word = text[blank + 1 : after if after >= 0 else len(text)]
    return end if len(word) > rest or width(word) > rest else blank
