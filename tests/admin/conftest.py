"""Data folders for the tests of ``chatroom-admin``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from admin.folders import Fails, entry, keep, said, write

from chatroom.admin.command_line import main
from chatroom.chat.rooms.directory import RoomRecord
from chatroom.engines.data_folder import DataFolder
from chatroom.model.account import AccountRecord
from chatroom.model.events import Joined, Private


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A data folder before a daemon or anybody else has used it."""
    return tmp_path / "empty"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two rooms, an account, and a private message."""
    folder = tmp_path / "data"
    folder.mkdir()
    keep(folder, "room", "lobby", RoomRecord("r1", "Lobby", 5, "alice", "a1"))
    keep(folder, "room", "den", RoomRecord("r2", "den", 6, "alice", "a1"))
    keep(folder, "account", "alice", AccountRecord(id="a1", name="Alice", made=7, password="$argon2id$hash"))
    keep(folder, "look", "alice", "alice")
    write(
        folder,
        entry("room/r1", said("hello")),
        entry("room/r2", said("hush")),
        entry("room/r1", Joined(id="j1", at=1000, by="bob", by_id="b1", session="s1")),
        entry("inbox/a1", Private(id="p1", at=1000, by="bob", by_id="b1", to="alice", text="just us")),
        entry("room/r1", said("bye")),
    )
    return folder


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Fails:
    """Run a command that must fail with one sentence; give that."""

    def run(*arguments: object, status: int = 1) -> str:
        assert main([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("chatroom-admin: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err

    return run


@pytest.fixture
def held(folder: Path) -> Iterator[DataFolder]:
    """Somebody else, a daemon say, has the folder."""
    holder = DataFolder(folder)
    yield holder
    holder.close()
