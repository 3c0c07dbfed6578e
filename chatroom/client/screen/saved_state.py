"""What the client remembers about a server for its next run: how far the user has read in each room, and whom a guest
ignores."""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from chatroom.client.paths import write_private


class SavedState(Struct, frozen=True):
    """The remembered state.

    Args:
        seen: The last seq that was seen, by room.
        ignored: Names, folded, that the server does not keep.
    """

    seen: dict[str, int] = {}
    ignored: list[str] = []


def load(path: Path) -> SavedState:
    """Return the state in a file. It is only a convenience, so a missing or damaged file gives an empty state."""
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8), type=SavedState)
    except (OSError, ValueError):
        return SavedState()


def save(path: Path, what: SavedState) -> None:
    """Write the file, completely or not at all. If it cannot be written, the state is lost."""
    with suppress(OSError):
        write_private(path, msgspec.json.encode(what).decode())
