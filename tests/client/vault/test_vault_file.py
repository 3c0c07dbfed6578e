"""Files that somebody else has changed, and vaults that somebody else has open."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client.vault.pump import Vaults

from chatroom.client.vault.errors import VaultDamaged, VaultError, VaultInUse, VaultTooNew
from chatroom.client.vault.vault_lock import VaultLock

HOLDER = """
import sys
from pathlib import Path
from client.vault.pump import Vaults
vaults = Vaults(Path(sys.argv[1]))
vaults.open()
print("open", flush=True)
sys.stdin.read()
"""


def change(path: Path, *statements: str) -> None:
    """Change the file of a vault that nobody has open."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def filled(vaults: Vaults, folder: Path | None = None) -> None:
    """Make a vault with two rows and two messages, and close it."""
    vault = vaults.open(folder=folder)
    vault.put("t", "k", b"canary of k")
    vault.put("t", "l", b"canary of l")
    vault.put("u", "k", b"canary of k")
    vault.note("p", "1", 1, 1, b"canary message 1")
    vault.note("p", "2", 2, 2, b"canary message 2")
    vault.note("q", "3", 3, 3, b"canary message 3")
    vaults.close(vault)


def read_all(vaults: Vaults) -> dict[str, Any]:
    """Read everything that ``filled`` has stored."""
    vault = vaults.open()
    rows = {f"{table} {key}": vault.get(table, key) for table in "tu" for key in vault.keys(table)}
    vaults.pump.wait(vault.recent("p", 0, 10))
    vaults.pump.wait(vault.recent("q", 0, 10))
    vaults.pump.wait(vault.search("", ["message"], 10))
    return rows


# ---- swapped, put back, removed ----------------------------------------------------------------------------------


def swap(table: str, *columns: str) -> tuple[str, ...]:
    """Return statements that swap columns of the first two rows of a table."""
    sides = [
        f"UPDATE {table} SET {column}=(SELECT {column} FROM copy WHERE copy.no=3-{table}.no) WHERE no<3"
        for column in columns
    ]
    aside = f"UPDATE {table} SET name=zeroblob(no) WHERE no<3"
    return (f"CREATE TEMP TABLE copy AS SELECT * FROM {table}", *([aside] if "name" in columns else []), *sides)


@pytest.mark.parametrize(
    "statements",
    [
        swap("rows", "value"),
        swap("rows", "nonce", "value"),
        swap("rows", "name"),
        swap("rows", "label"),
        ("UPDATE rows SET place=(SELECT place FROM rows WHERE no=3) WHERE no=1",),
        ("UPDATE rows SET value=substr(value, 2) WHERE no=1",),
        ("UPDATE rows SET value=zeroblob(3) WHERE no=1",),
        ("UPDATE rows SET value='text' WHERE no=1",),
        ("UPDATE rows SET nonce=zeroblob(12) WHERE no=1",),
        ("DELETE FROM rows WHERE no=2",),
        ("DELETE FROM rows",),
        ("INSERT INTO rows SELECT 9, place, zeroblob(16), nonce, label, value FROM rows WHERE no=1",),
        ("DELETE FROM meta WHERE name='head'",),
        ("DELETE FROM meta WHERE name='header'",),
        ("UPDATE meta SET value=(SELECT value FROM meta WHERE name='header') WHERE name='head'",),
        ("UPDATE meta SET value=zeroblob(100) WHERE name='head'",),
        ("UPDATE meta SET value=zeroblob(3) WHERE name='head'",),
        ("UPDATE meta SET value='text' WHERE name='head'",),
        ("DROP TABLE rows",),
        ("DROP TABLE meta",),
        ("DROP INDEX rows_of",),
        swap("history", "value"),
        swap("history", "label"),
        swap("history", "name"),
        ("UPDATE history SET place=(SELECT place FROM history WHERE no=3) WHERE no=1",),
        ("UPDATE history SET value=zeroblob(60) WHERE no=1",),
    ],
    ids=str,
)
def test_a_changed_file_is_refused(vaults: Vaults, statements: tuple[str, ...]) -> None:
    filled(vaults)
    assert len(read_all(vaults)) == 3
    vaults.close_all()
    change(vaults.path, *statements)
    with pytest.raises(VaultDamaged) as caught:
        read_all(vaults)
    assert "canary" not in str(caught.value)


