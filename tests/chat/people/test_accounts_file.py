"""The operator's file of accounts: what is read, what is refused, and that no password is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.chat.people.accounts_file import MOST_BYTES, BadFile, read
from chatroom.chat.people.passwords import Argon2

HASH = Argon2(memory=8, rounds=1).hash("secret")


def file(folder: Path, text: str | bytes) -> Path:
    """Return a file with that in it."""
    path = folder / "accounts"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_passwords_and_hashes_a_line_each(tmp_path: Path) -> None:
    text = f"# who may come\nalice:secret\n\n  \r\nBob : with: colon and spaces \ncarol:{HASH}"
    found = read(file(tmp_path, text))
    assert [(entry.name.shown, entry.secret, entry.hashed) for entry in found] == [
        ("alice", "secret", False),
        ("Bob", " with: colon and spaces ", False),
        ("carol", HASH, True),
    ]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("alice:secret\nbob", 2, "name:password"),
        ("alice:", 1, "name:password"),
        (":secret", 1, ""),
        ("server:secret", 1, "reserved"),
        ("a,b:secret", 1, ""),
        ("alice:secret\nALICE:other", 2, "twice"),
        ("alice:secret\na1ice:other", 2, "looks like"),
        ("alice:$2b$12$secret", 1, "Argon2id"),
        ("alice:$argon2id$secret", 1, "Argon2id"),
        (f"alice:{'x' * 129}", 1, "128"),
        ("alice:sec\x0bret", 1, "control"),
        ("alice:sec\rret\n", 1, "control"),
        ("\nalice:sec\u200bret", 2, "invisible"),
        ("alice:sec\ufffdret", 1, "UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_a_password(
    tmp_path: Path, text: str, line: int, word: str
) -> None:
    with pytest.raises(BadFile) as raised:
        read(file(tmp_path, text))
    said = str(raised.value)
    assert said.startswith(f"line {line}: ")
    assert word in said
    assert "secret" not in said
    assert "xxx" not in said


def test_a_password_is_prepared_as_everywhere_and_may_be_short(tmp_path: Path) -> None:
    found = read(file(tmp_path, "\ufeffalice:e\u0301te\u0301\r\nbob:x\n"))
    assert [(entry.name.shown, entry.secret) for entry in found] == [("alice", "\u00e9t\u00e9"), ("bob", "x")]


def test_a_file_that_cannot_be_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
    with pytest.raises(BadFile, match="not UTF-8"):
        read(file(tmp_path, b"alice:\xff"))
    with pytest.raises(BadFile, match="longer than"):
        read(file(tmp_path, "#" * (MOST_BYTES + 1)))
    with pytest.raises(BadFile, match=r"[Dd]irectory"):
        read(tmp_path)
    assert read(file(tmp_path, "")) == []
