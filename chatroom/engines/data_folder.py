"""The data folder: made if need be, readable by its owner alone, and used by one daemon at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

LOCK = "lock"
SHARED = "files"  # the folder for shared files
AUDIT = "audit.log"  # the acts of operators
AUDIT_MEMBERS = "audit-members.log"  # the acts of members, and failed attempts of strangers

_NEEDED = 256 * 1024  # bytes that the daemon may write when it starts
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


class BadFolder(Exception):
    """The folder can't be used; the text says why and what to do."""


class FolderInUse(BadFolder):
    """Another daemon uses the folder."""


def state_folder() -> Path:
    """Return the data folder to use if the operator names none.

    Raises:
        RuntimeError: The user has no home folder; the text says what to do.
    """
    systemd = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if systemd:
        return Path(systemd).absolute()
    xdg = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg) / "chatroom"
    try:
        return Path.home().absolute() / ".local" / "state" / "chatroom"
    except RuntimeError:
        raise RuntimeError("this user has no home folder for the data; give a folder with --data") from None


class DataFolder:
    """A data folder that this process has locked; the lock is released by ``close`` or when the process ends.

    Args:
        path: The folder.

    Raises:
        FolderInUse: Another daemon uses it.
        BadFolder: It can't be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The descriptor is kept, because the lock belongs to it, even across twistd's fork.
            self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
        """Release the lock, so that another daemon can use the folder."""
        os.close(self._lock)


def check_inside(path: Path) -> None:
    """Check that this user may write what is already in a data folder. Nothing is changed.

    Raises:
        BadFolder: Something in it can't be written.
    """
    there = ((AUDIT, "file", Path.is_file), (AUDIT_MEMBERS, "file", Path.is_file), (SHARED, "folder", Path.is_dir))
    for name, kind, is_it in there:
        inside = path / name
        if os.path.lexists(inside) and not (is_it(inside) and os.access(inside, os.W_OK, effective_ids=True)):
            raise BadFolder(f"{inside} is no {kind} that this user may write; move it away, or chown it")


def look(path: Path) -> bool:
    """Check that a daemon could use a folder, or could make it. Nothing is changed.

    Returns:
        Whether a daemon uses it now.

    Raises:
        BadFolder: It can't be made or written.
    """
    try:
        there = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
        _try_to_write(there)
        if there != path:
            return False
        check_inside(path)
        return _held(path / LOCK)
    except OSError as error:
        raise BadFolder(f"the data folder {path} cannot be used: {error.strerror}; give another --data") from None


def _try_to_write(folder: Path) -> None:
    """Write a file without a name, which vanishes when it is closed.

    Raises:
        OSError: The file can't be written.
    """
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_UNNAMED_FILES or not folder.is_dir():
            raise
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        if os.statvfs(folder).f_blocks == 0:  # such as /proc, where ``access`` tells root that it may write
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        return
    try:
        os.write(file, bytes(_NEEDED))
        os.fsync(file)
    finally:
        os.close(file)


def _held(lock: Path) -> bool:
    """Return whether a daemon holds the lock; without changing anything."""
    try:
        file = os.open(lock, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
