"""A line receiver that skips lines that are too long, and can stop reading for several reasons at once."""

from __future__ import annotations

from typing import Any

from twisted.protocols.basic import LineReceiver


class PausableLineReceiver(LineReceiver):
    """Splits the bytes that come into lines, until reading is stopped; then bytes already read wait in the buffer.

    Attributes:
        stops: Why reading is stopped, as bits that a subclass defines; 0 while the connection is read.
    """

    delimiter = b"\n"
    transport: Any  # a TCP or TLS connection, or what a test puts in its place
    stops = 0
    _ended = False  # the other side will send no more
    _skipping = False  # the next bytes are the rest of a line that is too long
    _rest = b""  # bytes that came after a line that is too long, and are not handled yet

    @property
    def _closing(self) -> bool:
        """Whether nothing may be read any more, because the connection is being closed."""
        raise NotImplementedError

    def _all_handled(self) -> None:
        """Called when the other side will send no more and all its lines were given to ``lineReceived``."""
        raise NotImplementedError

    def _line_too_long(self) -> None:
        """Refuse a line that is too long; called once for each such line, perhaps before its end has come."""
        raise NotImplementedError

    def _skipped(self, number: int) -> None:
        """Count ``number`` bytes of a line that is too long, with its end if it has come."""
        raise NotImplementedError

    def _process(self, data: bytes) -> None:
        """Handle the lines that have come until reading stops; call ``_all_handled`` if they were the last ones."""
        LineReceiver.dataReceived(self, data)
        while self._rest:
            rest, self._rest = self._rest, b""
            LineReceiver.dataReceived(self, rest)
        if self._ended and not self.stops and not self._closing:
            self._all_handled()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Skip a line that is too long. ``LineReceiver`` passes the line with all bytes that were read after it."""
        self._line_too_long()
        self._rest = self._skip(line)

    def _skip(self, data: bytes) -> bytes:
        """Return what follows the line that is too long in ``data``; empty if its end has not come."""
        _, end, rest = data.partition(b"\n")
        self._skipping = not end
        self._skipped(len(data) - len(rest))
        return rest

    def _stop(self, why: int) -> None:
        """Stop reading for a reason, one of the bits of ``stops``."""
        if not self.stops:
            self.paused = True
            self.transport.pauseProducing()
        self.stops |= why

    def _go(self, why: int) -> None:
        """Remove a reason to stop. If none is left, handle the bytes that have come already, then read on."""
        if not self.stops:
            return
        self.stops &= ~why
        if self.stops or self._closing or not self.transport.connected:
            return
        self.paused = False
        self._process(b"")  # may stop reading again
        if not self.stops and not self._ended and not self._closing:
            self.transport.resumeProducing()
