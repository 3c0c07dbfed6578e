"""Writes files that are complete or absent, and that only their owner can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatroom.admin.errors import CommandFailed

_BESIDE = ("", "-journal", "-wal", "-shm")  # endings of the files that SQLite may leave


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[Path]:
    """Give the path of an empty file (mode 0600) beside the target. It becomes the target unless the block fails.

    Args:
        target: The path of the file to make.
        force: Whether to replace an existing file.

    Raises:
        CommandFailed: The file exists already, or cannot be written.
    """
    _check(target, force)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}; give another place") from None
    os.close(descriptor)
    made = Path(name)
    try:
        yield made
        _sync(made)
        _check(target, force)  # another program may have made the target meanwhile
        made.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}; give another place") from None
    finally:
        for beside in _BESIDE:
            Path(name + beside).unlink(missing_ok=True)


def _check(target: Path, force: bool) -> None:
    """Raise ``CommandFailed`` if the target is no ordinary file, or if it exists and ``force`` is not set."""
    if target.exists() and not target.is_file():
        raise CommandFailed(f"{target} is no ordinary file; give another")
    if os.path.lexists(target) and not force:
        raise CommandFailed(f"{target} is there already; give another name, or --force to replace it")


def _sync(path: Path) -> None:
    """Write a file, or the entries of a folder, to the disk, so that it survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
