"""What things look like: one style each, and for every name a colour that stays its own.

The colours are of the 256 that terminals have, and only such that contrast with black and with white alike: nobody has
to tell the client what their background is. Any two colours of ``PALETTE`` can be told apart
(tests/client/screen/test_formatter.py computes both).
"""

from __future__ import annotations

import hashlib

from chatroom.model.names import fold

PALETTE = (
    "#d75f00", "#0087d7", "#008700", "#af00d7", "#878700", "#5f5fff", "#af5f5f", "#5f8787", "#ff0087", "#875f87",
)  # fmt: skip

PLAIN = ""
QUIET = "#767676"  # times, and what merely happens
NOTICE = "italic"  # what the client itself says
ERROR = "#d70000 bold"
PRIVATE = "#af00d7"
MENTION = "reverse"
LOUD = "bold"
MARK = "#af5f00"
STYLES = (PLAIN, QUIET, NOTICE, ERROR, PRIVATE, MENTION, LOUD, MARK)

MOST = 200  # names that keep their colour
RECENT = 40  # names: who was shown before the last so many is not talking any more


class Colours:
    """Gives names their colours: the one that the name's letters ask for, unless somebody who is talking has it."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}  # by folded name, those shown last at the end

    def of(self, name: str) -> str:
        """Return the style of a name; it stays the same, in any case of the name's letters, as long as it is in use."""
        key = fold(name)
        colour = self._given.pop(key, None)
        self._given[key] = self._choose(key) if colour is None else colour
        if len(self._given) > MOST:
            del self._given[next(iter(self._given))]
        return f"{PALETTE[self._given[key]]} bold"

    def _choose(self, key: str) -> int:
        """Return a colour that nobody has who is talking; if all are taken, that of whoever was shown longest ago."""
        first = hashlib.blake2s(key.encode("utf-8", "replace")).digest()[0]
        ago = dict.fromkeys(range(len(PALETTE)), RECENT)
        for names, colour in enumerate(list(reversed(self._given.values()))[:RECENT]):
            ago[colour] = min(ago[colour], names)
        return max(((first + i) % len(PALETTE) for i in range(len(PALETTE))), key=ago.__getitem__)
