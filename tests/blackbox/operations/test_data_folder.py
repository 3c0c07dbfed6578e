"""Where the daemon keeps what lasts: there after a restart, for one daemon at a time; nothing foreign is harmed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from blackbox.daemon import Daemon, run_twistd
from blackbox.operations.running import refusal, text


def test_ephemeral_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    """Neither where it would be by default nor where it runs; and all is forgotten."""
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    run.mkdir()
    places = {"HOME": str(home), "XDG_STATE_HOME": str(home), "STATE_DIRECTORY": str(home)}
    with Daemon(run, "--ephemeral", keep=False, **places) as daemon:
        al = daemon.person("al", "lobby")
        al.ask("hi", "al: hi")
        al.say("/history")
        al.expect_dated("al: hi")
        assert daemon.stop() == 0
    assert list(home.iterdir()) == []
    assert list(run.iterdir()) == [daemon.log.path]


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ({"STATE_DIRECTORY": "state"}, "state"),
        ({"STATE_DIRECTORY": "state:/nonexistent", "XDG_STATE_HOME": "xdg"}, "state"),
        ({"XDG_STATE_HOME": "xdg"}, "xdg/chatroom"),
        ({}, ".local/state/chatroom"),
    ],
)
def test_the_data_is_where_the_system_wants_it(tmp_path: Path, places: dict[str, str], where: str) -> None:
    """systemd's folder first (the first of several), then the user's; the log says where that is."""
    changes = {key: str(tmp_path / value) for key, value in places.items()}
    with Daemon(tmp_path, keep=False, HOME=str(tmp_path), **changes) as daemon:
        assert str(tmp_path / where) in daemon.log.wait_for("data in .*")[0]
        daemon.person("al").nothing_more()
        assert (tmp_path / where / "chat.db").is_file()
        made = [path for path in tmp_path.iterdir() if path != daemon.log.path]
        assert made == [tmp_path / Path(where).parts[0]]


@pytest.mark.parametrize("mode", [None, 0o755])
def test_what_lasts_can_be_read_by_its_owner_alone(tmp_path: Path, mode: int | None) -> None:
    """There are private messages in it. A folder that was there may be open to all, as systemd's is by default."""
    data = tmp_path / "data"
    if mode is not None:
        data.mkdir()
        data.chmod(mode)
    with Daemon(tmp_path) as daemon:
        daemon.person("al", "lobby").ask("hi", "al: hi")
        closed = data.stat().st_mode & 0o077 == 0
        files = {path.name: oct(path.stat().st_mode & 0o777) for path in data.iterdir()}
    assert closed or set(files.values()) == {"0o600"}, files


def test_history_search_and_rooms_survive_a_restart(tmp_path: Path) -> None:
    """With who said it, and in the same order; a room that nobody is in is there as well."""
    with Daemon(tmp_path) as daemon:
        al = daemon.person("al", "den")
        al.ask("/join lobby", "You have left room den.", "Welcome to room lobby!", "Current users: al")
        for text in ("the first grüße 🎉", "the second"):
            al.ask(text, f"al: {text}")
        assert daemon.stop() == 0
    with Daemon(tmp_path) as daemon:
        bob = daemon.person("bob")
        bob.ask("/rooms", "Rooms (2):", "  den  0 users", "  lobby  0 users")
        bob.ask("/create lobby", "Error: room lobby already exists; join it with /join lobby.")
        bob.ask("/join lobby", "Welcome to room lobby!", "Current users: bob")
        bob.expect_dated("al: the first grüße 🎉", "al: the second")
        bob.say("/history 1")
        bob.expect_dated("al: the second")
        bob.ask("/search grüße", "1 message found:")
        bob.expect_dated("al: the first grüße 🎉")


def test_a_second_daemon_on_the_same_folder_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    """And the first one does not notice."""
    al = daemon.person("al", "lobby")
    sentence = refusal(tmp_path, "--data", str(daemon.data))
    assert str(daemon.data) in sentence
    assert "in use by another" in sentence
    al.ask("still here", "al: still here")


def test_the_folder_is_free_for_the_next_daemon_after_a_crash(tmp_path: Path) -> None:
    """Nothing needs to be cleaned up by hand, and nothing that was seen is lost."""
    with Daemon(tmp_path) as daemon:
        daemon.person("al", "lobby").ask("hi", "al: hi")
        daemon.kill()
    with Daemon(tmp_path) as daemon:
        bob = daemon.connect()
        bob.greeted()
        bob.ask("/join lobby", "Welcome to room lobby!", f"Current users: {bob.name}")
        bob.expect_dated("al: hi")


