"""How sealed texts are padded, so that their length tells little about them."""

from __future__ import annotations

PADDING = 160  # a text between two devices grows in steps of this many bytes
ROOM_PADDING = 112  # and one for a room, which goes to every member: a text of up to 67 bytes fits in the first step


def padded(plain: bytes, step: int = PADDING) -> bytes:
    """Return a JSON text with blanks added, which JSON ignores, to one byte less than a multiple of ``step`` bytes.

    The byte is left to the cipher of Olm and Megolm, which adds at least one, up to a multiple of 16.

    Args:
        plain: The text, perhaps after a head of some bytes.
        step: A multiple of 16.
    """
    return plain + b" " * (-(len(plain) + 1) % step)
