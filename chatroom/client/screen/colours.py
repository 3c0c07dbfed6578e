"""The styles of everything on the screen, and a colour for each name that stays the same.

The colours are among the terminal's 256 and contrast with black and with white, so nobody has to tell the client what
the background is. Any two colours of ``PALETTE`` can be told apart (tests/client/screen/test_formatter.py computes
both).
"""

from __future__ import annotations

import hashlib

from chatroom.model.names import fold

PALETTE = (
    "#d75f00", "#0087d7", "#008700", "#af00d7", "#878700", "#5f5fff", "#af5f5f", "#5f8787", "#ff0087", "#875f87",
)  # fmt: skip

PLAIN = ""
QUIET = "#767676"  # times, joins and leaves
NOTICE = "italic"  # what the client itself says
ERROR = "#d70000 bold"
PRIVATE = "#af00d7"
MENTION = "reverse"
LOUD = "bold"
MARK = "#af5f00"
STYLES = (PLAIN, QUIET, NOTICE, ERROR, PRIVATE, MENTION, LOUD, MARK)

MOST = 200  # names that keep their colour
RECENT = 40  # names: a user whose name is not among the last so many shown counts as silent


class Colours:
    """Gives each name a colour: the colour that its letters determine, unless a user who is talking has that colour."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}  # by folded name; the name shown last is at the end

    def of(self, name: str) -> str:
        """Return the style of a name. It stays the same while the name is in use, in upper and lower case."""
        key = fold(name)
        colour = self._given.pop(key, None)
        self._given[key] = self._choose(key) if colour is None else colour
        if len(self._given) > MOST:
            del self._given[next(iter(self._given))]
        return f"{PALETTE[self._given[key]]} bold"

    def _choose(self, key: str) -> int:
        """Return the index of a colour that no talking user has, or else of the colour that was shown longest ago."""
        first = hashlib.blake2s(key.encode("utf-8", "replace")).digest()[0]
        ago = dict.fromkeys(range(len(PALETTE)), RECENT)
        for names, colour in enumerate(list(reversed(self._given.values()))[:RECENT]):
            ago[colour] = min(ago[colour], names)
        return max(((first + i) % len(PALETTE) for i in range(len(PALETTE))), key=ago.__getitem__)
