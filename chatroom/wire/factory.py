"""The factory of all connections: it accepts them within the limits, and checks all of them for silence in rounds."""

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

ROUND = 10.0  # seconds between two rounds
MOST_LINGERING = 64  # refused connections that are told why at the same time; further ones are just closed
MAKING_WAY = ACCEPTS  # connections that may be open over the limit, until cut handshakes have freed their descriptors


class ChatFactory(Factory, ServerState):
    """Makes a ``DialectDetector`` for every connection.

    Args:
        chat: The chat.
        reactor: Gives ``callLater`` and ``seconds``.
        text: The dialect of people.
        records: The dialect of programs.
        tls: Makes the state of a new TLS connection.
        per_address: The most connections of guests from one address at a time; 0 for any number.
        send_queue: The most bytes held for a person who does not read; 0 for any number.
        most_connections: The most connections of any kind, for which descriptors suffice; 0 for any number.
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
        self._lingering = 0  # connections that are being told that there are too many
        self._most_connections = most_connections
        self._addresses = AddressBook(per_address, reactor.seconds)
        self._rounds = LoopingCall(self._go_round)
        self._rounds.clock = reactor
        chat.engine.on_pressure = self._press

    def bound(self, *, per_address: int, send_queue: int) -> None:
        """Change the limits for connections that come from now on; the class describes the arguments."""
        self._addresses.most = per_address
        self._send_queue = send_queue

    def start(self) -> None:
        """Begin the rounds."""
        self._rounds.start(ROUND, now=False)

    def stop(self) -> None:
        """End the rounds, and close each connection after sending what its outbox holds."""
        if self._rounds.running:
            self._rounds.stop()
        for connection in tuple(self.connections):
            connection.close()

    def abort(self) -> None:
        """Close all connections at once, without sending what their outboxes hold."""
        for connection in tuple(self.connections):
            connection.abort()

    # ---- new connections ---------------------------------------------------------------------------------------

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
        """Return whether one more connection leaves enough file descriptors for files and the database.

        At the limit, an unfinished handshake is cut to make room. Its descriptor becomes free only a turn of the
        reactor later, so for that long there may be up to ``MAKING_WAY`` connections over the limit.
        """
        most, now = self._most_connections, self._addresses.connections
        return not most or now < most or (now < most + MAKING_WAY and self.handshakes.cut_one())

    def _lingered(self, place: ConnectionSlot) -> None:
        self._lingering -= 1
        place.leave()

    # ---- open connections --------------------------------------------------------------------------------------

    def _press(self, pressed: bool) -> None:
        self.pressed = pressed
        for connection in tuple(self.connections):
            if self.pressed is not pressed:
                return  # the connections that may read again have filled the log's queue again
            connection.press(pressed)

    def _go_round(self) -> None:
        self._addresses.tidy()
        self.handshakes.tidy()
        for connection in tuple(self.connections):
            connection.sweep(ROUND)