@pytest.mark.parametrize("where", ["file/below", "file", "/proc/chatroom", "/proc"])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, where: str) -> None:
    """Being root helps nobody to make a folder in a file or among the processes."""
    (tmp_path / "file").write_text("a file")
    folder = tmp_path / where
    sentence = refusal(tmp_path, "--data", str(folder))
    assert str(folder) in sentence
    assert "--data" in sentence
    assert (tmp_path / "file").read_text() == "a file"


def foreign(path: Path) -> None:
    """Make another program's database."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE recipes(name TEXT)")


def foreign_in_wal_mode(path: Path) -> None:
    """Make another program's database that keeps a write-ahead log, as ours does."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE recipes(name TEXT)")


def newer(path: Path) -> None:
    """Make what a chatroom of the future leaves: the database of this one, with a schema that it does not know."""
    with Daemon(path.parent.parent) as daemon:
        assert daemon.data == path.parent
        daemon.person("al")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=1000")


def folder_instead(path: Path) -> None:
    """Make a folder where the file should be."""
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (foreign, "not a chatroom database"),
        (foreign_in_wal_mode, "not a chatroom database"),
        (text, "not a database"),
        (newer, "newer chatroom"),
        (folder_instead, "cannot be used"),
    ],
)
def test_a_database_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, make: object, why: str) -> None:
    """Not one byte of it is changed, and nothing is put beside it but our lock."""
    path = tmp_path / "data" / "chat.db"
    path.parent.mkdir()
    assert callable(make)
    make(path)
    there = {entry.name for entry in path.parent.iterdir()}
    before = path.read_bytes() if path.is_file() else b""
    sentence = refusal(tmp_path, "--data", str(path.parent))
    assert str(path) in sentence
    assert why in sentence
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert {entry.name for entry in path.parent.iterdir()} == there | {"lock"}


def made(folder: Path, *statements: str) -> Path:
    """Return a data folder as a daemon leaves it, in whose database these statements have been run."""
    with Daemon(folder) as daemon:
        daemon.person("al")
    with closing(sqlite3.connect(daemon.data / "chat.db")) as db, db:
        for statement in statements:
            db.execute(statement)
    return daemon.data


def test_a_record_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """That says where to look."""
    data = made(tmp_path, "INSERT INTO record(bucket, key, rev, value) VALUES ('account', 'bob', 1, '{bob}')")
    sentence = refusal(tmp_path, "--data", str(data))
    assert sentence.startswith(f"chatroom: {data}/chat.db holds what cannot be read (JSON is malformed")
    assert sentence.endswith("; see chatroom-admin check, or restore a backup")


def test_a_table_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    """That says where to look."""
    data = made(tmp_path, "DROP TABLE log")
    assert refusal(tmp_path, "--data", str(data)) == (
        "chatroom: the database cannot be used (no such table: log); see chatroom-admin check, or restore a backup"
    )


def test_an_account_that_looks_like_one_that_is_there_is_refused_at_the_start(tmp_path: Path) -> None:
    """Not after the daemon has been put into the background."""
    people, look_alikes = tmp_path / "people", tmp_path / "look-alikes"
    people.write_text("alice:s3cret-enough\n")
    look_alikes.write_text("a1ice:s3cret-enough\n")
    with Daemon(tmp_path, "--accounts", str(people)) as daemon:
        daemon.log.wait_for("imported the account alice")
    assert refusal(tmp_path, "--data", str(daemon.data), "--accounts", str(look_alikes)) == (
        f"chatroom: --accounts {look_alikes}: a1ice looks like alice, who has an account already; choose another name"
    )


def test_a_start_that_fails_late_ends_with_a_status_that_says_so(tmp_path: Path) -> None:
    """So that whoever looks after the daemon starts it again; here the first account cannot be stored."""
    people = tmp_path / "people"
    people.write_text("bob:s3cret-enough\n")
    full = "CREATE TRIGGER full BEFORE INSERT ON record WHEN NEW.bucket='account' BEGIN SELECT RAISE(FAIL, 'full'); END"
    data = made(tmp_path, full)
    done = run_twistd(
        tmp_path, "-n", "--pidfile=", "chatroom", "--port", "0", "--data", str(data), "--accounts", str(people)
    )
    assert done.returncode == 1
    assert "chatroom cannot start: " in done.stdout
    assert "listening on" not in done.stdout
