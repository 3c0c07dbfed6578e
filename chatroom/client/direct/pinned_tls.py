"""TLS 1.3 between two clients: each shows its certificate, and accepts exactly one certificate of the other.

Imported late, because it loads OpenSSL.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
)
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from chatroom.client.direct.certificate import LinkCertificate, pin
from chatroom.client.direct.link import DirectLink

ALPN = b"chatroom-p2p/1"
HANDSHAKE_BYTES = 16 * 1024  # bytes that may come before the handshake is finished; it takes less than two


class BoundedTLS(TLSMemoryBIOProtocol):
    """TLS that ends the connection if too many bytes come before the handshake is finished.

    Attributes:
        distrusted: Whether the other side showed a certificate that is not the pinned one.
    """

    distrusted = False
    transport: Any
    _room = HANDSHAKE_BYTES

    def dataReceived(self, data: bytes) -> None:
        link: Any = self.wrappedProtocol
        if link.shaking:
            self._room -= len(data)
            if self._room < 0:
                link.abort("it sent no proper handshake")
                return
        super().dataReceived(data)


@implementer(IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator)
class PinnedTLS:
    """Makes both sides of TLS for one attempt.

    Sessions are never resumed, because a resumed session would show no certificate.

    Args:
        mine: Our certificate.
        theirs: The fingerprint of the other side's certificate, as ``certificate.pin`` writes it.
    """

    def __init__(self, mine: LinkCertificate, theirs: str) -> None:
        self._theirs = theirs
        self._context = _context(mine)

    def clientConnectionForTLS(self, tls: Any) -> SSL.Connection:  # noqa: N802
        """Make the side that dials; Twisted calls this."""
        connection = self._connection(tls)
        connection.set_connect_state()
        return connection

    def serverConnectionForTLS(self, tls: Any) -> SSL.Connection:  # noqa: N802
        """Make the side that listens; Twisted calls this."""
        connection = self._connection(tls)
        connection.set_accept_state()
        return connection

    def _connection(self, tls: BoundedTLS) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._judge(tls))
        return connection

    def _judge(self, tls: BoundedTLS) -> Callable[..., bool]:
        """Return what OpenSSL asks about each certificate; the pin alone decides, whatever else OpenSSL found."""

        def judge(connection: SSL.Connection, certificate: Any, fault: int, depth: int, fine: int) -> bool:
            try:
                trusted = depth == 0 and compare_digest(pin(certificate.to_cryptography()), self._theirs)
            except Exception:  # whatever went wrong, nothing is trusted
                trusted = False
            tls.distrusted = tls.distrusted or not trusted
            return trusted

        return judge

    def accepts(self, tls: BoundedTLS) -> bool:
        """Return whether a finished handshake is what we wanted: certificate, protocol and version, looked at again."""
        connection = tls._tlsConnection
        certificate = connection.get_peer_certificate(as_cryptography=True) if connection is not None else None
        return (
            certificate is not None
            and compare_digest(pin(certificate), self._theirs)
            and tls.negotiatedProtocol == ALPN
            and connection.get_protocol_version_name() == "TLSv1.3"
        )

    def wrapped(self, links: IProtocolFactory, clock: Any, *, dials: bool) -> TLSMemoryBIOFactory:
        """Return a factory of links inside TLS.

        Args:
            links: Makes each ``DirectLink``.
            clock: Makes delayed calls.
            dials: Whether our side dials.
        """
        factory = TLSMemoryBIOFactory(self, dials, links, clock)
        factory.protocol = BoundedTLS
        factory.noisy = False
        return factory


def _context(mine: LinkCertificate) -> SSL.Context:
    """Return OpenSSL's settings for both sides.

    Made without Twisted's, whose releases differ in how they set the protocol of the application.
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_privatekey(mine.key)
    context.use_certificate(mine.certificate)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_alpn_protos([ALPN])
    context.set_alpn_select_callback(lambda connection, told: ALPN if ALPN in told else SSL.NO_OVERLAPPING_PROTOCOLS)
    return context


def link_of(tls: BoundedTLS) -> DirectLink:
    """Return the link inside a TLS connection."""
    link = tls.wrappedProtocol
    assert isinstance(link, DirectLink)
    return link
