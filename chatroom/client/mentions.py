"""Where a text mentions somebody: the whole name, however its case and accents are typed.

``bob-2`` and ``jim-bob`` are other people's names; ``bob.``, ``@bob`` and ``bob's`` mention bob.
"""

from __future__ import annotations

import re
from unicodedata import category

from chatroom.model.names import ROOM_LIMIT, fold

_PUNCTUATION = "-_."  # what a name may contain, and what may as well stand beside it
_WORD = re.compile(r"[^\s!-,/:-@\[-^`{-~]+")  # no white space, and of the punctuation of ASCII only that of names


def mentions(text: str, name: str) -> list[tuple[int, int]]:
    """Return the places, from and to, where a text mentions somebody.

    Args:
        text: What was said.
        name: What that somebody is called.
    """
    wanted = fold(name)
    found = []
    for match in _WORD.finditer(text):
        for start, end in _words(text, *match.span()):
            place = _place(text, start, end, wanted)
            if place is not None:
                found.append(place)
    return found


def _words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the words in a run of characters: other scripts have punctuation, too."""
    if text[start:end].isascii():
        return [(start, end)]
    words, first = [], start
    for at in range(start, end + 1):
        if at == end or not (text[at] in _PUNCTUATION or category(text[at])[0] in "LMN"):
            words.append((first, at))
            first = at + 1
    return words


def _place(text: str, start: int, end: int, wanted: str) -> tuple[int, int] | None:
    """Return where in a word the name stands: all of it, but for punctuation at its ends."""
    while start < end and text[start] in _PUNCTUATION:
        start += 1  # no name begins with it
    while start < end:
        if end - start <= 2 * ROOM_LIMIT and fold(text[start:end]) == wanted:
            return start, end
        if text[end - 1] not in _PUNCTUATION:
            return None
        end -= 1
    return None
