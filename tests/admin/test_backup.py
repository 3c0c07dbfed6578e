"""``chatroom-admin backup``."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from admin.folders import Fails, change, entry, runs, said, texts

from chatroom.admin.backup import copy_database
from chatroom.engines.sqlite.schema import connect, open_database
from chatroom.engines.sqlite.writer import Writer


def test_a_backup_is_one_file_that_only_its_owner_reads(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    runs("backup", out / "copy", "--data", folder)
    assert [path.name for path in out.iterdir()] == ["copy"]
    assert (out / "copy").stat().st_mode & 0o777 == 0o600
    assert (out / "copy").read_bytes()[18:20] == b"\1\1", "no WAL: it can be read where nothing can be written"
    assert texts(out / "copy") == texts(folder / "chat.db") == ["hello", "hush", "just us", "bye"]


@pytest.mark.usefixtures("held")
def test_what_is_only_in_the_wal_is_in_the_backup(folder: Path, tmp_path: Path) -> None:
    with closing(open_database(folder / "chat.db")) as db:
        Writer(db).store([entry("room/r1", said("just now"))])
        runs("backup", tmp_path / "copy", "--data", folder)
    assert texts(tmp_path / "copy")[-1] == "just now"


class Interrupted(sqlite3.Connection):
    """A source whose backup goes page by page, and somebody else writes after each."""

    write: Callable[[], None]

    def backup(self, target: sqlite3.Connection, **options: Any) -> None:  # type: ignore[override]
        steps = 0

        def progress(status: int, remaining: int, total: int) -> None:
            nonlocal steps
            steps += 1
            assert steps < 100, "it begins anew with each write"
            self.write()

        super().backup(target, pages=1, progress=progress)


def test_a_backup_ends_however_much_is_written_meanwhile_and_is_of_one_moment(folder: Path, tmp_path: Path) -> None:
    with (
        closing(open_database(folder / "chat.db")) as db,
        closing(sqlite3.connect(folder / "chat.db", factory=Interrupted, isolation_level=None)) as source,
    ):
        writer = Writer(db)
        source.write = lambda: writer.store([entry("room/r1", said("later"))])
        before = texts(folder / "chat.db")
        copy_database(source, tmp_path / "copy")
    assert texts(folder / "chat.db")[-1] == "later"
    assert texts(tmp_path / "copy") == before


def test_a_file_is_replaced_only_when_told(fails: Fails, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text("precious")
    assert "--force" in fails("backup", copy, "--data", folder)
    assert copy.read_text() == "precious"
    runs("backup", copy, "--force", "--data", folder)
    assert texts(copy) == texts(folder / "chat.db")


@pytest.mark.parametrize("name", ["chat.db", "../data/chat.db-wal", "../link"])
def test_a_backup_never_replaces_the_database(fails: Fails, folder: Path, name: str) -> None:
    (folder / "../link").symlink_to(folder / "chat.db")
    assert "the database itself" in fails("backup", folder / name, "--force", "--data", folder)
    assert texts(folder / "chat.db")[0] == "hello"


def test_a_backup_to_what_is_no_file_is_refused(fails: Fails, folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "no ordinary file" in fails("backup", tmp_path / "fifo", "--force", "--data", folder)
    assert "no ordinary file" in fails("backup", tmp_path, "--force", "--data", folder)
    assert "No such file" in fails("backup", tmp_path / "nowhere" / "copy", "--data", folder)


def test_a_damaged_database_makes_no_backup_and_spoils_no_older_one(fails: Fails, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "copy").write_text("precious")
    change(folder / "chat.db", "PRAGMA journal_mode=DELETE")
    with closing(connect(folder / "chat.db")) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name='log_place'").fetchone()[0]
    data = bytearray((folder / "chat.db").read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    (folder / "chat.db").write_bytes(data)
    assert "damaged" in fails("backup", out / "copy", "--force", "--data", folder)
    assert {path.name: path.read_text() for path in out.iterdir()} == {"copy": "precious"}
