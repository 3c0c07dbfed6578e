"""The standard streams, which are the descriptors 0, 1 and 2.

Some may be closed when the client starts, and other programs may go on to use them after the client has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NAMES = ("stdin", "stdout", "stderr")


def fill() -> list[str]:
    """Open the null device in place of each closed stream; otherwise the next socket would get the stream's number.

    Returns:
        The names of the streams that were closed.
    """
    closed = []
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            closed.append(name)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - stays open; without it, print would write to stdout
    return closed


@contextmanager
def left_as_found() -> Iterator[None]:
    """Run the block; then restore whether stdin and stdout block, for the programs that use them next."""
    found = [os.get_blocking(number) for number in (0, 1)]
    try:
        yield
    finally:
        for number, blocking in enumerate(found):
            with suppress(OSError):  # the stream was closed meanwhile
                os.set_blocking(number, blocking)
