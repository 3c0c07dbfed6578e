"""Raw bytes between records: so many as the record before them said, gathered for whom they are or thrown away."""

from __future__ import annotations

from io import BytesIO


class RawBytes:
    """See the module.

    Args:
        number: How many bytes; at most a chunk, so what is gathered is bounded.
        wanted: Somebody wants them; else they are only counted.

    Attributes:
        missing: How many have not come yet.
    """

    __slots__ = ("_data", "_wanted", "missing")

    def __init__(self, number: int, wanted: bool) -> None:
        self.missing = number
        self._wanted = wanted
        self._data = BytesIO()  # and no list, which somebody who sends two bytes at a time would fill with much more

    def feed(self, data: bytes) -> bytes:
        """Take what is ours of the data; return the rest, which is lines again."""
        ours = data[: self.missing]
        self.missing -= len(ours)
        if self._wanted:
            self._data.write(ours)
        return data[len(ours) :]

    def take(self) -> bytes:
        """Return what was gathered, and keep it no more; empty if nobody wanted it."""
        data, self._data = self._data, BytesIO()
        return data.getvalue()
