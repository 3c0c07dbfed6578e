"""What things look like: one style each, and for every name a colour that stays its own.

The colours are of the 256 that terminals have, and only such that contrast with black and with white alike
(tests/client/screen/test_colours.py computes it): nobody has to tell the client what their background is.
"""

from __future__ import annotations

import hashlib

from chatroom.names import fold

PALETTE = (
    "#d75f00", "#878700", "#5f8700", "#008700", "#00875f", "#008787", "#0087af", "#0087d7",
    "#005fff", "#875fff", "#af5fd7", "#d700d7", "#d700af", "#d7005f", "#af5f5f", "#af5f87",
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


def colour_of(name: str) -> str:
    """Return the style of a name: the same in every run, on every machine and in any case of its letters."""
    digest = hashlib.blake2s(fold(name).encode("utf-8", "replace")).digest()
    return f"{PALETTE[digest[0] % len(PALETTE)]} bold"
