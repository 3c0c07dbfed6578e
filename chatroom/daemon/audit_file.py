"""The audit log as two files beside the daemon's own log: operators' acts, and those of members and strangers.

Each act is a line, whatever ``--log-level`` keeps out of the daemon's log. Each file is rotated by itself, so members'
acts never push out those of operators.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.logger import LogEvent, formatEvent

from chatroom.chat.operators.audit import MEMBERS, NAMESPACE
from chatroom.daemon.log_file import MovableLogFile
from chatroom.engines.data_folder import AUDIT as NAME
from chatroom.engines.data_folder import AUDIT_MEMBERS as MEMBERS_NAME
from chatroom.model.logger import logger, watch

LARGEST = 1 << 20  # bytes; then it becomes audit.log.1
KEPT = 10  # older files

_log = logger(__name__)


class AuditFile:
    """One of the two files.

    Args:
        folder: Where the file is; made if it is not there, and its owner's alone.
        name: The file's name.
        namespace: Of the loggers whose lines it holds.
    """

    def __init__(self, folder: Path, name: str = NAME, namespace: str = NAMESPACE) -> None:
        self._folder = folder
        self._name = name
        self._namespace = namespace
        self._file: Any = None
        self._unwatch: Callable[[], None] = lambda: None
        self._failing = False

    def start(self) -> None:
        """Write from now on.

        Raises:
            OSError: The file cannot be written; the text says which and what to do.
        """
        try:
            self._file = MovableLogFile(
                self._name, str(self._folder), rotateLength=LARGEST, defaultMode=0o600, maxRotatedFiles=KEPT
            )
        except OSError as error:
            raise OSError(f"the audit log {self.path} cannot be written: {error.strerror}; move it away") from None
        self._unwatch = watch(self._namespace, self._write)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._folder / self._name

    def follow(self) -> bool:
        """Go on at the path if the file was moved away; see ``MovableLogFile``."""
        return self._file is None or bool(self._file.follow())

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


def audit_files(folder: Path) -> list[AuditFile]:
    """Return the files of a data folder."""
    return [AuditFile(folder), AuditFile(folder, MEMBERS_NAME, MEMBERS)]
