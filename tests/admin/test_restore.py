"""``chatroom-admin restore``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from admin.folders import Fails, change, damage, entry, keep, runs, said, texts, write

from chatroom.chat.keys.claiming import ONE_TIME
from chatroom.chat.keys.directory import BACKUPS, DEVICES, LISTS
from chatroom.engines.sqlite.schema import LADDER, connect, open_database
from chatroom.engines.sqlite.writer import Writer


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A backup of the folder."""
    runs("backup", tmp_path / "backup", "--data", folder)
    return tmp_path / "backup"


def test_a_backup_is_restored_into_a_new_folder(copy: Path, folder: Path, empty: Path) -> None:
    runs("restore", copy, "--data", empty)
    assert (empty / "chat.db").stat().st_mode & 0o777 == 0o600
    assert (empty.stat().st_mode & 0o777) == 0o700
    assert {path.name for path in empty.iterdir()} == {"chat.db", "lock"}
    assert texts(empty / "chat.db") == texts(folder / "chat.db")
    runs("check", "--data", empty)
    assert copy.exists()


def test_a_database_that_is_there_is_moved_aside_only_when_told(
    fails: Fails, copy: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, entry("room/r1", said("new")))
    before = texts(folder / "chat.db")
    assert "--force" in fails("restore", copy, "--data", folder)
    assert texts(folder / "chat.db") == before
    runs("restore", copy, "--force", "--data", folder)
    runs("restore", copy, "--force", "--data", folder)
    assert texts(folder / "chat.db") == before[:-1]
    assert texts(folder / "chat.db.before-restore-1") == before
    assert texts(folder / "chat.db.before-restore-2") == before[:-1]
    out = capsys.readouterr().out.splitlines()
    assert [line.split("before-restore-")[1] for line in out] == ["1 now", "2 now"]


def test_what_a_crash_left_in_the_wal_goes_with_its_database(copy: Path, folder: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(open_database(folder / "chat.db")) as db:
        Writer(db).store([entry("room/r1", said("in the wal"))])
        for name in ("chat.db", "chat.db-wal"):
            shutil.copy(folder / name, crashed)
    runs("restore", copy, "--force", "--data", crashed)
    assert "in the wal" not in texts(crashed / "chat.db")
    assert texts(crashed / "chat.db.before-restore-1")[-1] == "in the wal"


def test_a_wal_alone_is_taken_for_a_database(fails: Fails, copy: Path, empty: Path) -> None:
    empty.mkdir()
    (empty / "chat.db-wal").write_bytes(b"left")
    assert "--force" in fails("restore", copy, "--data", empty)
    runs("restore", copy, "--force", "--data", empty)
    assert (empty / "chat.db.before-restore-1-wal").read_bytes() == b"left"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_text("no database, only words " * 100), "not a database"),
        (lambda path: path.write_bytes(b""), "not a chatroom database"),
        (lambda path: change(path, "PRAGMA application_id=1"), "not a chatroom database"),
        (lambda path: change(path, f"PRAGMA user_version={len(LADDER) + 1}"), "newer chatroom"),
        (lambda path: path.unlink(), "there is no file"),
        (damage, "malformed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-4096]), "malformed"),
    ],
    ids=["text", "empty", "foreign", "newer", "missing", "damaged", "cut"],
)
def test_a_bad_backup_is_refused_before_anything_is_touched(
    fails: Fails, copy: Path, folder: Path, empty: Path, spoil: Callable[[Path], None], why: str
) -> None:
    spoil(copy)
    assert why in fails("restore", copy, "--data", empty)
    assert not empty.exists()
    fails("restore", copy, "--force", "--data", folder)
    assert texts(folder / "chat.db")[0] == "hello"


@pytest.mark.usefixtures("held")
def test_a_running_daemons_database_is_not_replaced(fails: Fails, copy: Path, folder: Path) -> None:
    assert "stop it first" in fails("restore", copy, "--force", "--data", folder)
    assert {path.name for path in folder.iterdir()} == {"chat.db", "lock"}


def test_one_time_keys_are_not_restored_but_all_other_keys_are(folder: Path, empty: Path, tmp_path: Path) -> None:
    """Some were given to somebody after the backup was made; given once more, they would open what they protect."""
    records = {
        (ONE_TIME, "u1/DEVICE/00000000000000000001"): "given later",
        (DEVICES, "u1/DEVICE"): "keys",
        (LISTS, "u1"): "list",
        (BACKUPS, "u1"): "sealed",
    }
    for (bucket, key), value in records.items():
        keep(folder, bucket, key, value)
    runs("backup", tmp_path / "copy", "--data", folder)
    assert kept(tmp_path / "copy") >= records.keys()
    runs("restore", tmp_path / "copy", "--data", empty)
    assert kept(empty / "chat.db") & records.keys() == records.keys() - {(ONE_TIME, "u1/DEVICE/00000000000000000001")}
    assert kept(tmp_path / "copy") >= records.keys(), "the backup is as it was"
    runs("check", "--data", empty)


def kept(path: Path) -> set[tuple[str, str]]:
    """Return the buckets and keys of all records of a database."""
    with closing(connect(path)) as db:
        return set(db.execute("SELECT bucket, key FROM record").fetchall())
