"""Serves the pages for monitoring over HTTP, ``/metrics`` and ``/healthz``, at the address of ``--metrics``."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatroom.admin.metrics import Watched, pages
from chatroom.admin.metrics_http import OperatorSite
from chatroom.admin.reactor_lag import Lag
from chatroom.chat.chat import Chat
from chatroom.model.counters import Counters
from chatroom.model.logger import logger
from chatroom.wire.factory import ChatFactory

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The daemon as monitoring sees it (``chatroom.admin.metrics.Watched``).

    Args:
        chat: Knows the users and rooms.
        factory: Knows the connections.
        state: Returns the daemon's state: ``ok``, ``draining`` (new connections are refused) or ``stopping``.
    """

    chat: Chat
    factory: ChatFactory
    state: Callable[[], str]

    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self.factory.connections)

    def users(self) -> int:
        """Return how many sessions are open: those that have been given a place among the users."""
        return len(self.chat.sessions)

    def rooms(self) -> int:
        """Return how many rooms somebody is in."""
        return len(self.chat.loaded_rooms)

    def engine(self) -> str:
        """Return the state of the storage engine: ``ok``, or ``degraded`` if it could not store the last batch."""
        return self.chat.engine.state

    def stored(self) -> tuple[int, int]:
        """Return how many bytes the database took when it was last measured, and how many it may take (0: no limit)."""
        return self.chat.disk_limit.used, self.chat.rules.disk

    def counters(self) -> Counters:
        """Return the daemon's counters."""
        return self.chat.engine.counters


class MetricsService:
    """Serves the pages for monitoring.

    Args:
        reactor: Listens on the port. Its lag, by how much it makes calls too late, is one of the metrics.
        listening: The listening socket.
        watched: The daemon as monitoring sees it.
    """

    def __init__(self, reactor: Any, listening: socket.socket, watched: Watched) -> None:
        self._reactor = reactor
        self._listening = listening
        self._lag = Lag(reactor)
        self._site = OperatorSite(pages(watched, self._lag), reactor)
        self._port: Any = None

    def open(self) -> None:
        """Begin to serve the pages."""
        self._port = self._reactor.adoptStreamPort(self._listening.fileno(), self._listening.family, self._site)
        self._listening.close()  # the reactor has a descriptor of its own
        self._lag.start()
        where = self._port.getHost()
        host = f"[{where.host}]" if ":" in where.host else where.host
        _log.info("metrics on http://{host}:{port}/metrics", host=host, port=where.port)

    async def close(self) -> None:
        """Stop serving, and end all connections to the pages. May be called even if ``open`` never was."""
        self._lag.stop()
        if self._port is None:
            self._listening.close()
            return
        await self._port.stopListening()
        self._site.abort()
