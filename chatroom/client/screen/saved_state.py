"""What the client remembers about a server for its next run: how far the user has read in each room, and which
users a guest ignores."""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from chatroom.client.paths import write_private


class SavedState(Struct, frozen=True):
    """What the client remembers about one server.

    Args:
        seen: By room, the seq (the number in the log) of the last message that the user saw.
        ignored: The folded names of the users that a guest ignores; for an account, the server keeps them.
    """

    seen: dict[str, int] = {}
    ignored: list[str] = []


def load(path: Path) -> SavedState:
    """Return the state in a file. A missing or damaged file gives an empty state, because it is only a convenience."""
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8), type=SavedState)
    except (OSError, ValueError):
        return SavedState()


def save(path: Path, what: SavedState) -> None:
    """Write the state to a file, completely or not at all. If the file cannot be written, this state is lost."""
    with suppress(OSError):
        write_private(path, msgspec.json.encode(what).decode())
