"""Stand-ins with a will of their own: a socket that takes only so much, and an engine that waits or fails when told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness import Client, FakeTransport, World
from twisted.internet.defer import Deferred, fail

from chatroom.engines.memory import MemoryEngine
from chatroom.model.events import LogEvent
from chatroom.model.log import Done, Entry, Unavailable

PLENTY = 1 << 40  # bytes


class FakeSocket:
    """What ``getHandle`` gives: takes what it has room for.

    Attributes:
        room: How many bytes it still takes.
        taken: What it took.
        failure: What ``send`` raises instead of taking anything.
        before: Called before anything is taken: what happens in the middle of a fan-out.
    """

    def __init__(self) -> None:
        self.room = PLENTY
        self.taken = bytearray()
        self.failure: Exception | None = None
        self.before: Callable[[], None] = lambda: None

    def send(self, data: bytes) -> int:
        """As a socket that does not block."""
        self.before()
        if self.failure is not None:
            raise self.failure
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.taken += taken
        self.room -= len(taken)
        return len(taken)


class SocketTransport(FakeTransport):
    """A TCP connection of Twisted's over a fake socket; ``flush`` is the reactor finding the socket writable."""

    def __init__(self, host: str, later: Callable[[Callable[[], None]], object]) -> None:
        super().__init__(host)
        self.socket = FakeSocket()
        self.buffer = b""
        self._later = later

    def getHandle(self) -> FakeSocket:  # noqa: N802
        """Return the socket."""
        return self.socket

    def write(self, data: bytes) -> None:
        if self.connected:
            self.buffer += data

    def value(self) -> bytes:
        return bytes(self.socket.taken)

    def clear(self) -> None:
        super().clear()
        if hasattr(self, "socket"):
            self.socket.taken.clear()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        producer.resumeProducing()

    def make_room(self, room: int = PLENTY) -> None:
        """The other side has read so much."""
        self.socket.room += room
        self.flush()

    def flush(self) -> None:
        """Send what is held; ask for more when there is nothing; close when that is wanted and nothing is left."""
        while self.connected and self.socket.room:
            if self.buffer:
                self.buffer = self.buffer[self.socket.send(self.buffer) :]
            elif self.producer is not None:
                self.producer.resumeProducing()
                if not self.buffer and self.producer is not None:
                    return  # it was asked once, as Twisted does, and may still write
            elif self.disconnecting:
                self.end()
            else:
                return

    def abortConnection(self) -> None:
        self.aborted = True
        self._later(self.end)  # as Twisted's: never while somebody else is at work

    def end(self) -> None:
        if self.connected and self.producer is not None:
            self.producer.stopProducing()
            self.producer = None
        super().end()


class SocketClient(Client):
    """A client whose transport has a socket that can be full."""

    def __init__(self, world: World, host: str = "127.0.0.1") -> None:
        self.world = world
        self.transport = SocketTransport(host, partial(world.clock.callLater, 0))
        world.clients.append(self)
        protocol = world.factory.buildProtocol(self.transport.getPeer())
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)

    @property
    def socket(self) -> FakeSocket:
        """The socket."""
        return self.transport.socket

    def flush(self) -> None:
        """Let the reactor write what the socket takes."""
        self.transport.flush()
        self.world.settle()


def person_on_a_socket(world: World, name: str, room: str = "") -> SocketClient:
    """Return a person as ``World.person`` does, with a socket that takes everything so far."""
    client = SocketClient(world)
    world.pass_time(0.3)
    client.say(f"/name {name}")
    if room:
        client.say(f"/join {room}")
    client.lines()
    return client


class MoodyEngine(MemoryEngine):
    """An engine in memory that can be made to wait, and to fail.

    Attributes:
        holding: What is appended waits until ``let_go``.
        mute: What is appended is stored and delivered, but who asked hears of it only at ``let_go``.
        slow: What is looked up or followed is found only at ``let_go``.
        broken: Everything fails, as with a full disk.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.holding = False
        self.mute = False
        self.slow = False
        self.broken = False
        self._held: list[Callable[[], object]] = []

    def let_go(self) -> None:
        """Go on as an ordinary engine, first with all that was held."""
        self.holding = self.mute = self.slow = self.broken = False
        held, self._held = self._held, []
        for act in held:
            act()

    def append(
        self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False, copy: str = ""
    ) -> None:
        if self.broken:
            self._reactor.callLater(0, done or (lambda *_: None), Entry(log, event, b""), Unavailable("it is broken"))
        elif self.holding:
            self._held.append(partial(super().append, log, event, done, once=once, copy=copy))
        else:
            super().append(log, event, partial(self._answer, done) if done else None, once=once, copy=copy)

    def _answer(self, done: Done, entry: Entry, error: Unavailable | None) -> None:
        if self.mute:
            self._held.append(partial(done, entry, error))
        else:
            done(entry, error)

    def _unless_broken(self, act: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        if self.slow:
            later: Deferred[Any] = Deferred()
            self._held.append(lambda: self._unless_broken(act).chainDeferred(later))
            return later
        return fail(Unavailable("it is broken")) if self.broken else act()

    @property
    def followed(self) -> set[str]:
        """The logs that somebody follows, but for those that every daemon follows."""
        return {log for log in self._followers._of if not log.startswith("server/")}

    def read(self, *args: Any, **options: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.read(self, *args, **options))

    def search(self, *args: Any, **options: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.search(self, *args, **options))

    def follow(self, *args: Any, **options: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.follow(self, *args, **options))

    def get(self, *args: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.get(self, *args))

    def change(self, *args: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.change(self, *args))

    def page(self, *args: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.page(self, *args))

    def count(self, *args: Any) -> Deferred[Any]:
        return self._unless_broken(lambda: MemoryEngine.count(self, *args))
