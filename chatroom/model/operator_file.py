"""Files that an operator names, read without ever waiting for a writer, and never more of them than they may hold."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from pathlib import Path


def read_plain_file(path: Path, most: int) -> bytes:
    """Return what is in a file, without the byte order mark that some editors put first.

    Args:
        path: The file.
        most: Bytes that it may hold.

    Raises:
        OSError: It cannot be read, is no plain file (a pipe may never end), or is too large; ``strerror`` says so.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):  # /dev/null is as good as an empty file
            raise OSError(0, "it is no plain file")
        data = b""
        while len(data) <= most and (more := os.read(descriptor, most + 1 - len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(0, f"it is larger than {most} bytes")
    return data.removeprefix(BOM_UTF8)
