"""What is kept in files: lines typed, without passwords, for their owner alone; how far one has read."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.screen.history import MOST, SavedHistory
from chatroom.client.screen.parser import holds_secret
from chatroom.client.screen.password_guard import kept_nowhere
from chatroom.client.screen.saved_state import SavedState, load, save


def history(path: Path) -> SavedHistory:
    return SavedHistory(path / "x" / "history", holds_secret)


def test_lines_come_back_the_newest_first_in_a_file_of_ones_own(tmp_path: Path) -> None:
    kept = history(tmp_path)
    for line in ("one", "/login bob s3cret", "  ", "two"):
        kept.append_string(line)
    assert list(history(tmp_path).load_history_strings()) == ["two", "one"]
    assert (tmp_path / "x" / "history").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o700


def test_several_lines_come_back_as_one_entry(tmp_path: Path) -> None:
    kept = SavedHistory(tmp_path / "x" / "history", kept_nowhere)
    for entry in ("one\ntwo\n\nfour", "a\x0bb\x85c\u2028d", "hello\n/login bob s3cret", "five"):
        kept.append_string(entry)
    again = ["five", "a b c d", "one\ntwo\n\nfour"]
    assert list(history(tmp_path).load_history_strings()) == again
    text = (tmp_path / "x" / "history").read_text()
    assert text.count("\n") == 3
    (tmp_path / "x" / "history").write_text("".join(f"{i}\n" for i in range(2 * MOST + 1)) + text)
    assert list(history(tmp_path).load_history_strings())[:3] == again  # as the file is cut, too
    assert list(history(tmp_path).load_history_strings())[:3] == again


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "x" / "history"
    path.parent.mkdir()
    path.write_text("".join(f"{i}\n" for i in range(2 * MOST + 1)))
    assert len(list(history(tmp_path).load_history_strings())) == MOST
    assert path.read_text().startswith(f"{MOST + 1}\n")
    history(tmp_path).append_string("x" * 5000)
    assert "xx" not in path.read_text()


@pytest.mark.parametrize("broken", [b"\xff\xfe\n", b"\0"])
def test_a_strange_file_does_no_harm(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "x" / "history"
    path.parent.mkdir()
    path.write_bytes(broken)
    assert len(list(history(tmp_path).load_history_strings())) == 1


def test_a_folder_that_cannot_be_made_keeps_nobody_from_talking(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("in the way")
    kept = history(tmp_path)
    kept.append_string("one")
    assert list(kept.load_history_strings()) == []
    save(tmp_path / "x" / "screen.json", SavedState({"lobby": 3}))
    assert load(tmp_path / "x" / "screen.json") == SavedState()


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "x" / "screen.json"
    save(path, SavedState({"lobby": 3}, ["bob"]))
    assert load(path) == SavedState({"lobby": 3}, ["bob"])
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    assert load(path) == SavedState()


def test_a_private_line_is_recalled_and_not_kept_in_the_file(tmp_path: Path) -> None:
    kept = SavedHistory(tmp_path / "history", kept_nowhere, lambda line: "tell" in line)
    for line in ("/join lobby", "tell nobody", "hello"):
        kept.append_string(line)
    assert kept.get_strings() == ["/join lobby", "tell nobody", "hello"]
    assert (tmp_path / "history").read_text() == "/join lobby\nhello\n"


def test_a_recovery_key_typed_after_its_command_is_kept_nowhere() -> None:
    assert kept_nowhere("/keys recover ABCD EFGH")
    assert not kept_nowhere("/keys recover")
    assert not kept_nowhere("/keys recovery")
