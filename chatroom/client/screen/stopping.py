"""Stopping this process, as Ctrl-Z does, until the shell lets it go on."""

from __future__ import annotations

import os
import signal


def stop_until_continued() -> None:
    """Stop this process and those that the shell started with it; return when they go on.

    Where there is no shell that could let it go on, the system does not stop it.
    """
    ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)  # or the signal would only come back to us
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, ours)
