"""Finds mentions of a user in a text: the whole name, in any case and with accents typed in any way.

``bob-2`` and ``jim-bob`` are other people's names; ``bob.``, ``@bob`` and ``bob's`` mention bob.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, normalize

from chatroom.model.names import ROOM_LIMIT, fold

_PUNCTUATION = "-_."  # may be part of a name, and may also stand beside it
_MOST_REMEMBERED = 10_000  # characters
_WORD = re.compile(r"[^\s!-,/:-@\[-^`{-~]+")  # no white space, no ASCII punctuation except that of names


def mentions(text: str, name: str) -> list[tuple[int, int]]:
    """Return where a text mentions a user, as pairs of start and end.

    Args:
        text: The text of a message.
        name: The name of the user.
    """
    return list(_each(text, name))


def is_mentioned(text: str, name: str) -> bool:
    """Return whether a text mentions a user; quicker than ``mentions``, since one mention is enough."""
    return any(True for _ in _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield what ``mentions`` returns."""
    wanted = fold(name)
    part = _loose(wanted)
    if part not in _loose(text):  # most texts mention nobody, and comparing each word takes a hundred times longer
        return
    bare = part.strip(_PUNCTUATION)
    for match in _WORD.finditer(text if text.isascii() else text.translate(_SEPARATED)):
        start, end = match.span()
        if _loose(text[start:end]).strip(_PUNCTUATION) == bare:
            place = _place(text, start, end, wanted)
            if place is not None:
                yield place


def _loose(text: str) -> str:
    """Return a form of a text that is quickly made: if two names are the same, so are their forms.

    Where a name occurs in a text, its form occurs in the form of the text.
    """
    if text.isascii():
        return text.lower()
    # Twice, since lower case can be decomposed anew. The sigma at the end of a word depends on what follows the word.
    return normalize("NFKC", normalize("NFKC", text).lower()).replace("\u03c2", "\u03c3")


class _Separators(dict[int, int]):
    """A table for ``str.translate`` that replaces what separates words in any script by blanks."""

    def __missing__(self, point: int) -> int:
        """Return the code point that stands for another one, and remember it."""
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        char = chr(point)
        self[point] = point if char in _PUNCTUATION or category(char)[0] in "LMN" else ord(" ")
        return self[point]


_SEPARATED = _Separators()


def _place(text: str, start: int, end: int, wanted: str) -> tuple[int, int] | None:
    """Return start and end of the wanted name in a word; None unless it is the word without punctuation at its ends."""
    while start < end and text[start] in _PUNCTUATION:
        start += 1  # no name begins with punctuation
    while start < end:
        if end - start <= 2 * ROOM_LIMIT and fold(text[start:end]) == wanted:
            return start, end
        if text[end - 1] not in _PUNCTUATION:
            return None
        end -= 1
    return None
