"""``--check-config``: whatever would keep the daemon from starting is named, and nothing on the disk is changed."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from daemon.test_tls_files import make_pair

from chatroom.admin.keys import host_key
from chatroom.daemon.assembly import ExistingAccounts, accounts_in
from chatroom.daemon.options import ChatOptions
from chatroom.daemon.start_check import StartFindings, check, report
from chatroom.daemon.tls_files import own_files
from chatroom.engines.data_folder import DataFolder
from chatroom.engines.sqlite.schema import LADDER, open_database
from chatroom.model import account
from chatroom.model.account import AccountRecord
from chatroom.model.names import user_name

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXGrgCRgHBwlnVLbkbP2JwmPvLpJHNcWHDbXjxzlxXT olga"


def options(*arguments: str) -> ChatOptions:
    """Return the options of a command line that listens on any port of 127.0.0.1 unless it says otherwise."""
    made = ChatOptions()
    made.parseOptions(["--port", "0", "--interface", "127.0.0.1", *arguments])
    return made


def snapshot(folder: Path) -> list[tuple[Any, ...]]:
    """Return all that is in the folder, as exactly as the system tells."""
    found = [(path, path.lstat()) for path in sorted([folder, *folder.rglob("*")])]
    return [
        (path, stat.st_mode, stat.st_uid, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        for path, stat in found
    ]


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where the files are."""
    monkeypatch.chdir(tmp_path)


def findings(folder: Path, *arguments: str) -> StartFindings:
    """Return what is found with this data folder; asserts that nothing changed."""
    before = snapshot(Path.cwd())
    found = check(options("--data", str(folder), *arguments))
    assert snapshot(Path.cwd()) == before
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as a start leaves it, with one account that has a seat reserved."""
    path = tmp_path / "data"
    DataFolder(path).close()
    own_files(path, "host")
    with closing(open_database(path / "chat.db")) as db:
        kept = account.encode(AccountRecord("1", "alice", 0, reserved=True))
        db.execute("INSERT INTO record(bucket, key, rev, value) VALUES (?, 'alice', 1, ?)", (account.BUCKET, kept))
    return path


@pytest.mark.parametrize("make", ["", "folder", "all"])
def test_what_could_start_has_no_faults(tmp_path: Path, data: Path, make: str) -> None:
    """Whether there is a folder, whether there is something in it."""
    folder = {"": tmp_path / "new" / "er", "folder": tmp_path / "empty", "all": data}[make]
    if make == "folder":
        folder.mkdir()
    assert findings(folder) == StartFindings()


def test_nothing_on_the_disk_needs_nothing(tmp_path: Path) -> None:
    assert check(options("--ephemeral", "--data", "/proc/nowhere")) == StartFindings()


# ---- the data folder -----------------------------------------------------------------------------------------------


def instead_of(name: str) -> Any:
    """Return what makes a folder or a file where the other should be."""

    def make(data: Path) -> None:
        (data / name).write_text("") if name == "files" else (data / name).mkdir()

    return make


def foreign(data: Path) -> None:
    with closing(sqlite3.connect(data / "chat.db")) as db:
        db.execute("PRAGMA application_id=5")


def newer(data: Path) -> None:
    with closing(sqlite3.connect(data / "chat.db")) as db:
        db.execute(f"PRAGMA user_version={len(LADDER) + 3}")


def damaged(data: Path) -> None:
    (data / "chat.db").write_bytes(b"no database" * 1000)


def shared_key(data: Path) -> None:
    (data / "tls_key.pem").chmod(0o644)


def damaged_key(data: Path) -> None:
    (data / "tls_key.pem").write_text("no key")
    (data / "tls_cert.pem").unlink()


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (foreign, "chat.db is not a chatroom database; give another --data"),
        (newer, "chat.db was made by a newer chatroom"),
        (damaged, "chat.db cannot be used (file is not a database)"),
        (instead_of("files"), "files is no folder that this user may write"),
        (instead_of("audit.log"), "audit.log is no file that this user may write"),
        (shared_key, "others may read the TLS key"),
        (damaged_key, "tls_key.pem is damaged; remove it and a new one is made"),
    ],
)
def test_what_is_wrong_in_the_data_folder_is_named(data: Path, spoil: Any, fault: str) -> None:
    spoil(data)
    (found,) = findings(data).faults
    assert fault in found


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/chatroom", "/proc/chat/room"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (found,) = check(options("--data", where)).faults
    assert found.startswith(f"the data folder {tmp_path / where} cannot be used: ")


def test_a_crash_left_what_only_a_start_takes_over(data: Path) -> None:
    """What stands in the write-ahead log alone is no reason to refuse a start; nothing of it is touched."""
    with closing(open_database(data / "chat.db")) as db:
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("UPDATE record SET rev=2")
        copy = (data / "chat.db-wal").read_bytes()
    (data / "chat.db-wal").write_bytes(copy)
    assert findings(data) == StartFindings()
    (data / "chat.db").write_bytes((data / "chat.db").read_bytes()[:4096])
    assert findings(data) == StartFindings()
    with closing(sqlite3.connect(data / "chat.db")) as db:
        db.execute("PRAGMA application_id=5")
    (data / "chat.db-wal").write_bytes(b"")
    assert "is not a chatroom database" in findings(data).faults[0]


def test_a_running_daemon_is_a_remark_and_so_is_its_port(data: Path) -> None:
    """The check before a restart is made while the old daemon runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        folder = DataFolder(data)
        found = findings(data, "--port", port)
        folder.close()
        alone = findings(data, "--port", port)
    sentence = f"cannot listen on port {port} of 127.0.0.1: Address already in use; give another --port or --interface"
    running = f"a daemon is running on the data folder {data}; it must end before another can start"
    assert found == StartFindings([], [running, sentence])
    assert alone == StartFindings([sentence], [])


