"""A client that uses no keys does not load what they need: it takes memory and time to start."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("cryptography", "segno", "vodozemac", "sqlite3", "argon2")
WAYS = {
    "the command line": "chatroom.client.main",
    "the pipe": "chatroom.client.pipe",
    "the screen": "chatroom.client.screen.running",
}
PROGRAM = """
import sys
sys.modules["OpenSSL"] = None  # as --plain does
import {module}
print(*{{name.partition(".")[0] for name in sys.modules}} & set({heavy!r}))
"""


@pytest.mark.parametrize("module", WAYS.values(), ids=WAYS)
def test_nothing_of_the_cryptography_is_loaded_at_the_start(module: str) -> None:
    program = PROGRAM.format(module=module, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
