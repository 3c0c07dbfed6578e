"""TLS on the common port: a connection whose first byte announces TLS is decrypted, and detection starts again inside.

To the protocol inside TLS, the connection looks like any other. The bytes that TLS writes go through an outbox of their
own: they are sent straight to the socket, and a bounded number that a slow reader does not take is held, encrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.chat.limits import Bucket
from chatroom.wire.connection_limits import ConnectionSlot
from chatroom.wire.outbox import Outbox
from chatroom.wire.tls_handshakes import TLSHandshakes
from chatroom.wire.tls_records import TLSRecords

HANDSHAKE = 10.0  # seconds in which a handshake must be finished
HANDSHAKE_BYTES = 32 * 1024  # bytes that may come in a handshake: four times what today's largest clients send
ANSWER_BYTES = 128 * 1024  # bytes that may wait to be sent in a handshake
AT_ONCE = 32  # records that are decrypted before we look again whether reading has stopped
EMPTY_BURST = 64  # records without data for the protocol inside: key changes, alerts, the handshake's own records ...
EMPTY_A_SECOND = 1.0  # ... and how many more each second; no sane client needs them


class TLSConnection(SSL.Connection):
    """The state of one TLS connection. The other side may say goodbye (``close_notify``) and still receive answers.

    Attributes:
        ended: Whether the other side has said goodbye.
        filled: How many records held data.
    """

    ended = False
    filled = 0

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Return the data of the next record that holds data.

        Raises:
            SSL.WantReadError: No such record has come, or the other side has said goodbye. (OpenSSL's own exception for
                the goodbye would make Twisted close the connection.)
        """
        try:
            data = super().recv(bufsiz, flags)
            self.filled += 1
            return data
        except SSL.ZeroReturnError:
            self.ended = True
            raise SSL.WantReadError from None


class _Below:
    """The TCP transport below TLS. Everything that TLS writes goes through an outbox.

    Args:
        transport: The TCP transport.
    """

    def __init__(self, transport: Any) -> None:
        self.bare = transport
        self.outbox = Outbox(transport, ANSWER_BYTES, transport.abortConnection)
        self.write = self.outbox.write
        self.loseConnection = self.outbox.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


