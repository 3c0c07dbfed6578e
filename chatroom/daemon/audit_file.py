"""The audit log: one file for acts of operators, and one for acts of members and failed attempts of strangers.

Each act is one line, even if ``--log-level`` keeps it out of the daemon's log. Each file is rotated on its own, so acts
of members never push out acts of operators.
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

LARGEST = 1 << 20  # bytes of a file; then it becomes audit.log.1
KEPT = 10  # older files that are kept

_log = logger(__name__)


class AuditFile:
    """One of the two files.

    Args:
        folder: The folder for the file. The file is made if need be, readable by its owner alone.
        name: The file's name.
        namespace: The namespace of the loggers whose lines go into the file.
    """

    def __init__(self, folder: Path, name: str = NAME, namespace: str = NAMESPACE) -> None:
        self._folder = folder
        self._name = name
        self._namespace = namespace
        self._file: Any = None
        self._unwatch: Callable[[], None] = lambda: None
        self._failing = False

    def start(self) -> None:
        """Open the file, and write acts to it from now on.

        Raises:
            OSError: The file can't be written; the text says which one and what to do.
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
        """The path of the file."""
        return self._folder / self._name

    def follow(self) -> bool:
        """Open the file at the path again if it was moved away; return False if that fails."""
        return self._file is None or bool(self._file.follow())

    def stop(self) -> None:
        """Close the file, if it is open, and write no more."""
        self._unwatch()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, event: LogEvent) -> None:
        """Write one line. An error is only logged, because a full disk must not keep a moderator from acting."""
        time = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
        line = f"{time.replace('+00:00', 'Z')} {formatEvent(event)}\n"
        try:
            # The last line may have been written only in part.
            self._file.write(f"\n{line}".encode() if self._failing else line.encode())
        except (OSError, ValueError) as error:  # ValueError: a rotation that failed has closed the file
            if not self._failing:
                _log.error("the audit log cannot be written: {why}", why=str(error))
            self._failing = True
        else:
            self._failing = False


def audit_files(folder: Path) -> list[AuditFile]:
    """Return the two audit files in a data folder."""
    return [AuditFile(folder), AuditFile(folder, MEMBERS_NAME, MEMBERS)]
