"""A reactor of which only ``callFromThread`` is there, and vaults that are opened with it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.vault.vault import Vault, open_vault
from chatroom.client.vault.vault_key import KeyFile, Unlock

T = TypeVar("T")
WITHIN = 60  # seconds, so that a test that would hang fails


class Pump:
    """Runs on the test's thread what other threads hand over, while a test waits."""

    def __init__(self) -> None:
        self._calls: Queue[tuple[Callable[..., Any], tuple[Any, ...]]] = Queue()

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        """As the reactor's."""
        self._calls.put((function, args))

    def step(self) -> None:
        """Run one call, and wait for it."""
        function, args = self._calls.get(timeout=WITHIN)
        function(*args)

    def wait(self, deferred: Deferred[T]) -> T:
        """Return a Deferred's result, or raise its error."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            self.step()
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]  # type: ignore[no-any-return]


class Vaults:
    """Opens vaults of one folder, and closes those that are left open.

    Attributes:
        folder: Where the vaults are.
        key: The key file.
    """

    def __init__(self, folder: Path) -> None:
        self.pump = Pump()
        self.folder = folder / "vaults"
        self.key = KeyFile(folder / "vault.key")
        self._open: list[Vault] = []

    @property
    def path(self) -> Path:
        """The usual vault's file."""
        return self.folder / "me.vault"

    def open(
        self, unlock: Unlock | None = None, folder: Path | None = None, random: Callable[[int], bytes] | None = None
    ) -> Vault:
        """Open the usual vault, or one of another folder."""
        opening = open_vault(folder or self.folder, "me", unlock or self.key, self.pump, random or secrets.token_bytes)
        vault = self.pump.wait(opening)
        self._open.append(vault)
        return vault

    def commit(self, vault: Vault) -> None:
        """Commit and wait."""
        self.pump.wait(vault.commit())

    def close(self, vault: Vault) -> None:
        """Close a vault and wait."""
        self.pump.wait(vault.close())

    def reopened(self, vault: Vault) -> Vault:
        """Close a vault and open it again."""
        self.close(vault)
        return self.open()

    def copy(self, name: str) -> Path:
        """Copy the folder as it is now, as if the machine had lost its power; return the copy."""
        copy = self.folder.parent / name
        shutil.copytree(self.folder, copy)
        return copy

    def close_all(self) -> None:
        """Close all vaults."""
        for vault in self._open:
            self.close(vault)
