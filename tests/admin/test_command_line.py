"""``chatroom-admin``: every command on a data folder, its sentences and its exit statuses."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatroom import account, events
from chatroom.account import Account
from chatroom.admin import command_line
from chatroom.admin.backup import copy_database
from chatroom.admin.command_line import main
from chatroom.admin.export import export
from chatroom.chat.directory import RoomRecord
from chatroom.data_folder import DataFolder
from chatroom.engines.reading import Reader
from chatroom.engines.schema import APPLICATION_ID, LADDER, connect, open_database
from chatroom.engines.writing import Writer
from chatroom.events import Joined, Private, Said
from chatroom.log import Entry
from chatroom.passwords import Argon2

SECRET = "correct horse"
ROOT = Path(__file__).resolve().parents[2]

Fails = Callable[..., str]


def entry(log: str, event: Any) -> Entry:
    return Entry(log, event, events.encode(event))


def said(text: str, number: int = 0) -> Said:
    return Said(id=f"m{number}", at=1000, by="alice", by_id="a1", text=text)


def write(folder: Path, *entries: Entry) -> None:
    """Store entries, and index their words, as a daemon would."""
    with closing(open_database(folder / "chat.db")) as db:
        writer = Writer(db)
        writer.store(list(entries))
        while writer.index_some():
            pass


def keep(folder: Path, bucket: str, key: str, value: Any) -> None:
    with closing(open_database(folder / "chat.db")) as db:
        Writer(db).put(bucket, key, msgspec.json.encode(value), 0)


def change(path: Path, *statements: str) -> None:
    with closing(connect(path)) as db:
        for statement in statements:
            db.execute(statement)


def damage(path: Path) -> None:
    """Overwrite what the pages after the first say."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


def texts(path: Path) -> list[str]:
    """Return all texts of the database, in their order."""
    with closing(connect(path)) as db:
        rows = db.execute("SELECT body FROM log ORDER BY seq").fetchall()
    return [event.text for (body,) in rows if hasattr(event := events.decode(body), "text")]


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
    keep(folder, "account", "alice", Account(id="a1", name="Alice", made=7, password="$argon2id$hash"))
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


def runs(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


# ---- how it is called -------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("command", [("check",), ("export",), ("backup", "copy")])
def test_a_folder_without_a_database_is_not_made(fails: Fails, empty: Path, command: tuple[str, ...]) -> None:
    assert "there is no database" in fails(*command, "--data", empty)
    assert not empty.exists()


def test_a_database_that_cannot_be_read_is_one_sentence(fails: Fails, folder: Path) -> None:
    damage(folder / "chat.db")
    assert "chat.db cannot be read" in fails("export", "--data", folder)


# ---- add-account ------------------------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Set what comes as input, which is no terminal."""

    def type_in(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))

    type_in(f"{SECRET}\n".encode())
    return type_in


def account_of(folder: Path, key: str) -> Account | None:
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
        assert Reader(db).all(account.LOOKS) == [("rnona", b'"mona"')]
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
        assert Reader(db).all(account.LOOKS) == [("alice", b'"alice"')]


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


@pytest.mark.parametrize("data", [b"", b"\n", b"geheim\x1b[2J\n", b" geheim\n", b"geheim\xff\n", b"geheim" * 50])
def test_a_password_that_is_none_is_refused_and_not_shown(
    fails: Fails, empty: Path, typed: Callable[[bytes], None], data: bytes
) -> None:
    typed(data)
    assert "geheim" not in fails("add-account", "bob", "--data", empty)
    assert not empty.exists()


def test_a_password_file_that_is_not_there_is_named(fails: Fails, empty: Path) -> None:
    assert "nowhere" in fails("add-account", "bob", "--password-file", "nowhere", "--data", empty)


@pytest.fixture
def held(folder: Path) -> Iterator[DataFolder]:
    """Somebody else, a daemon say, has the folder."""
    holder = DataFolder(folder)
    yield holder
    holder.close()


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


# ---- backup -----------------------------------------------------------------------------------------------------


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


# ---- restore ----------------------------------------------------------------------------------------------------


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


# ---- export -----------------------------------------------------------------------------------------------------


