"""What all connections of the server share: the chat, the dialects, the bounds, and who is connected."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.chat.chat import Chat
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.tls_handshakes import TLSHandshakes

RECORDS_HOLD = 4  # times as much as is held for a person: programs catch up in large steps


class OpenConnection(Protocol):
    """A connection that has been let in (``chatroom.wire.connection``)."""

    def close(self) -> None:
        """Send what is held, then close."""

    def abort(self) -> None:
        """Close at once."""

    def press(self, pressed: bool) -> None:
        """Stop reading because the log has enough to do, or go on."""

    def sweep(self, seconds: float) -> None:
        """Count a round in which nothing was heard."""


class ServerState:
    """See the module.

    Args:
        chat: The chat.
        reactor: Gives ``callLater`` and ``seconds``.
        text: How people speak.
        records: How programs do.
        send_queue: Bytes held for a person who does not read; 0 for any number.

    Attributes:
        connections: Everybody who has been let in.
        unwrapping: What TLS connections share.
        handshakes: The handshakes of TLS that are under way.
        counters: Where it is counted whom we drop or refuse.
        pressed: The log has enough to do; nobody is read.
    """

    unwrapping: TLSMemoryBIOFactory

    def __init__(
        self,
        chat: Chat,
        reactor: Any,
        text: WireDialect,
        records: WireDialect,
        send_queue: int,
    ) -> None:
        self.chat = chat
        self.rules = chat.rules
        self.reactor = reactor
        self.text: WireDialect = text
        self.records: WireDialect = records
        self.connections: set[OpenConnection] = set()
        self.pressed = False
        self.counters = chat.engine.counters
        self.handshakes = TLSHandshakes(reactor.seconds, self._count_handshake)
        self._send_queue = send_queue
        self._empty: Deferred[None] | None = None

    def when_empty(self) -> Deferred[None]:
        """Fires when there is no connection any more."""
        self._empty = Deferred()
        if not self.connections:
            self._empty.callback(None)
        return self._empty

    def forget(self, connection: OpenConnection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections and not self._empty.called:
            self._empty.callback(None)

    def flooded(self) -> None:
        """Count a connection that was ended for a flood of records of TLS that bring nothing."""
        self.counters.drops["tls-flood"] += 1

    def _count_handshake(self) -> None:
        self.counters.drops["tls-unfinished"] += 1

    def send_queue(self, dialect: WireDialect) -> int:
        """Return how many bytes are held for somebody who does not read."""
        return self._send_queue if dialect.person else self._send_queue * RECORDS_HOLD
