"""What monitoring reads is what happened, and the pages cannot be abused. In memory, with a clock of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import MoodyEngine, person_on_a_socket
from harness import World
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher

from chatroom.admin.metrics import pages
from chatroom.admin.metrics_http import IDLE, MOST_CONNECTIONS, OperatorSite
from chatroom.admin.reactor_lag import Lag
from chatroom.daemon.monitoring import Monitoring
from chatroom.wire.factory import MOST_LINGERING


class Site:
    """The pages of a world, asked over connections without a network.

    Attributes:
        state: What the daemon says of itself.
    """

    def __init__(self, world: World) -> None:
        self.state = "ok"
        self.lag = Lag(world.clock)
        self.site = OperatorSite(
            pages(Monitoring(world.chat, world.factory, lambda: self.state), self.lag), world.clock
        )

    def connect(self) -> tuple[Any, Any]:
        """Return the protocol of a new connection, None if there is none, and its transport."""
        transport = StringTransport()
        protocol = self.site.buildProtocol(transport.getPeer())
        if protocol is not None:
            protocol.makeConnection(transport)
        return protocol, transport

    def ask(self, *lines: str, body: bytes = b"") -> tuple[int, bytes, bytes]:
        """Send a request with these lines; return the status, the headers and the body of the answer."""
        protocol, transport = self.connect()
        protocol.dataReceived("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)
        head, _, rest = transport.value().partition(b"\r\n\r\n")
        protocol.connectionLost(None)
        return int(head.split()[1]), head, rest

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body."""
        status, _, body = self.ask(f"GET {path} HTTP/1.1", "Host: x")
        return status, body

    def metrics(self) -> dict[str, float]:
        """Return what ``/metrics`` says: values by names, with the values of labels after a slash."""
        status, body = self.get("/metrics")
        assert status == 200
        return {
            "/".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return the status of ``/healthz`` and what it says."""
        status, body = self.get("/healthz")
        return status, json.loads(body)


@pytest.fixture
def site(world: World) -> Site:
    """The pages of the test's world."""
    return Site(world)


# ---- what is counted -------------------------------------------------------------------------------------------------


def test_what_is_scraped_is_what_happened(world: World, site: Site) -> None:
    """Two people, a program and one who sees stamps hear three messages, one of them another."""
    alice = world.person("alice", "lobby")
    world.person("bob", "lobby")  # heard of by one
    world.program("pam", "lobby")  # by two
    carl = world.person("carl", "lobby")  # by three
    carl.say("/timestamps on")
    before = site.metrics()
    assert before["chatroom_deliveries_total"] == 1 + 2 + 3
    assert before["chatroom_messages_total"] == 0
    alice.say("one", "two", "/me waves")
    alice.say("/msg bob psst")
    world.connect("10.0.0.1")
    after = site.metrics()
    assert after["chatroom_messages_total"] == 4
    assert after["chatroom_deliveries_total"] - before["chatroom_deliveries_total"] == 3 * 4 + 1
    assert (after["chatroom_connections"], after["chatroom_users"], after["chatroom_rooms"]) == (4, 4, 1)
    assert after["chatroom_engine_ok"] == 1
    carl.drop()
    assert site.metrics()["chatroom_deliveries_total"] - after["chatroom_deliveries_total"] == 3


def test_what_somebody_does_not_hear_is_not_counted(world: World, site: Site) -> None:
    """Being ignored, or one's own words without their echo; nor that one is called otherwise."""
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    bob.say("/ignore alice")
    alice.say("/echo off")
    before = site.metrics()["chatroom_deliveries_total"]
    alice.say("hello")
    assert site.metrics()["chatroom_deliveries_total"] == before
    bob.say("hello")
    assert site.metrics()["chatroom_deliveries_total"] == before + 2
    bob.say("/name robert")
    assert site.metrics()["chatroom_deliveries_total"] == before + 3


def test_who_is_told_of_a_batch_in_part_is_counted_for_that_part(world: World, site: Site) -> None:
    """All of this is one batch: who comes inside it hears the rest, who goes the beginning."""
    alice, bob, carl = world.person("alice", "lobby"), world.person("bob", "lobby"), world.person("carl")
    alice.take()
    before = site.metrics()
    for client, line in ((alice, "one"), (carl, "/join lobby 0"), (alice, "two"), (bob, "/leave"), (alice, "three")):
        client.transport.protocol.dataReceived(f"{line}\r\n".encode())
    world.settle()
    after = site.metrics()
    batches = after["chatroom_commit_seconds_count"] - before["chatroom_commit_seconds_count"]
    assert batches == 1
    assert alice.lines() == [
        "alice: one",
        "carl has joined the room.",
        "alice: two",
        "bob has left the room.",
        "alice: three",
    ]
    assert bob.lines() == ["alice: one", "carl has joined the room.", "alice: two", "You have left room lobby."]
    assert carl.lines()[2:] == ["alice: two", "bob has left the room.", "alice: three"]
    assert after["chatroom_deliveries_total"] - before["chatroom_deliveries_total"] == 5 + 3 + 3


def test_a_message_that_comes_again_is_counted_once(world: World, site: Site) -> None:
    pam = world.program("pam", "lobby")
    for _ in range(2):
        pam.record(do="say", text="hello", id="m1")
    assert site.metrics()["chatroom_messages_total"] == 1


def test_drops_are_counted_by_cause() -> None:
    world = World(per_address=1, send_queue=1000, rate=1.0, most_users=2)
    site = Site(world)
    slow = person_on_a_socket(world, "slow", "lobby")
    slow.socket.room = 0
    alice = world.program("alice", "lobby")
    world.person()  # no seat is left
    address = world.connect("10.0.0.1").transport.getPeer()
    for _ in range(MOST_LINGERING):
        world.connect("10.0.0.1")  # is told that it is one too many
    assert world.factory.buildProtocol(address) is None
    alice.record(do="say", text="x" * 900)
    alice.record(do="say", text="x" * 900)
    alice.send(b"{}\n" * 60)
    drops = {name.partition("/")[2]: n for name, n in site.metrics().items() if name.startswith("chatroom_drops_total")}
    assert drops == {"too-slow": 1, "chat-full": 1, "too-many-connections": MOST_LINGERING + 1, "too-fast": 1}
    world.pass_time(3.0)
    world.close()


# ---- how well it is --------------------------------------------------------------------------------------------------


def test_healthz_says_that_all_is_well(site: Site) -> None:
    assert site.health() == (200, {"state": "ok", "engine": "ok", "lag": 0.0})


def test_healthz_says_that_the_log_does_not_store() -> None:
    clock = Clock()
    world = World(MoodyEngine(clock), clock)
    site = Site(world)
    world.engine.state = "degraded"
    assert site.health() == (503, {"state": "degraded", "engine": "degraded", "lag": 0.0})
    assert site.metrics()["chatroom_engine_ok"] == 0
    site.state = "stopping"
    assert site.health() == (503, {"state": "stopping", "engine": "degraded", "lag": 0.0})
    world.close()


@pytest.mark.parametrize(("state", "status"), [("stopping", 503), ("draining", 200)])
def test_healthz_says_that_the_end_is_near(site: Site, state: str, status: int) -> None:
    site.state = state
    assert site.health() == (status, {"state": state, "engine": "ok", "lag": 0.0})


def test_the_lag_is_how_late_a_call_came(world: World, site: Site) -> None:
    """It counts while it lasts, too: who asks in the middle of it does not hear what was before."""
    site.lag.start()
    world.clock.advance(1.25)
    assert site.health() == (200, {"state": "ok", "engine": "ok", "lag": 0.25})
    world.clock.advance(1.0)
    assert site.health()[1]["lag"] == 0.0
    world.clock.rightNow += 2.5
    assert site.health() == (503, {"state": "ok", "engine": "ok", "lag": 1.5})
    world.clock.advance(0)
    assert site.health() == (503, {"state": "ok", "engine": "ok", "lag": 1.5})
    metrics = site.metrics()
    assert metrics["chatroom_reactor_lag_last_seconds"] == 1.5
    assert metrics["chatroom_reactor_lag_seconds_count"] == 3
    assert metrics["chatroom_reactor_lag_seconds_sum"] == 1.75
    buckets = [metrics[f"chatroom_reactor_lag_seconds_bucket/{le}"] for le in ("0.001", "0.1", "0.25", "1.0", "2.5")]
    assert buckets == [1, 1, 2, 2, 3]
    site.lag.stop()
    site.lag.stop()


# ---- the site --------------------------------------------------------------------------------------------------------


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What is logged meanwhile."""
    events: list[Any] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/metrics/x", "/healthz/x", "/x", "/metric", "//metrics", "/../metrics", "/%00"]
)
def test_there_is_nothing_else(site: Site, path: str) -> None:
    assert site.get(path) == (404, b"There is only /metrics and /healthz here.\n")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/x"])
def test_head_is_get_without_the_body_and_neither_is_logged(site: Site, logged: list[Any], path: str) -> None:
    """The metrics of the process are never the same twice, so their length is not compared."""
    status, _, body = site.ask(f"GET {path} HTTP/1.1", "Host: x")
    headed, head, nothing = site.ask(f"HEAD {path} HTTP/1.1", "Host: x")
    assert (headed, nothing) == (status, b"")
    assert (b"Content-Length: " if path == "/metrics" else b"Content-Length: %d" % len(body)) in head
    assert logged == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"])
def test_only_get_and_head(site: Site, method: str) -> None:
    for path in ("/metrics", "/healthz", "/x"):
        status, head, body = site.ask(f"{method} {path} HTTP/1.1", "Host: x")
        assert (status, body) == (405, b"")
        assert b"Allow: GET, HEAD\r\n" in head


@pytest.mark.parametrize("header", ["Content-Length: 5", "Content-Length: 99999999999", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_is_refused_before_it_comes(site: Site, method: str, header: str) -> None:
    """And what comes of it is neither kept nor taken for a request."""
    for body in (
        b"",
        b"hello",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"hello" * 20_000,
    ):
        status, head, rest = site.ask(
            f"{method} /metrics HTTP/1.1", "Host: x", "Expect: 100-continue", header, body=body
        )
        assert (status, rest) == (413, b"")
        assert b"Connection: close" in head


def test_several_requests_come_over_one_connection(site: Site) -> None:
    protocol, transport = site.connect()
    protocol.dataReceived(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert transport.value().count(b"200 OK") == 3
    protocol.connectionLost(None)


def test_who_says_nothing_is_closed(world: World, site: Site) -> None:
    _, transport = site.connect()
    world.clock.advance(IDLE - 1)
    assert not transport.disconnecting
    world.clock.advance(1)
    assert transport.disconnecting
    transport.protocol = None
    for protocol in tuple(site.site.protocols):
        protocol.connectionLost(None)
    world.settle()


def test_only_so_many_connections_are_served(site: Site) -> None:
    held = [site.connect()[0] for _ in range(MOST_CONNECTIONS)]
    assert None not in held
    assert site.connect()[0] is None
    held.pop().connectionLost(None)
    held.append(site.connect()[0])
    assert held[-1] is not None
    for protocol in held:
        protocol.connectionLost(None)


def test_no_room_or_user_is_named(world: World, site: Site) -> None:
    world.person("rumpelstiltskin", "the-forest").say("hello")
    body = site.get("/metrics")[1]
    assert b"rumpel" not in body
    assert b"forest" not in body
