"""Suggests the name or command that was probably meant when one was mistyped."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from chatroom.model.names import fold

ALIKE = 0.75  # the least likeness of two words, as ``difflib`` computes it, from 0 to 1
SHORT = 4  # characters of the longest word for which ``ALIKE_IF_SHORT`` holds instead
ALIKE_IF_SHORT = 0.66  # two letters of three are the same, as in /mgs for /msg
LONGEST = 64  # characters of a word that are compared
MOST = 2000  # names that are compared
MORE = 2  # characters by which two like words may differ in length


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like a word without being the same; None if no name is like it.

    Args:
        word: The word that was typed.
        names: The names that exist; only the first ``MOST`` are compared.
    """
    wanted = fold(word[:LONGEST])
    folded = {fold(name[:LONGEST]): name for name in islice(names, MOST)}
    folded = {one: name for one, name in folded.items() if one != wanted and abs(len(one) - len(wanted)) <= MORE}
    cutoff = ALIKE_IF_SHORT if len(wanted) <= SHORT else ALIKE
    from difflib import get_close_matches  # 400 kB that are only needed after a slip

    found = get_close_matches(wanted, folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def hint(word: str, known: Iterable[str], slash: str = "/") -> str:
    """Return what to add to the refusal of an unknown command: `` Did you mean /join?``, or an empty text.

    Args:
        word: The unknown command, without a slash.
        known: The commands that exist, without a slash.
        slash: What stands before a command's name; empty for programs, whose commands have nothing before it.
    """
    names = list(known)
    meant = word.lower() if word.lower() in names else nearest(word, names)
    return f" Did you mean {slash}{meant}?" if meant else ""
