"""Connects to a server, with TLS unless told otherwise, and checks the server's key before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint, TCP6ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Failed, why_not_connected
from chatroom.client.known_hosts import KnownHosts, spell

if TYPE_CHECKING:
    from chatroom.client.protected import Examine

CONNECT_WITHIN = 20  # seconds


class Dialer:
    """Makes connections to one server.

    Args:
        reactor: Connects, and tells the time.
        host: The server's name or address.
        port: The server's port.
        known: The remembered keys of servers.
        plain: Whether to use plain text instead of TLS.
        first_seen: Given the fingerprint of the key of a server that was never seen before.
    """

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        known: KnownHosts,
        *,
        plain: bool = False,
        first_seen: Callable[[str], None] = lambda fingerprint: None,
    ) -> None:
        self.server = spell(host, port)
        self._reactor = reactor
        self._host = host
        self._endpoint = _endpoint(reactor, host, port)
        self._known = known
        self._plain = plain
        self._first_seen = first_seen

    def connect(self) -> Deferred[ServerConnection]:
        """Try once to connect.

        Returns:
            A Deferred that gives a connection to a server that may be trusted, or fails with ``Failed``.
        """
        dialled = self._dial_plain() if self._plain else self.dial_tls(self._examine)
        return dialled.addErrback(self._explain)

    def dial_tls(self, examine: Examine) -> Deferred[ServerConnection]:
        """Connect with TLS.

        Args:
            examine: Raises ``Failed`` if it distrusts the server's key; see ``Examine``.

        Returns:
            A Deferred that gives the connection once ``examine`` has accepted the server's key.
        """
        from chatroom.client.protected import connect_tls  # loads OpenSSL

        return connect_tls(self._endpoint, self._reactor, self.server, self._host, examine)

    def _dial_plain(self) -> Deferred[ServerConnection]:
        factory = Factory.forProtocol(lambda: ServerConnection(self.server))
        try:
            self._known.allow_plain(self.server)
        except Failed as failed:
            return fail(failed)
        plain: Deferred[Any] = self._endpoint.connect(factory)
        return plain

    def _examine(self, key: str, vouched: Callable[[], bool]) -> None:
        """Check the key against the remembered one, and call `first_seen` if there was none."""
        if self._known.check(self.server, key, vouched):
            self._first_seen(key)

    def _explain(self, failure: Failure) -> ServerConnection:
        raise why_not_connected(failure, self.server) from None


def _endpoint(reactor: Any, host: str, port: int) -> Any:
    """Return the endpoint for a host. An address with a zone is not looked up, for that would lose the zone."""
    endpoint = TCP6ClientEndpoint if "%" in host else HostnameEndpoint
    return endpoint(reactor, host, port, timeout=CONNECT_WITHIN)
