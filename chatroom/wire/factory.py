"""What all connections share: the chat, the dialects, the bounds, and the rounds that look after the silent."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall

from chatroom.chat.chat import Chat
from chatroom.chat.refusals import TOO_MANY_CONNECTIONS, Refused
from chatroom.events import Error
from chatroom.wire.addresses import AddressBook
from chatroom.wire.dialect import WireDialect
from chatroom.wire.door import PERSON, Door, Leave, Opening
from chatroom.wire.line import ChatProtocol
from chatroom.wire.refusing import Refusing

ROUND = 10.0  # seconds
MOST_LINGERING = 64  # connections that are told why they are refused; more are just closed
RECORDS_HOLD = 4  # times as much as is held for a person: programs catch up in large steps


class ChatFactory(Factory):
    """Makes a Door for every connection.

    Args:
        chat: Where they go.
        reactor: Gives ``callLater`` and ``seconds``.
        text: How people speak.
        records: How programs do.
        per_address: Connections at a time from one address; 0 for any number.
        send_queue: Bytes held for a person who does not read; 0 for any number.

    Attributes:
        connections: Everybody who has come through the door.
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
        per_address: int,
        send_queue: int,
    ) -> None:
        self.chat = chat
        self.rules = chat.rules
        self.reactor = reactor
        self.text: WireDialect = text
        self.records: WireDialect = records
        self.connections: set[ChatProtocol] = set()
        self.pressed = False
        self.counters = chat.engine.counters
        self._send_queue = send_queue
        self._lingering = 0  # connections that are being told that they are too many
        self._empty: Deferred[None] | None = None
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
        leave = self._addresses.enter(str(getattr(addr, "host", "")))
        if leave is None:
            if self._lingering >= MOST_LINGERING:
                self.counters.drops[TOO_MANY_CONNECTIONS.code] += 1
                return None
            self._lingering += 1
            return self._refuse(PERSON, TOO_MANY_CONNECTIONS(), self._lingered)
        return Door(self, leave)

    def _lingered(self) -> None:
        self._lingering -= 1

    def admit(self, opening: Opening, leave: Leave, address: str) -> Protocol:
        """Return the protocol for who came through the door from that address."""
        try:
            self.chat.admit(address, person=opening.name != "records")
        except Refused as refused:
            return self._refuse(opening, refused, leave)
        return opening.build(self, leave)

    def _refuse(self, opening: Opening, refused: Refused, leave: Leave) -> Protocol:
        self.counters.drops[refused.code] += 1
        dialect = self.records if opening.name == "records" else self.text
        return Refusing(self.reactor, dialect.answer(Error(refused.code, refused.text)), leave)

    # ---- what connections ask ----------------------------------------------------------------------------------

    def send_queue(self, dialect: WireDialect) -> int:
        """Return how many bytes are held for somebody who does not read."""
        return self._send_queue if dialect.person else self._send_queue * RECORDS_HOLD

    @staticmethod
    def keep_alive(transport: Any) -> None:
        """Let TCP find out, within a few minutes, that a person's machine is gone; take urgent bytes in line."""
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
        for connection in tuple(self.connections):
            connection.sweep(ROUND)
