"""The folder for what lasts: made if need be, readable by its owner alone, held by one daemon at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class BadFolder(Exception):
    """The folder cannot be used; the text says why and what to do."""


class FolderInUse(BadFolder):
    """Another daemon has the folder."""


class DataFolder:
    """A folder that is ours until the process ends.

    Args:
        path: The folder.

    Raises:
        FolderInUse: Another daemon has it.
        BadFolder: It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The descriptor is kept: the lock goes with it, also across twistd's fork.
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadFolder(f"the data folder {path} cannot be used: {error.strerror}; give another --data") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise FolderInUse(
                f"the data folder {path} is in use by another chatroom daemon; stop that one or give another --data"
            ) from None

    def close(self) -> None:
        """Let another daemon have it."""
        os.close(self._lock)
