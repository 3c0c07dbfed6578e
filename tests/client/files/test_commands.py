"""What is typed about files, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.errors import Rejected
from chatroom.client.files.commands import ToGet, what_to_get, what_to_send

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
    assert what_to_get("3 ~/x", HERE) == ToGet(3, False, tmp_path / "x", folder=False)


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
    assert what_to_get(typed, HERE) == ToGet(number, False, path, folder=path == HERE)


@pytest.mark.parametrize(("typed", "path"), [("@7", HERE), ("@7 there", Path("there"))])
def test_a_file_that_was_given(typed: str, path: Path) -> None:
    assert what_to_get(typed, HERE) == ToGet(7, True, path, folder=path == HERE)


def test_a_file_that_may_be_plain_and_one_over_a_direct_link() -> None:
    assert what_to_get("plain 3", HERE) == ToGet(3, False, HERE, folder=True, plain=True)
    assert what_to_get("plain @3 there", HERE) == ToGet(3, True, Path("there"), folder=False, plain=True)
    assert what_to_get("d3", HERE) == ToGet(3, False, HERE, folder=True, direct=True)


def test_what_ends_like_a_folder_is_one(tmp_path: Path) -> None:
    for typed in (f"3 {tmp_path}/", f"3 {tmp_path}"):
        assert what_to_get(typed, HERE) == ToGet(3, False, tmp_path, folder=True)
    with pytest.raises(Rejected, match="there is no folder some; make it, or name another"):
        what_to_get("3 some/", HERE)


@pytest.mark.parametrize("typed", ["", "x", "-1", "3x", "³", "1234567890", "@", "@@1", "@x", "1@"])
def test_no_number(typed: str) -> None:
    with pytest.raises(Rejected, match=r"usage: /get <number> \[path\]"):
        what_to_get(typed, HERE)


def test_a_path_that_cannot_be_looked_at_is_the_first_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", forbidden)
    assert what_to_send("secret/notes.txt bob") == (Path("secret/notes.txt"), "bob")
    assert what_to_get("3 secret/here", HERE) == ToGet(3, False, Path("secret/here"), folder=False)
    with pytest.raises(Rejected, match="there is no folder secret"):
        what_to_get("3 secret/", HERE)
