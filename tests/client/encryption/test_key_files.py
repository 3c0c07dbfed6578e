"""Files with the keys of rooms: for their owner's eyes only, never in place of another file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.errors import Rejected

PASSPHRASE = "a long passphrase"


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """Somebody with the key of a room."""
    person = account(KeyPerson(network, name="alice", several=True).come(), "Alice")  # type: ignore[arg-type]
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    person.do("say", room="den", text="sealed")
    network.pass_time(1)
    yield person
    person.leave()


def test_only_the_owner_may_read_the_file(alice: KeyPerson, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert alice.decide(alice.encryption.export_keys(tmp_path / "new" / "keys.txt", PASSPHRASE)) == 1
    finally:
        os.umask(before)
    path = tmp_path / "new" / "keys.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert alice.decide(alice.encryption.import_keys(path, PASSPHRASE)) == (0, 1)  # it has it


def test_nothing_is_overwritten_even_if_it_comes_meanwhile(
    alice: KeyPerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.txt"
    monkeypatch.setattr(Path, "exists", lambda path: False)  # somebody makes the file after it was looked for
    path.write_text("a letter")
    with pytest.raises(Rejected, match="exists already"):
        alice.decide(alice.encryption.export_keys(path, PASSPHRASE))
    assert path.read_text() == "a letter"
    link, aim = tmp_path / "link", tmp_path / "aim"
    link.symlink_to(aim)
    with pytest.raises(Rejected, match="exists already"):
        alice.decide(alice.encryption.export_keys(link, PASSPHRASE))
    assert sorted(os.listdir(tmp_path)) == ["keys.txt", "link"]


def test_what_cannot_be_read_is_explained(alice: KeyPerson, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    alice.decide(alice.encryption.export_keys(path, PASSPHRASE))
    with pytest.raises(Rejected, match="The passphrase is wrong, or the file is damaged"):
        alice.decide(alice.encryption.import_keys(path, "another passphrase"))
    other = tmp_path / "other"
    for content, told in (
        (b"something else", "This is no file of room keys"),
        (path.read_bytes()[:60], "damaged"),
        (b"\xff\xfe", "This is no file of room keys"),
        (path.read_bytes() + b" " * 20_000_000, "This is no file of room keys"),
    ):
        other.write_bytes(content)
        with pytest.raises(Rejected, match=told):
            alice.decide(alice.encryption.import_keys(other, PASSPHRASE))
    with pytest.raises(Rejected, match="no such file"):
        alice.decide(alice.encryption.import_keys(tmp_path / "missing", PASSPHRASE))
    for what in (alice.encryption.export_keys, alice.encryption.import_keys):
        with pytest.raises(Rejected, match="no file can have that name"):
            alice.decide(what(Path("a\0b"), PASSPHRASE))
