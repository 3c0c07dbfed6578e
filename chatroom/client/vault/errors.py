"""Why a vault cannot be opened or used any more, in words for the user. No text holds a key or a passphrase."""

from __future__ import annotations

import sqlite3


class VaultError(Exception):
    """The vault cannot be used.

    Args:
        text: The reason for people, and what they can do.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class VaultInUse(VaultError):
    """Another vault object, usually of another process, has the same file open.

    Args:
        pid: The number of that process; 0 if the system does not tell.
    """

    def __init__(self, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"your keys are in use by {who}, and one chatroom-client of a state folder has them at a time; end that "
            f"one first, or start this one with --state DIR, as a device of its own, which /devices says how to link"
        )
        self.pid = pid


class PassphraseNeeded(VaultError):
    """The vault is locked by a passphrase, and none was given."""


class WrongPassphrase(VaultError):
    """The passphrase is not the vault's."""


class NoPassphraseSet(WrongPassphrase):
    """The vault has no passphrase: its key file opens it."""


class WrongKeyFile(VaultError):
    """The key file is missing or damaged, belongs to another vault, or can be read by other users."""


class VaultDamaged(VaultError):
    """The file is no vault, or something other than this client has changed it."""


class VaultTooNew(VaultError):
    """A newer version of the client has made the file. It was left as it is."""


class VaultBroken(VaultError):
    """A write has failed, or the vault was closed: nothing more is read or written."""


def in_words(error: Exception) -> str:
    """Return the reason of an error of SQLite or the system, without what was being written."""
    if isinstance(error, OSError):
        return (error.strerror or "the disk failed").lower()
    if isinstance(error, sqlite3.Error):
        return str(error)  # SQLite names its own state only; values are parameters, which it does not quote
    return type(error).__name__
