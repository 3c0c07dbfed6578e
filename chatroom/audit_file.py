"""The audit log as a file: what the loggers of ``chatroom.audit`` say, a line an act, beside the daemon's own log.

It holds every act, whatever ``--log-level`` keeps out of the daemon's log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.logger import LogEvent, formatEvent
from twisted.python.logfile import LogFile

from chatroom.chat.operators.audit import NAMESPACE
from chatroom.logger import logger, watch

NAME = "audit.log"  # in the data folder
LARGEST = 1 << 20  # bytes; then it becomes audit.log.1
KEPT = 10  # files of before

_log = logger(__name__)


class AuditFile:
    """See the module.

    Args:
        folder: Where the file is; made if it is not there, and its owner's alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Any = None
        self._unwatch: Callable[[], None] = lambda: None
        self._failing = False

    def start(self) -> None:
        """Write from now on.

        Raises:
            OSError: The file cannot be written; the text says which and what to do.
        """
        path = self._folder / NAME
        try:
            self._file = LogFile(NAME, str(self._folder), rotateLength=LARGEST, defaultMode=0o600, maxRotatedFiles=KEPT)
        except OSError as error:
            raise OSError(f"the audit log {path} cannot be written: {error.strerror}; move it away") from None
        self._unwatch = watch(NAMESPACE, self._write)

    def stop(self) -> None:
        """Write no more; nothing happens when it did not start."""
        self._unwatch()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, event: LogEvent) -> None:
        """A full disk must not keep a moderator from acting: the line is in the daemon's log all the same."""
        time = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
        line = f"{time.replace('+00:00', 'Z')} {formatEvent(event)}\n"
        try:
            # What failed may have left half a line.
            self._file.write(f"\n{line}".encode() if self._failing else line.encode())
        except (OSError, ValueError) as error:  # ValueError: a rotation that failed has closed the file
            if not self._failing:
                _log.error("the audit log cannot be written: {why}", why=str(error))
            self._failing = True
        else:
            self._failing = False
