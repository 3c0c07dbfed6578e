"""The secrets of the clients that somebody starts: kept from one to the next, one each at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatroom.client.bot import mint
from chatroom.client.guest_secret import secret

CODE = """
import sys
from pathlib import Path
from chatroom.client.guest_secret import secret
print(secret(Path(sys.argv[1]), lambda: sys.argv[2] * 16), flush=True)
sys.stdin.read()
"""


class Process:
    """A client, as far as it matters here."""

    def __init__(self, folder: Path, letter: str) -> None:
        command = [sys.executable, "-c", CODE, str(folder), letter]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.secret = self._process.stdout.readline().decode().strip()

    def kill(self) -> None:
        """It ends at once."""
        self._process.kill()
        self._process.communicate()


def test_it_is_the_same_for_those_who_come_after_one_another_and_another_for_those_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "servers" / "chat.example:8888"
    first, second = Process(folder, "a"), Process(folder, "b")
    assert (first.secret, second.secret) == ("a" * 16, "b" * 16)
    first.kill()
    third = Process(folder, "c")
    assert third.secret == "a" * 16
    for process in (second, third):
        process.kill()


def test_what_is_made_is_kept(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from chatroom.client.bot import mint; " + CODE.replace(
        "lambda: sys.argv[2] * 16", "mint"
    )
    made = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code, tmp_path], input=b"", capture_output=True, check=True)
        made.append(done.stdout)
    assert len(set(made)) == 1


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    made = secret(tmp_path / "server", mint)
    (file,) = (tmp_path / "server").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == made
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("bad", [b"", b"short", b"x" * 65, b"\xff" * 20, b'quoted"' * 5, b"with a line\n" * 2])
def test_what_cannot_be_right_is_made_anew(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "myself-1").write_bytes(bad)
    made = secret(tmp_path, lambda: "new" * 8)
    assert made == (tmp_path / "myself-1").read_text() == "new" * 8


def test_where_nothing_can_be_kept_it_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert secret(tmp_path / "file", lambda: "new") == "new"
    (tmp_path / "myself-1").symlink_to(tmp_path / "elsewhere")
    assert secret(tmp_path, lambda: "new") == "new"
    assert not (tmp_path / "elsewhere").exists()
    os.mkfifo(tmp_path / "myself-2")
    (tmp_path / "myself-1").unlink()
    (tmp_path / "myself-2").rename(tmp_path / "myself-1")
    assert secret(tmp_path, lambda: "new") == "new"
