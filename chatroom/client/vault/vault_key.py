"""The vault's data key, wrapped by a passphrase or by a key file. Another passphrase wraps the same key anew."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from chatroom.client.paths import changing, write_private
from chatroom.client.vault.errors import (
    NoPassphraseSet,
    PassphraseNeeded,
    VaultDamaged,
    VaultError,
    WrongKeyFile,
    WrongPassphrase,
    in_words,
)
from chatroom.client.vault.sealing import KEY, NONCE, Random, lengths

MEMORY = 65536  # KiB that Argon2id takes
PASSES = 3
LANES = 1
# What a header may ask for: a changed file must not make us take all memory there is.
MEMORY_RANGE = range(8 * 16, (1 << 20) + 1)  # KiB
PASSES_RANGE = range(1, 21)
LANES_RANGE = range(1, 17)
SALT = 16  # bytes
CHECK = 8  # bytes of a hash that tells damage from a wrong passphrase; it protects nothing
KEY_FILE = "vault.key"  # the usual name, in the state folder
BEGINNING = "chatroom-vault-key-1 "
LONGEST_KEY_FILE = 200  # bytes that are read of a key file


@dataclass(frozen=True)
class Passphrase:
    """Unlocks a vault by words that the user knows."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class KeyFile:
    """Unlocks a vault by a file with a random key; the file is made with the first vault."""

    path: Path


Unlock = Passphrase | KeyFile


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a vault that can be read without a key.

    Attributes:
        id: The vault's random id.
        by: What wraps the data key.
        salt: Random; another one for each wrapping.
        memory: KiB that Argon2id takes.
        passes: How often Argon2id goes over the memory.
        lanes: The parallelism of Argon2id.
        wrapped: The data key, encrypted, after its nonce.
    """

    id: bytes
    by: Literal["passphrase", "key-file"]
    salt: bytes
    memory: int
    passes: int
    lanes: int
    wrapped: bytes


def encode_header(header: Header) -> bytes:
    """Return a header as it is stored."""
    body = msgspec.json.encode(header)
    return hashlib.sha256(body).digest()[:CHECK] + body


def decode_header(stored: bytes) -> Header:
    """Return the header that ``encode_header`` has encoded.

    Raises:
        VaultDamaged: It was changed.
    """
    body = stored[CHECK:]
    if hashlib.sha256(body).digest()[:CHECK] != stored[:CHECK]:
        raise VaultDamaged("the vault is damaged: its header was changed")
    try:
        header = msgspec.json.decode(body, type=Header)
    except (msgspec.MsgspecError, ValueError):
        raise VaultDamaged("the vault is damaged: its header cannot be read") from None
    costs = zip((header.memory, header.passes, header.lanes), (MEMORY_RANGE, PASSES_RANGE, LANES_RANGE), strict=True)
    if not all(cost in fitting for cost, fitting in costs):
        raise VaultDamaged("the vault is damaged: its header asks for too much or too little work")
    return header


def wrap(vault_id: bytes, data_key: bytes, unlock: Unlock, random: Random) -> Header:
    """Return a header with the data key wrapped. A key file is made if it is missing. Takes 0.2 s for a passphrase.

    Raises:
        VaultError: The passphrase is empty, or the key file cannot be used.
    """
    salt, nonce = random(SALT), random(NONCE)
    by: Literal["passphrase", "key-file"] = "passphrase" if isinstance(unlock, Passphrase) else "key-file"
    header = Header(id=vault_id, by=by, salt=salt, memory=MEMORY, passes=PASSES, lanes=LANES, wrapped=b"")
    key = _wrapping_key(header, unlock, random)
    wrapped = nonce + ChaCha20Poly1305(key).encrypt(nonce, data_key, _bound(header))
    return msgspec.structs.replace(header, wrapped=wrapped)


def unwrap(header: Header, unlock: Unlock) -> bytes:
    """Return the data key. Takes 0.2 s for a passphrase.

    Raises:
        PassphraseNeeded: The vault is locked by a passphrase, and a key file was given.
        WrongPassphrase: The passphrase is wrong, or the vault has none.
        WrongKeyFile: The key file is not the vault's, or cannot be used.
    """
    if header.by == "passphrase" and not isinstance(unlock, Passphrase):
        raise PassphraseNeeded(
            "your keys are locked by a passphrase; start with --passphrase ask (or fd:N, or file:PATH), or put "
            'passphrase = "ask" into the config file'
        )
    if header.by == "key-file" and not isinstance(unlock, KeyFile):
        raise NoPassphraseSet("the vault has no passphrase: it is opened by its key file; start without a passphrase")
    key = _wrapping_key(header, unlock, None)
    nonce, sealed = header.wrapped[:NONCE], header.wrapped[NONCE:]
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, _bound(header))
    except (InvalidTag, ValueError):
        if isinstance(unlock, KeyFile):
            raise WrongKeyFile(f"{unlock.path} is not the key file of this vault") from None
        raise WrongPassphrase("the passphrase is wrong") from None


def _bound(header: Header) -> bytes:
    """Return what the wrapped key is bound to: all of the header."""
    costs = f"{header.memory} {header.passes} {header.lanes}"
    return lengths(b"chatroom vault wrap 1", header.id, header.by.encode(), header.salt, costs.encode())


def _wrapping_key(header: Header, unlock: Unlock, random: Random | None) -> bytes:
    """Return the key that wraps the data key.

    Args:
        header: Its salt and costs are used.
        unlock: The passphrase or the key file.
        random: Makes a key file if it is missing; None if a missing file is an error.
    """
    if isinstance(unlock, KeyFile):
        secret = _key_of(unlock.path, random)
        return hmac.digest(secret, lengths(b"chatroom vault key file 1", header.salt), "sha256")
    words = unicodedata.normalize("NFC", unlock.text).encode("utf-8", "surrogatepass")
    if not words:
        raise WrongPassphrase("the passphrase is empty")
    return hash_secret_raw(words, header.salt, header.passes, header.memory, header.lanes, KEY, Type.ID)


def _key_of(path: Path, random: Random | None) -> bytes:
    """Return the key in a key file, which is made first if it is missing and ``random`` is given.

    Raises:
        WrongKeyFile: The file is missing, damaged, or can be read by other users.
        VaultError: The file cannot be made.
    """
    try:
        if random is not None and not path.exists():
            with changing(path):  # another client may start at the same time
                if not path.exists():
                    _make_key_file(path, random(KEY))
        return _read_key_file(path)
    except FileNotFoundError:
        raise WrongKeyFile(
            f"the vault's key file {path} is missing; put it back from a copy, or start as a new device: --state DIR"
        ) from None
    except OSError as error:
        raise VaultError(f"the vault's key file {path} cannot be used: {in_words(error)}") from None


def _make_key_file(path: Path, key: bytes) -> None:
    """Write a new key file that only this user may read, and wait until it is durable."""
    write_private(path, f"{BEGINNING}{base64.b64encode(key).decode()}\n")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise WrongKeyFile(f"the vault's key file {path} is no file")
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise WrongKeyFile(f"other users can read the vault's key file {path}; run: chmod 600 {path}")
        line = os.read(descriptor, LONGEST_KEY_FILE).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    try:
        key = base64.b64decode(line.removeprefix(BEGINNING), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY or not line.startswith(BEGINNING):
        raise WrongKeyFile(f"the vault's key file {path} is damaged; put it back from a copy")
    return key
