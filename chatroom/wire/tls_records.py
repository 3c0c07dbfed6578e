"""Where the records of TLS end in a stream of bytes: their lengths are readable without decrypting anything."""

from __future__ import annotations

_HEADER = 5  # bytes: type, version, length of what follows


class TLSRecords:
    """Follows one direction of a connection."""

    __slots__ = ("_header", "_left")

    def __init__(self) -> None:
        self._header = b""  # the beginning of a header whose rest has not come
        self._left = 0  # bytes of the current record that have not come

    def pass_over(self, data: bytes, at: int, most: int) -> tuple[int, int]:
        """Go on in the stream until so many records have ended, or to the end of the data.

        Args:
            data: The next bytes of the stream from ``at`` on.
            at: Position in ``data``.
            most: Records.

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
        """Read what has come of a header; return the position after it."""
        piece = data[at : at + _HEADER - len(self._header)]
        self._header += piece
        if len(self._header) == _HEADER:
            self._left = int.from_bytes(self._header[3:], "big")
            self._header = b""
        return at + len(piece)
