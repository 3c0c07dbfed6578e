"""The keys of the console: the host key, which is made once, and the operators' keys, which are read at each login."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.checkers import IAuthorizedKeysDB
from twisted.conch.ssh.keys import BadFingerPrintFormat, BadKeyError, EncryptedKeyError, FingerprintFormats, Key
from zope.interface import implementer

from chatroom.model.logger import logger
from chatroom.model.operator_file import read_plain_file

HOST_KEY = "manhole_host_key"  # in the data folder
MOST_BYTES = 256 * 1024  # of a file with keys

_OTHERS_READ = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

_log = logger(__name__)


class BadKeys(Exception):
    """A file with keys cannot be used; the text says why and what to do."""


def host_key(folder: Path | None) -> Key:
    """Return the host key, which is made at the first start.

    Args:
        folder: The folder that keeps the key. If None, each start makes a new key.

    Raises:
        BadKeys: The key is damaged, cannot be used, or can be read by other users.
    """
    if folder is None:
        return Key(Ed25519PrivateKey.generate())
    path = folder / HOST_KEY
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & _OTHERS_READ:
            raise BadKeys(f"others may read the host key {path}; chmod 600 it, or remove it and a new one is made")
        key: Key = Key.fromString(read_plain_file(path, MOST_BYTES))
        return key
    except OSError as error:
        raise BadKeys(f"the host key {path} cannot be used: {error.strerror}") from None
    except (BadKeyError, EncryptedKeyError, ValueError):
        raise BadKeys(f"the host key {path} is damaged; remove it and a new one is made") from None


def fingerprint(key: Key) -> str:
    """Return the fingerprint of a key as ``ssh`` shows it."""
    try:
        return f"SHA256:{key.fingerprint(FingerprintFormats.SHA256_BASE64).rstrip('=')}"
    except BadFingerPrintFormat:  # pragma: no cover
        return "unknown"


@implementer(IAuthorizedKeysDB)
class AuthorizedKeys:
    """The keys of the operators: a file like ``~/.ssh/authorized_keys``. Lines with options are skipped.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # twistd may change the current folder
        self._skipped: set[bytes] = set()  # lines that were logged as skipped

    def read(self) -> list[Key]:
        """Return the keys that are in the file now. Lines without a key are skipped and logged.

        Raises:
            BadKeys: The file cannot be read, or can be written by other users than its owner.
        """
        try:
            if self._path.stat().st_mode & _OTHERS_WRITE:
                raise BadKeys(f"others than its owner may write {self._path}; chmod go-w it")
            data = read_plain_file(self._path, MOST_BYTES)
        except OSError as error:
            raise BadKeys(f"the keys in {self._path} cannot be read: {error.strerror}; see --manhole-keys") from None
        keys = []
        known, self._skipped = self._skipped, set()
        for number, line in enumerate(data.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith(b"#"):
                key = _public_key(line.strip())
                if key is None:
                    self._skipped.add(line)
                if key is None and line not in known:
                    _log.warn("{path} line {number} is no public key; it is skipped", path=self._path, number=number)
                if key is not None:
                    keys.append(key)
        return keys

    def holds(self, blob: bytes) -> bool:
        """Return whether a key, in the form it has in the SSH protocol, is one of the operators' keys."""
        return any(key.blob() == blob for key in self.getAuthorizedKeys(b""))

    def getAuthorizedKeys(self, username: bytes) -> list[Key]:
        """Return the keys for conch, the same for every user name; an empty list if the file cannot be used."""
        try:
            return self.read()
        except BadKeys as error:
            _log.warn("nobody can log in to the manhole: {error}", error=str(error))
            return []


def _public_key(line: bytes) -> Key | None:
    """Return the key in a line of the file; None if the line is no public key."""
    try:
        key: Key = Key.fromString(line)
    except Exception:  # the parsers of conch raise errors of many kinds
        return None
    return key


def _make(path: Path) -> None:
    """Write a new key atomically, to a file that other users can never read."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Key(Ed25519PrivateKey.generate()).toString("OPENSSH"))
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
