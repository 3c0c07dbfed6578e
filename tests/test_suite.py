"""The tests themselves: they pass wherever somebody runs them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

MAY_BE_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def test_a_process_that_a_test_starts_ignores_no_signal() -> None:
    """Or a test that sends one would wait in vain."""
    status = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    ignored = int(re.findall(r"^SigIgn:\t(\w+)$", status, re.MULTILINE)[0], 16)
    assert [number.name for number in MAY_BE_IGNORED if ignored & 1 << number - 1] == []


def test_that_is_so_in_the_background_of_a_script_too() -> None:
    """There the shell, or nohup, has them ignored."""
    one = f"{__file__}::{test_a_process_that_a_test_starts_ignores_no_signal.__name__}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", one]
    background = ["sh", "-c", "trap '' INT QUIT HUP; exec \"$@\"", "sh", *command]
    done = subprocess.run(background, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
