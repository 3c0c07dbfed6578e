"""Files that are there whole or not at all, and that nobody but their owner reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatroom.admin.errors import CommandFailed

_BESIDE = ("", "-journal", "-wal", "-shm")  # what a database that was being written may leave


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[Path]:
    """Give the path of an empty file beside the target, of mode 0600; it becomes the target when all went well.

    Args:
        target: Where the file shall be.
        force: It may take the place of a file.

    Raises:
        Cannot: There is such a file, or it cannot be written.
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
        _check(target, force)  # somebody else may have made it meanwhile
        made.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}; give another place") from None
    finally:
        for beside in _BESIDE:
            Path(name + beside).unlink(missing_ok=True)


def _check(target: Path, force: bool) -> None:
    if target.exists() and not target.is_file():
        raise CommandFailed(f"{target} is no ordinary file; give another")
    if os.path.lexists(target) and not force:
        raise CommandFailed(f"{target} is there already; give another name, or --force to replace it")


def _sync(path: Path) -> None:
    """Return when the file, or what a folder lists, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
