"""Reading stops for several reasons at once, and goes on when the last of them has gone."""

from __future__ import annotations

from twisted.internet.testing import StringTransport

from chatroom.wire.pausable_lines import PausableLineReceiver

SLOW, BUSY = 1, 2


class Lines(PausableLineReceiver):
    """Notes its lines; stops after a line that names reasons."""

    _closing = False

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        """Note a line, and stop for what it says."""
        self.lines.append(line)
        if line == b"slow and busy":
            self._stop(SLOW)
            self._stop(BUSY)

    def go(self, why: int) -> None:
        """Remove a reason."""
        self._go(why)


class CountingTransport(StringTransport):
    """Counts how often reading goes on."""

    resumed = 0

    def resumeProducing(self) -> None:
        """Count."""
        self.resumed += 1
        super().resumeProducing()


def connected() -> tuple[Lines, CountingTransport]:
    """Return a receiver and its transport."""
    lines, transport = Lines(), CountingTransport()
    lines.makeConnection(transport)
    return lines, transport


def test_lines_wait_until_the_last_reason_has_gone() -> None:
    """With one of two reasons left, neither the bytes that have come nor the transport go on."""
    lines, transport = connected()
    lines.dataReceived(b"slow and busy\nnext\n")
    assert transport.producerState == "paused"
    lines.go(SLOW)
    assert (lines.lines, transport.producerState) == ([b"slow and busy"], "paused")
    lines.go(BUSY)
    assert (lines.lines, transport.producerState) == ([b"slow and busy", b"next"], "producing")


def test_going_on_without_a_reason_to_stop_does_nothing() -> None:
    """A reason may be removed that was never there, as when the log was never slow."""
    lines, transport = connected()
    lines.dataReceived(b"half")
    lines.go(SLOW)
    assert (transport.resumed, lines.lines) == (0, [])
