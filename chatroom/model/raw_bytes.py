"""Collects, or throws away, the raw bytes of a file's chunk, which follow a record on a connection."""

from __future__ import annotations

from io import BytesIO


class RawBytes:
    """The raw bytes that follow a record.

    Args:
        number: The number of bytes, as the record says; at most the size of a chunk, so that memory is bounded.
        wanted: Whether to collect the bytes; otherwise they are only counted.

    Attributes:
        missing: The number of bytes that have not come yet.
    """

    __slots__ = ("_data", "_wanted", "missing")

    def __init__(self, number: int, wanted: bool) -> None:
        self.missing = number
        self._wanted = wanted
        self._data = BytesIO()  # a list would need much more memory if the bytes came two at a time

    def feed(self, data: bytes) -> bytes:
        """Take the missing bytes from the beginning of received data; return what follows them: lines again."""
        ours = data[: self.missing]
        self.missing -= len(ours)
        if self._wanted:
            self._data.write(ours)
        return data[len(ours) :]

    def take(self) -> bytes:
        """Return the collected bytes and forget them; empty if they were not wanted."""
        data, self._data = self._data, BytesIO()
        return data.getvalue()
