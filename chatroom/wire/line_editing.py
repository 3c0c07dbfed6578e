"""Applies the erasing keys in a line that a person corrected while typing it.

A terminal that sends each key at once (PuTTY at a password question, a terminal in raw mode) sends Backspace as a
byte. The line is corrected when it is complete, so a correction never reaches back into the line before, and the limits
on length and rate count the bytes that were sent.
"""

from __future__ import annotations

import unicodedata

ERASE = b"\x7f"  # DEL, which most terminals send for Backspace; others send BS. Telnet's EC becomes DEL, too
KILL = b"\x15"  # Ctrl-U, which erases the line. Telnet's EL (erase line) becomes Ctrl-U

_EDITING = b"\b" + ERASE + KILL
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def edited(line: bytes) -> bytes:
    """Return a line as its author meant it.

    Args:
        line: The line without its end. It need not be UTF-8; a byte that is not UTF-8 counts as one character.

    Returns:
        The line without erasing keys and without what they erased; the same object if it holds no such key.
    """
    if line.translate(None, _EDITING) == line:
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
    """Remove the last character as a person sees it: with its combining marks, or with all parts of an emoji."""
    while kept:
        char = kept.pop()
        if not _extends(char) and not (kept and kept[-1] == _JOINER):
            return


def _extends(char: str) -> bool:
    """Return whether a character only adds to the character before it."""
    return char == _JOINER or unicodedata.category(char)[0] == "M" or ord(char) in _SKIN_TONES
