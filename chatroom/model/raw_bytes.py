"""Raw bytes between records, which are collected or thrown away."""

from __future__ import annotations

from io import BytesIO


class RawBytes:
    """The raw bytes that follow a record.

    Args:
        number: The number of bytes, which the record says; at most a chunk, so that memory is bounded.
        wanted: Whether to collect the bytes; otherwise they are only counted.

    Attributes:
        missing: The number of bytes that have not come yet.
    """

    __slots__ = ("_data", "_wanted", "missing")

    def __init__(self, number: int, wanted: bool) -> None:
        self.missing = number
        self._wanted = wanted
        self._data = BytesIO()  # no list: two bytes at a time would make it much larger than the bytes

    def feed(self, data: bytes) -> bytes:
        """Take the raw bytes from the beginning of some data, and return the rest, which consists of lines again."""
        ours = data[: self.missing]
        self.missing -= len(ours)
        if self._wanted:
            self._data.write(ours)
        return data[len(ours) :]

    def take(self) -> bytes:
        """Return the collected bytes and forget them; empty if they were not wanted."""
        data, self._data = self._data, BytesIO()
        return data.getvalue()