def test_a_row_that_was_put_back_is_refused(vaults: Vaults) -> None:
    """The old value of a ratchet, under its own key, would make the client use a message key twice."""
    filled(vaults)
    shutil.copy(vaults.path, vaults.folder / "old")
    vault = vaults.open()
    vault.put("t", "k", b"a newer value")
    vaults.close(vault)
    change(
        vaults.path,
        f"ATTACH '{vaults.folder / 'old'}' AS old",
        "UPDATE rows SET (nonce, value)=(SELECT nonce, value FROM old.rows WHERE old.rows.no=rows.no) WHERE no=1",
    )
    with pytest.raises(VaultDamaged, match="put old ones back"):
        vaults.open()


def test_a_removed_row_that_was_put_back_is_refused(vaults: Vaults) -> None:
    filled(vaults)
    shutil.copy(vaults.path, vaults.folder / "old")
    vault = vaults.open()
    vault.delete("t", "k")
    vaults.close(vault)
    change(
        vaults.path,
        f"ATTACH '{vaults.folder / 'old'}' AS old",
        "INSERT INTO rows SELECT * FROM old.rows WHERE old.rows.no=1",
    )
    with pytest.raises(VaultDamaged, match="put old ones back"):
        vaults.open()


def test_a_row_of_another_vault_is_refused(vaults: Vaults) -> None:
    """Also if the other vault has the same key file."""
    filled(vaults)
    other = vaults.folder.parent / "other"
    filled(vaults, other)
    change(
        vaults.path,
        f"ATTACH '{other / 'me.vault'}' AS other",
        "DELETE FROM rows",
        "INSERT INTO rows SELECT * FROM other.rows",
        "UPDATE meta SET value=(SELECT value FROM other.meta WHERE name='head') WHERE name='head'",
    )
    with pytest.raises(VaultDamaged):
        vaults.open()


def test_a_whole_file_that_was_put_back_has_a_generation_that_was_used(vaults: Vaults) -> None:
    filled(vaults)
    copy = vaults.copy("copy")
    assert vaults.open().generation == 2
    assert vaults.open(folder=copy).generation == 2  # the server refuses it, for it knows the 2 of the other


# ---- other files -------------------------------------------------------------------------------------------------


def test_a_newer_vault_is_refused_untouched(vaults: Vaults) -> None:
    filled(vaults)
    change(vaults.path, "PRAGMA user_version=2")
    vaults.path.chmod(0o640)
    before = vaults.path.read_bytes()
    with pytest.raises(VaultTooNew, match="newer chatroom-client"):
        vaults.open()
    assert vaults.path.read_bytes() == before
    assert vaults.path.stat().st_mode & 0o777 == 0o640


def test_a_newer_vault_with_commits_in_sqlites_log_is_refused_untouched(vaults: Vaults) -> None:
    filled(vaults)
    db = sqlite3.connect(vaults.path, isolation_level=None)
    db.execute("PRAGMA user_version=2")
    copy = vaults.copy("copy")
    db.close()
    (copy / "me.vault-shm").unlink()
    before = [(copy / name).read_bytes() for name in ("me.vault", "me.vault-wal")]
    assert before[1]
    with pytest.raises(VaultTooNew):
        vaults.open(folder=copy)
    assert [(copy / name).read_bytes() for name in ("me.vault", "me.vault-wal")] == before


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"something else" * 1000),
        lambda path: path.write_bytes(b"x"),
        lambda path: change(path, "CREATE TABLE t(a)"),
        lambda path: change(path, "PRAGMA application_id=7"),
        lambda path: change(path, "PRAGMA user_version=1"),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
    ],
)
def test_a_file_that_is_no_vault_is_refused_untouched(vaults: Vaults, make: Callable[[Path], Any]) -> None:
    vaults.folder.mkdir()
    make(vaults.path)
    before = vaults.path.read_bytes() if vaults.path.is_file() else None
    with pytest.raises(VaultError, match=r"is no (vault|file)|cannot be opened: is a directory"):
        vaults.open()
    assert (vaults.path.read_bytes() if vaults.path.is_file() else None) == before


