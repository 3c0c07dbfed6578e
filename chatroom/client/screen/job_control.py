"""Ctrl-Z stops the client until the shell continues it; closing the terminal window ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

# What we handle ourselves: SIGTSTP would only come back to us. And whoever is told to end while it is stopped could not
# end well, for it may not touch the terminal from the background: it ends at once, and the terminal is the shell's.
_OURS = (signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)


def stop_until_continued() -> None:
    """Stop this process and the others of its job; return when the shell continues them.

    If there is no shell that could continue it, the system does not stop it.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _OURS}
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def survive_hangup(output: Any, leave: Callable[[], None]) -> None:
    """Discard output after the terminal is gone. Closing the window is a way to leave, not an error.

    Args:
        output: An output of ``prompt_toolkit`` on a terminal.
        leave: Called each time that writing fails.
    """
    flush = output.flush

    def flush_if_possible() -> None:
        try:
            flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, output.fileno())  # what is buffered must not fail again, at the latest at the very end
            os.close(nowhere)
            leave()

    output.flush = flush_if_possible
