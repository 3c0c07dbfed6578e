"""Connections that are read directly: one that fails does so alone, and none is read that must not be any more."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Errors
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.tcp import Server
from twisted.python.failure import Failure
from zope.interface import implementer

if not hasattr(select, "epoll"):
    pytest.skip("there is no epoll", allow_module_level=True)

from chatroom.daemon.reactor import DirectReactor


class Heard(Protocol):
    """Keeps what it is told, and does with what it reads whatever the test says."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: Failure | None = None
        self.on_data: Callable[[], object] = lambda: None

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.on_data()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason


@implementer(IHalfCloseableProtocol)
class HalfClosed(Heard):
    """Goes on writing after the other side has said all that it will say."""

    ended = False

    def readConnectionLost(self) -> None:
        self.ended = True

    def writeConnectionLost(self) -> None:
        pass


class Port:
    """A port of a reactor of its own, with connections to it.

    Args:
        kind: The protocol of each connection.
    """

    def __init__(self, kind: Callable[[], Heard] = Heard) -> None:
        self.reactor: Any = DirectReactor()
        self.port = self.reactor.listenTCP(0, Factory.forProtocol(kind), interface="127.0.0.1")
        self.clients: list[socket.socket] = []

    def connect(self) -> tuple[socket.socket, Any]:
        """Return both ends of a new connection: a socket, and the protocol at the reactor's side."""
        client = socket.create_connection(("127.0.0.1", self.port.getHost().port))
        self.clients.append(client)
        known = set(self.servers)
        while not set(self.servers) - known:
            self.reactor.iterate(60)
        (server,) = set(self.servers) - known
        return client, server.protocol

    @property
    def servers(self) -> list[Server]:
        """The accepted connections that are read."""
        return [reader for reader in self.reactor.getReaders() if isinstance(reader, Server)]

    def close(self) -> None:
        """Close all that is open."""
        for selectable in self.reactor.removeAll():
            selectable.connectionLost(Failure(ConnectionDone()))
        for client in self.clients:
            client.close()
        self.reactor.waker.connectionLost(None)
        self.reactor._poller.close()


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.close()


def ready(*clients: socket.socket) -> None:
    """Send something from each client; on loopback it can be read as soon as it is sent."""
    for client in clients:
        client.sendall(b"hello")


def test_what_comes_is_read(port: Port) -> None:
    client, here = port.connect()
    ready(client)
    port.reactor.doIteration(60)
    assert here.data == b"hello"
    here.transport.write(b"world")
    port.reactor.iterate(60)
    assert client.recv(100) == b"world"


def test_one_that_raises_ends_alone_and_its_error_is_logged_with_its_name(port: Port, errors: Errors) -> None:
    (bad, raising), (good, other) = port.connect(), port.connect()
    raising.on_data = lambda: 1 // 0
    ready(bad, good)
    port.reactor.doIteration(60)
    assert raising.lost is not None
    assert raising.lost.check(ZeroDivisionError)
    assert (other.data, other.lost) == (b"hello", None)
    assert bad.recv(100) == b""
    assert [event["log_system"] for event in errors.events] == [f"Heard,0,{bad.getsockname()[0]}"]
    errors.expect(ZeroDivisionError)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_would_end_the_process_ends_the_connection_too(
    port: Port, errors: Errors, error: type[BaseException]
) -> None:
    """As with Twisted's own reactors."""

    def fail() -> None:
        raise error

    client, here = port.connect()
    here.on_data = fail
    ready(client)
    port.reactor.doIteration(60)
    assert here.lost is not None
    assert here.lost.check(error)
    errors.expect(error)


def test_an_error_while_the_connection_ends_is_logged_and_ends_nothing_else(port: Port, errors: Errors) -> None:
    (bad, raising), (good, other) = port.connect(), port.connect()
    raising.connectionLost = lambda reason: 1 // 0
    bad.close()
    ready(good)
    port.reactor.doIteration(60)
    assert not raising.transport.connected
    assert other.data == b"hello"
    errors.expect(ZeroDivisionError)


def test_the_other_side_may_close(port: Port) -> None:
    client, here = port.connect()
    client.close()
    port.reactor.doIteration(60)
    assert here.lost is not None
    assert here.lost.check(ConnectionDone)
    assert port.servers == []


def test_a_connection_that_is_cut_is_lost(port: Port) -> None:
    client, here = port.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.close()  # with this linger option, that is a reset
    port.reactor.doIteration(60)
    assert here.lost is not None
    assert here.lost.check(ConnectionLost)


def test_the_other_side_may_close_its_half() -> None:
    port = Port(HalfClosed)
    client, here = port.connect()
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    for _ in range(2):  # the words, then the end
        port.reactor.doIteration(60)
    assert (here.data, here.ended, here.lost) == (b"last words", True, None)
    here.transport.write(b"answer")
    port.reactor.iterate(60)
    assert client.recv(100) == b"answer"
    port.close()


def stuff(here: Heard, client: socket.socket) -> None:
    """Write more than the sockets take, so that the reactor waits until it can write again."""
    here.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    here.transport.write(bytes(20_000_000))
    while select.select([], [here.transport], [], 0)[1]:
        here.transport.reactor.doIteration(60)


@pytest.mark.parametrize("writes", [False, True])
def test_one_that_stops_reading_in_the_same_poll_is_not_read(port: Port, writes: bool) -> None:
    """The first of two connections that is read stops the other, whose event came with its own.

    Args:
        writes: Both wait until they can write, so that the reactor still knows the one that is stopped.
    """
    (first, one), (second, two) = port.connect(), port.connect()
    if writes:
        stuff(one, first)
        stuff(two, second)
    one.on_data, two.on_data = two.transport.pauseProducing, one.transport.pauseProducing
    ready(first, second)
    port.reactor.doIteration(60)
    assert sorted([one.data, two.data]) == [b"", b"hello"]
    silent = two if one.data else one
    silent.on_data = silent.transport.pauseProducing
    silent.transport.resumeProducing()
    port.reactor.doIteration(60)
    assert one.data == two.data == b"hello"


def test_a_connection_that_closes_in_the_same_poll_is_not_read_nor_is_the_next_of_its_number(port: Port) -> None:
    """The first of two connections that is read closes the other, and opens one that gets the same descriptor."""
    (first, one), (second, two) = port.connect(), port.connect()
    new = Heard()

    def replace(other: Heard) -> None:
        number = other.transport.fileno()
        other.transport.connectionLost(Failure(ConnectionDone()))
        ours, theirs = socket.socketpair()
        port.clients.append(theirs)
        given = ours.detach()
        if given != number:
            os.dup2(given, number)
            os.close(given)
        new.makeConnection(Server(socket.socket(fileno=number), new, ("127.0.0.1", 0), None, 9, port.reactor))

    one.on_data, two.on_data = lambda: replace(two), lambda: replace(one)
    ready(first, second)
    port.reactor.doIteration(60)
    assert sorted([one.data, two.data]) == [b"", b"hello"]
    assert (new.data, new.lost) == (b"", None)
    ready(port.clients[-1])
    port.reactor.doIteration(60)
    assert new.data == b"hello"


def test_what_is_no_connection_is_told_as_ever(port: Port) -> None:
    """The reactor wakes itself, for one, when a thread gives it something to do."""
    called: list[str] = []
    port.reactor.callFromThread(called.append, "called")
    port.reactor.iterate(60)
    assert called == ["called"]


def test_its_time_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the clock is set back an hour, what was to happen in a second happens in a second."""
    reactor = DirectReactor()
    before = reactor.seconds()
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert before <= reactor.seconds() < before + 60
