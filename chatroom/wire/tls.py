"""TLS on the one port: a connection whose first byte says so is unwrapped, and who is inside comes to a door like all.

Inside, it looks like any connection. What TLS writes goes through an Outbox of its own, so it is sent straight to the
socket, and what a slow reader does not take is held, encrypted, and bounded there.
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

HANDSHAKE = 10.0  # seconds
HANDSHAKE_BYTES = 32 * 1024  # that may come before it is done: four times what the largest of today's clients send
ANSWER_BYTES = 128 * 1024  # that may wait to go before it is done
AT_ONCE = 32  # records that are decrypted before it is looked whether reading has stopped
EMPTY_BURST = 64  # records without data for whoever is inside: key changes, alerts, what makes up the handshake ...
EMPTY_A_SECOND = 1.0  # ... and so many more each second, which no client in its right mind needs


class TLSConnection(SSL.Connection):
    """The state of one TLS connection, whose other side may say that it says no more and still hear the answers.

    Attributes:
        ended: It has said so.
        filled: Records that had data in them.
    """

    ended = False
    filled = 0

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Return the data of the next record that has any.

        Twisted would close the connection at the other side's goodbye; here there is just nothing more.
        """
        try:
            data = super().recv(bufsiz, flags)
            self.filled += 1
            return data
        except SSL.ZeroReturnError:
            self.ended = True
            raise SSL.WantReadError from None


class _Below:
    """The TCP connection, as TLS sees it: what is written goes through an Outbox.

    Args:
        transport: The connection.
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
    """TLS over one connection: a protocol to the connection, and a transport to the protocol inside.

    The protocol inside charges what it is given. Records that give it nothing cost as much work, so they are counted
    here, and too many of them end the connection. When reading stops, what has come is not decrypted until it goes on.

    Args:
        factory: What all TLS connections share.
        inside: The protocol inside.
        seconds: A clock that does not jump.
        on_flood: Called when the connection is ended for too many records without data.
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
        self._room = HANDSHAKE_BYTES  # for bytes of the handshake
        self._ended = False  # the other side says no more
        self._records = TLSRecords()
        self._seconds = seconds
        self._empty = Bucket(EMPTY_A_SECOND, EMPTY_BURST, seconds())
        self._on_flood = on_flood
        self._unread = b""
        self._stopped = False  # the protocol inside does not want to read now
        self._reading = False

    @property
    def protocol(self) -> Any:
        """Who is inside; like a TCP connection's, it may be replaced."""
        return self.wrappedProtocol

    @protocol.setter
    def protocol(self, inside: Any) -> None:
        self.wrappedProtocol = inside

    @property
    def bare(self) -> Any:
        """The TCP connection."""
        return self.transport.bare

    @property
    def outbox(self) -> Outbox:
        """What is encrypted and not yet sent."""
        outbox: Outbox = self.transport.outbox
        return outbox

    def makeConnection(self, transport: Any) -> None:
        super().makeConnection(_Below(transport))

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return  # TLS would keep it
        if isinstance(self.wrappedProtocol, Handshake):
            self._room -= len(data)
            if self._room < 0:
                self.abortConnection()
                return
        self._unread += data
        self._read()

    def _read(self) -> None:
        """Decrypt what has come, some records at a time, as long as the protocol inside wants to read."""
        if self._reading:
            return  # the protocol inside stops and goes on while it is given something
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
        """Whether nothing more is to be read, for whatever reason."""
        return self._ended or self._aborted or self._lostTLSConnection

    def _decrypt(self, data: bytes, ended: int) -> None:
        """Give the protocol inside what is in the data; count the records, of those that ended, that gave nothing."""
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
        """Go on reading, first with what has come already."""
        self._stopped = False
        self._read()
        if not self._stopped and not self._over:
            self.transport.resumeProducing()

    def readConnectionLost(self) -> None:
        """No more bytes will come. Whoever did not say so inside TLS may have been cut off by somebody else."""
        if not self._ended:
            self.abortConnection()

    def writeConnectionLost(self) -> None:
        """We have said goodbye."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # There is nothing left to read. To find that out, Twisted would leave a circle behind, with all that we were.
        self._lostTLSConnection = True
        super().connectionLost(reason)

    # ---- the end, which asks nothing of the other side: it may never answer -------------------------------------

    def loseConnection(self) -> None:
        """Say goodbye, and close when what is held has been sent."""
        super().loseConnection()
        self.transport.loseConnection()

    def loseWriteConnection(self) -> None:
        """Say goodbye, and send no more."""
        super().loseConnection()
        self.transport.loseWriteConnection()

    def abortConnection(self) -> None:
        """Close at once. There may be no connection any more."""
        if self.connected:
            super().abortConnection()


@implementer(IHandshakeListener)
class Handshake(Protocol):
    """The protocol inside while the handshake lasts.

    Args:
        reactor: Gives ``callLater``.
        inside: Makes the protocol that comes then.
        place: The connection's place; it is left at the connection's end, if that comes first.
        handshakes: All that are under way; this one among them.
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
        """Come in, and hand over to the protocol that comes then; it refuses the connection if that may not be."""
        self._stop_waiting()
        self._handshakes.end(self, finished=self._place.come_in())
        transport: Any = self.transport
        transport.protocol = protocol = self._inside()
        protocol.makeConnection(transport)

    def give_up(self) -> None:
        """End the connection at once, to make way for another."""
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
