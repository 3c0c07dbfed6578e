"""A connection to a server: records go out, typed events come in, and nothing that a hostile server sends does harm.

Lines are bounded. Unknown and malformed events are ignored, so that the client understands newer servers as far as
possible. Strings are cleaned and cut, lists are cut and numbers are checked. The record of a chunk and the raw bytes
that follow it become one ``Piece``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.errors import Failed, why_lost
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.raw_bytes import RawBytes
from chatroom.model.shared_files import CHUNK
from chatroom.model.text import MOST_LINES, clean, clean_lines, on_one_line

LINE_BYTES = 1 << 19  # the longest record of a server, a list of 200 rooms with long topics, has about 400 kB
READ_AT_ONCE = 16 * 1024  # bytes; Twisted reads 64 KiB, and the screen needs more than 20 ms for so many events
LONGEST = {"text": 64 * 1024, "body": 16 * 1024, "ct": 16 * 1024, "sealed": 8 * 1024}  # characters, by field
OTHERWISE = 1024  # characters of any other field
MOST_ITEMS = 10_000  # of a list
GREATEST = 2**53  # the largest number
LATEST = 253_370_764_800_000  # 9999-01-01, in milliseconds since 1970
_MOMENTS = ("at", "until", "made", "used", "edited")  # fields in milliseconds since 1970

Ref = int | str
Heard = Callable[["e.Event | Piece", Ref | None], None]
Ended = Callable[[Failed], None]


class _Head(Struct, frozen=True, gc=False):
    event: str
    re: Ref | None = None


class Piece(Struct, frozen=True, gc=False):
    """A chunk of a file that is being fetched."""

    file: str
    index: int
    data: bytes


_head = msgspec.json.Decoder(_Head).decode
_decoders = {kind.__struct_config__.tag: msgspec.json.Decoder(kind).decode for kind in a.TOLD}
_NOT_UNDERSTOOD = a.Error("version", "this client does not understand the server's answer.")
_encode = msgspec.json.Encoder().encode


class NoRecord(ValueError):
    """A line is no record of a chatroom server."""


class ServerConnection(LineReceiver):
    """Sends records to a server, and passes on its events.

    Args:
        server: Host and port, for messages.

    Attributes:
        security: How the connection is protected, as ``TLS 1.3`` or ``plain``.
        why: Why the connection has ended; None while it lasts.
        gave_up: Whether ``abort`` has ended the connection.
    """

    delimiter = b"\n"
    MAX_LENGTH = LINE_BYTES

    def __init__(self, server: str) -> None:
        self.server = server
        self.security = "plain"
        self.gave_up = False
        self._heard: Heard | None = None
        self._ended: Ended | None = None
        self.why: Failed | None = None
        self._over = False
        self._spoken = False  # the server has sent a valid record
        self._piece: tuple[a.Chunk, RawBytes] | None = None  # the chunk whose bytes are being received
        self._writing: _Writing | None = None

    def makeConnection(self, transport: Any) -> None:
        """See ``Protocol``: read little at a time, so that thousands of events leave the user turns in between."""
        tcp = getattr(transport, "transport", transport)  # below TLS
        if hasattr(tcp, "bufferSize"):
            tcp.bufferSize = READ_AT_ONCE
        super().makeConnection(transport)

    @property
    def address(self) -> str:
        """The address of the server, as ``192.0.2.7``; empty if there is none."""
        transport: Any = self.transport
        return str(getattr(transport.getPeer(), "host", "")) if transport is not None else ""

    def listen(self, heard: Heard, ended: Ended) -> None:
        """Pass on events from now on.

        Args:
            heard: Called with every event, and the ``ref`` of the command that the event answers, or None.
            ended: Called once with the reason when the connection has ended.
        """
        self._heard = heard
        self._ended = ended
        if self._over and self.why is not None:
            self._finish(self.why)

    def send(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send a record and the raw bytes that belong to it; do nothing if the connection has ended."""
        if self.transport is not None and not self._over:
            self.transport.write(encoded(record) + data)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function when the network accepts more data, at once if it does now; never, if the connection ends."""
        if self._writing is None:
            self._writing = _Writing()
            transport: Any = self.transport
            transport.registerProducer(self._writing, True)
        self._writing.when_free(call)

    def read(self, on: bool) -> None:
        """Read from the server if ``on``; otherwise stop reading, and let data wait in the network."""
        transport: Any = self.transport
        if transport is not None and not self._over:
            (transport.resumeProducing if on else transport.pauseProducing)()

    def abort(self, why: Failed) -> None:
        """End the connection at once.

        Args:
            why: The reason to pass on.
        """
        if not self._over:
            self.why = self.why or why
            self._over = self.gave_up = True
            transport: Any = self.transport
            transport.abortConnection()

    # ---- what the server sends -------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        """Pass on the event in a line."""
        if self._over or self._heard is None or not line.strip():
            return
        try:
            event, re = decoded(line)
        except NoRecord as error:
            self.abort(self._not_understood(line, error))
            return
        self._spoken = True
        if isinstance(event, a.Chunk) and event.bytes:
            self._begin_piece(event)
        elif event is not None:
            self._heard(event, re)

    def _begin_piece(self, chunk: a.Chunk) -> None:
        if chunk.bytes > CHUNK:
            self.abort(Failed(f"{self.server} sent a piece of a file that is too large"))
            return
        self._piece = chunk, RawBytes(chunk.bytes, True)
        self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        """Gather the raw bytes of a chunk; when all are there, pass on the ``Piece`` and read lines again."""
        if self._over or self._piece is None:
            return
        chunk, raw = self._piece
        rest = raw.feed(data)
        if not raw.missing:
            self._piece = None
            if self._heard is not None:
                self._heard(Piece(chunk.file, chunk.index, raw.take()), None)
            self.setLineMode(rest)

    def lineLengthExceeded(self, line: bytes) -> None:
        """End the connection, because keeping so long a line would only fill our memory."""
        self.abort(Failed(f"{self.server} sent a line of more than {LINE_BYTES >> 10} KiB"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over = True
        self._finish(self.why or why_lost(reason, self.server))

    def _finish(self, why: Failed) -> None:
        self.why = why
        ended, self._ended, self._heard = self._ended, None, None
        if ended is not None:
            ended(why)

    def _not_understood(self, line: bytes, error: NoRecord) -> Failed:
        start = clean(line[:60].decode("utf-8", "replace").strip())
        if self._spoken:
            return Failed(f"{self.server} sent something that is not a valid record: {start}")
        return Failed(f"{self.server} is not a chatroom server, or does not take records; it sent: {start}")


@implementer(IPushProducer)
class _Writing:
    """Learns from the transport whether the network accepts more data, and calls the functions that wait for this."""

    def __init__(self) -> None:
        self._full = False
        self._waiting: deque[Callable[[], None]] = deque()

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function when the network accepts more data. Any function may fill the network, so the next waits."""
        self._waiting.append(call)
        self._go_on()

    def pauseProducing(self) -> None:
        """Note that the network accepts no more data; the transport calls this."""
        self._full = True

    def resumeProducing(self) -> None:
        """Note that the network accepts data again, and call waiting functions; the transport calls this."""
        self._full = False
        self._go_on()

    def stopProducing(self) -> None:
        """Forget the waiting functions: the connection has ended."""
        self._waiting.clear()

    def _go_on(self) -> None:
        while self._waiting and not self._full:
            self._waiting.popleft()()


