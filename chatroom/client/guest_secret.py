"""The secret that makes each new client of a user the same guest as the one before, and ends its old session.

Clients that run at the same time have different secrets: a client holds a lock on its secret until its process ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

MOST = 100  # clients at the same time
_RIGHT = re.compile(rb"[A-Za-z0-9_-]{16,64}")  # a well-formed secret


def secret(folder: Path, mint: Callable[[], str]) -> str:
    """Return a secret and lock its file for this process; if no file can keep a secret, return a new one.

    Args:
        folder: The folder for one server.
        mint: Makes a secret that nobody can guess: 16 to 64 letters, digits, ``-`` and ``_``.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, MOST + 1):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(folder / f"myself-{number}", flags, 0o600)  # stays open, to hold the lock
            if _lock(descriptor):
                return _held(descriptor) or _keep(descriptor, mint())
            os.close(descriptor)
    except OSError:
        pass
    return mint()


def _lock(descriptor: int) -> bool:
    """Lock the file of a secret. Returns False if another client holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held(descriptor: int) -> str:
    """Return the secret in a file; empty if there is none, or it is malformed."""
    text = os.pread(descriptor, 100, 0)
    return text.decode() if _RIGHT.fullmatch(text) else ""


def _keep(descriptor: int, made: str) -> str:
    """Replace the content of a file by a new secret, and return the secret."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, made.encode(), 0)
    return made
