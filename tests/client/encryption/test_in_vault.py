"""Opening the vault of a user by a key file, and locking it by a passphrase later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.vault.pump import Pump

from chatroom.client.encryption.setup import in_vault
from chatroom.client.vault.errors import PassphraseNeeded, WrongPassphrase


def test_a_passphrase_that_is_given_later_locks_the_vault(tmp_path: Path) -> None:
    pump = Pump()

    def opened(passphrase: str) -> Any:
        return pump.wait(in_vault(tmp_path / "vaults", passphrase, tmp_path / "vault.key", pump)("server", "bob"))

    for passphrase in ("", "open sesame", "open sesame"):
        vault = opened(passphrase)
        vault.put("table", "key", (vault.get("table", "key") or b"") + b"x")
        pump.wait(vault.close())
    with pytest.raises(PassphraseNeeded):
        opened("")
    with pytest.raises(WrongPassphrase):
        opened("open says me")
    vault = opened("open sesame")
    assert vault.get("table", "key") == b"xxx"
    pump.wait(vault.close())
