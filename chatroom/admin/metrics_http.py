"""A small web server for operators. It takes few connections and requests without a body, and logs nothing."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

MOST_CONNECTIONS = 32
IDLE = 15.0  # seconds for a request to come, and between requests

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Bodyless(Request):
    """A request without a body. A request that announces a body is refused before any of it is read."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Refuse a request with a body as soon as its headers are read. None means a body of unknown length."""
        if length == 0:
            super().gotLength(length)
            return
        self.requestHeaders.removeHeader("expect")  # else Twisted would ask the client for the body
        channel: Any = self.channel
        channel.transport.write(_TOO_LARGE)
        channel.loseConnection()


class _QuietSite(Site):
    """A site without an access log, and without the clock that Twisted runs for the dates in that log."""

    noisy = False

    def startFactory(self) -> None:  # noqa: N802
        """Open no access log."""

    def stopFactory(self) -> None:  # noqa: N802
        """Close no access log."""


class OperatorSite(WrappingFactory):
    """Serves a resource to few connections at a time; any more are closed at once.

    Args:
        root: The resource.
        reactor: Gives the time.
    """

    noisy = False

    def __init__(self, root: Resource, reactor: Any) -> None:
        super().__init__(_QuietSite(root, requestFactory=_Bodyless, timeout=IDLE, reactor=reactor))

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return super().buildProtocol(addr) if len(self.protocols) < MOST_CONNECTIONS else None

    def abort(self) -> None:
        """Close all connections at once."""
        for protocol in tuple(self.protocols):
            protocol.transport.abortConnection()
