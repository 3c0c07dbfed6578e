"""What is remembered of a server until the next time: how far one has read in each room, and whom one ignores."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct


class Remembered(Struct, frozen=True):
    """It.

    Args:
        seen: The last seq that was seen, by room.
        ignored: Names, case-folded.
    """

    seen: dict[str, int] = {}
    ignored: list[str] = []


def load(path: Path) -> Remembered:
    """Return what the file has; nothing if there is none, or it is broken, for it is only a convenience."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except (OSError, ValueError):
        return Remembered()


def save(path: Path, what: Remembered) -> None:
    """Write the file, whole or not at all; what cannot be written is forgotten."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(msgspec.json.encode(what))
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
