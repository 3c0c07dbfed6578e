"""Detects by a connection's first bytes what the client speaks, and hands the connection to the protocol for that.

All clients use the same port. Programs, browsers and TLS clients send first. A client that has sent nothing after a
quarter of a second is taken for a person on telnet or nc, and is greeted. The same detection runs again inside TLS.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.model.errors import NEEDS_TLS, TOO_MANY_CONNECTIONS, Refused
from chatroom.model.replies import Error
from chatroom.wire.connection import ChatProtocol
from chatroom.wire.connection_limits import ConnectionSlot
from chatroom.wire.reject import Rejection
from chatroom.wire.server_state import ServerState
from chatroom.wire.tls import Handshake, Unwrapping
from chatroom.wire.transports import is_secure

GREET_AFTER = 0.25  # seconds of silence after which the client is taken for a person


@dataclass(frozen=True, slots=True)
class Opening:
    """A way in which clients begin a conversation, and the protocol for such clients.

    Args:
        name: What the client speaks.
        prefixes: The client's first bytes are one of these.
        build: Makes the protocol, which must call the slot's ``leave`` when the connection has ended.
        refuse: Returns the bytes that tell such a client why it is refused.
        wraps: Whether the real conversation is inside TLS, so that the connection is admitted or refused there.
    """

    name: str
    prefixes: tuple[bytes, ...]
    build: Callable[[ServerState, ConnectionSlot], Protocol]
    refuse: Callable[[ServerState, Refused], bytes]
    wraps: bool = False


def _refusing(answer: bytes) -> Callable[[ServerState, ConnectionSlot], Protocol]:
    return lambda state, place: Rejection(state.reactor, answer, place.leave)


def _unwrap(state: ServerState, place: ConnectionSlot) -> Protocol:
    """Return the protocol for a TLS handshake, or one that refuses it if its address left too many unfinished.

    A connection has no slot at its address until its handshake is finished.
    """
    handshake = Handshake(state.reactor, lambda: DialectDetector(state, place, INSIDE), place, state.handshakes)
    if not state.handshakes.begin(handshake, place.key):
        return refuse(state, TLS, TOO_MANY_CONNECTIONS(), place.leave)
    place.step_aside()
    return Unwrapping(state.unwrapping, handshake, state.reactor.seconds, state.flooded)


# RFC 8446 6.2: an alert (21), fatal (2), handshake_failure (40), in a record of a version that all clients read.
_TLS_ALERT = bytes([21, 3, 1, 0, 2, 2, 40])


def _http(sentence: str) -> bytes:
    body = f"{sentence}\n".encode()
    return (
        b"HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%s" % (len(body), body)
    )


def _irc(sentence: str) -> bytes:
    return f"ERROR :{sentence}\r\n".encode()


def _error(refused: Refused) -> Error:
    return Error(refused.code, refused.text)


RECORDS = Opening(
    "records",
    (b"{", BOM_UTF8 + b"{"),  # a piped file may begin with a byte order mark
    lambda state, place: ChatProtocol(state, state.records, place),
    lambda state, refused: state.records.answer(_error(refused)),
)
HTTP = Opening(
    "HTTP",
    (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE ", b"PRI * "),
    _refusing(_http("This is a chat server. Come by telnet or nc, or speak JSON records.")),
    lambda state, refused: _http(f"Error: {refused.text}"),
)
IRC = Opening(
    "IRC",
    (b"NICK ", b"CAP ", b"PASS ", b"USER "),
    _refusing(_irc("IRC is not spoken here; come by telnet or nc, or speak JSON records")),
    lambda state, refused: _irc(refused.text),
)
PERSON = Opening(
    "text",
    (b"",),
    lambda state, place: ChatProtocol(state, state.text, place),
    lambda state, refused: state.text.answer(_error(refused)),
)
TLS = Opening("TLS", (b"\x16",), _unwrap, lambda state, refused: _TLS_ALERT, wraps=True)
NO_MORE_TLS = Opening("TLS in TLS", TLS.prefixes, _refusing(_TLS_ALERT), TLS.refuse)

OPENINGS = (TLS, RECORDS, HTTP, IRC)
INSIDE = (NO_MORE_TLS, RECORDS, HTTP, IRC)


def opening_of(data: bytes, openings: tuple[Opening, ...] = OPENINGS) -> Opening | None:
    """Return the opening with which a client's first bytes begin; None if more bytes are needed to tell."""
    for opening in openings:
        if data.startswith(opening.prefixes):
            return opening
    if any(prefix.startswith(data) for opening in openings for prefix in opening.prefixes):
        return None
    return PERSON


def refuse(state: ServerState, opening: Opening, refused: Refused, leave: Callable[[], None]) -> Protocol:
    """Return the protocol that tells a client, in the language of its opening, why the client is refused.

    Args:
        state: What all connections share.
        opening: How the client began.
        refused: Why it is refused; its code is counted.
        leave: Called when the connection has ended.
    """
    state.counters.drops[refused.code] += 1
    return Rejection(state.reactor, opening.refuse(state, refused), leave)


@implementer(IHalfCloseableProtocol)
class DialectDetector(Protocol):
    """The first protocol of every connection, which replaces itself by the one for what the client speaks.

    Args:
        state: What all connections share.
        place: Counts the connection by its address. The protocol that the connection has last must call its ``leave``.
        openings: The openings to recognise; a client that begins with none of them is taken for a person.
    """

    def __init__(self, state: ServerState, place: ConnectionSlot, openings: tuple[Opening, ...] = OPENINGS) -> None:
        self._state = state
        self._place = place
        self._openings = openings
        self._data = b""
        self._timer: Any = None

    def connectionMade(self) -> None:
        self._timer = self._state.reactor.callLater(GREET_AFTER, self._open, PERSON)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        opening = opening_of(self._data, self._openings)
        if opening is not None:
            self._open(opening)

    def readConnectionLost(self) -> None:
        """Treat a client that will send no more as a person: it has sent too little to be anything else."""
        protocol = self._open(PERSON)
        if IHalfCloseableProtocol.providedBy(protocol):
            protocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Do nothing; nothing has been written yet."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_waiting()
        self._place.leave()

    def _stop_waiting(self) -> None:
        """Cancel the timer, and drop it even if it has fired: it refers to us, and a circle would stay in memory."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _open(self, opening: Opening) -> Any:
        """Hand the connection, and what was read from it, to the protocol for an opening; return that protocol."""
        self._stop_waiting()
        transport: Any = self.transport
        address = str(transport.getPeer().host)
        protocol = self._admit(opening, address, secure=is_secure(transport))
        transport.protocol = protocol
        protocol.makeConnection(transport)
        data = self._data.removeprefix(BOM_UTF8) if opening is RECORDS else self._data
        if data:
            protocol.dataReceived(data)
        return protocol

    def _admit(self, opening: Opening, address: str, *, secure: bool) -> Protocol:
        """Return the protocol for the connection; if it may not come in, the protocol that tells the client so."""
        state, place = self._state, self._place
        if opening.wraps:
            return opening.build(state, place)
        try:
            if not place.taken:  # the connection gave up its slot for a handshake, and others took all that were free
                raise TOO_MANY_CONNECTIONS()
            if state.rules.require_tls == "all" and not secure:
                raise NEEDS_TLS()
            state.chat.connections.admit(address, person=opening.name != "records")
        except Refused as refused:
            return refuse(state, opening, refused, place.leave)
        return opening.build(state, place)
