"""One process a vault: the lock on its file, and what is checked before anything is read from the file."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from chatroom.client.vault.errors import VaultDamaged, VaultError, VaultInUse, in_words

BEGINS = b"SQLite format 3\0"
SHORTEST = 512  # bytes of an SQLite file

# By device and inode: the vaults that this process has open. Opening and closing such a file again, only to try its
# lock, would take away the locks of SQLite, which belong to the process and not to the descriptor.
_OPEN: set[tuple[int, int]] = set()


class VaultLock:
    """Holds the lock on a vault's file, which is made if it is missing, until ``release``.

    The lock is on the file itself and not on its name, so that it also holds for other names of the same file.

    Args:
        path: The file. Its folder is made if it is missing; only this user may use the folder.

    Attributes:
        path: The file, with symbolic links resolved.

    Raises:
        VaultInUse: Another vault object has the file open.
        VaultError: The file cannot be made or locked, is not this user's, or has a second name.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        try:
            _make_private(path.parent)
            self.path = Path(os.path.realpath(path))
            self._lock()
        except (OSError, ValueError) as error:
            self.release()
            raise VaultError(f"the vault {path} cannot be opened: {in_words(error)}") from None
        except VaultError:
            self.release()
            raise

    def _lock(self) -> None:
        """Open, lock and check the file."""
        with suppress(FileNotFoundError):
            if _identity(os.stat(self.path)) in _OPEN:
                raise VaultInUse(os.getpid())
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o600)
        found = os.fstat(self._descriptor)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VaultInUse(_owner(found.st_ino)) from None
        self._check(found)
        self._made = _identity(found)
        _OPEN.add(self._made)
        _sync_folder(self.path.parent)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise VaultDamaged(f"{self.path} is no file")
        if found.st_uid != os.geteuid():
            raise VaultError(f"the vault {self.path} belongs to another user")
        if found.st_nlink > 1:
            # SQLite's log of the newest commits has the file's name: by another name they would be missing.
            raise VaultError(f"the vault {self.path} has a second name (a hard link); remove one of the names")

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return os.fstat(self._descriptor).st_size

    def check_beginning(self) -> None:
        """Raise ``VaultDamaged`` if the file is no database: SQLite would write over a file that is very short."""
        if self.size < SHORTEST or os.pread(self._descriptor, len(BEGINS), 0) != BEGINS:
            raise VaultDamaged(f"{self.path} is no vault")

    def make_private(self) -> None:
        """Let only this user read and write the file."""
        os.fchmod(self._descriptor, 0o600)

    def check_same(self) -> None:
        """Raise ``VaultDamaged`` if the path names another file than the locked one."""
        if _identity(os.stat(self.path)) != self._made:
            raise VaultDamaged(f"{self.path} was replaced while it was opened")

    def release(self) -> None:
        """Give the lock back. SQLite must have closed the file before."""
        if self._descriptor >= 0:
            _OPEN.discard(getattr(self, "_made", (-1, -1)))
            os.close(self._descriptor)
            self._descriptor = -1


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _make_private(folder: Path) -> None:
    """Make a folder if it is missing, and let only this user use it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _owner(inode: int) -> int:
    """Return the number of the process that has locked a file; 0 if the system does not tell."""
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return 0
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return max(0, int(fields[4])) if fields[4].lstrip("-").isdigit() else 0
    return 0