# ---- what the operator gives ---------------------------------------------------------------------------------------


def test_each_fault_is_a_sentence_of_its_own(tmp_path: Path, data: Path) -> None:
    (tmp_path / "people").write_text("alice:s3cret-enough\nbad name\n")
    found = findings(data, "--accounts", "people", "--auth", "file:nowhere", "--manhole", "0", "--manhole-keys", "none")
    assert [fault.split(";")[0] for fault in found.faults] == [
        f"--accounts {tmp_path}/people: line 2: it is not name:password",
        f"--auth file:{tmp_path}/nowhere: No such file or directory",
        f"the keys in {tmp_path}/none cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_of_passwords_in_utf_16_is_a_fault(tmp_path: Path, data: Path, encoding: str) -> None:
    (tmp_path / "wide").write_bytes("\ufeffolga:s3cret-enough\n".encode(encoding))
    assert findings(data, "--auth", "file:wide").faults == [
        f"--auth file:{tmp_path}/wide: it is UTF-16; save it as UTF-8"
    ]
    (tmp_path / "marked").write_bytes("\ufeffolga:s3cret-enough\n".encode())
    assert findings(data, "--auth", "file:marked") == StartFindings()


def test_seats_are_counted_with_the_accounts_that_are_there(tmp_path: Path, data: Path) -> None:
    (tmp_path / "people").write_text("alice:s3cret-enough\nbob:s3cret-enough\n")
    assert findings(data, "--accounts", "people", "--max-users", "2") == StartFindings()
    (fault,) = findings(data, "--accounts", "people", "--max-users", "1").faults
    assert fault == "--max-users 1: 2 accounts have a seat reserved; give at least 2"
    assert "is gone" in findings(data, "--accounts", "nowhere").remarks[0]


def test_ports_are_taken_together(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert findings(data, "--port", str(port)) == StartFindings()
    (fault,) = findings(data, "--port", str(port), "--metrics", str(port)).faults
    assert fault.startswith(
        f"cannot listen on port {port} of 127.0.0.1: Address already in use; give another --metrics"
    )
    (fault,) = findings(data, "--interface", "192.0.2.1").faults
    assert "Cannot assign requested address" in fault


def test_the_consoles_keys_are_read(tmp_path: Path, data: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}\n")
    console = ("--manhole", "0", "--manhole-keys", "keys")
    assert findings(data, *console) == StartFindings()
    host_key(data)
    assert findings(data, *console) == StartFindings()
    (data / "manhole_host_key").write_text("no key")
    assert "manhole_host_key is damaged" in findings(data, *console).faults[0]
    (data / "manhole_host_key").unlink()
    keys.write_text("# nobody\n")
    assert findings(data, *console).remarks == [f"there is no key in {keys}: nobody can log in to the manhole"]


def test_the_certificate_is_looked_at(tmp_path: Path, data: Path) -> None:
    """That it fits its key is needed; its date, and who may read the key, are told."""
    pair = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    make_pair(tmp_path).key.chmod(0o640)
    assert findings(data, *pair) == StartFindings()
    (tmp_path / "key.pem").chmod(0o644)
    assert findings(data, *pair).remarks == [
        f"everybody on this machine may read the TLS key {tmp_path}/key.pem; chmod 640 it"
    ]
    (tmp_path / "key.pem").unlink()
    (tmp_path / "other").mkdir()
    make_pair(tmp_path / "other").key.rename(tmp_path / "key.pem")
    assert "do not belong together" in findings(data, *pair).faults[0]
    (tmp_path / "key.pem").unlink()
    assert f"{tmp_path}/key.pem cannot be read: No such file" in findings(data, *pair).faults[0]


@pytest.mark.parametrize(
    ("since", "days", "says"),
    [
        (400, -35, "the TLS certificate ended on {ends}; renew it"),
        (-3, 30, "the TLS certificate begins only on {begins}; "),
    ],
)
def test_a_certificate_of_another_time_is_told(tmp_path: Path, data: Path, since: int, days: int, says: str) -> None:
    """A start takes it all the same, and says so, too."""
    make_pair(tmp_path, since=since, days=days).key.chmod(0o600)
    now = datetime.now(UTC)
    dates = {"begins": (now - timedelta(days=since)).date(), "ends": (now + timedelta(days=days)).date()}
    found = findings(data, "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    assert found.faults == []
    assert found.remarks[0].startswith(says.format(**dates))


def test_more_users_than_the_system_can_hold_are_told(data: Path) -> None:
    (remark,) = findings(data, "--max-users", "2000000000").remarks
    assert remark.startswith("--max-users 2000000000: the system allows ")


def test_a_limit_that_leaves_hardly_anybody_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sees that the chat is full would not know why."""
    monkeypatch.setattr(resource, "getrlimit", lambda what: (130, 130))
    (remark,) = findings(data).remarks
    assert remark == "the system allows only 30 users at a time; raise the limit of open files (ulimit -n)"
    assert findings(data, "--max-users", "30") == StartFindings()
    monkeypatch.setattr(resource, "getrlimit", lambda what: (1000, 1000))
    assert findings(data) == StartFindings()


# ---- what is said --------------------------------------------------------------------------------------------------


def test_the_report_tells_faults_from_notes(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The settings are shown only if a daemon could start with them."""
    make_pair(tmp_path, days=-1).key.chmod(0o600)
    pair = ("--data", "data", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--name", "den")
    assert report(options(*pair)) == 0
    said = capsys.readouterr()
    assert said.err.startswith("chatroom: note: the TLS certificate ended on ")
    assert msgspec.json.decode(said.out)["name"] == "den"
    (data / "lock").unlink()
    (data / "lock").mkdir()
    assert report(options(*pair)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    first, second = said.err.splitlines()
    assert first == f"chatroom: the data folder {data} cannot be used: Is a directory; give another --data"
    assert second.startswith("chatroom: note: the TLS")


def test_an_account_that_looks_like_one_that_is_there_is_a_fault(tmp_path: Path, data: Path) -> None:
    """Unless only a crash has left the look."""
    (tmp_path / "people").write_text("a1ice:s3cret-enough\n")
    with closing(open_database(data / "chat.db")) as db:
        look = (account.LOOKS, user_name("alice").look, b'"alice"')
        db.execute("INSERT INTO record(bucket, key, rev, value) VALUES (?, ?, 2, ?)", look)
        assert accounts_in(db) == ExistingAccounts(frozenset({"alice"}), {look[1]: "alice"})
    (fault,) = findings(data, "--accounts", "people").faults
    assert fault.endswith("people: a1ice looks like alice, who has an account already; choose another name")
    with closing(open_database(data / "chat.db")) as db:
        db.execute("DELETE FROM record WHERE bucket=?", (account.BUCKET,))
    assert findings(data, "--accounts", "people") == StartFindings()


def test_accounts_that_look_alike_by_digits_are_a_fault_unless_both_are_there(tmp_path: Path, data: Path) -> None:
    (tmp_path / "people").write_text("al1ce:s3cret-enough\n")
    (fault,) = findings(data, "--accounts", "people").faults
    assert fault.endswith("people: al1ce looks like alice, who has an account already; choose another name")
    (tmp_path / "people").write_text("er1k:s3cret-enough\nerik:s3cret-enough\n")
    (fault,) = findings(data, "--accounts", "people").faults
    assert fault.endswith("people: erik looks like er1k, who is in that file, too; choose another name")
    with closing(open_database(data / "chat.db")) as db:  # of an older chatroom
        for name in ("er1k", "erik"):
            record = account.encode(account.AccountRecord(name, name, 1))
            db.execute("INSERT INTO record(bucket, key, rev, value) VALUES ('account', ?, 3, ?)", (name, record))
            look = (user_name(name).look, account.encode_look(name))
            db.execute("INSERT INTO record(bucket, key, rev, value) VALUES ('look', ?, 3, ?)", look)
    assert findings(data, "--accounts", "people") == StartFindings()


def test_faults_of_options_do_not_hide_others(tmp_path: Path, data: Path) -> None:
    pair = ("--tls-cert", str(tmp_path / "no-cert"), "--tls-key", str(tmp_path / "no-key"))
    console = ("--manhole", "nowhere", "--manhole-keys", str(tmp_path / "no-keys"))
    wrong = ("--rate", "quick", "--motd", str(tmp_path / "no-motd"), "--port", "x")
    faults = findings(data, "--check-config", *wrong, *console, *pair).faults
    named = ["--port x: ", "--rate quick: ", "no-motd: ", "--manhole nowhere: ", "no-cert", "no-keys"]
    assert len(faults) == len(named), faults
    assert all(name in fault for name, fault in zip(named, faults, strict=True)), faults


def test_a_folder_that_was_not_meant_is_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert check(options("--check-config", "--data=")).faults == ["--data: it is empty; give a folder"]


# ---- as another user -----------------------------------------------------------------------------------------------


@pytest.fixture
def foreign_data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that only its owner, who is not root, may use; the folders above are open to all meanwhile."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    above = [folder for folder in (tmp_path, *tmp_path.parents) if folder.stat().st_mode & 0o005 != 0o005]
    modes = {folder: folder.stat().st_mode for folder in above}
    for folder in above:
        folder.chmod(0o755)
    path = tmp_path / "theirs"
    path.mkdir(mode=0o700)
    yield path
    for folder, mode in modes.items():
        folder.chmod(mode)


def test_what_the_user_may_not_do_is_a_fault_though_root_may(foreign_data: Path, tmp_path: Path) -> None:
    """twistd becomes that user before the daemon writes anything."""
    make_pair(tmp_path).key.chmod(0o600)
    made = options("--data", str(foreign_data), "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    made.parent = {"uid": 65534, "gid": None, "nodaemon": 1}
    found = check(made)
    assert found.faults == [f"the data folder {foreign_data} cannot be used: Permission denied; give another --data"]
    assert found.remarks == [f"nobody may not read the TLS key {tmp_path}/key.pem, so a new one needs a restart"]
    os.chown(foreign_data, 65534, 65534)
    assert check(made).faults == []
