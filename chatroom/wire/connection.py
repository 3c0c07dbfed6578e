"""One connection that speaks lines: bytes in, bounded and paced; commands to the chat; the end, however it comes.

Reading stops while something must be waited for (a command that moves the session, the flood budget, a log that cannot
keep up); what has been read waits in the line receiver's buffer, what has not in the network.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.chat.dispatch import do
from chatroom.chat.limits import LINES_WAITING, READ_COST, TAKEOVER_WITHIN
from chatroom.chat.session import never_asked
from chatroom.model.commands import Command, Hello, Login, Pong, PutChunk, Takeover
from chatroom.model.errors import BAD_TELNET, CHUNK_TOO_LONG, TOO_FAST, TOO_LONG, Refused
from chatroom.model.logger import logger
from chatroom.model.network import plain
from chatroom.model.raw_bytes import RawBytes
from chatroom.model.replies import Ok
from chatroom.model.shared_files import CHUNK
from chatroom.wire.connection_limits import ConnectionSlot
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.keepalive import Keepalive
from chatroom.wire.line_editing import edited
from chatroom.wire.rate_limit import RateLimit
from chatroom.wire.server_state import ServerState
from chatroom.wire.telnet import NegotiationAbuse, TelnetFilter
from chatroom.wire.tls import is_secure, way_out

_log = logger(__name__)

STAND = 10.0  # seconds in which somebody without a seat may log in

# Why reading stops; several reasons may hold at once.
BUSY = 1  # a command that moves the session is under way
PACED = 2  # the budget of lines or bytes is spent
PRESSED = 4  # the log has enough to do
STORING = 8  # chunks of files are being written

_CHUNK_RECORD = re.compile(rb'"do"\s*:\s*"chunk"')


@implementer(IHalfCloseableProtocol)
class ChatProtocol(Keepalive):
    """See the module. Made by the Door when it knows who is there.

    Args:
        server: What all connections share.
        dialect: What is spoken.
        place: The connection's place by its address, left when the connection has ended.
    """

    delimiter = b"\n"
    transport: Any  # a TCP or TLS connection, or what a test puts in its place
    _telnet: TelnetFilter | None = None
    _pace: RateLimit | None = None
    _standing: Any = None  # closes the connection of whom there is no seat for
    _heard = False  # a first byte has come
    _ended = False  # the other side sends no more
    _skipping = False  # the rest of a line that is too long
    _raw: RawBytes | None = None  # what follows the record of a chunk
    _rest = b""  # what came after such a line

    def __init__(self, server: ServerState, dialect: WireDialect, place: ConnectionSlot) -> None:
        self._server = server
        self._dialect = dialect
        self._place = place
        # A carriage return before the delimiter is not part of the line.
        self.MAX_LENGTH = dialect.line_limit + 1

    # ---- beginning and end -------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        transport = self.transport
        server = self._server
        transport.setTcpNoDelay(True)
        self._outbox = way_out(transport, server.send_queue(self._dialect), self._too_slow)
        if self._dialect.person:
            self._telnet = TelnetFilter(self._outbox.write)
            server.keep_alive(transport)
        if server.rules.rate:
            self._pace = RateLimit(server.reactor, server.rules.rate, self._paced)
        self._session = server.chat.connections.open(
            self._outbox,
            self._dialect,
            person=self._dialect.person,
            address=plain(str(transport.getPeer().host)),
            secure=is_secure(transport),
        )
        if not self._dialect.person:
            self._session.check_alive = self.check_alive
        self._session.place = self._place
        server.connections.add(self)
        if self._session.seated:
            self._outbox.write(self._dialect.greeting(self._session))
        else:
            self._stand()
        if server.pressed:
            self._stop(PRESSED)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._pace is not None:
            self._pace.stop()
        self._sit()
        self._end_check()
        self._session.check_alive = never_asked  # the method refers back to us; no circle may be left
        self._outbox.stopProducing()
        self._server.chat.connections.close(self._session)
        self._place.leave()
        self._server.forget(self)

    def _stand(self) -> None:
        """There is no seat, but perhaps it is the owner of a reserved one: for a moment one may log in."""
        self._session.refuse(self._server.chat.seats.full())
        if self._dialect.person:
            self._session.answer(
                Ok("Seats are kept for some: if one is yours, log in now with /login <user> <password>.")
            )
        self._standing = self._server.reactor.callLater(STAND, self._stood_long_enough)

    def _stood_long_enough(self) -> None:
        """Who has logged in meanwhile, and said nothing since, has a seat."""
        self._standing = None
        if not self._session.seated:
            self.close()

    def _sit(self) -> None:
        if self._standing is not None:
            self._standing.cancel()
            self._standing = None

    def readConnectionLost(self) -> None:
        """The other side has closed its half (``nc -N``): what it said is done and answered, then we close ours."""
        self._ended = True
        self._process(b"\n" if self._raw is None else b"")  # the tail is a line even without an end

    def writeConnectionLost(self) -> None:
        """Nobody reads us any more."""
        self.transport.loseConnection()

    def close(self) -> None:
        """Send what is held, then close."""
        if not self._outbox.closing:
            self._silence = 0.0
            self._outbox.close()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    def _drop(self, refused: Refused) -> None:
        """Say why, and close."""
        self._server.counters.drops[refused.code] += 1
        _log.info("{name} dropped: {code}", name=self._session.name, code=refused.code)
        self._session.refuse(refused)
        self.close()

    def _too_slow(self) -> None:
        self._server.counters.drops["too-slow"] += 1
        _log.info("{name} dropped: too slow", name=self._session.name)
        self.abort()

    # ---- bytes to lines ----------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        self._silence = 0.0
        if self._check is not None:
            self._end_check()
        if not self._heard:
            self._heard = True
            if data[:1] == b"{":
                self._speak_records()
        if self._pace is not None:
            short = max(0, READ_COST - len(data))  # a person's bytes are charged now, a program's with their line
            self._spend_bytes(short if self._telnet is None else short + len(data))
        if self._telnet is not None:
            try:
                data = self._telnet.feed(data)
            except NegotiationAbuse as abuse:
                self._drop(BAD_TELNET(why=abuse))
                return
        if self._skipping:
            data = self._skip(data)
        self._process(data)

    def _speak_records(self) -> None:
        """A program whose first packet was lost or late was greeted as a person; its first byte says what it is."""
        dialect = self._server.records
        self._dialect = self._session.dialect = dialect
        self._session.person = dialect.person
        self._session.check_alive = self.check_alive
        self._telnet = None
        self.MAX_LENGTH = dialect.line_limit + 1
        self._outbox.bound(self._server.send_queue(dialect))

    def _process(self, data: bytes) -> None:
        """Do what lines there are, unless reading has stopped; then see whether that was all there will be."""
        LineReceiver.dataReceived(self, data)
        while self._rest:
            rest, self._rest = self._rest, b""
            LineReceiver.dataReceived(self, rest)
        if self._ended and not self._stops and not self._outbox.closing:
            self._session.idle().addCallback(lambda _: self.close())

    def lineLengthExceeded(self, line: bytes) -> None:
        """Complain once, and go on with the next line."""
        self._spoken = True
        self._session.refuse(TOO_LONG(limit=self._dialect.line_limit))
        self._skipping = True
        self._rest = self._skip(line)

    def _skip(self, data: bytes) -> bytes:
        """Return what comes after the line that is too long."""
        _, end, rest = data.partition(b"\n")
        if self._telnet is None:
            self._spend_bytes(len(data) - len(rest))
        self._skipping = not end
        return rest

    # ---- lines to commands -------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        if line[-1:] == b"\r":
            line = line[:-1]
        length = len(line)
        session = self._session
        self._spoken = True
        asked = session.question
        try:
            if length > self._dialect.line_limit:  # by the one byte that could have been a carriage return
                raise TOO_LONG(limit=self._dialect.line_limit)
            if self._dialect.person:
                line = edited(line)
            command = self._dialect.read(line, session)
            if isinstance(command, PutChunk):
                self._check_chunk(command)
        except Refused as refused:
            if asked is not session.question:
                self._end_secret(asked)
            command = None
            if refused.final:
                self._drop(refused)
                return
            session.refuse(refused, refused.ref)
        else:
            if asked is not session.question:
                self._end_secret(asked)
                self._begin_secret()
            if command is not None:
                waiting = do(self._server.chat, session, command)
                if waiting is not None and not waiting.called:
                    self._stop(BUSY)
                    waiting.addCallback(lambda _: self._done())
                elif session.question is not None:
                    self._begin_secret()
                if isinstance(command, PutChunk):
                    self._begin_raw(command.bytes)
        if self._standing is not None:
            self._see_standing(command)
        if self._pace is not None and self._spend_line(length) and not self._outbox.closing:
            self._stop(PACED)
            self._check_waiting()

    def _done(self) -> None:
        """Read on: the command that moved the session is done, or its answers are asked for again."""
        self._begin_secret()
        self._go(BUSY)

    def _begin_secret(self) -> None:
        """Hide what a person types who is being asked for a password."""
        if self._telnet is not None and getattr(self._session.question, "secret", False):
            self._telnet.hide_input()

    def _end_secret(self, question: Any) -> None:
        """The password has been typed, and with it a line end that was not seen either."""
        if self._telnet is not None and getattr(question, "secret", False):
            self._telnet.show_input()
            if self._telnet.seen:  # nc echoes nothing, and showed it
                self._outbox.write(b"\r\n")

    def _see_standing(self, command: Command | None) -> None:
        """Whom there is no seat for may log in, and do nothing else."""
        if self._session.seated:
            self._sit()
        elif not self._server.chat.seats.kept:
            self.close()  # it has been told why, and has not ended a ghost of its own
        elif self._session.offer is not None and self._standing is not None:
            self._standing.reset(TAKEOVER_WITHIN)
        elif not isinstance(command, Login | Takeover | Hello | Pong) and self._session.question is None:
            self.close()

    def _spend_line(self, length: int) -> bool:
        """Count a line, unless it belongs to a file that is under way; return whether the next one must wait."""
        transfers = self._session.transfers
        if transfers is not None and transfers.excused():
            return False
        late = self._pace is not None and self._pace.spend_line()
        if self._telnet is None:  # a person's bytes are counted as they come, a program's when they are no chunk's
            self._spend_bytes(length)
        return late

    def _spend_bytes(self, number: int) -> None:
        if number and self._pace is not None and self._pace.spend_bytes(number):
            self._stop(PACED)

    def _check_waiting(self) -> None:
        """Lines beyond the budget are delayed; too many of them end the connection. A chunk is no lines."""
        waiting = self.clearLineBuffer()
        begin = self._raw.missing if self._raw is not None else 0
        raw = _CHUNK_RECORD.search(waiting, begin)
        if waiting.count(b"\n", begin, raw.start() if raw else len(waiting)) > LINES_WAITING:
            self._drop(TOO_FAST())
        else:
            LineReceiver.dataReceived(self, waiting)  # puts it back: reading has stopped

    # ---- chunks of files ---------------------------------------------------------------------------------------

    @staticmethod
    def _check_chunk(command: PutChunk) -> None:
        """See that what follows can be taken out of the stream.

        Raises:
            Refused: There is too much of it.
        """
        if command.bytes > CHUNK:
            refused = CHUNK_TOO_LONG(most=CHUNK)
            refused.final = True
            raise refused

    def _begin_raw(self, number: int) -> None:
        """So many raw bytes follow, whether their record was refused or not."""
        transfers = self._session.transfers
        if number and not self._outbox.closing:
            self._raw = RawBytes(number, transfers is not None and transfers.expects)
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        raw, transfers = self._raw, self._session.transfers
        assert raw is not None
        rest = raw.feed(data)
        if raw.missing:
            return
        self._raw = None
        self.line_mode = 1
        if rest:
            LineReceiver.dataReceived(self, rest)  # only puts it back
        waiting = transfers.take(raw.take()) if transfers is not None else None
        if waiting is not None and not waiting.called:
            self._stop(STORING)
            waiting.addCallback(lambda _: self._go(STORING))

    # ---- stop and go -------------------------------------------------------------------------------------------

    def _stop(self, why: int) -> None:
        if not self._stops:
            self.paused = True
            self.transport.pauseProducing()
        self._stops |= why

    def _go(self, why: int) -> None:
        if not self._stops:
            return
        self._stops &= ~why
        if self._stops or self._outbox.closing or not self.transport.connected:
            return
        self.paused = False
        self._process(b"")  # what has come already comes first, and may stop reading again
        if not self._stops and not self._ended and not self._outbox.closing:  # after the end there is nothing to read
            self.transport.resumeProducing()

    def _paced(self) -> None:
        self._go(PACED)

    def press(self, pressed: bool) -> None:
        """The log has enough to do, or can take more."""
        if pressed:
            self._stop(PRESSED)
        else:
            self._go(PRESSED)
