"""Opening the vault of a user by a key file, and locking it by a passphrase later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.vault.pump import Pump

from chatroom.client.encryption.interface import Privacy
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


def test_the_passphrase_of_another_vault_of_the_folder_is_asked_for_until_it_is_right(tmp_path: Path) -> None:
    pump, answers = Pump(), ["open says me", "open sesame"]

    async def ask() -> str:
        return answers.pop(0)

    async def give_up() -> str:
        return ""

    def vaults(passphrase: str, privacy: Privacy | None = None) -> Any:
        return in_vault(tmp_path / "vaults", passphrase, tmp_path / "vault.key", pump, privacy)

    pump.wait(pump.wait(vaults("open sesame")("server", "bob")).close())
    theirs = vaults("another", Privacy(ask_passphrase=ask))
    for _ in range(2):  # the second time it is known
        pump.wait(pump.wait(theirs("server", "bob")).close())
    assert answers == []
    with pytest.raises(WrongPassphrase):
        pump.wait(vaults("another", Privacy(ask_passphrase=give_up))("server", "bob"))
    pump.wait(pump.wait(theirs("server", "carol")).close())
    pump.wait(pump.wait(vaults("another")("server", "carol")).close())
