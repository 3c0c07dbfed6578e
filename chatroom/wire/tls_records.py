"""Finds where TLS records end in a stream of bytes; a record's header, which holds its length, is not encrypted."""

from __future__ import annotations

_HEADER = 5  # bytes: type, version, length of what follows


class TLSRecords:
    """Tracks how far a stream of TLS records, one direction of a connection, has been passed."""

    __slots__ = ("_header", "_left")

    def __init__(self) -> None:
        self._header = b""  # the beginning of a header whose rest has not come yet
        self._left = 0  # bytes of the current record that have not come yet

    def pass_over(self, data: bytes, at: int, most: int) -> tuple[int, int]:
        """Move forward until ``most`` records have ended, or to the end of the data.

        Args:
            data: Holds the next bytes of the stream, from ``at`` on.
            at: The position in ``data`` where the bytes to pass begin.
            most: The most records to pass.

        Returns:
            The position after the last byte that was passed, and the number of records that ended.
        """
        ended = 0
        while at < len(data) and ended < most:
            if not self._left:
                at = self._begin(data, at)
            step = min(self._left, len(data) - at)
            self._left -= step
            at += step
            ended += not self._left and not self._header
        return at, ended

    def _begin(self, data: bytes, at: int) -> int:
        """Read as much of a record's header as has come; return the position in ``data`` after it."""
        piece = data[at : at + _HEADER - len(self._header)]
        self._header += piece
        if len(self._header) == _HEADER:
            self._left = int.from_bytes(self._header[3:], "big")
            self._header = b""
        return at + len(piece)