def encoded(record: dict[str, Any]) -> bytes:
    """Return the line for a record. Characters that UTF-8 cannot encode are replaced.

    Args:
        record: The fields of the record: strings, numbers and booleans.
    """
    try:
        return _encode(record) + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, as in a command-line argument that is not UTF-8
        sane = {k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in record.items()}
        return _encode(sane) + b"\n"


def decoded(line: bytes) -> tuple[e.Event | None, Ref | None]:
    """Return the event in a line, and the ``ref`` of the command that it answers; an event to ignore is None.

    An unknown answer of a newer server is an error, so that nobody waits for ever.

    Raises:
        NoRecord: The line is no record.
    """
    try:
        head = _head(line)
    except (ValueError, RecursionError) as error:
        raise NoRecord(str(error)) from None
    decode = _decoders.get(head.event)
    if decode is None:
        return None if head.re is None else _NOT_UNDERSTOOD, head.re
    try:
        return _sane(decode(line)), head.re
    except (ValueError, RecursionError):
        return None, head.re


# ---- cleaning ------------------------------------------------------------------------------------------------------


def _sane(struct: Any) -> Any:
    """Return an event, or a struct in it, with strings cleaned, and strings and lists cut to their limits.

    Raises:
        ValueError: A number is out of bounds.
    """
    changes = {}
    for field in struct.__struct_fields__:
        old = getattr(struct, field)
        new = _checked(field, old, _cleaning(struct) if field == "text" else clean)
        if new is not old:
            changes[field] = new
    return msgspec.structs.replace(struct, **changes) if changes else struct


def _cleaning(struct: Any) -> Callable[[str], str]:
    """Return the function that cleans the text of a record."""
    if isinstance(struct, a.Ok):
        return _clean_each_line
    return _clean_message if getattr(struct, "has_lines", False) else clean


def _clean_each_line(text: str) -> str:
    """Clean the text of an ``Ok``, whose lines are the server's own."""
    return "\n".join(map(clean, text.split("\n")))


def _clean_message(text: str) -> str:
    """Clean the text of a message. What a hostile server sends beyond ``MOST_LINES`` becomes part of the last line."""
    text = clean_lines(text)
    if text.count("\n") < MOST_LINES:
        return text
    *lines, rest = text.split("\n", MOST_LINES - 1)
    return "\n".join([*lines, on_one_line(rest)])


def _checked(field: str, value: Any, cleaned: Callable[[str], str] = clean) -> Any:
    """Return the value of a field, cleaned by ``cleaned`` and cut as ``_sane`` says."""
    if isinstance(value, str):
        return cleaned(value[: LONGEST.get(field, OTHERWISE)])
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not 0 <= value <= (LATEST if field in _MOMENTS else GREATEST):  # false for NaN, too
            raise ValueError(f"{field} is out of bounds")
        return value
    if isinstance(value, list):
        return [_checked(field, item) for item in value[:MOST_ITEMS]]
    if isinstance(value, e.EmojiReaction):
        return e.EmojiReaction._make(_checked(field, item) for item in value)
    if isinstance(value, tuple):
        return tuple(_checked(field, item) for item in value[:MOST_ITEMS])
    return _sane(value) if isinstance(value, Struct) else value
