"""Counts how much of the store files take up: in all, for each payer (an account or a guest's address), by address."""

from __future__ import annotations

from collections import Counter

from chatroom.chat.files.record import FileRecord
from chatroom.model.network import is_local


class FileQuotas:
    """Counts files and bytes in memory, so that nobody who shares a file has to wait until all records are read.

    Attributes:
        total: The bytes of all files.
        unfinished: The ids of the files that are not complete.
    """

    def __init__(self) -> None:
        self._charged: dict[str, tuple[tuple[str, ...], int]] = {}  # keys and bytes, by the file's id
        self._files: Counter[str] = Counter()  # by key: a payer or an address
        self._bytes: Counter[str] = Counter()
        self.total = 0
        self.unfinished: set[str] = set()

    def __len__(self) -> int:
        """Return the number of files, including those that count as no bytes."""
        return len(self._charged)

    def charge(self, record: FileRecord, size: int, *, finished: bool) -> None:
        """Count a file for its payer and its address. This replaces what was counted for the file before.

        A file that counts as no bytes does not count as one of the files of its payer and its address.

        Args:
            record: The file.
            size: The bytes that the file counts as.
            finished: Whether the file is complete.
        """
        self.drop(record.id)
        keys = (record.payer, *((address_of(record),) if record.place else ()))
        self._charged[record.id] = keys, size
        for key in keys:
            self._files[key] += size > 0
            self._bytes[key] += size
        self.total += size
        if not finished:
            self.unfinished.add(record.id)

    def drop(self, id: str) -> None:
        """Stop counting a file, if it was counted."""
        keys, size = self._charged.pop(id, ((), 0))
        self.unfinished.discard(id)
        self.total -= size
        for key in keys:
            self._bytes[key] -= size
            self._files[key] -= size > 0
            if not self._files[key]:
                del self._files[key], self._bytes[key]

    def counts(self, id: str) -> bool:
        """Return whether a file counts as one of the files of its payer and its address."""
        return self.charged(id) > 0

    def charged(self, id: str) -> int:
        """Return how many bytes a file counts as."""
        return self._charged.get(id, ((), 0))[1]

    def of(self, key: str) -> tuple[int, int]:
        """Return how many files a payer or an address has, and their bytes."""
        return self._files.get(key, 0), self._bytes.get(key, 0)


def address_of(record: FileRecord) -> str:
    """Return the key of the address that a file counts for. All addresses of this machine have one key."""
    address = record.place.partition(":")[2]
    return "at this machine" if is_local(address) else f"at {address}"
