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
from chatroom.model.shared_files import CHUNK, chunks_of, safe_name, spell_apart


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that is to be sent.

    Args:
        size: Its size in bytes.
        sha256: Its SHA-256, in hexadecimal.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file that is sent as it is.

    Args:
        path: The file.
        about: What ``look`` has found.
    """

    path: Path
    about: LocalFile

    @property
    def name(self) -> str:
        """The name that the server is given."""
        return safe_name(self.path.name)

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.about.size

    @property
    def sha256(self) -> str:
        """The SHA-256, in hexadecimal."""
        return self.about.sha256

    @property
    def content(self) -> tuple[int, str]:
        """The size and the SHA-256 of the file itself."""
        return self.size, self.sha256

    def chunk(self, index: int) -> bytes:
        """Return a chunk; see ``chunk_of``."""
        return chunk_of(self.path, self.size, index)


def look(path: Path, most: int, wanted: Callable[[], bool]) -> LocalFile:
    """Return the size and the hash of a file.

    Args:
        path: The file.
        most: The largest size in bytes that can be sent; 0: any.
        wanted: Returns whether the file is still to be sent; asked before each chunk.

    Raises:
        Rejected: The file cannot be sent, or is not to be sent any more.
    """
    with opened(path) as (descriptor, size):
        check_size(path, size, size, most)
        digest = hashlib.sha256()
        for index in range(chunks_of(size)):  # only up to the size found above, for the file may grow meanwhile
            check_wanted(path, wanted)
            digest.update(read(descriptor, path, size, index))
    return LocalFile(size, digest.hexdigest())


def check_size(path: Path, size: int, sent: int, most: int) -> None:
    """Check that a file can be sent.

    Args:
        path: The file.
        size: Its size in bytes.
        sent: How many bytes the server gets.
        most: How many it takes; 0: any number.

    Raises:
        Rejected: The file is empty or too big.
    """
    if not size:
        raise Rejected("empty-file", f"{spelled(path)} is empty.")
    if most and sent > most:
        has, takes = spell_apart(sent, most)
        raise Rejected("file-too-big", f"{spelled(path)} has {has}; the server takes {takes} at most.")


def check_wanted(path: Path, wanted: Callable[[], bool]) -> None:
    """Raise ``Rejected`` if a file is not to be sent any more."""
    if not wanted():
        raise Rejected("cancelled", f"{spelled(path)}: cancelled.")


def chunk_of(path: Path, size: int, index: int) -> bytes:
    """Return a chunk of a file.

    Args:
        path: The file.
        size: The size of the file in bytes when ``look`` was called.
        index: The number of the chunk, from 0.

    Raises:
        Rejected: The file cannot be read, or has become shorter.
    """
    with opened(path) as (descriptor, _):
        return read(descriptor, path, size, index)


def read(descriptor: int, path: Path, size: int, index: int, piece: int = CHUNK) -> bytes:
    """Return a piece of an open file.

    Args:
        descriptor: The file.
        path: Its path, for errors.
        size: Its size in bytes when it was first read.
        index: The number of the piece, from 0.
        piece: The number of bytes in each piece but the last.

    Raises:
        Rejected: The file has become shorter.
    """
    wanted = max(0, min(piece, size - index * piece))
    data = os.pread(descriptor, wanted, index * piece)
    if len(data) < wanted:
        raise changed(path)
    return data


def changed(path: Path) -> Rejected:
    """Return the error that a file has other bytes than when it was first read."""
    return Rejected("file-changed", f"{spelled(path)} has changed while it was being sent; send it again.")


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, int]]:
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
