"""What is typed about files, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.files.commands import what_to_get, what_to_send
from chatroom.client.refused import Refused

HERE = Path("downloads")


@pytest.mark.parametrize(
    ("typed", "path", "user"),
    [
        ("notes.txt", "notes.txt", ""),
        ("notes.txt bob", "notes.txt", "bob"),
        ("my notes.txt", "my notes.txt", ""),
        ("my notes.txt bob", "my notes.txt", "bob"),
        ("'my notes.txt' bob", "my notes.txt", "bob"),
        ('"my notes.txt"', "my notes.txt", ""),
        (r"my\ notes.txt bob", "my notes.txt", "bob"),
        ("it's.txt", "it's.txt", ""),
        ("it's.txt bob", "it's.txt", "bob"),
        ("two words", "two words", ""),
        ("nothing", "nothing", ""),
        ("nothing bob", "nothing", "bob"),
        ("nothing at all here", "nothing at all here", ""),
        ("~nobody-is-called-so/x", "~nobody-is-called-so/x", ""),
    ],
)
def test_what_to_send(typed: str, path: str, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("notes.txt", "my notes.txt", "it's.txt", "two words", "two"):
        Path(name).touch()
    if path == "two words":
        Path("two").unlink()
    assert what_to_send(typed) == (Path(path), user)


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert what_to_send("~/x") == (tmp_path / "x", "")
    assert what_to_get("3 ~/x", HERE) == (3, tmp_path / "x")


@pytest.mark.parametrize(
    ("typed", "number", "path"),
    [
        ("3", 3, HERE),
        ("3 there", 3, Path("there")),
        ("3 a b", 3, Path("a b")),
        ("12 'a b'", 12, Path("a b")),
        ("3 it's", 3, Path("it's")),
    ],
)
def test_what_to_get(typed: str, number: int, path: Path) -> None:
    assert what_to_get(typed, HERE) == (number, path)


def test_what_ends_like_a_folder_is_one(tmp_path: Path) -> None:
    assert what_to_get(f"3 {tmp_path}/", HERE) == (3, tmp_path)
    with pytest.raises(Refused, match="there is no folder some; make it, or name another"):
        what_to_get("3 some/", HERE)


@pytest.mark.parametrize("typed", ["", "x", "-1", "3x", "³", "1234567890"])
def test_no_number(typed: str) -> None:
    with pytest.raises(Refused, match=r"usage: /get <number> \[path\]"):
        what_to_get(typed, HERE)
