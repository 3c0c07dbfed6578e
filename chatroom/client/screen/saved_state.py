"""What is remembered of a server until the next time: how far one has read in each room, and whom a guest ignores."""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from chatroom.client.paths import write_private


class SavedState(Struct, frozen=True):
    """It.

    Args:
        seen: The last seq that was seen, by room.
        ignored: Names, folded, that the server does not keep.
    """

    seen: dict[str, int] = {}
    ignored: list[str] = []


def load(path: Path) -> SavedState:
    """Return what the file has; nothing if there is none, or it is broken, for it is only a convenience."""
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8), type=SavedState)
    except (OSError, ValueError):
        return SavedState()


def save(path: Path, what: SavedState) -> None:
    """Write the file, whole or not at all; what cannot be written is forgotten."""
    with suppress(OSError):
        write_private(path, msgspec.json.encode(what).decode())
