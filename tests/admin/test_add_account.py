"""``chatroom-admin add-account``."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from admin.folders import SECRET, Fails, change, keep, runs

from chatroom.admin import command_line
from chatroom.chat.people.passwords import Argon2
from chatroom.engines.sqlite.reader import Reader
from chatroom.engines.sqlite.schema import connect
from chatroom.model import account
from chatroom.model.account import AccountRecord


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Set what comes as input, which is no terminal."""

    def type_in(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))

    type_in(f"{SECRET}\n".encode())
    return type_in


def account_of(folder: Path, key: str) -> AccountRecord | None:
    with closing(connect(folder / "chat.db")) as db:
        held = Reader(db).get(account.BUCKET, key)
        return account.decode(held[0]) if held else None


@pytest.mark.usefixtures("typed")
def test_an_account_is_made_as_the_console_would(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs("add-account", "Mona", "--data", empty)
    made = account_of(empty, "mona")
    assert made is not None
    assert (made.name, made.operator, made.reserved, len(made.id)) == ("Mona", False, True, 12)
    assert made.made > 1_700_000_000_000
    assert Argon2().verify(made.password, SECRET)
    with closing(connect(empty / "chat.db")) as db:
        assert list(Reader(db).all(account.LOOKS)) == [("rnona", b'"mona"')]
    assert SECRET not in "".join(capsys.readouterr())
    runs("check", "--data", empty)


@pytest.mark.usefixtures("typed")
def test_an_operator_is_made(empty: Path) -> None:
    runs("add-account", "root", "--operator", "--data", empty)
    made = account_of(empty, "root")
    assert made is not None
    assert made.operator


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ALICE", "already"),
        ("a1ice", "looks like"),
        ("Al1ce", "looks like"),
        ("server", "reserved"),
        ("guest-x", "reserved"),
        ("a b", "letters"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(fails: Fails, folder: Path, name: str, why: str) -> None:
    before = account_of(folder, "alice")
    assert why in fails("add-account", name, "--data", folder)
    assert account_of(folder, "alice") == before
    with closing(connect(folder / "chat.db")) as db:
        assert Reader(db).count(account.BUCKET) == 1
        assert list(Reader(db).all(account.LOOKS)) == [("alice", b'"alice"')]


@pytest.mark.usefixtures("typed")
def test_an_account_has_all_its_looks(empty: Path) -> None:
    runs("add-account", "b1lly", "--data", empty)
    with closing(connect(empty / "chat.db")) as db:
        assert dict(Reader(db).all(account.LOOKS)) == {"billy": b'"b1lly"', "bllly": b'"b1lly"'}
    runs("check", "--data", empty)


def test_an_account_of_an_older_chatroom_has_its_looks_too(
    fails: Fails, empty: Path, typed: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    runs("add-account", "b1lly", "--data", empty)
    change(empty / "chat.db", "DELETE FROM record WHERE bucket='look' AND key='billy'")
    runs("check", "--data", empty)
    typed(f"{SECRET}\n".encode())
    capsys.readouterr()
    assert "looks like that of the account b1lly" in fails("add-account", "billy", "--data", empty)
    keep(empty, account.LOOK_RULES, account.ALL_MADE, "")  # as a start does that has made all records
    assert command_line.main(["check", "--data", str(empty)]) == 1
    assert "the look of the account b1lly is not kept" in capsys.readouterr().err


@pytest.mark.usefixtures("typed")
def test_a_look_that_a_crash_left_without_its_account_is_taken_over(folder: Path) -> None:
    keep(folder, "look", "bob", "b0b")
    runs("add-account", "bob", "--data", folder)
    runs("check", "--data", folder)


def test_the_password_is_the_first_line_of_a_file(empty: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\r\nmore\n")
    runs("add-account", "bob", "--password-file", file, "--data", empty)
    made = account_of(empty, "bob")
    assert made is not None
    assert Argon2().verify(made.password, SECRET)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_password_is_asked_for_twice(
    empty: Path, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [SECRET, "other", SECRET, SECRET]
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(command_line, "getpass", lambda prompt: answers.pop(0))
    assert "differ" in fails("add-account", "bob", "--data", empty)
    runs("add-account", "bob", "--data", empty)
    assert account_of(empty, "bob") is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"geheim\x1b[2J\n",
        b" geheim\n",
        b"geheim\xff\n",
        b"geheim" * 50,
        b"geheim\r1\n",
        b"geheim\xe2\x80\x8b\n",
    ],
)
def test_a_password_that_is_none_is_refused_and_not_shown(
    fails: Fails, empty: Path, typed: Callable[[bytes], None], data: bytes
) -> None:
    typed(data)
    assert "geheim" not in fails("add-account", "bob", "--data", empty)
    assert not empty.exists()


def test_a_password_is_prepared_and_as_long_as_everywhere(
    fails: Fails, empty: Path, typed: Callable[[bytes], None]
) -> None:
    typed("cafe\u0301".encode())
    assert fails("add-account", "bob", "--data", empty) == "chatroom-admin: a password has at least 6 characters\n"
    typed("cafe\u0301".encode())
    runs("add-account", "bob", "--min-password", "4", "--data", empty)
    made = account_of(empty, "bob")
    assert made is not None
    assert Argon2().verify(made.password, "caf\u00e9")


@pytest.mark.parametrize(("file", "why"), [("nowhere", "No such file or directory"), (".", "Is a directory")])
def test_a_password_file_that_cannot_be_read_is_named(fails: Fails, empty: Path, file: str, why: str) -> None:
    said = fails("add-account", "bob", "--password-file", file, "--data", empty)
    assert said == f"chatroom-admin: --password-file {file}: {why}; give another\n"
    assert not empty.exists()


def test_no_password_at_all_is_told(fails: Fails, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the input is at its end, which is no password that is too short."""
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert fails("add-account", "bob", "--data", empty) == "chatroom-admin: no password was given\n"


@pytest.mark.usefixtures("held", "typed")
def test_while_a_daemon_runs_the_console_is_pointed_to(fails: Fails, folder: Path) -> None:
    assert "add_account on its console" in fails("add-account", "bob", "--data", folder)
    assert account_of(folder, "bob") is None


@pytest.mark.usefixtures("typed")
def test_root_makes_no_files_that_the_daemon_could_not_open(
    fails: Fails, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "run this as" in fails("add-account", "bob", "--data", folder)
    assert not (folder / "lock").exists()
