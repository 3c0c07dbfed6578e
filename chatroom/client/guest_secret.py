"""A secret by which the clients that somebody starts one after another are the same guest, and end each other's ghosts.

Clients that run at the same time have one each: a secret is locked as long as its client lives, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

MOST = 100  # at the same time
_RIGHT = re.compile(rb"[A-Za-z0-9_-]{16,64}")


def secret(folder: Path, mint: Callable[[], str]) -> str:
    """Return a secret that is this process's from now on; where nothing can be kept, it is a new one.

    Args:
        folder: Where those for one server are.
        mint: Makes one that nobody can guess: 16 to 64 letters, digits, ``-`` and ``_``.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, MOST + 1):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(folder / f"myself-{number}", flags, 0o600)  # locked, so never closed
            if _lock(descriptor):
                return _held(descriptor) or _keep(descriptor, mint())
            os.close(descriptor)
    except OSError:
        pass
    return mint()


def _lock(descriptor: int) -> bool:
    """Return whether it is ours now, and not another client's."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held(descriptor: int) -> str:
    """Return what was kept; empty if that is nothing, or cannot be right."""
    text = os.pread(descriptor, 100, 0)
    return text.decode() if _RIGHT.fullmatch(text) else ""


def _keep(descriptor: int, made: str) -> str:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, made.encode(), 0)
    return made
