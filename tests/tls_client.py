"""A client of the world in memory that comes by TLS, as Python's own ``ssl`` speaks it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import partial
from typing import Any

from fakes import FakeSocket, SocketTransport
from harness import Client, World
from twisted.internet.address import IPv4Address, IPv6Address


def client_context(**versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Return how a client speaks that trusts everybody; ``minimum_version`` and ``maximum_version`` may be given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, version in versions.items():
        setattr(context, name, version)
    return context


class SecureClient(Client):
    """A client inside TLS: what it sends and takes is what the server's dialects see; the rest is on ``transport``.

    Args:
        world: The server.
        host: Where it comes from.
        context: How it speaks.
        shake: Whether it makes the handshake at once.

    Attributes:
        tls: Its side of TLS.
        goodbye: The server has said that it sends no more.
    """

    def __init__(
        self, world: World, host: str = "127.0.0.1", context: ssl.SSLContext | None = None, *, shake: bool = True
    ) -> None:
        self.world = world
        self.transport = SocketTransport(host, partial(world.clock.callLater, 0))
        kind = IPv6Address if ":" in host else IPv4Address
        self.transport.peerAddr = kind("TCP", host, 40000)
        protocol = world.factory.buildProtocol(self.transport.getPeer())
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        world.clients.append(self)
        self._coming = ssl.MemoryBIO()
        self._going = ssl.MemoryBIO()
        self.tls = (context or client_context()).wrap_bio(self._coming, self._going)
        self.goodbye = False
        if shake:
            self.shake()

    @property
    def socket(self) -> FakeSocket:
        """The server's socket."""
        return self.transport.socket

    @property
    def inside(self) -> Any:
        """The server's protocol inside TLS."""
        return self.transport.protocol.wrappedProtocol

    def shake(self) -> None:
        """Make the handshake."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
                assert self._coming.pending, "the server does not answer the handshake"
            else:
                self._exchange()
                return

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self._exchange()

    def raw(self, data: bytes) -> None:
        """Send bytes that are not put into TLS."""
        Client.send(self, data)

    def hello(self) -> bytes:
        """Return the first bytes of a handshake."""
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._going.read()

    def flush(self) -> None:
        """Let the reactor write what the socket takes, and close what is to be closed."""
        self.transport.flush()
        self.world.settle()

    def take(self) -> bytes:
        self.world.settle()
        self._exchange()
        data = b""
        while not self.goodbye:
            try:
                piece = self.tls.read(65536)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            self.goodbye = not piece
            data += piece
        return data

    def _exchange(self) -> None:
        if self._going.pending:
            Client.send(self, self._going.read())
        self._coming.write(Client.take(self))


def secure_person(world: World, name: str = "", room: str = "") -> SecureClient:
    """Return a person inside TLS, as ``World.person`` does."""
    client = SecureClient(world)
    world.pass_time(0.3)
    if name:
        client.say(f"/name {name}")
    if room:
        client.say(f"/join {room}")
    client.lines()
    return client
