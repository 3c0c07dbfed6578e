"""The factory: lets connections in within the bounds, and goes round to look after the silent ones."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.chat.chat import Chat
from chatroom.model.errors import TOO_MANY_CONNECTIONS
from chatroom.wire.accepting import ACCEPTS
from chatroom.wire.connection_limits import AddressBook, ConnectionSlot
from chatroom.wire.detect import PERSON, DialectDetector, refuse
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.server_state import ServerState

ROUND = 10.0  # seconds
MOST_LINGERING = 64  # connections that are told why they are refused; more are just closed
MAKING_WAY = ACCEPTS  # connections over the most, while handshakes that were cut give their descriptors back


class ChatFactory(Factory, ServerState):
    """Makes a ``DialectDetector`` for every connection.

    Args:
        chat: Where they go.
        reactor: Gives ``callLater`` and ``seconds``.
        text: How people speak.
        records: How programs do.
        tls: Makes the state of a new TLS connection.
        per_address: Guests' connections at a time from one address; 0 for any number.
        send_queue: Bytes held for a person who does not read; 0 for any number.
        most_connections: Connections of all kinds that there are descriptors for; 0 for any number.
    """

    noisy = False

    def __init__(
        self,
        chat: Chat,
        reactor: Any,
        *,
        text: WireDialect,
        records: WireDialect,
        tls: IOpenSSLServerConnectionCreator,
        per_address: int,
        send_queue: int,
        most_connections: int = 0,
    ) -> None:
        ServerState.__init__(self, chat, reactor, text, records, send_queue)
        self.unwrapping = TLSMemoryBIOFactory(tls, False, self, reactor)
        self._lingering = 0  # connections that are being told that they are too many
        self._most_connections = most_connections
        self._addresses = AddressBook(per_address, reactor.seconds)
        self._rounds = LoopingCall(self._go_round)
        self._rounds.clock = reactor
        chat.engine.on_pressure = self._press

    def bound(self, *, per_address: int, send_queue: int) -> None:
        """Change the bounds, for connections that come from now on."""
        self._addresses.most = per_address
        self._send_queue = send_queue

    def start(self) -> None:
        """Begin to look after the silent."""
        self._rounds.start(ROUND, now=False)

    def stop(self) -> None:
        """Look after nobody any more, and close all connections, sending what is held."""
        if self._rounds.running:
            self._rounds.stop()
        for connection in tuple(self.connections):
            connection.close()

    def abort(self) -> None:
        """Close all connections at once."""
        for connection in tuple(self.connections):
            connection.abort()

    # ---- who comes ---------------------------------------------------------------------------------------------

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        if not self._has_descriptors():
            self.counters.drops["no-descriptors"] += 1
            return None
        place = self._addresses.enter(str(getattr(addr, "host", "")))
        if place.taken:
            return DialectDetector(self, place)
        if self._lingering >= MOST_LINGERING:
            self.counters.drops[TOO_MANY_CONNECTIONS.code] += 1
            place.leave()
            return None
        self._lingering += 1
        return refuse(self, PERSON, TOO_MANY_CONNECTIONS(), lambda: self._lingered(place))

    def _has_descriptors(self) -> bool:
        """Return whether another connection leaves enough descriptors for files and the database.

        A handshake that is not finished makes way. As its descriptor becomes free only a turn of the reactor later,
        connections may exceed their number for that long, by a few.
        """
        most, now = self._most_connections, self._addresses.connections
        return not most or now < most or (now < most + MAKING_WAY and self.handshakes.cut_one())

    def _lingered(self, place: ConnectionSlot) -> None:
        self._lingering -= 1
        place.leave()

    # ---- looking after them ------------------------------------------------------------------------------------

    def _press(self, pressed: bool) -> None:
        self.pressed = pressed
        for connection in tuple(self.connections):
            if self.pressed is not pressed:
                return  # those who were let go have filled it again
            connection.press(pressed)

    def _go_round(self) -> None:
        self._addresses.tidy()
        self.handshakes.tidy()
        for connection in tuple(self.connections):
            connection.sweep(ROUND)
