"""Where the encryption core keeps its state: values of bytes, each named by a table and a key.

The core reads and writes rows and never waits for a disk. ``chatroom.client.vault`` keeps rows in an encrypted file,
and ``MemoryRows`` keeps them for tests and for clients that store nothing.
"""

from __future__ import annotations

from typing import Protocol


class Rows(Protocol):
    """Values of bytes by table and key. What was put is read back at once, also before it is stored durably."""

    def get(self, table: str, key: str) -> bytes | None:
        """Return the value of a row, or None if there is no such row."""

    def put(self, table: str, key: str, value: bytes) -> None:
        """Set the value of a row, which is made if it is missing."""

    def delete(self, table: str, key: str) -> None:
        """Remove a row if it is there."""

    def keys(self, table: str) -> list[str]:
        """Return the keys of all rows of a table, sorted."""


class MemoryRows:
    """Rows in memory only."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}

    def __repr__(self) -> str:
        return "<MemoryRows>"  # never a value: values are secrets

    def get(self, table: str, key: str) -> bytes | None:
        """Return the value of a row, or None if there is no such row."""
        return self._tables.get(table, {}).get(key)

    def put(self, table: str, key: str, value: bytes) -> None:
        """Set the value of a row, which is made if it is missing."""
        self._tables.setdefault(table, {})[key] = bytes(value)

    def delete(self, table: str, key: str) -> None:
        """Remove a row if it is there."""
        self._tables.get(table, {}).pop(key, None)

    def keys(self, table: str) -> list[str]:
        """Return the keys of all rows of a table, sorted."""
        return sorted(self._tables.get(table, {}))
