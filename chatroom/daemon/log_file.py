"""Log files that may be moved away while the daemon writes, as logrotate does; twistd's ``--logfile`` is one."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.logger import FileLogObserver, textFileLogObserver
from twisted.python import threadable
from twisted.python.logfile import LogFile

DEFAULT = "twistd.log"  # where twistd writes in the background when nothing is said


class MovableLogFile(LogFile):
    """A rotating log file that goes on at its path when the file there is another one, or none, or was cut short.

    Each line is written to what is at the path by then, so nobody has to tell the daemon.
    """

    synchronized = ["write", "follow"]  # noqa: RUF012

    def write(self, data: str | bytes) -> None:
        """Write some text, as UTF-8."""
        self.follow()
        super().write(data)

    def follow(self) -> bool:
        """Open the file at the path if it is not the open one.

        Returns:
            False when it cannot be opened. The open file is written to, wherever it is now.
        """
        if self._file.closed:  # by a rotation that failed
            return self._open_anew()
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return self._open_anew()
        except OSError:
            return False
        here = os.fstat(self._file.fileno())
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            return self._open_anew()
        if there.st_size < self.size:  # copied and cut: go on at its end, and leave no hole
            self.size = self._file.seek(0, os.SEEK_END)
        return True

    def _open_anew(self) -> bool:
        former = self._file
        try:
            self._openFile()
        except OSError:
            return False
        former.close()
        return True


threadable.synchronize(MovableLogFile)


class DaemonLog:
    """The file of twistd's ``--logfile``, which is written by us instead of twistd.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: MovableLogFile | None = None

    def observer(self) -> FileLogObserver:
        """Open the file, and return what writes into it; SIGUSR1 rotates it, as twistd promises.

        Raises:
            OSError: It cannot be opened.
        """
        self._file = file = MovableLogFile.fromFullPath(str(self.path))
        if not signal.getsignal(signal.SIGUSR1):

            def rotate(number: int, frame: object) -> None:
                from twisted.internet import reactor

                reactor.callFromThread(file.rotate)  # type: ignore[attr-defined]

            signal.signal(signal.SIGUSR1, rotate)
        return textFileLogObserver(file)

    def follow(self) -> bool:
        """See ``MovableLogFile``."""
        return self._file is None or self._file.follow()


def log_of(twistd: Mapping[str, Any] | None) -> DaemonLog | None:
    """Return the log file that the options of twistd name.

    Args:
        twistd: The options; None: twistd has not parsed them.

    Returns:
        None when twistd writes no file, or writes in another way.
    """
    if twistd is None or twistd.get("syslog") or twistd.get("logger"):
        return None
    name = twistd.get("logfile") or ("" if twistd["nodaemon"] else DEFAULT)
    return DaemonLog(Path.cwd() / name) if name and name != "-" else None
