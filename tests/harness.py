"""A whole server in memory: its clients are joined to its door without sockets, and time passes when a test says so."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatroom.chat.chat import Chat
from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.daemon.tls_files import Certificates, passing_pair
from chatroom.engines.memory import MemoryEngine
from chatroom.wire.dialects.records import JsonDialect
from chatroom.wire.dialects.text import TextDialect
from chatroom.wire.factory import ChatFactory

NOON = 1_790_000_000.0  # seconds since 1970: when the clock of a test starts


class World:
    """The server of one test.

    Args:
        engine: Keeps the logs; in memory if not given. Its reactor must be ``clock``.
        clock: The time; a new one if not given.
        per_address: As the option.
        send_queue: As the option.
        most_connections: Connections of all kinds that there are descriptors for; 0 for any number.
        form: As ``--message-format``.
        passwords: Hashes them; quickly, and badly, if not given.
        checkers: As ``--auth``.
        first_id: The number in the first id that is made; those of daemons on one engine must differ.
        rules: As the options; no flood control unless ``rate`` is given.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        clock: Clock | None = None,
        *,
        per_address: int = 0,
        send_queue: int = 0,
        most_connections: int = 0,
        form: str = "{user}: {text}",
        passwords: Any = None,
        checkers: Any = (),
        first_id: int = 1,
        **rules: Any,
    ) -> None:
        self.clock = clock or Clock()
        self.engine = engine or MemoryEngine(self.clock)
        self.rules = Rules(**{"rate": 0.0, **rules})
        numbers = itertools.count(first_id)
        self.chat = Chat(
            self.engine,
            self.rules,
            self.clock,
            lambda: NOON + self.clock.seconds(),
            lambda length: f"{next(numbers):0{length}d}",
            passwords or QuickPasswords(),
            checkers,
        )
        self.factory = ChatFactory(
            self.chat,
            self.clock,
            text=TextDialect(self.rules, form),
            records=JsonDialect(),
            tls=certificates(),
            per_address=per_address,
            send_queue=send_queue,
            most_connections=most_connections,
        )
        self.clients: list[Client] = []
        result(self.chat.start())
        self.factory.start()

    def connect(self, host: str = "127.0.0.1") -> Client:
        """Return a client that has connected and said nothing yet."""
        client = Client(self, host)
        self.clients.append(client)
        return client

    def person(self, name: str = "", room: str = "", host: str = "127.0.0.1") -> Client:
        """Return a person who has been greeted, is called so, has joined the room, and has heard all of it."""
        client = self.connect(host)
        self.pass_time(0.3)
        if name:
            client.say(f"/name {name}")
        if room:
            client.say(f"/join {room}")
        client.lines()
        return client

    def writers(self, messages: int, share: int) -> Iterator[Client]:
        """Give a writer for each of so many messages: another person at another address after each ``share``."""
        writer = self.person()
        for number in range(messages):
            if number % share == 0:
                writer = self.person(f"writer{number}", host=f"198.51.100.{number // share}")
            yield writer

    def program(self, name: str = "", room: str = "") -> Client:
        """Return a program that has said hello, is called so, has joined the room, and has heard all of it."""
        client = self.connect()
        client.record(do="hello", version=1, **({"name": name} if name else {}))
        if room:
            client.record(do="join", room=room)
        client.records()
        return client

    def settle(self) -> None:
        """Let everything happen that happens at once."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and happen what then happens."""
        self.settle()
        self.clock.advance(seconds)
        self.settle()

    def close(self, *others: World) -> None:
        """End it all, and see that nothing waits any more.

        Args:
            others: Other daemons with the same clock, which end, too.
        """
        for world in (self, *others):
            world.end()
        left = self.clock.getDelayedCalls()
        assert not left, f"delayed calls are left: {[str(call) for call in left]}"

    def end(self) -> None:
        """End all connections and the daemon, while others with the same clock go on."""
        for client in self.clients:
            client.drop()
        self.settle()
        stopped = Deferred.fromCoroutine(self.chat.stop())
        self.settle()
        self.factory.stop()
        assert stopped.called
        self.settle()


