"""One connection between two clients: first it is one of several that race; the one that wins carries frames.

After the handshake both sides say ``ready``: with TLS 1.3 the side that dialled finishes the handshake before the other
has judged its certificate. The side that made the offer answers ``go`` on one connection, and ``nevermind`` on others.
From then on, each frame is its length (32 bits), its kind (8 bits), and that many bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Protocol

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

HANDSHAKE_WITHIN = 3.0  # seconds from the connection to ``go``
MOST_BEFORE_GO = 64  # bytes

ENVELOPE, CHUNK, ACK, PING, RECEIVED, CHUNK_DONE = range(6)
LONGEST_FRAME = {
    ENVELOPE: 16 * 1024,  # bytes
    CHUNK: 2 * 1024 * 1024,
    ACK: 128,
    PING: 0,
    RECEIVED: 8,
    CHUNK_DONE: 0,
}
HEAD = Struct("!IB")

FASTER = "another connection was faster"
_READY, _GO, _NEVERMIND = b"ready", b"go", b"nevermind"


class Referee(Protocol):
    """The race, as a link sees it."""

    offered: bool  # whether our side made the offer, and so picks the link

    def accepts(self, transport: Any) -> bool:
        """Return whether a finished handshake is what we wanted."""
        ...

    def claim(self, link: DirectLink) -> bool:
        """Make a link the winner; return whether it is, which is false if another one is."""
        ...

    def opened(self, link: DirectLink) -> None:
        """The winner carries frames from now on."""
        ...

    def ended(self, link: DirectLink) -> None:
        """A link has ended."""
        ...


@implementer(IHandshakeListener)
class DirectLink(TwistedProtocol):
    """A connection to the other client.

    Args:
        clock: Makes delayed calls.
        referee: The race.

    Attributes:
        shaking: Whether the handshake is not finished.
        ended: Whether the connection has ended, or is about to.
        why: Why it has ended; empty while it lasts.
        bytes_read: The bytes of all complete frames so far.
    """

    transport: Any

    def __init__(self, clock: Any, referee: Referee) -> None:
        self.shaking = True
        self.ended = False
        self.why = ""
        self.bytes_read = 0
        self._clock = clock
        self._referee = referee
        self._next = self._read_nothing
        self._buffer = bytearray()
        self._paused = False
        self._reading = False
        self._timer: Any = None
        self._frame: Callable[[int, bytes], None] = lambda kind, payload: None
        self._progress: Callable[[int], None] = lambda received: None
        self._lost: Callable[[str], None] = lambda why: None

    # ---- before it is open -------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # else small frames wait for the acknowledgement of earlier ones
        self._timer = self._clock.callLater(HANDSHAKE_WITHIN, self.abort, "it did not answer in time")

    def handshakeCompleted(self) -> None:
        """Say that we are ready, if the certificate is the right one; Twisted calls this."""
        if self.ended or not self._referee.accepts(self.transport):
            self.abort("it is not who it should be")
            return
        self.shaking = False
        self._next = self._read_ready
        self.transport.write(_READY + b"\n")

    def dataReceived(self, data: bytes) -> None:
        if self.ended:
            return
        self._buffer += data
        self._read()

    def _read(self) -> None:
        """Take steps until one needs more bytes, or reading is paused. A step may pause and resume reading itself."""
        if self._reading:
            return
        self._reading = True
        try:
            while not self._paused and not self.ended and self._next():
                pass
        finally:
            self._reading = False

    def _read_nothing(self) -> bool:
        self.abort("it sent data before the handshake was finished")
        return False

    def _read_ready(self) -> bool:
        word = self._word()
        if word is None:
            return False
        if word != _READY:
            self.abort("it did not say that it is ready")
        elif not self._referee.offered:
            self._next = self._read_go
        elif self._referee.claim(self):
            self.transport.write(_GO + b"\n")
            self._open()
        else:
            self.give_way()
        return True

    def _read_go(self) -> bool:
        word = self._word()
        if word is None:
            return False
        if word == _GO and self._referee.claim(self):
            self._open()
        else:
            self.abort("it uses another connection" if word in (_GO, _NEVERMIND) else "it said neither yes nor no")
        return True

    def _word(self) -> bytes | None:
        """Take a line from the buffer; None if it is not there yet. Ends the connection if it is too long."""
        end = self._buffer.find(b"\n", 0, MOST_BEFORE_GO)
        if end < 0:
            if len(self._buffer) >= MOST_BEFORE_GO:
                self.abort("it sent too much before the connection was open")
            return None
        word = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return word

    def give_way(self) -> None:
        """Say that another connection won, and close this one; the timer still ends it if the other side does not."""
        if self.ended:
            return
        if self.shaking or not self._referee.offered:
            self.abort(FASTER)
            return
        self.ended = True
        self.why = FASTER
        self.transport.write(_NEVERMIND + b"\n")
        self.transport.loseConnection()

    def _open(self) -> None:
        self._stop_timer()
        self._next = self._read_frame
        self._referee.opened(self)

    # ---- open --------------------------------------------------------------------------------------------------------

    def listen(
        self, frame: Callable[[int, bytes], None], progress: Callable[[int], None], lost: Callable[[str], None]
    ) -> None:
        """Pass on what comes.

        Args:
            frame: Called with the kind and the bytes of each frame.
            progress: Called with the number of bytes that came of frames, also of a frame that is not complete.
            lost: Called once with the reason when the connection has ended.
        """
        self._frame = frame
        self._progress = progress
        self._lost = lost

    def write_frame(self, kind: int, payload: bytes = b"") -> int:
        """Send a frame, unless the connection has ended.

        Returns:
            How many bytes it takes.

        Raises:
            ValueError: It is too long for its kind.
        """
        if len(payload) > LONGEST_FRAME[kind]:
            raise ValueError("the frame is too long")
        if not self.ended:
            self.transport.write(HEAD.pack(len(payload), kind) + payload)
        return HEAD.size + len(payload)

    def _read_frame(self) -> bool:
        if len(self._buffer) < HEAD.size:
            return False
        length, kind = HEAD.unpack_from(self._buffer)
        if kind not in LONGEST_FRAME or length > LONGEST_FRAME[kind]:
            self.abort("it sent a frame that is not allowed")
            return False
        end = HEAD.size + length
        if len(self._buffer) < end:
            self._progress(self.bytes_read + len(self._buffer))
            return False
        payload = bytes(self._buffer[HEAD.size : end])
        del self._buffer[:end]
        self.bytes_read += end
        self._frame(kind, payload)
        return True

    def pause(self, on: bool) -> None:
        """Stop reading if ``on``; otherwise go on, with what has come already first."""
        if self.ended or on == self._paused:
            return
        self._paused = on
        (self.transport.pauseProducing if on else self.transport.resumeProducing)()
        self._read()

    # ---- the end -----------------------------------------------------------------------------------------------------

    def close(self, why: str) -> None:
        """Close the connection when what was written has been sent.

        Args:
            why: The reason to pass on.
        """
        if not self.ended:
            self.ended = True
            self.why = why
            self._timer = self._clock.callLater(HANDSHAKE_WITHIN, self._abort)  # the other side may not say goodbye
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def abort(self, why: str) -> None:
        """End the connection at once; do nothing if it has ended.

        Args:
            why: The reason to pass on.
        """
        self.why = self.why or why
        self.ended = True
        self._abort()

    def _abort(self) -> None:
        """Abort the transport, unless it is gone: one of TLS can't be aborted after that."""
        if self.transport is not None and self.transport.connected:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True
        self.transport = None
        self._stop_timer()
        self.why = self.why or ("the other side closed it" if reason.check(ConnectionDone) else "it was lost")
        self._buffer.clear()
        self._referee.ended(self)
        self._lost(self.why)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
