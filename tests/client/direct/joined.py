"""Two links that are joined in memory: a test says when bytes travel, and which are lost."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatroom.client.direct.channel import LinkChannel, SeenMessages
from chatroom.client.direct.link import DirectLink
from chatroom.model.device_keys import Envelope


class Socket(StringTransport):
    """A connection in memory.

    Attributes:
        aborted: Whether it was aborted.
        no_delay: Whether small packets go at once.
        calls: The other calls of the protocol.
    """

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.no_delay = False
        self.calls: list[str] = []

    def setTcpNoDelay(self, on: bool) -> None:
        """See ``ITCPTransport``."""
        self.no_delay = on

    def abortConnection(self) -> None:
        """See ``ITCPTransport``. As TLS does, fail after the connection has ended."""
        if not self.connected:
            raise AttributeError("there is no connection any more")
        self.aborted = True
        self.connected = False


class Judge:
    """A race that lets every link win.

    Attributes:
        open: The links that carry frames.
        over: The links that have ended.
        trusts: Whether it accepts handshakes.
        claims: Whether a link may win.
    """

    def __init__(self, *, offered: bool = True) -> None:
        self.offered = offered
        self.trusts = True
        self.claims = True
        self.open: list[DirectLink] = []
        self.over: list[DirectLink] = []

    def accepts(self, transport: Any) -> bool:
        """See ``Referee``."""
        return self.trusts

    def claim(self, link: DirectLink) -> bool:
        """See ``Referee``."""
        return self.claims

    def opened(self, link: DirectLink) -> None:
        """See ``Referee``."""
        self.open.append(link)

    def ended(self, link: DirectLink) -> None:
        """See ``Referee``."""
        self.over.append(link)


def linked(clock: Clock, judge: Judge, *, opened: bool = True) -> tuple[DirectLink, Socket]:
    """Return a link and its connection; it carries frames already if ``opened``."""
    link, socket = DirectLink(clock, judge), Socket()
    link.makeConnection(socket)
    if opened:
        link.handshakeCompleted()
        link.dataReceived(b"ready\n" if judge.offered else b"ready\ngo\n")
        socket.clear()
    return link, socket


class End:
    """A channel over a link in memory.

    Attributes:
        envelopes: The messages that came.
        chunks: The chunks that came.
        handled: What the handling of the next messages and chunks gives.
        lost: Why the link ended.
    """

    def __init__(self, clock: Clock, seen: SeenMessages | None = None) -> None:
        self.link, self.socket = linked(clock, Judge())
        self.envelopes: list[tuple[str, Envelope]] = []
        self.chunks: list[bytes] = []
        self.handled: list[Any] = []
        self.lost: list[str] = []
        self.channel = LinkChannel(
            self.link, clock, seen or SeenMessages(), self._envelope, self._chunk, self.lost.append
        )

    def _envelope(self, key: str, envelope: Envelope) -> Any:
        self.envelopes.append((key, envelope))
        return self._result()

    def _chunk(self, data: bytes) -> Any:
        self.chunks.append(data)
        return self._result()

    def _result(self) -> Any:
        result = self.handled.pop(0) if self.handled else None
        if isinstance(result, Exception):
            raise result
        return result

    def take(self) -> bytes:
        """Return what was written, and forget it."""
        data: bytes = self.socket.value()
        self.socket.clear()
        return data

    def end(self, *, clean: bool = False) -> None:
        """End the connection."""
        self.socket.connected = False
        self.link.connectionLost(Failure(ConnectionDone() if clean else ConnectionLost()))


def exchange(one: End, other: End) -> None:
    """Let all bytes travel, until none are left."""
    while True:
        to_other, to_one = one.take(), other.take()
        if not to_other and not to_one:
            return
        if to_other:
            other.link.dataReceived(to_other)
        if to_one:
            one.link.dataReceived(to_one)
