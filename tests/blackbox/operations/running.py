"""What tests of running the daemon share."""

from __future__ import annotations

import re
from pathlib import Path

from blackbox.daemon import run_twistd

SHUTDOWN = "The server is shutting down."


def refusal(folder: Path, *options: str) -> str:
    """Return the one sentence with which the daemon refuses to start, having started nothing.

    Args:
        folder: Where it runs, and its HOME.
        options: What it is given; it listens on any port of 127.0.0.1 unless they say otherwise.
    """
    command = ["-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1", *options]
    result = run_twistd(folder, *command, HOME=str(folder))
    said = result.stdout + result.stderr
    assert result.returncode > 0, said
    assert "Traceback" not in said
    assert "listening on" not in said
    sentences = re.findall(r"^(?:.*#error\] )?(chatroom: .*)$", said, re.MULTILINE)
    assert len(sentences) == 1, said
    sentence: str = sentences[0]
    return sentence


def twistd(folder: Path, *arguments: str) -> str:
    """Return what twistd says that is asked something and ends well."""
    result = run_twistd(folder, *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def text(path: Path) -> None:
    """Make a file that is no database."""
    path.write_text("Dear diary,\n" * 1000)
