"""Values that were read from the vault's file or stored in it lately."""

from __future__ import annotations

from collections import OrderedDict

MOST_BYTES = 8 << 20  # of values in memory
OVERHEAD = 200  # bytes, roughly, that a row takes beside its value

Name = tuple[str, str]  # table and key


class RowCache:
    """Keeps the values that were used last, up to a bound of bytes."""

    def __init__(self) -> None:
        self._values: OrderedDict[Name, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, name: Name) -> bytes | None:
        """Return a value, or None if it is not here."""
        value = self._values.get(name)
        if value is not None:
            self._values.move_to_end(name)
        return value

    def put(self, name: Name, value: bytes | None) -> None:
        """Keep a value; forget the row if the value is None."""
        old = self._values.pop(name, None)
        if old is not None:
            self._bytes -= len(old) + OVERHEAD
        if value is None:
            return
        self._values[name] = value
        self._bytes += len(value) + OVERHEAD
        while self._bytes > MOST_BYTES:
            _, gone = self._values.popitem(last=False)
            self._bytes -= len(gone) + OVERHEAD

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()
        self._bytes = 0
