"""Whether a passphrase is that of a folder's vaults, found out before anything is sent and without changing them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chatroom.client.vault.errors import VaultError, WrongPassphrase
from chatroom.client.vault.vault_file import stored_header
from chatroom.client.vault.vault_key import Header, Passphrase, unwrap

MOST = 20  # vaults that are tried, the newest first; each takes 0.2 s


def fits(folder: Path, passphrase: str) -> bool:
    """Return whether a passphrase opens one of the vaults of a folder that a passphrase locks, or there is none.

    If there are more than are tried, it is not known to be wrong, and fits as well.
    """
    tried = 0
    for header in _locked(folder):
        if tried == MOST:
            return True
        with suppress(WrongPassphrase):
            unwrap(header, Passphrase(passphrase))
            return True
        tried += 1
    return not tried


def _locked(folder: Path) -> Iterator[Header]:
    """Yield the headers of the vaults that a passphrase locks, the newest first; what is no vault is left out."""
    for path in sorted(_files(folder), key=lambda path: path.stat().st_mtime, reverse=True):
        with suppress(VaultError, sqlite3.Error, OSError):
            header = stored_header(path)
            if header.by == "passphrase":
                yield header


def _files(folder: Path) -> list[Path]:
    """Return the files in which vaults may be: an SQLite database has others beside it."""
    try:
        return [path for path in folder.iterdir() if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    except OSError:
        return []
