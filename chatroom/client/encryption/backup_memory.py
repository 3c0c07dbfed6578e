"""What this device knows of the backup at the server: our user key, sealed by the recovery key."""

from __future__ import annotations

from hashlib import sha256

from chatroom.client.encryption.store import Store

TABLE = "backup"
_SEEN = "seen"
_LOOKED = "looked"
DAY = 86_400_000  # ms


class BackupMemory:
    """Remembers which backup this device has seen or made last.

    Args:
        store: Our store; its rows are to be committed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def seen(self) -> str | None:
        """The hash of that backup; empty if there was none, and None if this device has never looked."""
        value = self._store.get(TABLE, _SEEN)
        return None if value is None else value.decode()

    def note(self, sealed: str) -> None:
        """Remember a backup; empty for none."""
        self._store.put(TABLE, _SEEN, hash_of(sealed).encode())

    def forget(self) -> None:
        """Note that nobody knows which backup there is."""
        self._store.delete(TABLE, _SEEN)

    def is_due(self, now: int) -> bool:
        """Return whether a day has passed since this was asked last, or the clock was set back; note the time.

        Args:
            now: The time in milliseconds since 1970.
        """
        value = self._store.get(TABLE, _LOOKED)
        if value is not None and 0 <= now - int(value) < DAY:
            return False
        self._store.put(TABLE, _LOOKED, str(now).encode())
        return value is not None  # at the first time, the user has had no day to make a recovery key


def hash_of(sealed: str) -> str:
    """Return what is remembered of a backup; empty for none."""
    return sha256(sealed.encode()).hexdigest() if sealed else ""
