"""What may and what may not be written to a terminal by the client."""

from __future__ import annotations

import re
from typing import Any

import pyte

# What the client (and bash before it) writes on purpose: cursor moves, erasing what is below or to the right, its own
# colours, and the modes that it sets and takes back, as that of the screen of its own (1049).
OWN = re.compile(
    r"""\x1b\[ (?: \d*[A-D] | 0?[JK] | (?:1;1)?H
             | \?(?:1|7|12|25|1004|1007|1049|2004|2026)[hl] | \?1007[rs] | (?:0|1|3|7|38;5;\d+|48;5;\d+|;)*m )""",
    re.VERBOSE,
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # whatever they are, as tmux writes them anew
ALIEN = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")

_MODE = re.compile(rb"\x1b\[\?(\d+)([hl])")
_ON_BY_DEFAULT = {b"7", b"25", b"1007"}  # long lines go on below; the cursor is seen; the wheel is for other programs


def modes_left(written: bytes) -> list[str]:
    """Return the modes that are not as they are by default after all that was written."""
    last = dict(_MODE.findall(written))
    return sorted(mode.decode() for mode, on in last.items() if (on == b"h") != (mode in _ON_BY_DEFAULT))


class Screen(pyte.Screen):
    """A screen that takes the restoring of a mode for what it is; pyte takes it for margins, and fails."""

    def set_margins(self, *args: Any, private: bool = False, **more: Any) -> None:
        if not private:
            super().set_margins(*args, **more)
