"""The descriptors 0, 1 and 2, as the shell gives them: some may be closed, and others may go on using them after us."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NAMES = ("stdin", "stdout", "stderr")


def fill() -> list[str]:
    """Put the null device where one is closed: else the next socket gets its number, and is taken for it.

    Returns:
        The names of those that were closed.
    """
    closed = []
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this
            closed.append(name)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - it stays; without it, print would complain on stdout
    return closed


@contextmanager
def left_as_found() -> Iterator[None]:
    """Let input and output not wait meanwhile: afterwards they do again, for whoever reads and writes there next."""
    found = [os.get_blocking(number) for number in (0, 1)]
    try:
        yield
    finally:
        for number, blocking in enumerate(found):
            with suppress(OSError):  # it is closed by now
                os.set_blocking(number, blocking)
