"""Reads files that an operator names. It never waits for a pipe's writer, and never reads far beyond a limit."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from pathlib import Path


def read_plain_file(path: Path, most: int) -> bytes:
    """Return the content of a file, without the byte order mark that some editors write.

    Args:
        path: The file.
        most: The greatest size allowed, in bytes.

    Raises:
        OSError: The file cannot be read, is too large, or is neither a plain file nor a character device such as
            ``/dev/null`` (a pipe may never end); ``strerror`` says which.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):  # /dev/null is read as an empty file
            raise OSError(0, "it is no plain file")
        data = b""
        while len(data) <= most and (more := os.read(descriptor, most + 1 - len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(0, f"it is larger than {most} bytes")
    return data.removeprefix(BOM_UTF8)
