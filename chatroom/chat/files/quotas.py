"""How much of the store is taken, in all, by each payer, and from each address.

A file that is there or is being sent counts as all of its bytes.
"""

from __future__ import annotations

from collections import Counter

from chatroom.chat.files.record import FileRecord
from chatroom.model.network import is_local


class FileQuotas:
    """See the module. The ledger is in memory, so that nobody has to wait for all records to be read.

    Attributes:
        total: Bytes of all files.
        unfinished: The ids of files that are not all there.
    """

    def __init__(self) -> None:
        self._charged: dict[str, tuple[tuple[str, ...], int]] = {}  # keys and bytes, by the file's id
        self._files: Counter[str] = Counter()  # by key: a payer or an address
        self._bytes: Counter[str] = Counter()
        self.total = 0
        self.unfinished: set[str] = set()

    def __len__(self) -> int:
        """Return how many files there are, however small."""
        return len(self._charged)

    def charge(self, record: FileRecord, size: int, *, finished: bool) -> None:
        """Count a file from now on, for its payer and for its address; an upload without a byte is no file of theirs.

        Args:
            record: The file.
            size: The bytes that it counts as.
            finished: Whether all of the file is there.
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
        """Count a file no more, if it was counted."""
        keys, size = self._charged.pop(id, ((), 0))
        self.unfinished.discard(id)
        self.total -= size
        for key in keys:
            self._bytes[key] -= size
            self._files[key] -= size > 0
            if not self._files[key]:
                del self._files[key], self._bytes[key]

    def counts(self, id: str) -> bool:
        """Return whether a file is one of those that are counted for its payer and its address."""
        return self.charged(id) > 0

    def charged(self, id: str) -> int:
        """Return as how many bytes a file counts."""
        return self._charged.get(id, ((), 0))[1]

    def of(self, key: str) -> tuple[int, int]:
        """Return how many files are counted for a payer or an address, and their bytes."""
        return self._files.get(key, 0), self._bytes.get(key, 0)


def address_of(record: FileRecord) -> str:
    """Return the key of the address that a file counts for, whoever sent it; all of this machine is one address."""
    address = record.place.partition(":")[2]
    return "at this machine" if is_local(address) else f"at {address}"