@implementer(ISSLTransport, IHalfCloseableProtocol)
class Unwrapping(TLSMemoryBIOProtocol):
    """TLS over one TCP connection: the protocol of the TCP transport, and the transport of the protocol inside TLS.

    The protocol inside counts the data that it receives against the client's rate limit. Records without data cost as
    much work, so they are counted here, and too many of them end the connection. While reading is stopped, bytes that
    have come stay encrypted.

    Args:
        factory: Twisted's factory, which all TLS connections share.
        inside: The first protocol inside TLS.
        seconds: Returns the time in seconds; it never goes back.
        on_flood: Called when the connection is ended because of too many records without data.
    """

    transport: Any

    def __init__(
        self,
        factory: TLSMemoryBIOFactory,
        inside: Protocol,
        seconds: Callable[[], float],
        on_flood: Callable[[], None],
    ) -> None:
        super().__init__(factory, inside)
        self._room = HANDSHAKE_BYTES  # bytes that may still come before the handshake is finished
        self._ended = False  # the other side has said goodbye
        self._records = TLSRecords()
        self._seconds = seconds
        self._empty = Bucket(EMPTY_A_SECOND, EMPTY_BURST, seconds())
        self._on_flood = on_flood
        self._unread = b""
        self._stopped = False  # the protocol inside does not want to read now
        self._reading = False

    @property
    def protocol(self) -> Any:
        """The protocol inside TLS. It may be replaced, like the protocol of a TCP transport."""
        return self.wrappedProtocol

    @protocol.setter
    def protocol(self, inside: Any) -> None:
        self.wrappedProtocol = inside

    @property
    def bare(self) -> Any:
        """The TCP transport."""
        return self.transport.bare

    @property
    def outbox(self) -> Outbox:
        """The outbox for bytes that are encrypted and not yet sent."""
        outbox: Outbox = self.transport.outbox
        return outbox

    def makeConnection(self, transport: Any) -> None:
        super().makeConnection(_Below(transport))

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return  # TLS would keep the data in memory
        if isinstance(self.wrappedProtocol, Handshake):
            self._room -= len(data)
            if self._room < 0:
                self.abortConnection()
                return
        self._unread += data
        self._read()

    def _read(self) -> None:
        """Decrypt the bytes that have come, a few records at a time, until the protocol inside stops reading."""
        if self._reading:
            return  # the protocol inside has stopped reading and gone on while the loop below gave it something
        self._reading = True
        data, at = self._unread, 0
        self._unread = b""
        try:
            while at < len(data) and not self._stopped and not self._over:
                end, ended = self._records.pass_over(data, at, AT_ONCE)
                self._decrypt(data[at:end], ended)
                at = end
        finally:
            self._unread = data[at:] if not self._over else b""
            self._reading = False

    @property
    def _over(self) -> bool:
        """Whether nothing more will be read."""
        return self._ended or self._aborted or self._lostTLSConnection

    def _decrypt(self, data: bytes, ended: int) -> None:
        """Decrypt bytes, give the data to the protocol inside, and end the connection if too many records held no data.

        Args:
            data: The next bytes of the stream.
            ended: How many records end in these bytes.
        """
        connection = self._tlsConnection
        filled = connection.filled
        super().dataReceived(data)
        if self._empty.spend(max(0, ended - (connection.filled - filled)), self._seconds()):
            self._on_flood()
            self.abortConnection()
        elif connection.ended and self.connected:
            self._ended = True
            inside: Any = self.wrappedProtocol
            inside.readConnectionLost()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._stopped = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on reading; the bytes that have come already are decrypted first."""
        self._stopped = False
        self._read()
        if not self._stopped and not self._over:
            self.transport.resumeProducing()

    def readConnectionLost(self) -> None:
        """Abort unless the other side said goodbye in TLS, since anybody on the way can close a TCP connection."""
        if not self._ended:
            self.abortConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing; our half of the connection is closed because we have said goodbye."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # Nothing is left to read. If Twisted tried to read, its exception would leave a circle of references in memory.
        self._lostTLSConnection = True
        super().connectionLost(reason)

    # ---- closing, without waiting for the other side's goodbye, which may never come ----------------------------

    def loseConnection(self) -> None:
        """Say goodbye, and close the connection when the outbox has sent what it holds."""
        super().loseConnection()
        self.transport.loseConnection()

    def loseWriteConnection(self) -> None:
        """Say goodbye, and close our half of the connection."""
        super().loseConnection()
        self.transport.loseWriteConnection()

    def abortConnection(self) -> None:
        """Close the connection at once, if it has not ended already."""
        if self.connected:
            super().abortConnection()


@implementer(IHandshakeListener)
class Handshake(Protocol):
    """The protocol inside TLS until the handshake is finished.

    Args:
        reactor: Gives ``callLater``.
        inside: Makes the protocol that follows.
        place: Counts the connection by its address; we call ``leave`` if the connection ends before the handshake does.
        handshakes: The unfinished handshakes, including this one.
    """

    def __init__(
        self, reactor: Any, inside: Callable[[], Protocol], place: ConnectionSlot, handshakes: TLSHandshakes
    ) -> None:
        self._reactor = reactor
        self._inside = inside
        self._place = place
        self._handshakes = handshakes
        self._timer: Any = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self._timer = self._reactor.callLater(HANDSHAKE, transport.abortConnection)

    def handshakeCompleted(self) -> None:
        """Hand the connection to the protocol that follows, which refuses it if no slot is free at the address."""
        self._stop_waiting()
        self._handshakes.end(self, finished=self._place.come_in())
        transport: Any = self.transport
        transport.protocol = protocol = self._inside()
        protocol.makeConnection(transport)

    def give_up(self) -> None:
        """End the connection at once, to make room for another one."""
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_waiting()
        self._handshakes.end(self)
        self._place.leave()

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
