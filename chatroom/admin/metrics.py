"""The pages for monitoring: ``/metrics`` for Prometheus and ``/healthz``. Each request reads the counters.

No metric has a room or a user as a label, because their number has no limit and their names are private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Protocol

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from twisted.web.resource import Resource
from twisted.web.server import Request

import chatroom
from chatroom.admin.reactor_lag import Lag
from chatroom.model.counters import LATENCIES, Counters, Histogram

TOO_LATE = 1.0  # seconds of lag from which on /healthz answers 503


class Watched(Protocol):
    """What the pages need of the daemon. Every method is quick, and is called on the reactor thread."""

    def connections(self) -> int:
        """Return the number of open connections."""

    def users(self) -> int:
        """Return the number of users who have a seat (one of the ``--max-users`` places)."""

    def rooms(self) -> int:
        """Return the number of rooms that have members."""

    def engine(self) -> str:
        """Return ``ok``, or ``degraded`` if the engine cannot store anything."""

    @property
    def state(self) -> Callable[[], str]:
        """The function that returns ``ok``, ``draining`` or ``stopping``."""

    def stored(self) -> tuple[int, int]:
        """Return the size of the database, as measured lately, and its limit, in bytes. A limit of 0 means none."""

    def counters(self) -> Counters:
        """Return the daemon's counters of messages, logins and so on."""


class ChatCollector(Collector):
    """Makes the metrics for each request.

    Args:
        watched: The daemon.
        lag: The lag of its reactor.
    """

    def __init__(self, watched: Watched, lag: Lag) -> None:
        self._watched = watched
        self._lag = lag

    def collect(self) -> Iterator[Metric]:
        """Return the metrics, for ``prometheus_client``."""
        yield InfoMetricFamily("chatroom_build", "The version that runs.", {"version": chatroom.__version__})
        yield from self._now()
        yield from self._counted()
        yield from self._durations()

    def _now(self) -> Iterator[Metric]:
        watched = self._watched
        yield GaugeMetricFamily("chatroom_connections", "Open connections.", watched.connections())
        yield GaugeMetricFamily("chatroom_users", "Users online.", watched.users())
        yield GaugeMetricFamily("chatroom_rooms", "Rooms that somebody is in.", watched.rooms())
        used, most = watched.stored()
        yield GaugeMetricFamily("chatroom_database_bytes", "What the database takes.", used)
        yield GaugeMetricFamily("chatroom_database_limit_bytes", "What --disk allows, 0 for any number.", most)
        engine_ok = watched.engine() == "ok"
        yield GaugeMetricFamily("chatroom_engine_ok", "1 while the log stores what it is given.", float(engine_ok))

    def _counted(self) -> Iterator[Metric]:
        counters = self._watched.counters()
        yield CounterMetricFamily("chatroom_messages", "Messages stored, private ones too.", counters.messages)
        yield CounterMetricFamily("chatroom_deliveries", "Events given to a connection.", counters.deliveries)
        yield CounterMetricFamily("chatroom_logins", "Accounts logged in.", counters.logins)
        drops = CounterMetricFamily("chatroom_drops", "Connections refused or ended by us.", labels=["cause"])
        for cause, times in counters.drops.items():
            drops.add_metric([cause], times)
        yield drops

    def _durations(self) -> Iterator[Metric]:
        counters = self._watched.counters()
        yield _histogram("chatroom_commit_seconds", "How long storing a batch took.", counters.commits)
        yield _histogram(
            "chatroom_delivery_seconds", "From a batch's first append until everybody was told.", counters.waits
        )
        yield _histogram("chatroom_reactor_lag_seconds", "How late a call each second came.", self._lag.history)
        yield GaugeMetricFamily(
            "chatroom_reactor_lag_last_seconds", "How late the last of them came.", self._lag.seconds()
        )


def _histogram(name: str, words: str, histogram: Histogram) -> HistogramMetricFamily:
    bounds = [*map(str, LATENCIES), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily(name, words, buckets, histogram.total)


class MetricsPage(Resource):
    """A page that allows GET and HEAD and has no pages below it. The class itself serves status 404."""

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802
        """Return a page with status 404, because no page has pages below it."""
        return MetricsPage()

    def render(self, request: Request) -> bytes:
        """Return the body of the page; nothing for HEAD, because ``twisted.web`` would log that HEAD got a body."""
        if request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(405)
            request.setHeader("allow", "GET, HEAD")
            return b""
        body = self.body(request)
        request.setHeader("content-length", str(len(body)))
        return body if request.method == b"GET" else b""

    def body(self, request: Request) -> bytes:
        """Return the content of the page. Set the content type of the answer, and the status if it is not 200."""
        request.setResponseCode(404)
        request.setHeader("content-type", "text/plain; charset=utf-8")
        return b"There is only /metrics and /healthz here.\n"


class Metrics(MetricsPage):
    """``/metrics``: metrics of the chat and of the process (memory, processor, descriptors, garbage collections)."""

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def body(self, request: Request) -> bytes:
        """Return the content of the page, as ``MetricsPage`` says."""
        request.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8")
        return generate_latest(self._registry)


class Health(msgspec.Struct, frozen=True):
    """The answer of ``/healthz``: the daemon's state (the engine's if that is ok), the engine's, the lag in seconds."""

    state: str
    engine: str
    lag: float


class Healthz(MetricsPage):
    """``/healthz``: status 200 while the daemon is healthy, else 503 with the reason."""

    def __init__(self, watched: Watched, lag: Lag) -> None:
        super().__init__()
        self._watched = watched
        self._lag = lag

    def body(self, request: Request) -> bytes:
        """Return the content of the page, as ``MetricsPage`` says."""
        lag, engine, state = self._lag.seconds(), self._watched.engine(), self._watched.state()
        well = engine == "ok" and lag < TOO_LATE and state != "stopping"
        request.setResponseCode(200 if well else 503)
        request.setHeader("content-type", "application/json")
        request.setHeader("cache-control", "no-store")
        return msgspec.json.encode(Health(engine if state == "ok" else state, engine, round(lag, 6))) + b"\n"


def pages(watched: Watched, lag: Lag) -> Resource:
    """Return the root of the two pages; every other path is not found."""
    root = MetricsPage()
    root.putChild(b"metrics", Metrics(ChatCollector(watched, lag)))
    root.putChild(b"healthz", Healthz(watched, lag))
    return root
