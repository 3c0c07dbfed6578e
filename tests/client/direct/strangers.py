"""Whoever dials a client, or is dialled by it: with the certificate, protocol and version of TLS that a test wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.direct.two_clients import LOOPBACK, NOW, SocketsAndClock, Waiting
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.direct.certificate import LinkCertificate, new_certificate
from chatroom.client.direct.link import DirectLink
from chatroom.client.direct.pinned_tls import ALPN
from chatroom.client.direct.race import Race

PROPER = new_certificate(NOW)  # of the peer that the client under test expects


class Racing(Waiting):
    """A race of the client under test, against a peer with the certificate ``PROPER``.

    Attributes:
        won: The links that won.
        failed: The reasons for giving up.
        port: Where it listens.
    """

    def __init__(self, *, offered: bool = True, meets: bool = True, candidates: tuple[Any, ...] = ()) -> None:
        super().__init__()
        self.clock = SocketsAndClock()
        self.won: list[DirectLink] = []
        self.failed: list[str] = []
        self.certificate = new_certificate(NOW)
        self.race = Race(
            self.clock, self.certificate, offered=offered, loopback=True, won=self._won, failed=self.failed.append
        )
        self.port = self.race.listen([LOOPBACK])[0].port
        if meets:
            self.race.meet(PROPER.pin, candidates)

    def _won(self, link: DirectLink) -> None:
        self.won.append(link)
        self.changed()

    def end(self) -> None:
        """End the race, and the link that won."""
        self.race.stop()
        for link in self.won:
            link.abort("the test is over")


@implementer(IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator)
class AnyTLS:
    """TLS that trusts everybody.

    Args:
        shown: The certificate that it shows, if any.
        alpn: The protocol that it speaks, if any.
        newest: The newest version of TLS that it speaks.
    """

    def __init__(self, shown: LinkCertificate | None = PROPER, alpn: bytes = ALPN, newest: int = 0) -> None:
        self._context = context = SSL.Context(SSL.TLS_METHOD)
        if shown is not None:
            context.use_privatekey(shown.key)
            context.use_certificate(shown.certificate)
        context.set_max_proto_version(newest)
        if alpn:
            context.set_alpn_protos([alpn])
            context.set_alpn_select_callback(lambda connection, told: alpn)

    def clientConnectionForTLS(self, tls: Any) -> SSL.Connection:  # noqa: N802
        """See the interface."""
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        return connection

    def serverConnectionForTLS(self, tls: Any) -> SSL.Connection:  # noqa: N802
        """See the interface."""
        connection = SSL.Connection(self._context, None)
        connection.set_verify(SSL.VERIFY_PEER, lambda *told: True)
        connection.set_accept_state()
        return connection


class Stranger(Protocol, Waiting):
    """One end of a connection.

    Attributes:
        got: The bytes that came.
        lost: Whether the connection has ended.
    """

    transport: Any

    def __init__(self, first: bytes = b"") -> None:
        Waiting.__init__(self)
        self.got = b""
        self.lost = False
        self.why = connectionDone
        self._first = first

    def connectionMade(self) -> None:
        self.transport.write(self._first)

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        self.changed()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True
        self.why = reason
        self.changed()


async def call(port: int, tls: AnyTLS | None = None, first: bytes = b"") -> Stranger:
    """Dial a port of this machine, with TLS or without, and send some bytes."""
    factory: Any = Factory.forProtocol(lambda: Stranger(first))
    if tls is not None:
        factory = TLSMemoryBIOFactory(tls, True, factory)
    connected: Any = await TCP4ClientEndpoint(reactor, LOOPBACK, port).connect(factory)
    stranger: Stranger = connected if tls is None else connected.wrappedProtocol
    return stranger


class Listening(Waiting):
    """Something that listens where a client dials.

    Attributes:
        called: The connections so far.
        port: The port.
    """

    def __init__(self, tls: AnyTLS | None = None, first: bytes = b"") -> None:
        super().__init__()
        self.called: list[Stranger] = []
        self.port = 0
        self._tls = tls
        self._first = first
        self._port: Any = None

    def _protocol(self) -> Stranger:
        self.called.append(Stranger(self._first))
        self.changed()
        return self.called[-1]

    async def begin(self) -> None:
        """Listen."""
        factory: Any = Factory.forProtocol(self._protocol)
        if self._tls is not None:
            factory = TLSMemoryBIOFactory(self._tls, False, factory)
        self._port = await TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK).listen(factory)
        self.port = self._port.getHost().port

    def end(self) -> None:
        """Listen no more, and end the connections."""
        self._port.stopListening()
        for stranger in self.called:
            if not stranger.lost:
                stranger.transport.abortConnection()


Race_ = Callable[..., Racing]
"""Begins a race; takes the arguments of ``Racing``."""
