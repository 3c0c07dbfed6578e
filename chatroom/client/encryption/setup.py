"""Giving a client end-to-end encryption, with its keys in a vault."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.conversation import Conversation
from chatroom.client.encryption.current_links import CurrentLinks
from chatroom.client.encryption.driver import EncryptionDriver, OpenStore
from chatroom.client.encryption.encryption import Encryption
from chatroom.client.encryption.interface import Privacy
from chatroom.client.encryption.links import Links
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.encryption.sealed_files import SealedFileOffers
from chatroom.client.passphrase import note_locked
from chatroom.client.vault.errors import NoPassphraseSet, WrongPassphrase
from chatroom.client.vault.vault import Vault, open_vault
from chatroom.client.vault.vault_key import KeyFile, Passphrase


def wall_clock() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def encrypt(
    client: Client,
    open_store: OpenStore,
    mint: Callable[[], str],
    label: str,
    reactor: Any,
    now: Callable[[], int] = wall_clock,
    random: Callable[[int], bytes] = os.urandom,
) -> Encryption:
    """Let a client that is not started yet seal and open messages and files, and make direct links.

    Args:
        client: The client; its ``privacy`` is set.
        open_store: Opens the store of a user; see ``in_vault``.
        mint: Returns a new unique id.
        label: What people call this device, at most 64 characters.
        reactor: Twisted's reactor.
        now: Returns the time in milliseconds since 1970.
        random: Returns so many random bytes.
    """
    made: list[EncryptionDriver] = []

    def seal(conversation: Conversation) -> EncryptionDriver:
        made.append(EncryptionDriver(conversation, open_store, random, mint, now, label))
        return made[0]

    client.seal(seal)
    return connect(client, made[0], reactor, random)


def connect(client: Client, driver: EncryptionDriver, reactor: Any, random: Callable[[int], bytes]) -> Encryption:
    """Give a client's ``privacy`` what a driver seals and opens with; see ``encrypt``."""
    privacy = client.privacy
    encryption, links = Encryption(driver, random), CurrentLinks()

    def changed(parts: EncryptionParts | None) -> None:
        take, address = driver.opening.take_over_link, client.server_address
        links.use(None if parts is None else Links(parts, reactor, address, take, lambda: privacy.link_files, random))

    driver.on_parts = changed
    privacy.encryption, privacy.links, privacy.file_links = encryption, links, links
    privacy.files = SealedFileOffers(
        lambda: driver.parts, lambda: driver.problem, encryption.room_encrypted, driver.give, random
    )
    return encryption


def make_late(
    client: Client, conversation: Conversation, store: OpenStore, mint: Callable[[], str], label: str, reactor: Any
) -> EncryptionDriver:
    """Return what seals for a client that is started already; see ``encrypt`` and ``in_vault``."""
    driver = EncryptionDriver(conversation, store, os.urandom, mint, wall_clock, label)
    driver.expects_keys = True  # it is made only for a server that knows keys, or did
    connect(client, driver, reactor, os.urandom)
    return driver


def in_vault(folder: Path, passphrase: str, key: Path, reactor: Any, privacy: Privacy | None = None) -> OpenStore:
    """Return a function that opens the vault of a user, a file of its own for each server and user.

    Args:
        folder: The folder of the vaults.
        passphrase: The passphrase; empty if the key file opens the vaults. A vault that the key file has opened until
            now gets the passphrase, and the key file does not open it any more.
        key: The key file.
        reactor: Twisted's reactor.
        privacy: Can ask for the passphrase of a vault that has another one; None if nobody can be asked.
    """
    known: dict[str, str] = {}  # passphrases that were typed since, by vault

    def opened(server: str, user_id: str) -> Deferred[Any]:
        name = sha256(f"{server}\0{user_id}".encode()).hexdigest()[:32]
        return Deferred.fromCoroutine(until_right(name))

    async def until_right(name: str) -> Vault:
        typed = known.get(name, passphrase)
        while True:
            try:
                vault = await _opened(folder, name, typed, KeyFile(key), reactor)
            except WrongPassphrase:
                typed = "" if privacy is None or privacy.ask_passphrase is None else await privacy.ask_passphrase()
                if not typed:
                    raise
                continue
            known[name] = typed
            return vault

    return opened


async def _opened(folder: Path, name: str, passphrase: str, key: KeyFile, reactor: Any) -> Vault:
    """Open a vault; see ``in_vault``.

    Raises:
        VaultError: It cannot be opened.
    """
    if not passphrase:
        return await open_vault(folder, name, key, reactor)
    try:
        vault = await open_vault(folder, name, Passphrase(passphrase), reactor)
    except NoPassphraseSet:
        vault = await open_vault(folder, name, key, reactor)
        await vault.change_unlock(Passphrase(passphrase))
    note_locked(folder)
    return vault
