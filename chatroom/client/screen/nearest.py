"""What somebody may have meant who mistyped a name: the nearest of those that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from chatroom.names import fold

ALIKE = 0.66  # from 0 to 1: how much of two words must be the same
LONGEST = 64  # characters that are compared
MOST = 2000  # names that are compared


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like the word, but is not the same; None if none is like it.

    Args:
        word: What was typed.
        names: What could have been meant; the first ``MOST`` of them are looked at.
    """
    wanted = fold(word[:LONGEST])
    folded = {fold(name[:LONGEST]): name for name, _ in zip(names, range(MOST), strict=False)}
    folded.pop(wanted, None)
    found = get_close_matches(wanted, folded, n=1, cutoff=ALIKE)
    return folded[found[0]] if found else None
