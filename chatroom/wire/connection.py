"""One connection that speaks lines: it reads bytes at a bounded rate, gives the chat the commands, and ends in order.

Three tables describe a connection. First, its life. (A seat is a place in the chat; ``--max-users`` says how many.)

    state      kept in           entered when                           left when
    ---------  ----------------  -------------------------------------  ------------------------------------------------
    seatless   _seat_wait        it is made, and no seat is free        it logs in and gets a seat (open), or does
                                                                        anything else, or waits too long (closing)
    open                         it is made, or gets a seat             a state below begins
    half       _ended            the other side will send no more       all it said is answered (closing)
    closing    _outbox.closing   ``close``, ``drop``, the chat ends     what is held is sent, or is not taken for too
                                 the session, or too much is held       long (lost)
    lost                         ``connectionLost``                     never

Second, what its next bytes are:

    lines                        it is made                             a state below begins
    skipped    _skipping         a line is too long                     that line ends (lines)
    raw        _raw              a record announced a chunk of a file   all bytes of the chunk have come (lines)

Third, why it is not read. It is read while ``stops`` has none of these bits; several may be set at once:

    BUSY                         a command begins that must be done     that command is done
                                 before the next one
    PACED                        the budget of lines or bytes is spent  there is budget again
    PRESSED                      the store asks for a pause             the store can take more
    STORING                      a chunk of a file must be written      it is written

While it is not read, bytes that were read before wait in the line receiver's buffer, and the others in the network.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.chat.dispatch import do
from chatroom.chat.limits import LINES_WAITING, READ_COST
from chatroom.chat.session import Session, never_asked
from chatroom.model.commands import Command, PutChunk
from chatroom.model.errors import BAD_TELNET, TOO_FAST, TOO_LONG, Refused
from chatroom.model.logger import logger
from chatroom.model.network import plain
from chatroom.model.raw_bytes import RawBytes
from chatroom.wire import file_chunks
from chatroom.wire.connection_limits import ConnectionSlot
from chatroom.wire.dialects.interface import WireDialect
from chatroom.wire.keepalive import Keepalive
from chatroom.wire.line_editing import edited
from chatroom.wire.outbox import Outbox, outbox_for
from chatroom.wire.pausable_lines import PausableLineReceiver
from chatroom.wire.rate_limit import RateLimit
from chatroom.wire.seat_wait import SeatWait
from chatroom.wire.server_state import ServerState
from chatroom.wire.telnet import NegotiationAbuse, TelnetFilter
from chatroom.wire.transports import is_secure, keep_alive

_log = logger(__name__)

# The bits of ``stops``; see the table above.
BUSY = 1
PACED = 2
PRESSED = 4
STORING = 8


@implementer(IHalfCloseableProtocol)
class ChatProtocol(PausableLineReceiver):
    """A connection of a person or a program. ``DialectDetector`` makes it once it knows which of the two has connected.

    Args:
        server: What all connections share.
        dialect: What the other side speaks.
        place: Counts the connection among those of its address, until we call ``leave`` when it has ended.

    Attributes:
        dialect: As given, or the programs' dialect since the first byte turned out to be a program's.
        spoken: Whether a line has come; a line that is too long counts before its end has come.
    """

    spoken = False
    _session: Session
    _outbox: Outbox
    _keepalive: Keepalive
    _telnet: TelnetFilter | None = None
    _pace: RateLimit | None = None
    _seat_wait: SeatWait | None = None
    _heard = False  # a first byte has come
    _raw: RawBytes | None = None  # the chunk of a file whose bytes come next

    def __init__(self, server: ServerState, dialect: WireDialect, place: ConnectionSlot) -> None:
        self._server = server
        self.dialect = dialect
        self._place = place
        # A carriage return before the delimiter is not part of the line.
        self.MAX_LENGTH = dialect.line_limit + 1

    # ---- beginning and end -------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        transport = self.transport
        server = self._server
        person = self.dialect.person
        transport.setTcpNoDelay(True)
        self._outbox = outbox_for(transport, server.send_queue(self.dialect), self._too_slow)
        if person:
            self._telnet = TelnetFilter(self._outbox.write)
            keep_alive(transport)
        if server.rules.rate:
            self._pace = RateLimit(server.reactor, server.rules.rate, self._paced)
        self._session = _open_session(server, transport, self._outbox, self.dialect)
        self._keepalive = Keepalive(server, self._session, self._outbox)
        if not person:
            self._session.check_alive = self.check_alive
        self._session.place = self._place
        server.connections.add(self)
        if self._session.seated:
            self._outbox.write(self.dialect.greeting(self._session))
        else:
            self._seat_wait = SeatWait(server, self._session, self.close)
        if server.pressed:
            self._stop(PRESSED)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._pace is not None:
            self._pace.stop()
            self._pace = None  # it refers back to us; without that circle our memory is freed at once
        self._end_seat_wait()
        self._keepalive.end_check()
        self._session.check_alive = never_asked  # our own method refers back to us as well
        self._outbox.stopProducing()
        self._server.chat.connections.close(self._session)
        self._place.leave()
        self._server.forget(self)

    def readConnectionLost(self) -> None:
        """Answer all that the other side said, then close, because it will send no more (as after ``nc -N``)."""
        self._ended = True
        self._process(b"\n" if self._raw is None else b"")  # what came after the last line end is a line, too

    def writeConnectionLost(self) -> None:
        """Close, because the other side reads no more."""
        self.transport.loseConnection()

    @property
    def _closing(self) -> bool:
        return self._outbox.closing

    def _all_handled(self) -> None:
        """Close when all that the other side said is answered, and all its events and files are stored."""
        self._session.idle().addCallback(lambda _: self.close())

    def close(self) -> None:
        """Send what the outbox holds, then close the connection."""
        if not self._outbox.closing:
            self._keepalive.silence = 0.0
            self._outbox.close()

    def abort(self) -> None:
        """Close the connection at once, without sending what the outbox holds."""
        self.transport.abortConnection()

    def drop(self, refused: Refused) -> None:
        """Tell the other side why it is refused, then close the connection."""
        self._server.counters.drops[refused.code] += 1
        _log.info("{name} dropped: {code}", name=self._session.name, code=refused.code)
        self._session.refuse(refused)
        self.close()

    def _too_slow(self) -> None:
        """Close at once, because more would be held for the other side than the outbox may hold."""
        self._server.counters.drops["too-slow"] += 1
        _log.info("{name} dropped: too slow", name=self._session.name)
        self.abort()

    def sweep(self, seconds: float) -> None:
        """Add ``seconds``, the length of one of the factory's rounds, to the silence; see ``Keepalive.sweep``."""
        self._keepalive.sweep(self, seconds)

    def check_alive(self, within: float) -> None:
        """Ping the other side, and end its session unless something comes from it within ``within`` seconds."""
        self._keepalive.check_alive(self, within)

    # ---- bytes to lines ----------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        keepalive = self._keepalive
        keepalive.silence = 0.0
        if keepalive.check is not None:
            keepalive.end_check()
        if not self._heard:
            self._heard = True
            if data[:1] == b"{":
                self._speak_records()
        if self._pace is not None:
            size = len(data)
            if self._telnet is not None:  # a person's bytes are charged now, a program's with their line
                self._spend_bytes(size if size > READ_COST else READ_COST)
            elif size < READ_COST:
                self._spend_bytes(READ_COST - size)
        if self._telnet is not None:
            try:
                data = self._telnet.feed(data)
            except NegotiationAbuse as abuse:
                self.drop(BAD_TELNET(why=abuse))
                return
        self._process(self._skip(data) if self._skipping else data)

    def _speak_records(self) -> None:
        """Treat the other side as a program; it was greeted as a person because its first bytes came late."""
        dialect = self._server.records
        self.dialect = self._session.dialect = dialect
        self._session.person = dialect.person
        self._session.check_alive = self.check_alive
        self._telnet = None
        self.MAX_LENGTH = dialect.line_limit + 1
        self._outbox.set_limit(self._server.send_queue(dialect))

    def _line_too_long(self) -> None:
        self.spoken = True
        self._session.refuse(TOO_LONG(limit=self.dialect.line_limit))

    def _skipped(self, number: int) -> None:
        """Charge a program's budget for bytes of a line that is too long; a person's were charged as they came."""
        if self._telnet is None:
            self._spend_bytes(number)

    # ---- lines to commands -------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        if line[-1:] == b"\r":
            line = line[:-1]
        length = len(line)
        session = self._session
        self.spoken = True
        asked = session.question
        try:
            command = self._read(line)
        except Refused as refused:
            if asked is not session.question:
                self._end_secret(asked)
            command = None
            if refused.final:
                self.drop(refused)
                return
            session.refuse(refused, refused.ref)
        else:
            if asked is not session.question:
                self._end_secret(asked)
                self._begin_secret()
            if command is not None:
                self._do(command)
        if self._seat_wait is not None:
            self._check_seat(self._seat_wait, command)
        if self._pace is not None and self._spend_line(length, command) and not self._outbox.closing:
            self._stop(PACED)
            self._check_waiting()

    def _read(self, line: bytes) -> Command | None:
        """Return the command in a line; None if there is nothing to do.

        Raises:
            Refused: The line is too long, or holds no command that the session could give.
        """
        dialect = self.dialect
        if len(line) > dialect.line_limit:  # MAX_LENGTH allows one byte more, for a carriage return
            raise TOO_LONG(limit=dialect.line_limit)
        command = dialect.read(edited(line) if dialect.person else line, self._session)
        if isinstance(command, PutChunk):
            file_chunks.check_chunk_size(command)
        return command

    def _do(self, command: Command) -> None:
        """Give the chat a command; stop reading if the command must be done before the session's next one."""
        waiting = do(self._server.chat, self._session, command)
        if waiting is not None and not waiting.called:
            self._stop(BUSY)
            waiting.addCallback(lambda _: self._done())
        elif self._session.question is not None:
            self._begin_secret()
        if isinstance(command, PutChunk):
            self._begin_raw(command.bytes)

    def _done(self) -> None:
        """Read on, because the command that had to be done first is done. It may have asked for a password."""
        self._begin_secret()
        self._go(BUSY)

    def _begin_secret(self) -> None:
        """Ask a person's telnet client to hide what is typed, if the session asks for a password."""
        if self._telnet is not None and getattr(self._session.question, "secret", False):
            self._telnet.hide_input()

    def _end_secret(self, question: Any) -> None:
        """Let a person's telnet client show what is typed again, if the question that ended was for a password."""
        if self._telnet is not None and getattr(question, "secret", False):
            self._telnet.end_hidden_line()

    def _check_seat(self, wait: SeatWait, command: Command | None) -> None:
        """Close the connection if its session has no seat and did anything but log in."""
        if self._session.seated:
            self._end_seat_wait()
        elif not wait.allows(command):
            self.close()

    def _end_seat_wait(self) -> None:
        if self._seat_wait is not None:
            self._seat_wait.stop()
            self._seat_wait = None

    def _spend_line(self, length: int, command: Command | None) -> bool:
        """Count a line against the rate limit, unless it belongs to a file transfer. Return whether lines must wait."""
        transfers = self._session.transfers
        if transfers is not None and transfers.excused():
            return False
        late = self._pace is not None and self._pace.spend_command(command)
        if self._telnet is None:  # a person's bytes were charged as they came; a chunk's bytes are never charged
            self._spend_bytes(length)
        return late

    def _spend_bytes(self, number: int) -> None:
        if number and self._pace is not None and self._pace.spend_bytes(number):
            self._stop(PACED)

    def _check_waiting(self) -> None:
        """End the connection if too many lines wait for the rate limit's budget; a chunk's bytes are not lines."""
        waiting = self.clearLineBuffer()
        if file_chunks.count_lines(waiting, self._raw) > LINES_WAITING:
            self.drop(TOO_FAST())
        else:
            LineReceiver.dataReceived(self, waiting)  # only puts it back into the buffer, since reading has stopped

    # ---- chunks of files ---------------------------------------------------------------------------------------

    def _begin_raw(self, number: int) -> None:
        """Take the next ``number`` bytes as a chunk of a file, whether the chat refused the chunk's record or not."""
        if number and not self._outbox.closing:
            self._raw = file_chunks.begin(number, self._session)
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        raw = self._raw
        assert raw is not None
        rest = raw.feed(data)
        if raw.missing:
            return
        self._raw = None
        self.line_mode = 1
        if rest:
            LineReceiver.dataReceived(self, rest)  # only puts it back into the buffer
        waiting = file_chunks.finish(raw, self._session)
        if waiting is not None and not waiting.called:
            self._stop(STORING)
            waiting.addCallback(lambda _: self._go(STORING))

    # ---- stop and go -------------------------------------------------------------------------------------------

    def _paced(self) -> None:
        self._go(PACED)

    def press(self, pressed: bool) -> None:
        """Stop reading if ``pressed``, because the store asks for a pause; otherwise go on reading."""
        if pressed:
            self._stop(PRESSED)
        else:
            self._go(PRESSED)


def _open_session(server: ServerState, transport: Any, outbox: Outbox, dialect: WireDialect) -> Session:
    """Open a session in the chat for a connection, and return it."""
    address, secure = plain(str(transport.getPeer().host)), is_secure(transport)
    return server.chat.connections.open(outbox, dialect, person=dialect.person, address=address, secure=secure)
