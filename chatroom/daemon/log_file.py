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

DEFAULT = "twistd.log"  # the file to which twistd logs in the background if no file is named


class MovableLogFile(LogFile):
    """A rotating log file that is opened again when the file at its path was moved away, replaced or cut short.

    It looks at the path before each line, so nobody has to send a signal to the daemon after moving the file.
    """

    synchronized = ["write", "follow"]  # noqa: RUF012

    def write(self, data: str | bytes) -> None:
        """Write some text, encoded in UTF-8, to the file that is at the path now."""
        self.follow()
        super().write(data)

    def follow(self) -> bool:
        """Open the file at the path, unless that file is open already.

        Returns:
            False if the file at the path can't be opened; then the old file stays in use, wherever it is now.
        """
        if self._file.closed:  # a rotation has failed and left it closed
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
        if there.st_size < self.size:  # the file was copied and cut short: write at its new end
            self.size = self._file.seek(0, os.SEEK_END)
        return True

    def _open_anew(self) -> bool:
        """Open a file at the path, and close the old one; return False, and keep the old one, if that fails."""
        former = self._file
        try:
            self._openFile()
        except OSError:
            return False
        former.close()
        return True


threadable.synchronize(MovableLogFile)


class DaemonLog:
    """The log file that ``--logfile`` names, which is an option of twistd. We write the file in place of twistd.

    Args:
        path: The file's path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: MovableLogFile | None = None

    def observer(self) -> FileLogObserver:
        """Open the file, and return the observer that writes log events to it.

        From then on SIGUSR1 rotates the file, as it does with twistd's own log, unless something else handles SIGUSR1.

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
        """Open a new file at the path if the open file was moved away. Returns False if that fails."""
        return self._file is None or self._file.follow()


def log_of(twistd: Mapping[str, Any] | None) -> DaemonLog | None:
    """Return the log file that twistd's options name.

    Args:
        twistd: twistd's own options; None if twistd has not parsed them.

    Returns:
        The log file; None if the log does not go into a file, or if ``twistd`` is None.
    """
    if twistd is None or twistd.get("syslog") or twistd.get("logger"):
        return None
    name = twistd.get("logfile") or ("" if twistd["nodaemon"] else DEFAULT)
    return DaemonLog(Path.cwd() / name) if name and name != "-" else None
