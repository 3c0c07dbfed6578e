"""Padding, so that the length of a sealed text tells little about the text."""

from __future__ import annotations

PADDING = 160  # the length of a sealed text is a multiple of this many bytes


def padded(plain: bytes) -> bytes:
    """Return a JSON text with blanks added, which JSON ignores, to a multiple of ``PADDING`` bytes."""
    return plain + b" " * (-len(plain) % PADDING)
