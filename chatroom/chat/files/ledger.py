"""How much of the store is taken, in all and by each payer: what is there, and the whole of what is being sent."""

from __future__ import annotations

from collections import Counter


class Ledger:
    """See the module. The ledger is in memory, so that nobody has to wait for all records to be read.

    Attributes:
        total: Bytes of all files.
        unfinished: The ids of files that are not all there.
    """

    def __init__(self) -> None:
        self._charged: dict[str, tuple[str, int]] = {}  # payer and bytes, by the file's id
        self._files: Counter[str] = Counter()  # by payer
        self._bytes: Counter[str] = Counter()
        self.total = 0
        self.unfinished: set[str] = set()

    def __len__(self) -> int:
        """Return how many files there are, however small."""
        return len(self._charged)

    def charge(self, id: str, payer: str, size: int, *, finished: bool) -> None:
        """Count a file as so many bytes from now on. An upload of which nothing has come is no file of its payer's."""
        self.drop(id)
        self._charged[id] = payer, size
        self._files[payer] += self.counts(id)
        self._bytes[payer] += size
        self.total += size
        if not finished:
            self.unfinished.add(id)

    def drop(self, id: str) -> None:
        """Count a file no more, if it was counted."""
        counted = self.counts(id)
        payer, size = self._charged.pop(id, ("", 0))
        self.unfinished.discard(id)
        if not payer:
            return
        self.total -= size
        self._bytes[payer] -= size
        self._files[payer] -= counted
        if not self._files[payer]:
            del self._files[payer], self._bytes[payer]

    def counts(self, id: str) -> bool:
        """Return whether a file is one of those that are counted for its payer."""
        return self.charged(id) > 0

    def charged(self, id: str) -> int:
        """Return as how many bytes a file counts."""
        return self._charged.get(id, ("", 0))[1]

    def of(self, payer: str) -> tuple[int, int]:
        """Return how many files are counted for a payer, and their bytes."""
        return self._files.get(payer, 0), self._bytes.get(payer, 0)
