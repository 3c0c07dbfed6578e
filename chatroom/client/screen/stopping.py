"""Stopping this process, as Ctrl-Z does, until the shell lets it go on."""

from __future__ import annotations

import os
import signal

# What we handle ourselves: SIGTSTP would only come back to us. And whoever is told to end while it is stopped could not
# end well, for it may not touch the terminal from the background: it ends at once, and the terminal is the shell's.
_OURS = (signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)


def stop_until_continued() -> None:
    """Stop this process and those that the shell started with it; return when they go on.

    Where there is no shell that could let it go on, the system does not stop it.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _OURS}
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
