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

from chatroom.wire.outbox import Outbox

HANDSHAKE = 10.0  # seconds
HANDSHAKE_BYTES = 128 * 1024  # that may come, or wait to go, before it is done


def is_secure(transport: Any) -> bool:
    """Return whether nobody on the way can read what goes over a transport."""
    return bool(ISSLTransport.providedBy(transport))


class Connection(SSL.Connection):
    """The state of one TLS connection, whose other side may say that it says no more and still hear the answers.

    Attributes:
        ended: It has said so.
    """

    ended = False

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Return what came. Twisted would close the connection at its end; there is just nothing more."""
        try:
            return super().recv(bufsiz, flags)
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
        self.outbox = Outbox(transport, HANDSHAKE_BYTES, transport.abortConnection)
        self.write = self.outbox.write
        self.loseConnection = self.outbox.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


@implementer(ISSLTransport, IHalfCloseableProtocol)
class Unwrapping(TLSMemoryBIOProtocol):
    """TLS over one connection: a protocol to the connection, and a transport to who is inside.

    Args:
        factory: What all TLS connections share.
        inside: Who is inside.
    """

    transport: Any

    def __init__(self, factory: TLSMemoryBIOFactory, inside: Protocol) -> None:
        super().__init__(factory, inside)
        self._room = HANDSHAKE_BYTES  # for bytes of the handshake
        self._ended = False  # the other side says no more

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
        super().dataReceived(data)
        if getattr(self._tlsConnection, "ended", False):
            self._ended = True
            inside: Any = self.wrappedProtocol
            inside.readConnectionLost()

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
    """Who is inside while the handshake lasts.

    Args:
        reactor: Gives ``callLater``.
        inside: Makes the protocol that comes then.
        leave: Called at the connection's end, if that comes first.
    """

    def __init__(self, reactor: Any, inside: Callable[[], Protocol], leave: Callable[[], None]) -> None:
        self._reactor = reactor
        self._inside = inside
        self._leave = leave
        self._timer: Any = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self._timer = self._reactor.callLater(HANDSHAKE, transport.abortConnection)

    def handshakeCompleted(self) -> None:
        """Hand over to who comes then."""
        self._stop_waiting()
        transport: Any = self.transport
        transport.protocol = protocol = self._inside()
        protocol.makeConnection(transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_waiting()
        self._leave()

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class SecureOutbox(Outbox):
    """The way out through TLS. Only what is corked waits in it; the rest is held below, encrypted.

    Args:
        transport: The connection.
        limit: Bytes that are held at most, 0 for any number.
        on_overflow: Called once, when more would have to be held; nothing is sent from then on.
    """

    __slots__ = ("_below",)

    def __init__(self, transport: Unwrapping, limit: int, on_overflow: Callable[[], None]) -> None:
        super().__init__(transport, limit, on_overflow)
        self._below = transport.outbox
        self._below.become(limit, self._overflow)

    @property
    def holds(self) -> bool:
        """Whether something is held at the moment."""
        return self._held is not None or self._below.holds

    def bound(self, limit: int) -> None:
        """Hold so much from now on."""
        super().bound(limit)
        self._below.bound(limit)

    def widen(self, more: int) -> None:
        """Hold so many bytes more, and what TLS adds to them."""
        super().widen(more)
        self._below.widen(more + more // 64)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, as soon as nothing is held any more, here and below."""
        super().when_free(lambda: self._below.when_free(call))

    def stopProducing(self) -> None:
        """The connection is gone."""
        super().stopProducing()
        self._below.stopProducing()


def way_out(transport: Any, limit: int, on_overflow: Callable[[], None]) -> Outbox:
    """Return the way out over a transport; see ``Outbox``."""
    return (SecureOutbox if is_secure(transport) else Outbox)(transport, limit, on_overflow)
