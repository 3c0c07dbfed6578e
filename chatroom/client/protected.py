"""A connection with TLS: made, and its server's key examined before anything is sent.

Only ``dialing`` imports this, when it makes such a connection, because OpenSSL takes much memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener, IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.certificate_authorities import is_address, vouch
from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Failed, why_lost, why_no_tls
from chatroom.model.fingerprint import fingerprint

HANDSHAKE_WITHIN = 15  # seconds
BEGINNING = 200  # bytes to keep of what the server sends first

Examine = Callable[[str, Callable[[], bool]], None]
"""Given a key's fingerprint, and a function that asks the authorities; raises ``Failed`` if it distrusts the key."""


def connect_tls(endpoint: Any, clock: Any, server: str, host: str, examine: Examine) -> Deferred[ServerConnection]:
    """Connect with TLS.

    Args:
        endpoint: Connects to the server.
        clock: Makes delayed calls.
        server: Host and port, for messages.
        host: The host that the certificate should be for.
        examine: Raises ``Failed`` if it distrusts the server's key; see ``Examine``.

    Returns:
        A Deferred that gives the connection once ``examine`` has accepted the server's key.
    """
    creator = _Creator(host)
    factory = Factory.forProtocol(lambda: Protected(server, creator, examine))
    wrapping = TLSMemoryBIOFactory(creator, True, factory)
    wrapping.protocol = _Peeking
    connected: Deferred[Any] = endpoint.connect(wrapping)
    return connected.addCallback(lambda tls: tls.wrappedProtocol.examined(clock))


class _Peeking(TLSMemoryBIOProtocol):
    """TLS that keeps the first bytes that it receives: if the server does not speak TLS, an error can quote them.

    Attributes:
        beginning: The first bytes.
    """

    beginning = b""

    def dataReceived(self, data: bytes) -> None:
        self.beginning += data[: BEGINNING - len(self.beginning)]
        super().dataReceived(data)


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """Makes the client's side of TLS, which accepts any certificate: the key is examined after the handshake.

    Args:
        host: The host that the certificate should be for.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._connection: Any = None

    def clientConnectionForTLS(self, tls: Any) -> Any:  # noqa: N802
        """Make a connection of OpenSSL; Twisted calls this."""
        options = CertificateOptions(raiseMinimumTo=TLSVersion.TLSv1_2)
        connection = SSL.Connection(options.getContext(), None)
        if not is_address(self._host):
            connection.set_tlsext_host_name(self._host.encode("idna"))
        connection.set_connect_state()
        self._connection = connection
        return connection

    @property
    def version(self) -> str:
        """The version of TLS, as ``TLS 1.3``."""
        return str(self._connection.get_protocol_version_name()).replace("TLSv", "TLS ")

    def key(self) -> str:
        """Return the fingerprint of the server's key."""
        return fingerprint(self._connection.get_peer_certificate(as_cryptography=True))

    def vouched(self) -> bool:
        """Return whether a public authority vouches for the key and the host."""
        return vouch(self._connection, self._host)


@implementer(IHandshakeListener)
class Protected(ServerConnection):
    """A connection with TLS whose key is examined after the handshake.

    Args:
        server: See ``ServerConnection``.
        creator: The creator of its side of TLS, which can tell the server's key.
        examine: Raises ``Failed`` if it distrusts the server's key.
    """

    def __init__(self, server: str, creator: _Creator, examine: Examine) -> None:
        super().__init__(server)
        self._creator = creator
        self._examine = examine
        self._examined: Deferred[ServerConnection] = Deferred(
            lambda it: self.abort(Failed("nobody waits for it any more"))
        )

    def examined(self, clock: Any) -> Deferred[ServerConnection]:
        """Return a Deferred that gives this connection once its key is accepted; it fails if that does not happen."""
        if not self._examined.called:
            slow = clock.callLater(HANDSHAKE_WITHIN, self.abort, Failed(f"{self.server} did not answer in time"))
            self._examined.addBoth(lambda result: _cancelled(slow, result))
        return self._examined

    def handshakeCompleted(self) -> None:
        """Examine the server's key, and end the connection if it is distrusted; Twisted calls this."""
        try:
            self._examine(self._creator.key(), self._creator.vouched)
        except Exception as error:  # whatever went wrong, the server is not trusted
            why = error if isinstance(error, Failed) else Failed(f"the key of {self.server} cannot be read: {error}")
            self.abort(why)
            return
        self.security = self._creator.version
        self._examined.callback(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if not self._examined.called:
            self._examined.errback(self._why_not(reason))

    def _why_not(self, reason: Failure) -> Exception:
        """Return why the connection ended before the key was accepted."""
        lost = self.why or why_lost(reason, self.server)
        if self.gave_up:
            return lost
        return why_no_tls(reason, self.server, getattr(self.transport, "beginning", b""))


def _cancelled(call: Any, result: Any) -> Any:
    if call.active():
        call.cancel()
    return result
