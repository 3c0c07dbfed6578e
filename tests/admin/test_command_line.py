"""``chatroom-admin``: how it is called, and what it says when it is called wrongly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from admin.folders import SECRET, Fails, damage, runs

from chatroom.daemon.privileges import NewUser


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    runs("--help")
    out = capsys.readouterr().out
    assert all(f"    {name}" in out for name in ("add-account", "backup", "restore", "export", "check"))


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("backup",), ("export", "--room", "x", "--private")])
def test_a_wrong_call_is_told_where_help_is(fails: Fails, arguments: tuple[str, ...]) -> None:
    assert fails(*arguments, status=2).endswith("--help\n")


def test_a_password_given_as_an_argument_is_not_repeated(fails: Fails) -> None:
    assert SECRET not in fails("add-account", "bob", SECRET, status=2)


def test_the_folder_is_the_daemons_unless_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    runs("check")


def test_the_folder_may_be_given_before_the_command_too(
    folder: Path, empty: Path, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    runs("--data", folder, "check")
    runs(f"-d{folder}", "export")
    runs("--data", empty, "check", "--data", folder)
    assert capsys.readouterr().out
    assert "there is no database" in fails("--data", empty, "check")


@pytest.mark.parametrize("command", [("check",), ("export",), ("backup", "copy")])
def test_a_folder_without_a_database_is_not_made(fails: Fails, empty: Path, command: tuple[str, ...]) -> None:
    assert "there is no database" in fails(*command, "--data", empty)
    assert not empty.exists()


def test_a_database_that_cannot_be_read_is_one_sentence(fails: Fails, folder: Path) -> None:
    damage(folder / "chat.db")
    assert "chat.db cannot be read" in fails("export", "--data", folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("command", [("check",), ("export",), ("backup", "copy")])
def test_a_folder_of_others_is_told_by_its_name(fails: Fails, folder: Path, command: tuple[str, ...]) -> None:
    """Also by an export, whose output is not at fault."""
    wanted = f"chatroom-admin: {folder}/chat.db: Permission denied; run this as the user that the daemon runs as\n"
    folder.chmod(0o700)
    with NewUser(65534, 65534).already():
        said = fails(*command, "--data", folder)
    assert said == wanted


@pytest.mark.parametrize("command", [("check",), ("restore", "--force", "copy")])
def test_an_empty_folder_name_is_not_the_daemons_folder(
    fails: Fails, folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """A script whose variable is empty must not restore over the daemon's database."""
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    assert fails(*command, "--data", "") == "chatroom-admin: --data is empty; give a folder\n"


def test_a_backup_does_not_go_to_the_output(fails: Fails, folder: Path) -> None:
    """And no file is called as others call the output."""
    assert fails("backup", "-", "--data", folder) == "chatroom-admin: a backup cannot go to the output; give a file\n"


def test_an_export_goes_to_the_output_by_either_name(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    runs("export", "--data", folder)
    wanted = capsysbinary.readouterr().out
    runs("export", "-", "--data", folder)
    assert capsysbinary.readouterr().out == wanted != b""
