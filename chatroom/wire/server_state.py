"""What all connections share: the chat, the dialects, the limits, the counters, and the set of connections."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.chat.chat import Chat
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.tls_handshakes import TLSHandshakes

RECORDS_HOLD = 4  # times as many bytes are held for a program as for a person, because programs catch up in large steps


class OpenConnection(Protocol):
    """A connection that has a session in the chat (``chatroom.wire.connection.ChatProtocol``)."""

    def close(self) -> None:
        """Send what the outbox holds, then close the connection."""

    def abort(self) -> None:
        """Close the connection at once."""

    def press(self, pressed: bool) -> None:
        """Stop reading if ``pressed``, because the store asks for a pause; otherwise go on reading."""

    def sweep(self, seconds: float) -> None:
        """Add ``seconds``, the length of one of the factory's rounds, to the silence of the connection."""


class ServerState:
    """The shared state of the server's connections. ``ChatFactory`` is the one instance.

    Args:
        chat: The chat.
        reactor: Gives ``callLater`` and ``seconds``.
        text: The dialect of people.
        records: The dialect of programs.
        send_queue: The most bytes held for a person who does not read; 0 for any number.

    Attributes:
        connections: The open connections that have a session in the chat.
        unwrapping: Twisted's factory, which all TLS connections share.
        handshakes: The unfinished TLS handshakes.
        counters: Counts dropped and refused connections, among other things.
        pressed: Whether no connection is read, because the store asks for a pause (see ``Engine.on_pressure``).
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
        """Return a Deferred that fires when ``connections`` is empty."""
        self._empty = Deferred()
        if not self.connections:
            self._empty.callback(None)
        return self._empty

    def forget(self, connection: OpenConnection) -> None:
        """Remove a connection, because it has ended."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections and not self._empty.called:
            self._empty.callback(None)

    def flooded(self) -> None:
        """Count a connection that was ended because it sent too many TLS records without data."""
        self.counters.drops["tls-flood"] += 1

    def _count_handshake(self) -> None:
        self.counters.drops["tls-unfinished"] += 1

    def send_queue(self, dialect: WireDialect) -> int:
        """Return the most bytes held for a client of that dialect that does not read; 0 for any number."""
        return self._send_queue if dialect.person else self._send_queue * RECORDS_HOLD