def exported(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    runs("export", *arguments)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def brief(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what each line is about: a record's name, or an entry's seq, room and text."""
    return [
        (line["record"]["name"],)
        if line["type"] != "entry"
        else (line["seq"], line["room"], line["event"].get("text", ""))
        for line in lines
    ]


@pytest.mark.usefixtures("held")
def test_accounts_rooms_and_entries_are_exported_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = exported(capsys, "--data", folder)
    assert lines[0] == {"type": "account", "record": {"id": "a1", "name": "Alice", "made": 7}}
    assert lines[2]["record"] == {"id": "r1", "name": "Lobby", "made": 5, "owner": "alice", "owner_id": "a1"}
    assert lines[3] == {
        "type": "entry",
        "log": "room/r1",
        "room": "Lobby",
        "seq": 1,
        "event": {"event": "said", "id": "m0", "at": 1000, "by": "alice", "by_id": "a1", "text": "hello"},
    }
    assert brief(lines) == [
        ("Alice",),
        ("den",),
        ("Lobby",),
        (1, "Lobby", "hello"),
        (2, "den", "hush"),
        (3, "Lobby", ""),
        (5, "Lobby", "bye"),
    ]


def test_private_messages_are_exported_only_when_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "just us" not in json.dumps(exported(capsys, "--data", folder))
    assert (4, "", "just us") in brief(exported(capsys, "--private", "--data", folder))


def test_one_room_is_exported_alone(fails: Fails, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = exported(capsys, "--room", "LOBBY", "--data", folder)
    assert brief(lines) == [("Lobby",), (1, "Lobby", "hello"), (3, "Lobby", ""), (5, "Lobby", "bye")]
    assert "no room" in fails("export", "--room", "attic", "--data", folder)
    assert "letters" in fails("export", "--room", "a b", "--data", folder)


def test_an_export_to_a_file_is_there_whole_or_not_at_all(fails: Fails, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fails("export", out / "lines", "--room", "attic", "--data", folder)
    assert not list(out.iterdir())
    runs("export", out / "lines", "--data", folder)
    assert (out / "lines").stat().st_mode & 0o777 == 0o600
    assert len((out / "lines").read_text("utf-8").splitlines()) == 7
    assert "--force" in fails("export", out / "lines", "--data", folder)


def test_an_export_is_of_one_moment(folder: Path) -> None:
    lines = export(folder)
    next(lines)
    write(folder, entry("room/r1", said("too late")))
    assert b"too late" not in b"".join(lines)
    assert b"too late" in b"".join(export(folder))


@pytest.mark.parametrize("room", [None, "lobby"])
def test_an_export_does_not_hold_everything_in_memory(folder: Path, room: str | None) -> None:
    write(folder, *(entry("room/r1", said("x" * 1000, i)) for i in range(10_000)))
    tracemalloc.start()
    try:
        size = sum(len(line) for line in export(folder, room=room))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 10_000_000
    assert peak < 1_000_000


def run(*arguments: object) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "chatroom.admin.command_line", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_reader_that_has_seen_enough_ends_an_export_quietly(folder: Path) -> None:
    write(folder, *(entry("room/r1", said("x" * 1000, i)) for i in range(1000)))
    with run("export", "--data", folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("command", ["check", "export"])
def test_an_output_that_takes_nothing_more_is_one_sentence(folder: Path, command: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "chatroom.admin.command_line", command, "--data", str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "chatroom-admin: the output cannot be written: No space left on device"
    ]


# ---- check ------------------------------------------------------------------------------------------------------


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
        ("UPDATE record SET value=NULL WHERE bucket='account'", "the account alice, which there is not"),
        ("UPDATE record SET key='alicia' WHERE bucket='account'", "instead of 'alice'"),
        ("UPDATE record SET value='{' WHERE bucket='account'", "holds what cannot be read"),
        (
            """UPDATE record SET value='{"id":"a1","name":"a b","made":7}' WHERE bucket='account'""",
            "the account alice is called 'a b'",
        ),
        ("DELETE FROM words_docsize WHERE id=1", "the search index lacks 1 messages"),
        ("DELETE FROM log WHERE seq=1", "the search index holds 1 messages that are gone"),
        ("UPDATE words_data SET block=zeroblob(30) WHERE id>10", "the search index is damaged"),
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
