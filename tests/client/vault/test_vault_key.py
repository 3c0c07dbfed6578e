"""Passphrases and key files: what opens a vault, and which error says what is wrong."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from client.vault.pump import Vaults

from chatroom.client.vault import vault_key
from chatroom.client.vault.errors import (
    PassphraseNeeded,
    VaultDamaged,
    VaultError,
    WrongKeyFile,
    WrongPassphrase,
)
from chatroom.client.vault.sealing import lengths
from chatroom.client.vault.vault_key import (
    CHECK,
    Header,
    KeyFile,
    Passphrase,
    decode_header,
    encode_header,
    unwrap,
    wrap,
)

DATA_KEY = bytes(range(32))


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Argon2id take little memory and time, where the test is about something else."""
    monkeypatch.setattr(vault_key, "MEMORY", 128)
    monkeypatch.setattr(vault_key, "PASSES", 1)


def test_a_passphrase_opens_its_vault_and_another_does_not(vaults: Vaults) -> None:
    vault = vaults.open(Passphrase("correct horse"))
    vault.put("t", "k", b"v")
    vaults.close(vault)
    header = decode_header(header_of(vaults.path))
    assert (header.by, header.memory, header.passes, header.lanes) == ("passphrase", 65536, 3, 1)
    with pytest.raises(WrongPassphrase, match="the passphrase is wrong") as caught:
        vaults.open(Passphrase("correct house"))
    assert "house" not in str(caught.value)
    assert vaults.open(Passphrase("correct horse")).get("t", "k") == b"v"
    assert not vaults.key.path.exists()


