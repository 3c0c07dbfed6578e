"""Errors of the client itself. Each is shown in one line, because a traceback would destroy the screen; a file keeps
the traceback, so that the user can report it. Each further line of one error begins with ``CONTINUATION`` there.
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, eventAsText, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.screen.history import private
from chatroom.model.text import clean, marked

MOST = 256 * 1024  # bytes; a file of this size gets no more errors

_log = Logger()


@implementer(ILogObserver)
class FaultLog:
    """An observer of Twisted's log that stores errors in a file and tells the user about them.

    Args:
        path: The file; its folder is made. If it cannot be written, the user is only told.
        tell: Shows a sentence to the user.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell

    def __call__(self, event: LogEvent) -> None:
        """Store and tell a log event if it is an error."""
        if event.get("log_level") not in (LogLevel.error, LogLevel.critical):
            return
        self._keep(eventAsText(event))
        failure = event.get("log_failure")
        what = f"{failure.type.__name__}: {failure.getErrorMessage()}" if failure else eventAsText(event, False, False)
        self._tell(f"this client has a fault, which is written down in {self._path}: {' '.join(what.split())[:200]}")

    def _keep(self, text: str) -> None:
        """Add an error to the file, unless the file is full or cannot be written."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path, "a", encoding="utf-8", opener=private) as file:
                if os.fstat(file.fileno()).st_size < MOST:
                    lines = "\n".join(map(clean, text[:MOST].split("\n")))
                    file.write(f"{marked(lines)}\n")
        except OSError:
            return


def catch(faults: FaultLog, loop: AbstractEventLoop) -> None:
    """Send the errors of Twisted and asyncio to the fault log, so that neither writes to the terminal."""
    globalLogBeginner.beginLoggingTo([faults], redirectStandardIO=False)

    def failed(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            _log.failure("{what}", Failure(error), what=context.get("message"))
        else:
            _log.error("{what}", what=context.get("message"))

    loop.set_exception_handler(failed)
