"""What somebody may have meant who mistyped a name or a command: the nearest of those that there are."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from chatroom.model.names import fold

ALIKE = 0.75  # from 0 to 1: how much of two words must be the same
SHORT = 4  # characters of a word ...
ALIKE_IF_SHORT = 0.66  # ... of which two letters of three are enough, as in /mgs
LONGEST = 64  # characters that are compared
MOST = 2000  # names that are compared
MORE = 2  # characters that may be missing or too many


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like the word, but is not the same; None if none is like it.

    Args:
        word: What was typed.
        names: What could have been meant; the first ``MOST`` of them are looked at.
    """
    wanted = fold(word[:LONGEST])
    folded = {fold(name[:LONGEST]): name for name in islice(names, MOST)}
    folded = {one: name for one, name in folded.items() if one != wanted and abs(len(one) - len(wanted)) <= MORE}
    cutoff = ALIKE_IF_SHORT if len(wanted) <= SHORT else ALIKE
    from difflib import get_close_matches  # 400 kB that nobody needs who does not mistype

    found = get_close_matches(wanted, folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def hint(word: str, known: Iterable[str], slash: str = "/") -> str:
    """Return what to add to the refusal of an unknown command: `` Did you mean /join?``, or nothing.

    Args:
        word: What was given, without a slash.
        known: The commands that there are, without a slash.
        slash: What commands begin with; empty for records.
    """
    names = list(known)
    meant = word.lower() if word.lower() in names else nearest(word, names)
    return f" Did you mean {slash}{meant}?" if meant else ""
