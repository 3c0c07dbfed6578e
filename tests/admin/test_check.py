"""``chatroom-admin check``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from admin.folders import Fails, change, damage, runs

from chatroom.admin.command_line import main
from chatroom.engines.sqlite.schema import APPLICATION_ID, LADDER, connect


def test_a_good_database_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs("check", "--data", folder)
    assert capsys.readouterr().out == f"schema {len(LADDER)}; accounts: 1, rooms: 2, messages: 4\n"


@pytest.mark.usefixtures("held")
def test_a_running_daemon_is_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs("check", "--data", folder)
    assert "a daemon is running" in capsys.readouterr().out


def test_an_older_schema_is_no_fault_and_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(
        tmp_path / "chat.db", "CREATE TABLE logs(no, name, floor)", "CREATE TABLE log(seq, log, message, at, key, body)"
    )
    change(tmp_path / "chat.db", "CREATE TABLE record(bucket, key, rev, value)", "PRAGMA user_version=1")
    change(tmp_path / "chat.db", f"PRAGMA application_id={APPLICATION_ID}")
    runs("check", "--data", tmp_path)
    assert "older than this chatroom's" in capsys.readouterr().out
    with closing(connect(tmp_path / "chat.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 1


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA application_id=1", "not a chatroom database"),
        (f"PRAGMA user_version={len(LADDER) + 1}", "newer chatroom"),
        ("DELETE FROM record WHERE bucket='look'", "the look of the account Alice is not kept"),
        ("UPDATE record SET value='\"bob\"' WHERE bucket='look'", "the look of the account Alice is not kept"),
        ("DELETE FROM record WHERE bucket='account'", "the account alice, which there is not"),
        ("UPDATE record SET key='alicia' WHERE bucket='account'", "instead of 'alice'"),
        ("UPDATE record SET value='{' WHERE bucket='account'", "holds what cannot be read"),
        (
            """UPDATE record SET value='{"id":"a1","name":"a b","made":7}' WHERE bucket='account'""",
            "the account alice is called 'a b'",
        ),
        ("DELETE FROM terms_docsize WHERE id=1", "the search index lacks 1 messages"),
        ("DELETE FROM log WHERE seq=1", "the search index holds 1 messages that are gone"),
        ("UPDATE log SET message=2, about=99 WHERE seq=3", "1 edits, reactions or deletions are about messages that"),
        ("UPDATE terms_data SET block=zeroblob(30) WHERE id>10", "the search index is damaged"),
    ],
)
def test_a_fault_is_found_and_named(folder: Path, capsys: pytest.CaptureFixture[str], statement: str, why: str) -> None:
    change(folder / "chat.db", statement)
    before = (folder / "chat.db").read_bytes()
    assert main(["check", "--data", str(folder)]) == 1
    faults = capsys.readouterr().err.splitlines()
    assert [fault for fault in faults if why in fault], faults
    assert all(fault.startswith("chatroom-admin: ") for fault in faults)
    assert (folder / "chat.db").read_bytes() == before, "it only looks"


def test_a_damaged_page_is_found(folder: Path, fails: Fails) -> None:
    damage(folder / "chat.db")
    fails("check", "--data", folder)


def test_a_check_leaves_the_database_as_it_was(folder: Path) -> None:
    before = (folder / "chat.db").read_bytes()
    runs("check", "--data", folder)
    assert (folder / "chat.db").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"chat.db", "lock"}
