"""Reads a file that is being sent. The functions wait for the disk, so they are called in threads."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatroom.client.errors import Rejected
from chatroom.client.paths import spelled, why_unusable
from chatroom.model.shared_files import CHUNK, bytes_of, chunks_of, spell_apart


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that is to be sent.

    Args:
        size: Its size in bytes.
        sha256: Its SHA-256, in hexadecimal.
    """

    size: int
    sha256: str


def look(path: Path, most: int, wanted: Callable[[], bool]) -> LocalFile:
    """Return the size and the hash of a file.

    Args:
        path: The file.
        most: The largest size in bytes that can be sent; 0: any.
        wanted: Returns whether the file is still to be sent; asked before each chunk.

    Raises:
        Rejected: The file cannot be sent, or is not to be sent any more.
    """
    with _opened(path) as (descriptor, size):
        if not size:
            raise Rejected("empty-file", f"{spelled(path)} is empty.")
        if most and size > most:
            has, takes = spell_apart(size, most)
            raise Rejected("file-too-big", f"{spelled(path)} has {has}; the server takes {takes} at most.")
        digest = hashlib.sha256()
        for index in range(chunks_of(size)):  # only up to the size found above, for the file may grow meanwhile
            if not wanted():
                raise Rejected("cancelled", f"{spelled(path)}: cancelled.")
            digest.update(_read(descriptor, path, size, index))
    return LocalFile(size, digest.hexdigest())


def chunk_of(path: Path, size: int, index: int) -> bytes:
    """Return a chunk of a file.

    Args:
        path: The file.
        size: The size of the file in bytes when ``look`` was called.
        index: The number of the chunk, from 0.

    Raises:
        Rejected: The file cannot be read, or has become shorter.
    """
    with _opened(path) as (descriptor, _):
        return _read(descriptor, path, size, index)


def _read(descriptor: int, path: Path, size: int, index: int) -> bytes:
    wanted = bytes_of(size, index)
    data = os.pread(descriptor, wanted, index * CHUNK)
    if len(data) < wanted:
        raise Rejected("file-changed", f"{spelled(path)} has changed while it was being sent; send it again.")
    return data


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, int]]:
    """Open a file, and give its descriptor and size. Refuse what is no regular file, and never wait for a pipe."""
    try:
        _check_kind(path, path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            about = os.fstat(descriptor)
            _check_kind(path, about)
            yield descriptor, about.st_size
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise Rejected("no-file", f"there is no file {spelled(path)}.") from None
    except (OSError, ValueError) as error:
        raise Rejected("no-file", f"{spelled(path)} cannot be read: {why_unusable(error)}.") from None


def _check_kind(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        kind = "a folder" if stat.S_ISDIR(about.st_mode) else "not a file"
        raise Rejected("no-file", f"{spelled(path)} is {kind}; only files can be sent.")
