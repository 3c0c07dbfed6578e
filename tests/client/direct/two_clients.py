"""Two clients that make a direct link: real sockets on loopback, and a clock that moves only when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from chatroom.client.direct.direct_links import DirectLinks, LinkState
from chatroom.client.direct.offer import LinkPeer
from chatroom.model.device_keys import Envelope

NOW = 1_800_000_000.0
LOOPBACK = "127.0.0.1"
MOST_TURNS = 10_000  # of the reactor, while connections close


def sealed(body: str = "x") -> Envelope:
    """Return a sealed message; nothing here looks into it."""
    return Envelope(user_id="account:2", device="ABCDE23456", kind=1, body=body)


class SocketsAndClock(Clock):
    """A reactor with real sockets and a clock for tests.

    Attributes:
        listened: The addresses at which something listened.
        dialled: The hosts and ports that were dialled.
        ports: The ports.
    """

    def __init__(self) -> None:
        super().__init__()
        self.listened: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.ports: list[Any] = []
        self._held: list[Callable[[], Any]] | None = None

    def hold_dials(self) -> list[Callable[[], Any]]:
        """Keep what is dialled from now on under way; return the list of the calls that let each one go on."""
        self._held = []
        return self._held

    def listenTCP(self, port: int, factory: Any, *rest: Any, interface: str = "") -> Any:  # noqa: N802
        """Listen with the real reactor."""
        self.listened.append(interface)
        self.ports.append(reactor.listenTCP(port, factory, *rest, interface=interface))  # type: ignore[attr-defined]
        return self.ports[-1]

    def connectTCP(self, host: str, port: int, *rest: Any, **options: Any) -> Any:  # noqa: N802
        """Dial with the real reactor."""
        self.dialled.append((host, port))
        dial = partial(reactor.connectTCP, host, port, *rest, **options)  # type: ignore[attr-defined]
        return dial() if self._held is None else self._held.append(dial)


class Waiting:
    """Lets tests wait until something is so."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def changed(self) -> None:
        """Look at what is waited for."""
        for item in list(self._waiting):
            condition, waits = item
            if condition() and not waits.called:
                self._waiting.remove(item)
                waits.callback(None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Return a Deferred that fires when something is so."""
        waits: Deferred[None] = Deferred()
        self._waiting.append((condition, waits))
        self.changed()
        return waits


class Somebody(Waiting):
    """A client with direct links.

    Args:
        user: The user's id.
        server: The address at which it reached the server.
        source: Its own address on each route.
        reactor_: The reactor; one with a clock of its own if not given.
        number: How many random numbers were drawn before.

    Attributes:
        sent: The messages that it sent by the server: type and body.
        states: The states so far, with the reasons.
        envelopes: The messages that came over the link.
        chunks: The chunks that came.
        handle: Called with each id and envelope.
    """

    def __init__(
        self,
        user: str,
        server: str = LOOPBACK,
        source: Callable[[str], str] = lambda towards: LOOPBACK,
        reactor_: Any = None,
        number: int = 0,
    ) -> None:
        super().__init__()
        self.peer = LinkPeer(user, "DEVICE" + user.upper())
        self.clock = SocketsAndClock() if reactor_ is None else reactor_
        self.time = NOW
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.states: list[tuple[LinkState, str]] = []
        self.envelopes: list[tuple[str, Envelope]] = []
        self.chunks: list[bytes] = []
        self.handle: Callable[[str, Envelope], Any] = lambda key, envelope: None
        self.other: Somebody | None = None
        self.cut = False  # whether the server delivers nothing
        self.change: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda kind, body: body
        self._number = number
        self.links = DirectLinks(
            self.clock,
            self.peer,
            self,
            server=lambda: server,
            now=lambda: self.time,
            random=self._random,
            source=source,
        )

    def _random(self, size: int) -> bytes:
        self._number += 1
        return (self.peer.user_id.encode() + bytes([self._number])).rjust(size, b"\0")

    def send(self, peer: LinkPeer, kind: str, body: dict[str, Any]) -> None:
        """Send by the server."""
        self.sent.append((kind, body))
        if self.other is not None and not self.cut:
            self.other.links.received(self.peer, kind, self.change(kind, body))

    def state_changed(self, peer: LinkPeer, state: LinkState, why: str) -> None:
        """Note it."""
        self.states.append((state, why))
        self.changed()

    def envelope(self, peer: LinkPeer, key: str, envelope: Envelope) -> Any:
        """Note it, and handle it."""
        self.envelopes.append((key, envelope))
        self.changed()
        return self.handle(key, envelope)

    def chunk(self, peer: LinkPeer, data: bytes) -> Any:
        """Note it."""
        self.chunks.append(data)
        self.changed()

    @property
    def state(self) -> LinkState | None:
        """The newest state."""
        return self.states[-1][0] if self.states else None

    def reaches(self, state: LinkState) -> Deferred[None]:
        """Return a Deferred that fires when a state is reached."""
        return self.until(lambda: self.state is state)

    def kinds(self) -> list[str]:
        """Return the types of the messages sent by the server."""
        return [kind for kind, body in self.sent]


def introduce(one: Somebody, two: Somebody) -> None:
    """Let two clients reach each other by the server."""
    one.other, two.other = two, one


Pair = Callable[..., tuple[Somebody, Somebody]]
"""Makes Alice and Bob; takes the arguments of ``Somebody``."""


async def settle(before: set[Any]) -> None:
    """Let the reactor turn until every port and connection is closed that was not open before.

    Args:
        before: What the reactor read before.
    """
    for _ in range(MOST_TURNS):
        late = reactor.getDelayedCalls()  # type: ignore[attr-defined]
        if not late and not set(reactor.getReaders()) - before:  # type: ignore[attr-defined]
            return
        await deferLater(reactor, 0)  # type: ignore[arg-type]
