"""What a person's line comes to when it was corrected while it was typed: the erasing keys are obeyed, not sent on.

Whoever types through a terminal that sends each key at once (PuTTY at a password question, a terminal in raw mode)
sends Backspace as a byte. The line is corrected when it is complete, so a correction never reaches back into the line
before, and what is held and charged is what was sent.
"""

from __future__ import annotations

import re
import unicodedata

ERASE = b"\x7f"  # DEL, what the Backspace key of most terminals sends; others send BS. Telnet's EC becomes this, too
KILL = b"\x15"  # Ctrl-U: erase the line. Telnet's EL becomes this

_EDITING = re.compile(rb"[\x08\x7f\x15]")
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def edited(line: bytes) -> bytes:
    """Return a line as its author meant it.

    Args:
        line: Bytes, without the line's end. They need not be UTF-8; a byte that is not is a character of its own.

    Returns:
        The line without erasing keys and what they erased; the same object if there are none.
    """
    if not _EDITING.search(line):
        return line
    kept: list[str] = []
    for char in line.decode("utf-8", "surrogateescape"):
        if char in "\b\x7f":
            _erase(kept)
        elif char == "\x15":
            kept.clear()
        else:
            kept.append(char)
    return "".join(kept).encode("utf-8", "surrogateescape")


def _erase(kept: list[str]) -> None:
    """Remove the last character as a person sees it: with its combining marks, an emoji with all that it is made of."""
    while kept:
        char = kept.pop()
        if not _extends(char) and not (kept and kept[-1] == _JOINER):
            return


def _extends(char: str) -> bool:
    """Return whether a character only adds to the one before."""
    return char == _JOINER or unicodedata.category(char)[0] == "M" or ord(char) in _SKIN_TONES
