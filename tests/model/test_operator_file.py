"""Files that an operator names are read without ever waiting, and never more of them than they may hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatroom.model.operator_file import read_plain_file


def test_all_of_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\n" * 50)
    assert read_plain_file(tmp_path / "file", 100) == b"\xff\n" * 50
    assert read_plain_file(Path(os.devnull), 100) == b""


def test_a_larger_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(101))
    for path in (tmp_path / "file", Path("/dev/zero")):
        with pytest.raises(OSError, match="it is larger than 100 bytes"):
            read_plain_file(path, 100)


def test_nobody_waits_for_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no plain file"):
        read_plain_file(tmp_path / "pipe", 100)


def test_what_the_system_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_plain_file(tmp_path / "nowhere", 100)
    with pytest.raises(OSError, match="it is no plain file"):
        read_plain_file(tmp_path, 100)
