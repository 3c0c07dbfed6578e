"""The pid file, which holds the number of the daemon's process: written at the start, and removed at the end.

Before the start, the process that an old pid file names is checked; while that process runs, the file stays.

twistd itself refuses to start if its pid file names any running process, even one that merely got the number of a
daemon that crashed. Here the lock of the data folder decides whether a daemon runs; the pid file only helps to find it.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatroom.model.logger import logger

_log = logger(__name__)

_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NUMBER = re.compile(rb"\s*[1-9][0-9]{0,9}\s*")
_SLACK = 2.0  # seconds by which a process may seem to have started after it wrote the file, because clocks differ


class BadPidFile(Exception):
    """The pid file can't be used; the text says why and what to do."""


@dataclass(slots=True)
class PidFile:
    """The pid file of this daemon.

    Args:
        path: The file's path.
        needed: Whether the daemon must not start without the file, as in the background, where the file is used to stop
            the daemon.
    """

    path: Path
    needed: bool
    _descriptor: int = field(default=-1, init=False, compare=False)

    def check(self) -> None:
        """If the file is needed, check that it can be written. Nothing is changed.

        Raises:
            BadPidFile: The file can't be written, or names another process that runs.
        """
        if not self.needed:
            return
        self._check_owner()
        folder = os.access(self.path.parent, os.W_OK | os.X_OK, effective_ids=True)
        if not folder and not os.access(self.path, os.W_OK, effective_ids=True):
            raise _bad(self.path, "cannot be written: Permission denied")

    def write(self) -> None:
        """Write the number of this process to the file. If that fails and the file is not needed, only log the failure.

        Raises:
            BadPidFile: The file is needed and can't be written, or names another process that runs.
        """
        try:
            self._check_owner()
            self._write()
        except BadPidFile as error:
            if self.needed:
                raise
            _log.info("no pid file is written: {why}", why=str(error))

    def remove(self) -> None:
        """Remove the file, if ``write`` wrote it and it is still the same file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), self.path.stat(follow_symlinks=False)):
                # Empty the file first: the user that root has become may not remove it from root's folder.
                os.ftruncate(descriptor, 0)
                self.path.unlink()
        os.close(descriptor)

    def _check_owner(self) -> None:
        owner = running_owner(self.path)
        if owner is not None:
            raise _bad(self.path, f"names process {owner}, which is running")

    def _write(self) -> None:
        try:
            self._descriptor = _open(self.path)
            os.write(self._descriptor, b"%d" % os.getpid())
        except OSError as error:
            self.remove()
            raise _bad(self.path, f"cannot be written: {error.strerror}") from None


def take_from(twistd: MutableMapping[str, Any] | None) -> PidFile | None:
    """Return the pid file that twistd's options name, and keep twistd itself from checking and writing it.

    Args:
        twistd: twistd's own options, from which the pid file is removed; None if twistd has not parsed them.

    Returns:
        The pid file; None if the options name none.
    """
    name = twistd["pidfile"] if twistd is not None else ""
    if twistd is None or not name:
        return None
    twistd["pidfile"] = ""
    return PidFile(Path.cwd() / name, needed=not (twistd["nodaemon"] or twistd["debug"]))


def running_owner(path: Path) -> int | None:
    """Return the number of the running process that a pid file names; None if the file may be replaced.

    It may be replaced if it is missing or empty, or if the process does not run, is this one, or began after the file
    was written, so that it only has the number of a daemon that has ended.

    Raises:
        BadPidFile: The file can't be read, or is not a pid file.
    """
    try:
        text, written = _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from None
    if not text.strip():  # left by a daemon that crashed, or that had no space left on the disk
        return None
    if not _NUMBER.fullmatch(text):
        raise _bad(path, "is no pid file")
    pid = int(text)
    return pid if pid != os.getpid() and _runs(pid) and not _began_after(pid, written) else None


def _bad(path: Path, why: str) -> BadPidFile:
    return BadPidFile(f"{path} {why}; give another: twistd --pidfile FILE chatroom")


def _read(path: Path) -> tuple[bytes, float]:
    """Return the first 32 bytes of a pid file, and when the file was written (seconds since 1970).

    Raises:
        BadPidFile: The file is no plain file.
        OSError: The file can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _bad(path, "is no plain file")
        return os.read(descriptor, 32), found.st_mtime
    finally:
        os.close(descriptor)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # the process runs as another user
        return True
    return True


def _began_after(pid: int, moment: float) -> bool:
    """Return whether a process began after a moment (seconds since 1970); False if that cannot be found out."""
    try:
        # The program's name, in parentheses, may hold anything, even a parenthesis; the other fields follow after it.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, ValueError, IndexError, AttributeError):
        return False
    return time.time() - age > moment + _SLACK


def _open(path: Path) -> int:
    """Return a descriptor of a new pid file, or of the old one, emptied, if this user may not remove files there.

    Raises:
        OSError: The file can't be opened.
    """
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return os.open(path, _FLAGS | os.O_TRUNC)
    return os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
