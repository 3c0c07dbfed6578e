"""What monitoring reads: ``/metrics`` for Prometheus and ``/healthz``, answered from plain counters at each scrape.

Nothing is labelled by room or user: there may be any number of them, and their names are nobody's business.
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

TOO_LATE = 1.0  # seconds of lag from which on the daemon is not well


class Watched(Protocol):
    """What is looked at. Every method is quick, and called on the reactor thread."""

    def connections(self) -> int:
        """Return how many connections are open."""

    def users(self) -> int:
        """Return how many have a seat."""

    def rooms(self) -> int:
        """Return how many rooms somebody is in."""

    def engine(self) -> str:
        """Return ``ok`` or ``degraded``."""

    @property
    def state(self) -> Callable[[], str]:
        """Returns ``ok``, ``draining`` or ``stopping``."""

    def stored(self) -> tuple[int, int]:
        """Return how many bytes the database takes, as measured lately, and how many it may take (0: any number)."""

    def counters(self) -> Counters:
        """Return what was counted."""


class ChatCollector(Collector):
    """Makes metrics of what there is when it is asked.

    Args:
        watched: The daemon.
        lag: How late its reactor is.
    """

    def __init__(self, watched: Watched, lag: Lag) -> None:
        self._watched = watched
        self._lag = lag

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
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
    """A page of the site: GET and HEAD, and nothing below it. This one stands for all that there is not."""

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802
        """Nothing is below a page."""
        return MetricsPage()

    def render(self, request: Request) -> bytes:
        """See ``twisted.web``, which would mention in the log that HEAD were given a body."""
        if request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(405)
            request.setHeader("allow", "GET, HEAD")
            return b""
        body = self.body(request)
        request.setHeader("content-length", str(len(body)))
        return body if request.method == b"GET" else b""

    def body(self, request: Request) -> bytes:
        """Return what the page says; set its type, and the status if that is not 200."""
        request.setResponseCode(404)
        request.setHeader("content-type", "text/plain; charset=utf-8")
        return b"There is only /metrics and /healthz here.\n"


class Metrics(MetricsPage):
    """``/metrics``: ours, and what the process uses (memory, processor, descriptors, garbage collections)."""

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def body(self, request: Request) -> bytes:
        """See ``MetricsPage``."""
        request.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8")
        return generate_latest(self._registry)


class Health(msgspec.Struct, frozen=True):
    """What ``/healthz`` says. ``lag`` is in seconds."""

    state: str
    engine: str
    lag: float


class Healthz(MetricsPage):
    """``/healthz``: 200 while all is well, else 503, and why."""

    def __init__(self, watched: Watched, lag: Lag) -> None:
        super().__init__()
        self._watched = watched
        self._lag = lag

    def body(self, request: Request) -> bytes:
        """See ``MetricsPage``."""
        lag, engine, state = self._lag.seconds(), self._watched.engine(), self._watched.state()
        well = engine == "ok" and lag < TOO_LATE and state != "stopping"
        request.setResponseCode(200 if well else 503)
        request.setHeader("content-type", "application/json")
        request.setHeader("cache-control", "no-store")
        return msgspec.json.encode(Health(engine if state == "ok" else state, engine, round(lag, 6))) + b"\n"


def pages(watched: Watched, lag: Lag) -> Resource:
    """Return the root of the two pages; whatever else is asked for is not found."""
    root = MetricsPage()
    root.putChild(b"metrics", Metrics(ChatCollector(watched, lag)))
    root.putChild(b"healthz", Healthz(watched, lag))
    return root
