"""What all connections share: the chat, the dialects, the bounds, and the rounds that look after the silent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.chat.chat import Chat
from chatroom.model.errors import NEEDS_TLS, TOO_MANY_CONNECTIONS, Refused
from chatroom.wire.accepting import ACCEPTS
from chatroom.wire.connection import ChatProtocol
from chatroom.wire.connection_limits import AddressBook, ConnectionSlot
from chatroom.wire.detect import PERSON, DialectDetector, Opening
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.reject import Rejection
from chatroom.wire.tls_handshakes import TLSHandshakes

ROUND = 10.0  # seconds
MOST_LINGERING = 64  # connections that are told why they are refused; more are just closed
MAKING_WAY = ACCEPTS  # connections over the most, while handshakes that were cut give their descriptors back
RECORDS_HOLD = 4  # times as much as is held for a person: programs catch up in large steps


class ChatFactory(Factory):
    """Makes a Door for every connection.

    Args:
        chat: Where they go.
        reactor: Gives ``callLater`` and ``seconds``.
        text: How people speak.
        records: How programs do.
        tls: Makes the state of a new TLS connection.
        per_address: Guests' connections at a time from one address; 0 for any number.
        send_queue: Bytes held for a person who does not read; 0 for any number.
        most_connections: Connections of all kinds that there are descriptors for; 0 for any number.

    Attributes:
        connections: Everybody who has come through the door.
        unwrapping: What TLS connections share.
        handshakes: The handshakes of TLS that are under way.
        counters: Where it is counted whom we drop or refuse.
        pressed: The log has enough to do; nobody is read.
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
        self.chat = chat
        self.rules = chat.rules
        self.reactor = reactor
        self.text: WireDialect = text
        self.records: WireDialect = records
        self.connections: set[ChatProtocol] = set()
        self.unwrapping = TLSMemoryBIOFactory(tls, False, self, reactor)
        self.pressed = False
        self.counters = chat.engine.counters
        self._send_queue = send_queue
        self._lingering = 0  # connections that are being told that they are too many
        self._empty: Deferred[None] | None = None
        self._most_connections = most_connections
        self._addresses = AddressBook(per_address, reactor.seconds)
        self.handshakes = TLSHandshakes(reactor.seconds, self._count_handshake)
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

    def when_empty(self) -> Deferred[None]:
        """Fires when there is no connection any more."""
        self._empty = Deferred()
        if not self.connections:
            self._empty.callback(None)
        return self._empty

    def forget(self, connection: ChatProtocol) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections and not self._empty.called:
            self._empty.callback(None)

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
        return self._refusing(PERSON, TOO_MANY_CONNECTIONS(), lambda: self._lingered(place))

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

    def admit(self, opening: Opening, place: ConnectionSlot, address: str, *, secure: bool) -> Protocol:
        """Return the protocol for a connection whose first bytes have come through the door.

        Args:
            opening: What it speaks.
            place: Its place, which the protocol leaves at the connection's end.
            address: Where it comes from.
            secure: Nobody on the way can read it.
        """
        if opening.wraps:
            return opening.build(self, place)
        try:
            if not place.taken:  # it stepped aside for a handshake, and others have come meanwhile
                raise TOO_MANY_CONNECTIONS()
            if self.rules.require_tls == "all" and not secure:
                raise NEEDS_TLS()
            self.chat.admit(address, person=opening.name != "records")
        except Refused as refused:
            return self.refuse(opening, refused, place)
        return opening.build(self, place)

    def refuse(self, opening: Opening, refused: Refused, place: ConnectionSlot) -> Protocol:
        """Return the protocol that says why a connection is refused, in the words of what it speaks."""
        return self._refusing(opening, refused, place.leave)

    def _refusing(self, opening: Opening, refused: Refused, leave: Callable[[], None]) -> Protocol:
        self.counters.drops[refused.code] += 1
        return Rejection(self.reactor, opening.refuse(self, refused), leave)

    def flooded(self) -> None:
        """Count a connection that was ended for a flood of records of TLS that bring nothing."""
        self.counters.drops["tls-flood"] += 1

    def _count_handshake(self) -> None:
        self.counters.drops["tls-unfinished"] += 1

    # ---- what connections ask ----------------------------------------------------------------------------------

    def send_queue(self, dialect: WireDialect) -> int:
        """Return how many bytes are held for somebody who does not read."""
        return self._send_queue if dialect.person else self._send_queue * RECORDS_HOLD

    @staticmethod
    def keep_alive(transport: Any) -> None:
        """Let TCP find out, within a few minutes, that a person's machine is gone; take urgent bytes in line."""
        transport = getattr(transport, "bare", transport)  # TLS has one below it
        transport.setTcpKeepAlive(True)
        handle = transport.getHandle() if hasattr(transport, "getHandle") else None
        if isinstance(handle, socket.socket):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 120)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)

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