@cache
def certificates() -> Certificates:
    """Return the certificate of all worlds."""
    return Certificates(None, None, passing_pair("localhost"))


class QuickPasswords:
    """A ``chatroom.chat.people.passwords.Passwords`` for tests that are not about hashing."""

    def hash(self, password: str) -> Deferred[str]:
        """Return what only looks like a hash."""
        return succeed(f"hash of {password}")

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        """Return whether it is the one."""
        return succeed(hashed == f"hash of {password}")

    def outdated(self, hashed: str) -> bool:
        """Never."""
        return False


class Client:
    """One connection, seen from outside."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.transport = FakeTransport(host)
        protocol = world.factory.buildProtocol(self.transport.getPeer())
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)

    # ---- saying ------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes, as they are."""
        if self.transport.readable():
            self.transport.protocol.dataReceived(data)
        else:
            self.transport.unread += data
        self.world.settle()

    def say(self, *lines: str) -> None:
        """Send lines, as a person types them, in one packet."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def record(self, **fields: Any) -> None:
        """Send a record."""
        self.send(json.dumps(fields).encode() + b"\n")

    def finish(self) -> None:
        """Close the sending half, as ``nc -N`` does at the end of its input."""
        protocol = self.transport.protocol
        if IHalfCloseableProtocol.providedBy(protocol):
            protocol.readConnectionLost()
        else:
            self.drop()
        self.world.settle()

    def drop(self) -> None:
        """End the connection abruptly."""
        self.transport.end()
        self.world.settle()

    # ---- hearing -----------------------------------------------------------------------------------------------

    def take(self) -> bytes:
        """Return the bytes that have come since the last time."""
        self.world.settle()
        data = self.transport.value()
        self.transport.clear()
        return bytes(data)

    def lines(self) -> list[str]:
        """Return the lines that have come since the last time; hiding and showing what is typed is no part of them."""
        data = re.sub(rb"\xff[\xfb\xfc]\x01", b"", self.take())
        assert not data or data.endswith(b"\r\n"), data[-80:]
        return data.decode().split("\r\n")[:-1]

    def records(self) -> list[dict[str, Any]]:
        """Return the records that have come since the last time."""
        return [json.loads(line) for line in self.lines()]

    @property
    def open(self) -> bool:
        """Whether the server has not closed the connection."""
        return self.transport.connected and not self.transport.disconnecting


class FakeTransport(StringTransport):
    """A TCP connection without a network. What is sent while reading is paused waits, as it would in the network."""

    def __init__(self, host: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, 40000))
        self.protocol: Any = None
        self.unread = b""
        self.write_closed = False
        self.aborted = False

    def readable(self) -> bool:
        """Whether the server reads."""
        return self.connected and self.producerState == "producing"

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.unread and self.readable():
            data, self.unread = self.unread, b""
            self.protocol.dataReceived(data)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to delay."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing to keep."""

    def loseWriteConnection(self) -> None:
        self.write_closed = True

    def abortConnection(self) -> None:
        self.aborted = True
        self.end()

    def end(self) -> None:
        """The connection is gone."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone()))


def stored_records(world: World) -> dict[tuple[str, str], tuple[bytes, int]]:
    """Return all records of the world's engine, by bucket and key, with their revisions."""
    buckets: Any = world.engine._buckets  # type: ignore[attr-defined]
    return {(name, key): held for name, bucket in buckets.items() for key, held in bucket.records.items()}


def result(coroutine: Any) -> Any:
    """Return what a coroutine gives that does not have to wait."""
    box: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(box.append)
    assert box, "it waits for something"
    if isinstance(box[0], Failure):
        box[0].raiseException()
    return box[0]
