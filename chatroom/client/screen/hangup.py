"""A terminal that goes away, as when its window is closed: that is one way to leave, and no error."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def survive(output: Any, leave: Callable[[], None]) -> None:
    """Let what is written to a terminal that is gone go nowhere.

    Args:
        output: Of ``prompt_toolkit``, on a terminal.
        leave: Called each time when something could not be written.
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
