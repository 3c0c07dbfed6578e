"""The client joined to a whole server in memory: packets travel when a test says so, and can be cut off."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import harness
from harness import World
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Failed
from chatroom.model import events as e


class Transport(StringTransport):
    """The client's end."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Line:
    """A connection between a client and the server.

    Args:
        server: The server's end.
    """

    def __init__(self, server: harness.Client) -> None:
        self.server = server
        self.transport = Transport()
        self.client = ServerConnection("chat.example:8888")
        self.client.makeConnection(self.transport)
        self.open = True
        self.back = b""  # on its way to the client

    def end(self, *, noticed: bool = True) -> None:
        """Cut it: what is on its way is lost. The server may not notice."""
        if self.open:
            self.open = False
            if noticed:
                self.server.drop()
            self.client.connectionLost(Failure(ConnectionLost()))


class Network:
    """What clients dial.

    Args:
        world: The server.

    Attributes:
        packets: How many have been delivered in all.
        cut_after: The line is cut instead of delivering any packet after so many; None: never.
        cut_again: After so many more packets it is cut once more; None: it is not.
        noticed: Whether the server notices a cut.
        refusing: There is no server to dial, for this reason.
        largest: Bytes of a packet.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[Line] = []
        self.packets = 0
        self.cut_after: int | None = None
        self.cut_again: int | None = None
        self.noticed = True
        self.refusing: Failed | None = None
        self.dialled = 0
        self.largest = 1 << 30

    def dial(self) -> Deferred[ServerConnection]:
        """Connect a client."""
        self.dialled += 1
        if self.refusing is not None:
            return fail(self.refusing)
        line = Line(self.world.connect())
        self.lines.append(line)
        return succeed(line.client)

    def flow(self) -> None:
        """Deliver packets until there are none."""
        while any(self._step(line) for line in list(self.lines)):
            pass
        self.lines = [line for line in self.lines if line.open]

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, and packets flow."""
        while seconds > 0:
            self.flow()
            self.world.pass_time(min(step, seconds))
            seconds -= step
        self.flow()

    def _step(self, line: Line) -> bool:
        self.world.settle()
        if not line.open:
            return False
        whole, back = line.transport.value(), b""
        line.transport.clear()
        out, rest = whole[: self.largest], whole[self.largest :]
        if rest:
            line.transport.write(rest)
        if out:
            self._deliver(line, lambda: line.server.send(out))
        if line.open and line.transport.producerState == "producing":
            whole = line.back + line.server.take()
            back, line.back = whole[: self.largest], whole[self.largest :]
            if back:
                self._deliver(line, lambda: line.client.dataReceived(back))
        if line.transport.aborted or (line.open and not line.server.open and not line.server.transport.value()):
            line.end()
        return bool(out or back)

    def _deliver(self, line: Line, deliver: Callable[[], None]) -> None:
        if self.cut_after is not None and self.packets >= self.cut_after:
            self.cut_after = None if self.cut_again is None else self.packets + self.cut_again
            self.cut_again = None
            line.end(noticed=self.noticed)
            return
        self.packets += 1
        deliver()


class Person:
    """Somebody with a client, and all that they were told.

    Args:
        network: What to dial.
        fields: Of the ``Client``.
    """

    numbers = itertools.count(1)

    def __init__(self, network: Network, **fields: Any) -> None:
        self.network = network
        self.told: list[Any] = []
        number = next(Person.numbers)
        ids = (f"own-{number}-{i}" for i in itertools.count(1))
        clock = network.world.clock
        fields = {"chance": lambda: 0.0, "secret": f"the secret of person {number}", **fields}
        self.client = Client(network.dial, clock, lambda: next(ids), self.told.append, **fields)
        self.said: list[str] = []
        self.refused: list[str] = []

    def come(self) -> Person:
        """Connect, and be there."""
        self.client.start()
        self.network.flow()
        return self

    def say(self, *texts: str) -> None:
        """Say something; whether it was acknowledged is in ``said``."""
        for text in texts:
            self.client.say(text).addCallbacks(
                lambda _, text=text: self.said.append(text), lambda failure: self.refused.append(failure.value.code)
            )

    def say_in(self, room: str, text: str) -> None:
        """Say something in a room; see ``say``."""
        self.client.say(text, room).addCallbacks(
            lambda _: self.said.append(text), lambda failure: self.refused.append(failure.value.code)
        )

    def do(self, do: str, **fields: Any) -> Any:
        """Give a command, and return its answer; raises ``Refused``."""
        box: list[Any] = []
        self.client.do(do, **fields).addBoth(box.append)
        self.network.flow()
        assert box, f"{do} is not answered"
        if isinstance(box[0], Failure):
            box[0].raiseException()
        return box[0]

    def leave(self) -> None:
        """Stop the client."""
        stopped = Deferred.fromCoroutine(self.client.stop())
        for _ in range(20):
            if stopped.called:
                break
            self.network.pass_time(1)
        assert stopped.called, "it does not stop"

    def heard(self, kind: type) -> list[Any]:
        """Return what was told of a kind."""
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def texts(self) -> list[str]:
        """What was said in the room."""
        return [event.text for event in self.heard(e.Said)]