def test_a_vault_that_was_cut_short_is_damaged(vaults: Vaults) -> None:
    vault = vaults.open()
    for number in range(300):
        vault.put("t", str(number), bytes(3000))
    vaults.close(vault)
    whole = vaults.path.read_bytes()
    for size in (1, 100, 4096, 5000, 8192, len(whole) // 2):
        vaults.path.write_bytes(whole[:size])
        with pytest.raises(VaultDamaged):
            read_all_of(vaults)


def read_all_of(vaults: Vaults) -> None:
    """Read every row."""
    vault = vaults.open()
    for key in vault.keys("t"):
        vault.get("t", key)


def test_a_vault_whose_making_was_cut_short_is_made_anew(vaults: Vaults) -> None:
    vaults.folder.mkdir()
    change(vaults.path, "PRAGMA journal_mode=WAL", "PRAGMA secure_delete=ON")
    assert vaults.path.stat().st_size
    assert vaults.open().generation == 1


def test_a_folder_that_cannot_be_made_is_told(vaults: Vaults) -> None:
    with pytest.raises(VaultError, match="not a directory"):
        vaults.open(folder=Path("/dev/null/x"))


# ---- one process a vault -----------------------------------------------------------------------------------------


@pytest.fixture(params=["the same path", "a symbolic link", "a hard link", "a folder that is a link"])
def other_path(request: pytest.FixtureRequest, vaults: Vaults) -> Path:
    """Return a folder in which the usual vault has the usual name, once the vault is there."""
    filled(vaults)
    other = vaults.folder.parent / "other"
    if request.param == "the same path":
        return vaults.folder
    if request.param == "a folder that is a link":
        other.symlink_to(vaults.folder)
        return other
    other.mkdir()
    if request.param == "a symbolic link":
        (other / "me.vault").symlink_to(vaults.path)
    else:
        (other / "me.vault").hardlink_to(vaults.path)
    return other


def test_a_vault_that_another_process_has_open_is_refused(vaults: Vaults, other_path: Path) -> None:
    hard = vaults.path.stat().st_nlink > 1
    if hard:  # such a vault is not opened at all, so the second name comes when it is open
        (other_path / "me.vault").unlink()
    tests = Path(__file__).parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(vaults.folder.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tests}:{tests.parent}"},
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "open\n"
        if hard:
            (other_path / "me.vault").hardlink_to(vaults.path)
        with pytest.raises(VaultInUse, match=rf"in use by process {holder.pid}\b") as caught:
            vaults.open(folder=other_path)
        assert caught.value.pid == holder.pid
    finally:
        holder.stdin.close()
        holder.wait(60)
        holder.stdout.close()
    if hard:
        (other_path / "me.vault").unlink()
        other_path = vaults.folder
    assert vaults.open(folder=other_path).generation == 3


def test_a_vault_that_this_process_has_open_is_refused(vaults: Vaults, other_path: Path) -> None:
    if vaults.path.stat().st_nlink > 1:
        (other_path / "me.vault").unlink()
        vault = vaults.open()
        (other_path / "me.vault").hardlink_to(vaults.path)
    else:
        vault = vaults.open()
    with pytest.raises(VaultInUse) as caught:
        vaults.open(folder=other_path)
    assert caught.value.pid == os.getpid()
    vault.put("t", "k", b"goes on")
    vaults.commit(vault)


LOCK_ALL = """
import fcntl, os, sys
try:
    fcntl.lockf(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("locked")
"""


def test_a_refused_opening_leaves_sqlite_its_locks(vaults: Vaults) -> None:
    """The system drops a process's locks on a file when the process closes any descriptor of the file."""
    vault = vaults.open()
    with pytest.raises(VaultInUse):
        vaults.open()
    done = subprocess.run(
        [sys.executable, "-c", LOCK_ALL, str(vaults.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "locked\n"
    vaults.close(vault)
    done = subprocess.run(
        [sys.executable, "-c", LOCK_ALL, str(vaults.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


def test_a_vault_of_another_user_is_refused(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(vaults)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(VaultError, match="belongs to another user"):
        vaults.open()


def test_a_file_that_is_replaced_while_it_is_opened_is_refused(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock would be on the one file, and the commits would go to the other."""
    filled(vaults)
    filled(vaults, vaults.folder.parent / "other")

    def replace(lock: VaultLock) -> None:
        (vaults.folder.parent / "other" / "me.vault").replace(lock.path)

    monkeypatch.setattr(VaultLock, "make_private", replace)
    with pytest.raises(VaultDamaged, match="was replaced"):
        vaults.open()


def test_a_vault_with_two_names_is_refused(vaults: Vaults) -> None:
    """By the other name, SQLite's log of the newest commits would not be found, and an old key would be used again."""
    filled(vaults)
    (vaults.folder / "other").hardlink_to(vaults.path)
    with pytest.raises(VaultError, match="hard link"):
        vaults.open()
    (vaults.folder / "other").unlink()
    assert vaults.open().generation == 2


def test_a_vault_that_could_not_be_opened_is_not_in_use(vaults: Vaults) -> None:
    filled(vaults)
    vaults.key.path.rename(vaults.folder / "aside")
    for _ in range(2):
        with pytest.raises(VaultError, match="missing"):
            vaults.open()
    (vaults.folder / "aside").rename(vaults.key.path)
    assert vaults.open().generation == 2
