"""Whether a passphrase is that of a folder's vaults is known before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.vault.pump import Pump

from chatroom.client.vault import passphrase_check
from chatroom.client.vault.passphrase_check import fits
from chatroom.client.vault.vault import open_vault
from chatroom.client.vault.vault_key import KeyFile, Passphrase, Unlock


def make(folder: Path, name: str, unlock: Unlock) -> None:
    """Make a vault."""
    pump = Pump()
    pump.wait(pump.wait(open_vault(folder, name, unlock, pump)).close())


def test_it_fits_if_it_opens_one_of_the_vaults(tmp_path: Path) -> None:
    folder = tmp_path / "vaults"
    assert fits(folder, "anything")
    make(folder, "a", KeyFile(tmp_path / "vault.key"))
    (folder / "passphrase").write_text("yes\n")
    (folder / "empty").touch()
    assert fits(folder, "anything")
    make(folder, "b", Passphrase("open sesame"))
    make(folder, "c", Passphrase("another"))
    assert [fits(folder, word) for word in ("open sesame", "another", "open says me")] == [True, True, False]


def test_a_vault_that_is_open_elsewhere_is_looked_at_all_the_same(tmp_path: Path) -> None:
    pump = Pump()
    vault = pump.wait(open_vault(tmp_path / "vaults", "a", Passphrase("open sesame"), pump))
    try:
        assert [fits(tmp_path / "vaults", word) for word in ("open sesame", "open says me")] == [True, False]
    finally:
        pump.wait(vault.close())


def test_only_some_vaults_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        make(tmp_path / "vaults", name, Passphrase("open sesame"))
    monkeypatch.setattr(passphrase_check, "MOST", 1)
    assert fits(tmp_path / "vaults", "open says me")  # it is asked for again when the vault is opened
