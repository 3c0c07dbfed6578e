"""The data folder, which holds all that the daemon keeps: readable by its owner alone, used by one daemon at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

LOCK = "lock"  # the file whose lock the daemon holds
SHARED = "files"  # the folder for shared files
AUDIT = "audit.log"  # the acts of operators
AUDIT_MEMBERS = "audit-members.log"  # the acts of members, and failed attempts of strangers

_NEEDED = 256 * 1024  # bytes that the daemon may write when it starts
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


class BadFolder(Exception):
    """The data folder can't be used; the text says why and what to do."""


class FolderInUse(BadFolder):
    """Another daemon uses the data folder."""


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
        path: The folder; it is made if it is missing.

    Raises:
        FolderInUse: Another daemon uses the folder.
        BadFolder: The folder can't be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Keep the descriptor open, because the lock belongs to it, even across twistd's fork.
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
        """Release the lock, so that another daemon can use the folder. May be called once."""
        os.close(self._lock)


def check_inside(path: Path) -> None:
    """Check that this user may write the audit logs and the shared files that a data folder has. Nothing is changed.

    Raises:
        BadFolder: One of them can't be written.
    """
    there = ((AUDIT, "file", Path.is_file), (AUDIT_MEMBERS, "file", Path.is_file), (SHARED, "folder", Path.is_dir))
    for name, kind, is_it in there:
        inside = path / name
        if os.path.lexists(inside) and not (is_it(inside) and os.access(inside, os.W_OK, effective_ids=True)):
            raise BadFolder(f"{inside} is no {kind} that this user may write; move it away, or chown it")


def look(path: Path) -> bool:
    """Check that a daemon could use a folder as its data folder, or could make the folder. Nothing is changed.

    Returns:
        Whether a daemon uses the folder now.

    Raises:
        BadFolder: The folder can't be made or written.
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
    """Check that this user can write in a folder: write a file without a name, which vanishes when it is closed.

    On a file system that has no such files, check the permissions instead.

    Raises:
        OSError: This user can't write in the folder.
    """
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_UNNAMED_FILES or not folder.is_dir():
            raise
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        if os.statvfs(folder).f_blocks == 0:  # such as /proc, where ``os.access`` says that root may write
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        return
    try:
        os.write(file, bytes(_NEEDED))
        os.fsync(file)
    finally:
        os.close(file)


def _held(lock: Path) -> bool:
    """Return whether a daemon holds the lock on the file ``lock``. Nothing is changed."""
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
