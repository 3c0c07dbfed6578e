"""The vault: what a commit promises, and when the vault refuses to go on."""

from __future__ import annotations

import gc
import stat
from pathlib import Path
from typing import Any

import pytest
from client.vault.pump import Vaults
from twisted.internet.defer import Deferred

from chatroom.client.vault import row_cache
from chatroom.client.vault.errors import VaultBroken, VaultDamaged
from chatroom.client.vault.sealing import Sealer
from chatroom.client.vault.vault import Vault, vault_path
from chatroom.client.vault.vault_key import KeyFile, Passphrase


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """Return a list that gets the Deferred's result or error."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.value))
    return results


def everything(folder: Path) -> bytes:
    """Return the content of all files below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def mode(path: Path) -> int:
    """Return the mode of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_committed_is_there_after_the_vault_is_opened_again(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("contacts", "bob", b"1")
    vault.put("contacts", "carol", b"2")
    vault.put("contacts", "dave", b"3")
    vaults.commit(vault)
    vault.put("contacts", "bob", b"4")
    vault.delete("contacts", "carol")
    vaults.commit(vault)
    vault = vaults.reopened(vault)
    assert vault.keys("contacts") == ["bob", "dave"]
    assert [vault.get("contacts", name) for name in ("bob", "carol", "dave")] == [b"4", None, b"3"]


def test_what_was_not_committed_is_read_but_not_stored(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("contacts", "bob", b"1")
    assert vault.get("contacts", "bob") == b"1"
    copy = vaults.open(folder=vaults.copy("copy"))
    assert copy.get("contacts", "bob") is None


def test_closing_commits_what_was_put(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("contacts", "bob", b"1")
    assert vaults.reopened(vault).get("contacts", "bob") == b"1"


def test_a_commit_is_durable_when_it_answers(vaults: Vaults) -> None:
    vault = vaults.open()
    assert vault._file._db is not None
    assert vault._file._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: SQLite waits for the disk
    assert vault._file._db.execute("PRAGMA secure_delete").fetchone() == (1,)
    vault.put("contacts", "bob", b"1")
    vaults.commit(vault)
    assert vaults.open(folder=vaults.copy("copy")).get("contacts", "bob") == b"1"


def test_commits_that_come_meanwhile_are_one_transaction(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = vaults.open()
    stored: list[list[tuple[str, str]]] = []
    store = vault._file.store

    def counted(rows: Any, history: Any) -> None:
        store(rows, history)
        stored.append(list(rows))

    monkeypatch.setattr(vault._file, "store", counted)
    done = []
    for number in range(10):
        vault.put("t", str(number), b"v")
        done.append(outcome(vault.commit()))
    assert vault.get("t", "0") == vault.get("t", "9") == b"v"  # while it is being stored, and while it waits
    vaults.commit(vault)
    assert done == [[None]] * 10
    assert stored == [[("t", "0")], [("t", str(number)) for number in range(1, 10)]]


def test_a_commit_of_nothing_waits_for_the_commit_that_runs(vaults: Vaults) -> None:
    vault = vaults.open()
    assert outcome(vault.commit()) == [None]
    vault.put("t", "k", b"v")
    first, second = outcome(vault.commit()), vault.commit()
    assert not second.called
    vaults.pump.wait(second)
    assert first == [None]


def test_keys_are_right_while_rows_are_being_stored(vaults: Vaults) -> None:
    vault = vaults.open()
    for key in "abc":
        vault.put("t", key, b"v")
    vaults.commit(vault)
    vault.put("t", "d", b"v")
    vault.delete("t", "a")
    done = vault.commit()
    vault.put("t", "a", b"v")
    vault.delete("t", "b")
    assert vault.keys("t") == ["a", "c", "d"]
    vaults.pump.wait(done)
    assert vault.keys("t") == ["a", "c", "d"]


def test_a_failed_commit_fails_all_who_wait_and_the_vault_refuses_further_work(
    vaults: Vaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = vaults.open()
    vault.put("t", "k", b"a secret value")
    vaults.commit(vault)

    def full(rows: Any, history: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault._file, "store", full)
    vault.put("t", "l", b"another secret")
    first = outcome(vault.commit())
    vault.put("t", "m", b"v")
    second, third = outcome(vault.commit()), outcome(vault.commit())
    vaults.pump.step()
    assert [type(result[0]) for result in (first, second, third)] == [VaultBroken] * 3
    assert "no space left on device" in str(first[0])
    assert "secret" not in str(first[0])
    for work in (
        lambda: vault.get("t", "k"),
        lambda: vault.put("t", "k", b"v"),
        lambda: vault.delete("t", "k"),
        lambda: vault.keys("t"),
        lambda: vault.note("p", "i", 1, 1, b"v"),
    ):
        with pytest.raises(VaultBroken):
            work()
    assert isinstance(outcome(vault.commit())[0], VaultBroken)
    assert isinstance(outcome(vault.recent("p", 0, 1))[0], VaultBroken)
    vault = vaults.reopened(vault)
    assert vault.get("t", "k") == b"a secret value"
    assert vault.keys("t") == ["k"]


def test_a_disk_that_is_full_is_told_in_words(vaults: Vaults) -> None:
    vault = vaults.open()
    db = vault._file._db
    assert db is not None
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")
    vault.put("t", "k", bytes(100_000))
    with pytest.raises(VaultBroken, match=r"could not be stored: database or disk is full"):
        vaults.commit(vault)


def test_half_of_a_failed_commit_is_not_stored(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = vaults.open()

    def fails(changes: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(vault._file.history, "apply", fails)
    vault.put("t", "k", b"v")
    vault.note("p", "i", 1, 1, b"v")
    with pytest.raises(VaultBroken):
        vaults.commit(vault)
    assert vaults.reopened(vault).keys("t") == []


def test_a_closed_vault_refuses_work(vaults: Vaults) -> None:
    vault = vaults.open()
    vaults.close(vault)
    vaults.close(vault)
    with pytest.raises(VaultBroken, match="closed"):
        vault.get("t", "k")
    with pytest.raises(VaultBroken, match="closed"):
        vaults.commit(vault)
    with pytest.raises(VaultBroken, match="closed"):
        vaults.pump.wait(vault.change_unlock(Passphrase("x")))


def test_the_generation_counts_the_times_the_vault_was_opened_and_is_stored_before(vaults: Vaults) -> None:
    vault = vaults.open()
    assert vault.generation == 1
    for generation in (2, 3):
        vault = vaults.reopened(vault)
        assert vault.generation == generation
    assert vaults.open(folder=vaults.copy("copy")).generation == 4  # the third time was stored, without any commit


def test_opening_a_vault_decrypts_no_row(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = vaults.open()
    for number in range(1000):
        vault.put("contacts", f"user {number}", b"a contact" * 100)
        vault.put("sessions", f"device {number}", b"a session" * 100)
    vaults.commit(vault)
    vaults.close(vault)
    opened: list[str] = []
    opening = Sealer.open

    def counted(self: Sealer, sealed: bytes, *place: str) -> bytes:
        opened.append(place[0])
        return opening(self, sealed, *place)

    monkeypatch.setattr(Sealer, "open", counted)
    vault = vaults.open()
    assert opened == ["head"]
    assert vault.get("contacts", "user 7") == vault.get("contacts", "user 7")
    assert opened == ["head", "row"]
    assert len(vault.keys("contacts")) == len(vault.keys("contacts")) == 1000
    assert opened == ["head", "row"] + ["label"] * 1000  # short ones, of this table alone


def test_values_in_memory_are_bounded(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_cache, "MOST_BYTES", 10_000)
    vault = vaults.open()
    for number in range(100):
        vault.put("t", str(number), bytes([number]) * 1000)
    vaults.commit(vault)
    assert vault._cache._bytes <= 10_000
    assert len(vault._cache._values) == 8
    for number in range(100):
        assert vault.get("t", str(number)) == bytes([number]) * 1000
    assert vault._cache._bytes <= 10_000


@pytest.mark.parametrize("unlock", ["key file", "passphrase"])
def test_the_files_hold_ciphertext_and_hashes_only(vaults: Vaults, unlock: str) -> None:
    words = "canary-passphrase"
    vault = vaults.open(Passphrase(words) if unlock == "passphrase" else vaults.key)
    vault.put("canary-table", "canary-key", b"canary-value" * 500)
    vault.put("canary-table", "canary-gone", b"canary-value")
    vault.note("canary-place", "canary-id", 7_777_777_777, 8_888_888_888, b"canary-message")
    vaults.commit(vault)
    vault.delete("canary-table", "canary-gone")
    vault.replace("canary-place", "canary-id", b"canary-edited")
    vaults.commit(vault)
    assert vaults.pump.wait(vault.search("", ["canary"], 5))
    names = {path.name for path in vaults.folder.iterdir()}
    assert names == {"me.vault", "me.vault-wal", "me.vault-shm"}
    data_key = vault._file._data_key
    seen = everything(vaults.folder)
    vaults.close(vault)
    seen += everything(vaults.folder)
    for secret in (b"canary", data_key, data_key.hex().encode(), b"7777777777", b"8888888888"):
        assert secret not in seen
    assert len(seen) > 10_000


def test_only_this_user_may_read_the_files(vaults: Vaults) -> None:
    vaults.folder.mkdir(mode=0o755)
    vaults.path.touch(mode=0o644)
    vault = vaults.open()
    vault.put("t", "k", b"v")
    vaults.commit(vault)
    assert mode(vaults.folder) == 0o700
    assert {mode(path) for path in vaults.folder.iterdir()} == {0o600}
    assert len(list(vaults.folder.iterdir())) == 3
    assert mode(vaults.key.path) == 0o600


def test_a_deleted_value_is_in_no_file_after_closing(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("t", "k", bytes(3000))
    vaults.commit(vault)
    (sealed,) = vault._reads.execute("SELECT value FROM rows").fetchone()
    assert sealed[100:200] in everything(vaults.folder)
    vault.delete("t", "k")
    vaults.close(vault)
    assert sealed[100:200] not in everything(vaults.folder)
    assert sealed[-200:-100] not in everything(vaults.folder)


def test_each_value_has_a_nonce_of_its_own(vaults: Vaults) -> None:
    vault = vaults.open()
    seen = set()
    for _ in range(3):
        vault.put("t", "k", b"the same")
        vault.put("t", "l", b"the same")
        vaults.commit(vault)
        seen |= {tuple(row) for row in vault._reads.execute("SELECT nonce, value FROM rows")}
    assert len({nonce for nonce, _ in seen}) == len({value for _, value in seen}) == 6


def test_the_name_of_a_vault_is_harmless(tmp_path: Path) -> None:
    for bad in ("", "../x", "A", "a/b", "x" * 65, "a\n"):
        with pytest.raises(ValueError, match="identity"):
            vault_path(tmp_path, bad)
    assert vault_path(tmp_path, "ab12") == tmp_path / "ab12.vault"


def test_no_secret_is_in_a_repr() -> None:
    assert "secret" not in repr(Passphrase("secret"))
    assert repr(Vault.__new__(Vault)) == "<Vault>"
    assert repr(Sealer(b"secret", b"secret", bytes)) == "<Sealer>"
    assert "x" in repr(KeyFile(Path("x")))


def test_a_vault_that_ends_unclosed_leaves_no_error(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("t", "k", b"v")
    vaults.commit(vault)
    vaults.close(vault)
    del vault
    gc.collect()
    assert vaults.open().get("t", "k") == b"v"


def test_what_is_changed_while_the_vault_is_open_ends_it(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("t", "k", b"v")
    vault.put("t", "l", b"v")
    vaults.commit(vault)
    vault._cache.clear()
    assert vault._file._db is not None
    vault._file._db.execute("UPDATE rows SET value=zeroblob(17) WHERE name=?", (vault._sealer.name("row", "t", "k"),))
    vault.put("t", "m", b"v")
    waiting = outcome(vault.commit())
    with pytest.raises(VaultDamaged):
        vault.get("t", "k")
    with pytest.raises(VaultDamaged):
        vault.get("t", "l")
    assert isinstance(waiting[0], VaultDamaged)
    vaults.pump.step()  # the store that had begun
    assert isinstance(vault.broken, VaultDamaged)
