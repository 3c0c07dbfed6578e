"""Ctrl-Z stops the client until the shell continues it; closing the terminal window ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

# The signals that have handlers of ours, except while we are stopped. A handled SIGTSTP would not stop us. A handler of
# SIGTERM or SIGHUP would use the terminal, which is then the shell's; without a handler, the signal ends us at once.
_OURS = (signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)


def stop_until_continued() -> None:
    """Stop all processes of this shell job; return when the shell continues them.

    If no shell could continue them, the system does not stop them.
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
            os.dup2(nowhere, output.fileno())  # so that writing buffered text does not fail again
            os.close(nowhere)
            leave()

    output.flush = flush_if_possible
