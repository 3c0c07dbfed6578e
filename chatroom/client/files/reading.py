"""What is read of a file that is sent. Each function takes its time, and is for a thread."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from chatroom.client.refused import Refused
from chatroom.shared_files import CHUNK, bytes_of, spell_size


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was found.

    Args:
        size: In bytes.
        sha256: In hex.
    """

    size: int
    sha256: str


def look(path: Path, most: int) -> Found:
    """Return what a file is.

    Args:
        path: Where it is.
        most: Bytes that it may have; 0: any number.

    Raises:
        Refused: It is no file that can be sent.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Refused("no-file", f"{path} is {'a folder' if path.is_dir() else 'no file'}; only files can be sent.")
        if not about.st_size:
            raise Refused("empty-file", f"{path} is empty.")
        if most and about.st_size > most:
            sizes = f"{spell_size(about.st_size)}; the server takes {spell_size(most)}"
            raise Refused("file-too-big", f"{path} has {sizes} at most.")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None
    return Found(about.st_size, digest)


def chunk_of(path: Path, size: int, index: int) -> bytes:
    """Return a chunk of a file that had that size.

    Raises:
        Refused: It cannot be read, or has become shorter.
    """
    wanted = bytes_of(size, index)
    try:
        with path.open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), wanted, index * CHUNK)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) < wanted:
        raise Refused("file-changed", f"{path} has changed while it was being sent; send it again.")
    return data


def _unreadable(path: Path, error: OSError) -> Refused:
    if isinstance(error, FileNotFoundError):
        return Refused("no-file", f"there is no file {path}.")
    return Refused("no-file", f"{path} cannot be read: {(error.strerror or str(error)).lower()}.")
