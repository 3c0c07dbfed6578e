"""A connection to a server: records out, typed events in. Nothing that a hostile server sends can do harm from here on.

Lines are bounded; an event that is not known, or not as it should be, is ignored, so that newer servers are understood
as far as possible; strings are cleaned and cut, lists cut, numbers checked before anybody sees them. After the record
of a chunk come raw bytes: the two together are one ``Piece``.
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
from chatroom.model.text import clean

LINE_BYTES = 1 << 19  # the longest record of a server, 200 rooms with long topics, has about 400 kB
LONGEST = {"text": 64 * 1024}  # characters of a field ...
OTHERWISE = 1024  # ... and of any other
MOST_ITEMS = 10_000  # of a list
GREATEST = 2**53
LATEST = 253_370_764_800_000  # 9999-01-01, in milliseconds since 1970
_MOMENTS = ("at", "until", "made", "used")  # fields in milliseconds since 1970

Ref = int | str
Heard = Callable[["e.Event | Piece", Ref | None], None]
Ended = Callable[[Failed], None]


class _Head(Struct, frozen=True, gc=False):
    event: str
    re: Ref | None = None


class Piece(Struct, frozen=True, gc=False):
    """A chunk of a file that is fetched."""

    file: str
    index: int
    data: bytes


_head = msgspec.json.Decoder(_Head).decode
_decoders = {kind.__struct_config__.tag: msgspec.json.Decoder(kind).decode for kind in a.TOLD}
_encode = msgspec.json.Encoder().encode


class NoRecord(ValueError):
    """A line that is no record of a chatroom server's."""


class ServerConnection(LineReceiver):
    """See the module.

    Args:
        server: Host and port, as they are called in messages.

    Attributes:
        security: How it is protected: ``TLS 1.3``, or ``plain``.
        why: Why it has ended, once it has.
        gave_up: It was we who ended it, by ``abort``.
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
        self._spoken = False  # the server has said something that is a record
        self._piece: tuple[a.Chunk, RawBytes] | None = None  # what comes at the moment
        self._writing: _Writing | None = None

    def listen(self, heard: Heard, ended: Ended) -> None:
        """Begin.

        Args:
            heard: Given every event, and the ``ref`` of the command that it answers.
            ended: Called once, when the connection is gone; with the reason.
        """
        self._heard = heard
        self._ended = ended
        if self._over and self.why is not None:
            self._finish(self.why)

    def send(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send a record, and the raw bytes of which it speaks; nothing happens when the connection is gone."""
        if self.transport is not None and not self._over:
            self.transport.write(encoded(record) + data)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call that when the network takes more, at once if it does now; never when the connection goes before."""
        if self._writing is None:
            self._writing = _Writing()
            transport: Any = self.transport
            transport.registerProducer(self._writing, True)
        self._writing.when_free(call)

    def read(self, on: bool) -> None:
        """Read what comes, or let it wait in the network."""
        transport: Any = self.transport
        if transport is not None and not self._over:
            (transport.resumeProducing if on else transport.pauseProducing)()

    def abort(self, why: Failed) -> None:
        """End it at once.

        Args:
            why: The reason that is told.
        """
        if not self._over:
            self.why = self.why or why
            self._over = self.gave_up = True
            transport: Any = self.transport
            transport.abortConnection()

    # ---- what comes ------------------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        """Say what it is, if it is something."""
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
        """Gather the piece; after it come lines again."""
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
        """Read no further: who sends such lines wants our memory."""
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
    """Whether the network takes what is written: told by the transport, asked by whoever has much to send."""

    def __init__(self) -> None:
        self._full = False
        self._waiting: deque[Callable[[], None]] = deque()

    def when_free(self, call: Callable[[], None]) -> None:
        """See ``ServerConnection``; one after the other, for each may fill it again."""
        self._waiting.append(call)
        self._go_on()

    def pauseProducing(self) -> None:
        """It is full."""
        self._full = True

    def resumeProducing(self) -> None:
        """It is not any more."""
        self._full = False
        self._go_on()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._waiting.clear()

    def _go_on(self) -> None:
        while self._waiting and not self._full:
            self._waiting.popleft()()


def encoded(record: dict[str, Any]) -> bytes:
    """Return a record as it is sent; what cannot be encoded in strings is replaced.

    Args:
        record: Fields of strings, numbers and booleans.
    """
    try:
        return _encode(record) + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, as undecodable arguments of a command line have it
        sane = {k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in record.items()}
        return _encode(sane) + b"\n"


def decoded(line: bytes) -> tuple[e.Event | None, Ref | None]:
    """Return the event in a line, None if it is ignored, and the ref of what it answers.

    Raises:
        NoRecord: It is no record at all.
    """
    try:
        head = _head(line)
    except (ValueError, RecursionError) as error:
        raise NoRecord(str(error)) from None
    decode = _decoders.get(head.event)
    if decode is None:
        return None, head.re
    try:
        return _sane(decode(line)), head.re
    except (ValueError, RecursionError):
        return None, head.re


# ---- what may pass -------------------------------------------------------------------------------------------------


def _sane(struct: Any) -> Any:
    """Return the struct without anything that could do harm.

    Raises:
        ValueError: A number of it is out of bounds.
    """
    changes = {}
    for field in struct.__struct_fields__:
        old = getattr(struct, field)
        new = _checked(field, old, lines=isinstance(struct, a.Ok))
        if new is not old:
            changes[field] = new
    return msgspec.structs.replace(struct, **changes) if changes else struct


def _checked(field: str, value: Any, *, lines: bool) -> Any:
    if isinstance(value, str):
        cut = value[: LONGEST.get(field, OTHERWISE)]
        # What the server says for people may have several lines.
        return "\n".join(map(clean, cut.split("\n"))) if lines and "\n" in cut else clean(cut)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not 0 <= value <= (LATEST if field in _MOMENTS else GREATEST):  # which NaN is not, either
            raise ValueError(f"{field} is out of bounds")
        return value
    if isinstance(value, list):
        return [_checked(field, item, lines=False) for item in value[:MOST_ITEMS]]
    return _sane(value) if isinstance(value, Struct) else value