def test_the_passphrase_is_hashed_on_another_thread(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def hashing(*args: Any) -> bytes:
        threads.append(threading.current_thread().name)
        return bytes(32)

    monkeypatch.setattr(vault_key, "hash_secret_raw", hashing)
    vault = vaults.open(Passphrase("x"))
    vaults.pump.wait(vault.change_unlock(Passphrase("y")))
    vaults.close(vault)
    vaults.open(Passphrase("y"))
    assert threads == ["vault"] * 3


def header_of(path: Path) -> bytes:
    """Return the header of a vault that nobody has open."""
    db = sqlite3.connect(path)
    try:
        return bytes(db.execute("SELECT value FROM meta WHERE name='header'").fetchone()[0])
    finally:
        db.close()


def set_header(path: Path, header: bytes) -> None:
    """Change the header of a vault that nobody has open."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("UPDATE meta SET value=? WHERE name='header'", (header,))
    db.close()


@pytest.mark.usefixtures("cheap")
def test_a_wrong_passphrase_changes_nothing(vaults: Vaults) -> None:
    vaults.close(vaults.open(Passphrase("right")))
    before = vaults.path.read_bytes()
    for _ in range(3):
        with pytest.raises(WrongPassphrase):
            vaults.open(Passphrase("wrong"))
    assert vaults.path.read_bytes() == before
    assert vaults.open(Passphrase("right")).generation == 2


@pytest.mark.usefixtures("cheap")
def test_the_two_ways_to_unlock_are_told_apart(vaults: Vaults) -> None:
    vaults.close(vaults.open(Passphrase("right")))
    with pytest.raises(PassphraseNeeded, match=r"start with --passphrase ask \(or fd:N, or file:PATH\)"):
        vaults.open()
    vaults.path.unlink()
    vaults.close(vaults.open())
    with pytest.raises(WrongPassphrase, match="has no passphrase"):
        vaults.open(Passphrase("right"))


def test_an_empty_passphrase_is_refused(vaults: Vaults) -> None:
    with pytest.raises(WrongPassphrase, match="empty"):
        vaults.open(Passphrase(""))


@pytest.mark.usefixtures("cheap")
def test_a_passphrase_may_be_typed_in_either_form_of_unicode() -> None:
    header = wrap(b"id", DATA_KEY, Passphrase("caf\u00e9"), secrets.token_bytes)
    assert unwrap(header, Passphrase("cafe\u0301")) == DATA_KEY


@pytest.mark.usefixtures("cheap")
def test_damage_of_any_byte_of_the_header_is_no_wrong_passphrase(vaults: Vaults) -> None:
    stored = encode_header(wrap(b"id", DATA_KEY, Passphrase("right"), secrets.token_bytes))
    for place in range(len(stored)):
        with pytest.raises(VaultDamaged):
            decode_header(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
    for end in range(len(stored)):
        with pytest.raises(VaultDamaged):
            decode_header(stored[:end])


def forged(**changes: Any) -> bytes:
    """Return a stored header, with a right check, by somebody who can write to the file."""
    header = Header(id=b"id", by="passphrase", salt=bytes(16), memory=65536, passes=3, lanes=1, wrapped=bytes(60))
    body = msgspec.json.encode({**msgspec.to_builtins(header), **changes})
    return hashlib.sha256(body).digest()[:CHECK] + body


def test_a_header_may_not_ask_for_all_memory_or_for_ever() -> None:
    assert decode_header(forged()).memory == 65536
    for changes in ({"memory": 1 << 30}, {"passes": 1000}, {"lanes": 100}, {"memory": 1}, {"passes": 0}, {"by": "x"}):
        with pytest.raises(VaultDamaged):
            decode_header(forged(**changes))


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("field", ["id", "salt", "memory", "passes", "wrapped"])
def test_the_wrapped_key_is_bound_to_all_of_the_header(field: str) -> None:
    header = wrap(b"id", DATA_KEY, Passphrase("right"), secrets.token_bytes)
    others = {"id": b"if", "salt": bytes(16), "memory": 256, "passes": 2, "wrapped": header.wrapped[:-1] + b"\0\0"}
    assert unwrap(header, Passphrase("right")) == DATA_KEY
    with pytest.raises(WrongPassphrase):
        unwrap(msgspec.structs.replace(header, **{field: others[field]}), Passphrase("right"))


def test_the_key_file_is_made_once_and_serves_all_vaults(vaults: Vaults) -> None:
    vaults.close(vaults.open())
    made = vaults.key.path.read_bytes()
    assert stat.S_IMODE(vaults.key.path.stat().st_mode) == 0o600
    vaults.close(vaults.open(folder=vaults.folder.parent / "others"))
    assert vaults.key.path.read_bytes() == made
    assert vaults.open().generation == 2


def test_a_lost_key_file_is_not_made_anew_for_a_vault_that_needs_the_old_one(vaults: Vaults) -> None:
    vaults.close(vaults.open())
    vaults.key.path.unlink()
    with pytest.raises(WrongKeyFile, match=r"vault\.key is missing"):
        vaults.open()
    assert not vaults.key.path.exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("chatroom-vault-key-1 " + "A" * 43 + "=\n"), "is not the key file of this vault"),
        (lambda path: path.write_text("chatroom-vault-key-1 " + "A" * 40 + "\n"), "is damaged"),
        (lambda path: path.write_text("A" * 43 + "=\n"), "is damaged"),
        (lambda path: path.write_bytes(b"\xff\x00"), "is damaged"),
        (lambda path: path.write_text(""), "is damaged"),
        (lambda path: path.chmod(0o640), "other users can read"),
        (lambda path: (path.unlink(), path.mkdir()), "is no file"),
    ],
)
def test_a_wrong_key_file_is_told_and_left_as_it_is(vaults: Vaults, spoil: Callable[[Path], Any], words: str) -> None:
    vaults.close(vaults.open())
    spoil(vaults.key.path)
    with pytest.raises(WrongKeyFile, match=words):
        vaults.open()
    vaults.path.unlink()  # also a new vault must not use it, or write over it
    if "not the key" not in words:
        with pytest.raises(WrongKeyFile, match=words):
            vaults.open()


def test_a_key_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlock = KeyFile(tmp_path / "vault.key")
    header = wrap(b"id", DATA_KEY, unlock, secrets.token_bytes)
    assert unwrap(header, unlock) == DATA_KEY
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(WrongKeyFile, match="other users"):
        unwrap(header, unlock)


def test_a_key_file_that_cannot_be_made_is_told(vaults: Vaults) -> None:
    with pytest.raises(VaultError, match=r"vault\.key cannot be used"):
        vaults.open(KeyFile(Path("/dev/null/vault.key")))


@pytest.mark.usefixtures("cheap")
def test_another_passphrase_wraps_the_same_key_and_changes_no_row(vaults: Vaults) -> None:
    vault = vaults.open(Passphrase("old"))
    vault.put("t", "k", b"v")
    vaults.commit(vault)
    rows = vault._reads.execute("SELECT * FROM rows").fetchall()
    old = decode_header(vault._file._meta("header"))
    vaults.pump.wait(vault.change_unlock(Passphrase("new")))
    assert vault._reads.execute("SELECT * FROM rows").fetchall() == rows
    files = b"".join(path.read_bytes() for path in vaults.folder.iterdir())
    assert msgspec.json.encode(old.wrapped)[1:-1] not in files  # what the old passphrase opens is gone
    vault.put("t", "l", b"w")
    vaults.close(vault)
    with pytest.raises(WrongPassphrase):
        vaults.open(Passphrase("old"))
    vault = vaults.open(Passphrase("new"))
    assert (vault.get("t", "k"), vault.get("t", "l")) == (b"v", b"w")
    vaults.pump.wait(vault.change_unlock(vaults.key))
    assert vaults.reopened(vault).get("t", "k") == b"v"


@pytest.mark.usefixtures("cheap")
def test_a_passphrase_that_cannot_be_set_leaves_the_vault_as_it_is(vaults: Vaults) -> None:
    vault = vaults.open(Passphrase("old"))
    with pytest.raises(WrongPassphrase, match="empty"):
        vaults.pump.wait(vault.change_unlock(Passphrase("")))
    vault.put("t", "k", b"v")
    vaults.close(vault)
    assert vaults.open(Passphrase("old")).get("t", "k") == b"v"


def test_the_header_of_another_vault_does_not_fit(vaults: Vaults) -> None:
    vaults.close(vaults.open())
    other = vaults.open(folder=vaults.folder.parent / "other")
    vaults.close(other)
    set_header(vaults.path, header_of(vaults.folder.parent / "other" / "me.vault"))
    with pytest.raises(VaultDamaged):
        vaults.open()


def test_no_two_lists_of_parts_are_bound_alike() -> None:
    assert lengths(b"a", b"bc") != lengths(b"ab", b"c") != lengths(b"abc")
