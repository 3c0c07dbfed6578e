"""The audit log, which says what was done with the rights of an operator or a member: who did what, and when.

It has two files: one for acts of operators, such as a ban; one for acts of members and failed attempts of strangers.
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

LARGEST = 1 << 20  # bytes of a file; when it is larger, it is renamed to ``<name>.1``, and a new file begins
KEPT = 10  # renamed files that are kept of each of the two

_log = logger(__name__)


class AuditFile:
    """One of the two files of the audit log.

    Args:
        folder: The folder for the file. If the file is missing, it is made, readable by its owner alone.
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
            OSError: The file can't be written; the text names the file and says what to do.
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
        """Open a new file at the path if the open file was moved away. Returns False if that fails."""
        return self._file is None or bool(self._file.follow())

    def stop(self) -> None:
        """Close the file, if it is open, and write no more acts."""
        self._unwatch()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, event: LogEvent) -> None:
        """Write one act. An error is only logged, because a full disk must not keep a moderator from acting."""
        time = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
        line = f"{time.replace('+00:00', 'Z')} {formatEvent(event)}\n"
        try:
            # After a failure the last line may have been written only in part, so end it first.
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
