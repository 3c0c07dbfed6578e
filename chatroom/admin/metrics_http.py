"""A small web server for operators: a few connections, short requests without a body, and nothing in the log."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

MOST_CONNECTIONS = 32
IDLE = 15.0  # seconds, for a request to come and from one to the next

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Bodyless(Request):
    """A request that must have no body: what announces one is refused before any of it is read."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """All headers are here; no length is a body of any."""
        if length == 0:
            super().gotLength(length)
            return
        self.requestHeaders.removeHeader("expect")  # else Twisted says to go on
        channel: Any = self.channel
        channel.transport.write(_TOO_LARGE)
        channel.loseConnection()


class _QuietSite(Site):
    """Without an access log, and without the clock that Twisted keeps for one."""

    noisy = False

    def startFactory(self) -> None:  # noqa: N802
        """There is no log to open."""

    def stopFactory(self) -> None:  # noqa: N802
        """Nor to close."""


class OperatorSite(WrappingFactory):
    """Serves a resource to a few at a time; who comes when there are too many is closed at once.

    Args:
        root: What is served.
        reactor: Tells the time.
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
