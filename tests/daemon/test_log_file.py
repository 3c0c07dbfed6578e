"""Log files that are moved, removed or cut under the daemon's feet go on at their paths, and lose no line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.daemon.log_file import DaemonLog, MovableLogFile, log_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log file is."""
    return tmp_path / "chat.log"


@pytest.fixture
def file(path: Path) -> Iterator[MovableLogFile]:
    """An open log file with one line."""
    made: MovableLogFile = MovableLogFile.fromFullPath(str(path))
    made.write("one\n")
    yield made
    made.close()


def test_a_line_goes_to_the_path_when_the_file_was_moved(file: MovableLogFile, path: Path) -> None:
    path.rename(path.with_suffix(".1"))
    file.write("two\n")
    file.write("three\n")
    assert path.with_suffix(".1").read_text() == "one\n"
    assert path.read_text() == "two\nthree\n"


def test_a_line_goes_to_the_path_when_another_file_was_put_there(file: MovableLogFile, path: Path) -> None:
    path.rename(path.with_suffix(".1"))
    path.write_text("made by logrotate\n")
    file.write("two\n")
    assert path.read_text() == "made by logrotate\ntwo\n"


def test_a_file_that_was_removed_is_made_again(file: MovableLogFile, path: Path) -> None:
    path.unlink()
    file.write("two\n")
    assert path.read_text() == "two\n"


def test_a_file_that_was_cut_gets_no_hole(file: MovableLogFile, path: Path) -> None:
    os.truncate(path, 0)
    file.write("two\n")
    file.write("\u00e9\n")
    assert path.read_bytes() == "two\n\u00e9\n".encode()


def test_a_file_that_cannot_be_opened_again_is_written_to_where_it_is(file: MovableLogFile, path: Path) -> None:
    moved = path.with_suffix(".1")
    path.rename(moved)
    path.mkdir()
    file.write("two\n")
    assert file.follow() is False
    assert moved.read_text() == "one\ntwo\n"
    path.rmdir()
    file.write("three\n")
    assert file.follow() is True
    assert (moved.read_text(), path.read_text()) == ("one\ntwo\n", "three\n")


def test_following_makes_the_file_before_there_is_a_line(file: MovableLogFile, path: Path) -> None:
    path.rename(path.with_suffix(".1"))
    assert file.follow() is True
    assert path.read_text() == ""


def test_only_what_moved_is_opened_again(file: MovableLogFile, monkeypatch: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr(file, "_openFile", lambda: opened.append("again"))
    for number in range(5):
        file.write(f"{number}\n")
    file.follow()
    assert opened == []


def test_it_is_still_rotated_by_size(path: Path) -> None:
    file = MovableLogFile("chat.log", str(path.parent), rotateLength=8)
    for line in ("one two three\n", "four\n"):
        file.write(line)
    file.close()
    assert (path.with_suffix(".log.1").read_text(), path.read_text()) == ("one two three\n", "four\n")


# ---- twistd's options --------------------------------------------------------------------------------------------


def twistd(**options: Any) -> dict[str, Any]:
    """Return twistd's options as it has parsed them."""
    return {"logfile": None, "logger": None, "syslog": 0, "nodaemon": 1, **options}


def test_twistd_writes_its_log_through_a_file_that_follows(path: Path) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    try:
        log = log_of(twistd(logfile=str(path)))
        assert log is not None
        assert log.follow() is True, "it is not open yet"
        observer = log.observer()
        assert callable(signal.getsignal(signal.SIGUSR1)), "twistd promises that this rotates the log"
    finally:
        signal.signal(signal.SIGUSR1, before)
    event = {"log_format": "hello", "log_time": 0.0, "log_system": "-"}
    observer(event)
    path.rename(path.with_suffix(".1"))
    observer(event)
    assert path.read_text().endswith("hello\n")
    path.unlink()
    assert log.follow() is True
    assert path.read_text() == ""
    log._file.close()  # type: ignore[union-attr]


def test_in_the_background_the_log_is_where_twistd_puts_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    log = log_of(twistd(nodaemon=0))
    assert isinstance(log, DaemonLog)
    assert log.path == tmp_path / "twistd.log"


@pytest.mark.parametrize(
    "options", [{}, {"logfile": "-"}, {"syslog": 1, "logfile": "x"}, {"logger": print, "logfile": "x"}, None]
)
def test_what_is_no_file_of_ours_is_left_to_twistd(options: dict[str, Any] | None) -> None:
    assert log_of(twistd(**options) if options is not None else None) is None
