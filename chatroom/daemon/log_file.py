"""Log files, such as twistd's ``--logfile``, that may be moved away while the daemon writes, as logrotate does."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.logger import FileLogObserver, textFileLogObserver
from twisted.python import threadable
from twisted.python.logfile import LogFile

DEFAULT = "twistd.log"  # where twistd logs in the background if no file is named


class MovableLogFile(LogFile):
    """A rotating log file that is opened again when the file at its path was moved away, replaced or cut short.

    Before each line it looks at the path, so nobody has to tell the daemon.
    """

    synchronized = ["write", "follow"]  # noqa: RUF012

    def write(self, data: str | bytes) -> None:
        """Write some text, encoded in UTF-8, to the file that is at the path now."""
        self.follow()
        super().write(data)

    def follow(self) -> bool:
        """Open the file at the path, unless it is the one that is open.

        Returns:
            False if it can't be opened; then the open file stays in use, wherever it is now.
        """
        if self._file.closed:  # a rotation has failed
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
        if there.st_size < self.size:  # it was copied and cut short: go on at its new end, and leave no hole
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
    """The file of twistd's ``--logfile``, which we write in place of twistd.

    Args:
        path: The file's path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: MovableLogFile | None = None

    def observer(self) -> FileLogObserver:
        """Open the file, and return the observer that writes to it; SIGUSR1 rotates the file, as twistd promises.

        Raises:
            OSError: The file can't be opened.
        """
        self._file = file = MovableLogFile.fromFullPath(str(self.path))
        if not signal.getsignal(signal.SIGUSR1):

            def rotate(number: int, frame: object) -> None:
                from twisted.internet import reactor

                reactor.callFromThread(file.rotate)  # type: ignore[attr-defined]

            signal.signal(signal.SIGUSR1, rotate)
        return textFileLogObserver(file)

    def follow(self) -> bool:
        """Open the file at the path again if it was moved away; return False if that fails."""
        return self._file is None or self._file.follow()


def log_of(twistd: Mapping[str, Any] | None) -> DaemonLog | None:
    """Return the log file that twistd's options name.

    Args:
        twistd: The options; None if twistd has not parsed them.

    Returns:
        None if twistd logs elsewhere than into a file.
    """
    if twistd is None or twistd.get("syslog") or twistd.get("logger"):
        return None
    name = twistd.get("logfile") or ("" if twistd["nodaemon"] else DEFAULT)
    return DaemonLog(Path.cwd() / name) if name and name != "-" else None
