"""Messages and files over an open link: what the other side does not acknowledge is given back, to go by the server."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.direct.link import (
    ACK,
    CHUNK,
    CHUNK_DONE,
    ENVELOPE,
    HEAD,
    LONGEST_FRAME,
    PING,
    RECEIVED,
    DirectLink,
)
from chatroom.model.device_keys import Envelope
from chatroom.model.logger import logger

_log = logger(__name__)

PATIENCE = 5.0  # seconds without progress until what waits for an acknowledgement is given back
IDLE = 20.0  # seconds without anything received until we ask whether the other side is still there
WINDOW = 64  # messages that may wait for their acknowledgement
CHUNK_WINDOW = 8  # chunks of files that may
MOST_UNREAD = 64 * 1024  # bytes of answers that may wait for a side that does not read
MOST_QUEUED = 1000  # messages and chunks that may wait to be sent
REPORT_EVERY = 16 * 1024  # bytes received between two reports; so a slow link is told from a dead one
MOST_REMEMBERED = 1000  # messages received, to know duplicates
LONGEST_ID = 64

_TOTAL = Struct("!Q")
_PING = "ping"


class UseRelay(Exception):
    """Something did not reach the other side over the link, as far as we know; it should go by the server."""


class _Carried(msgspec.Struct, frozen=True):
    """What the frame of a message holds."""

    id: str
    envelope: Envelope


@dataclass(slots=True, repr=False)
class _Item:
    """Something that is sent, or waits to be sent.

    Args:
        key: Names it until it is acknowledged.
        kind: The kind of its frame.
        payload: The bytes of its frame; emptied once they were sent.
        done: Fires when it is acknowledged, if somebody waits for it.
        end: How many bytes of frames there were once it was sent.
        since: The time of the last progress.
    """

    key: str
    kind: int
    payload: bytes
    done: Deferred[None] | None
    end: int = 0
    since: float = 0.0


class SeenMessages:
    """Remembers messages that arrived from a device, to know a duplicate. It outlives a link."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def __contains__(self, key: tuple[str, bytes]) -> bool:
        return key in self._seen

    def add(self, key: tuple[str, bytes]) -> None:
        """Remember an id and the hash of its bytes. The same id with other bytes is another message."""
        self._seen[key] = None
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)


@implementer(IPushProducer)
class LinkChannel:
    """Sends and receives over a link.

    Args:
        link: The link; it is open.
        clock: Makes delayed calls.
        seen: The messages that this device has sent so far.
        envelope: Called with the id and the envelope of each message; its result may be a Deferred. The message is
            acknowledged afterwards, unless that fails.
        chunk: Called with the bytes of each chunk of a file, in the same way.
        lost: Called once with the reason when the link has ended, before anything is given back.

    Attributes:
        bytes_sent: The bytes of all frames sent.
        bytes_received: The bytes of all frames received.
    """

    def __init__(
        self,
        link: DirectLink,
        clock: Any,
        seen: SeenMessages,
        envelope: Callable[[str, Envelope], Any],
        chunk: Callable[[bytes], Any],
        lost: Callable[[str], None],
    ) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self._link = link
        self._clock = clock
        self._seen = seen
        self._envelope = envelope
        self._chunk = chunk
        self._lost = lost
        self._ended = False
        self._queue: deque[_Item] = deque()
        self._sent: OrderedDict[str, _Item] = OrderedDict()  # not acknowledged yet, in order
        self._keys: set[str] = set()  # of all in the queue, or sent
        self._chunks = 0  # how many chunks were given to us
        self._chunks_sent = 0  # how many of those sent are not acknowledged
        self._handled = [0, 0]  # how many messages, and chunks, of the other side are being handled
        self._full = False
        self._unread = 0  # bytes of answers written since the network took nothing more
        self._reported = 0  # how many received bytes we reported
        self._confirmed = 0  # how many of our bytes the other side reported
        self._heard = clock.seconds()
        self._timer: Any = clock.callLater(IDLE, self._look)
        link.listen(self._frame, self._progress, self._on_lost)
        link.transport.registerProducer(self, True)

    # ---- sending -----------------------------------------------------------------------------------------------------

    def send(self, key: str, envelope: Envelope) -> Deferred[None]:
        """Send a message.

        Args:
            key: The id of the message.
            envelope: The sealed message, as for the server.

        Returns:
            A Deferred that fires when the other side has acknowledged it, or fails with ``UseRelay``.
        """
        payload = msgspec.json.encode(_Carried(key, envelope))
        if not key or len(key) > LONGEST_ID or len(payload) > LONGEST_FRAME[ENVELOPE]:
            return fail(UseRelay("the message does not fit into a frame"))
        return self._put(f"m{key}", ENVELOPE, payload)

    def send_chunk(self, data: bytes) -> Deferred[None]:
        """Send bytes of a file.

        Returns:
            A Deferred that fires when the other side has handled them, or fails with ``UseRelay``.
        """
        if len(data) > LONGEST_FRAME[CHUNK]:
            return fail(UseRelay("the chunk does not fit into a frame"))
        self._chunks += 1
        return self._put(f"c{self._chunks}", CHUNK, data)

    def _put(self, key: str, kind: int, payload: bytes) -> Deferred[None]:
        if self._ended or self._link.ended:
            return fail(UseRelay("there is no link"))
        if len(self._queue) >= MOST_QUEUED or key in self._keys:
            return fail(UseRelay("it is being sent already, or too much is"))
        done: Deferred[None] = Deferred()
        self._keys.add(key)
        self._queue.append(_Item(key, kind, payload, done))
        self._send_queued()
        return done

    def _send_queued(self) -> None:
        """Send what waits, in order, as far as the network and the windows for acknowledgements allow."""
        while self._queue and not self._full and not self._link.ended and self._has_window(self._queue[0]):
            item = self._queue.popleft()
            self._chunks_sent += item.kind == CHUNK
            self._send(item)

    def _has_window(self, item: _Item) -> bool:
        if item.kind == CHUNK:
            return self._chunks_sent < CHUNK_WINDOW
        return len(self._sent) - self._chunks_sent < WINDOW

    def _send(self, item: _Item) -> None:
        """Send something, and expect an answer in time."""
        self._write(item.kind, item.payload)
        item.payload, item.end, item.since = b"", self.bytes_sent, self._clock.seconds()
        self._sent[item.key] = item
        if len(self._sent) == 1:
            self._look_in(PATIENCE)

    def _write(self, kind: int, payload: bytes = b"") -> None:
        self.bytes_sent += self._link.write_frame(kind, payload)

    def _answer(self, kind: int, payload: bytes = b"") -> None:
        """Send an answer, even if the network takes nothing more; but not to a side that sends and never reads."""
        self._write(kind, payload)
        self._unread += len(payload) + HEAD.size if self._full else 0
        if self._unread > MOST_UNREAD:
            self._link.abort("it does not read our answers")

    def pauseProducing(self) -> None:
        """Send nothing more for now; the transport calls this when the network takes no more."""
        self._full = True

    def resumeProducing(self) -> None:
        """Go on sending; the transport calls this."""
        self._full = False
        self._unread = 0
        self._send_queued()

    def stopProducing(self) -> None:
        """Send nothing more: the connection ends; the transport calls this."""
        self._full = True

    # ---- receiving ---------------------------------------------------------------------------------------------------

    def _frame(self, kind: int, payload: bytes) -> None:
        self._progress(self._link.bytes_read)
        if kind == ENVELOPE:
            self._take_message(payload)
        elif kind == CHUNK:
            self._handle(1, CHUNK_WINDOW, self._chunk, (payload,), lambda: self._answer(CHUNK_DONE))
        elif kind == PING:
            self._report()
        elif kind == RECEIVED:
            self._on_report(payload)
        else:
            self._on_ack(f"m{payload.decode('utf-8', 'replace')}" if kind == ACK else self._oldest_chunk())

    def _progress(self, received: int) -> None:
        """Note how many bytes have come, and report it now and then."""
        self.bytes_received = received
        self._heard = self._clock.seconds()
        if received - self._reported >= REPORT_EVERY:
            self._report()

    def _report(self) -> None:
        self._reported = self.bytes_received
        self._answer(RECEIVED, _TOTAL.pack(self.bytes_received))

    def _take_message(self, payload: bytes) -> None:
        try:
            carried = msgspec.json.decode(payload, type=_Carried)
        except (ValueError, RecursionError):
            self._link.abort("it sent a message that cannot be read")
            return
        if not 0 < len(carried.id) <= LONGEST_ID:
            self._link.abort("it sent a message without a proper id")
            return
        key = carried.id, sha256(payload).digest()
        if key in self._seen:
            self._answer(ACK, carried.id.encode())
            return

        def acknowledge() -> None:
            self._seen.add(key)
            self._answer(ACK, carried.id.encode())

        self._handle(0, WINDOW, self._envelope, (carried.id, carried.envelope), acknowledge)

    def _handle(
        self, which: int, most: int, call: Callable[..., Any], given: tuple[Any, ...], done: Callable[[], None]
    ) -> None:
        """Let something received be handled, and acknowledge it then; read no more while too much is being handled."""
        self._handled[which] += 1
        if self._handled[which] >= most:
            self._link.pause(True)

        def finished(handled: bool) -> None:
            self._handled[which] -= 1
            if handled and not self._link.ended:
                done()
            self._link.pause(self._handled[0] >= WINDOW or self._handled[1] >= CHUNK_WINDOW)

        maybeDeferred(call, *given).addCallbacks(lambda result: True, _not_handled).addCallback(finished)

    # ---- acknowledgements --------------------------------------------------------------------------------------------

    def _oldest_chunk(self) -> str:
        return next((key for key, item in self._sent.items() if item.kind == CHUNK), "")

    def _on_ack(self, key: str) -> None:
        item = self._sent.pop(key, None)
        if item is None:
            return  # given back already, or never sent
        self._keys.discard(key)
        self._chunks_sent -= item.kind == CHUNK
        if item.done is not None:
            item.done.callback(None)
        self._send_queued()

    def _on_report(self, payload: bytes) -> None:
        """Note that the other side received more, so that what is still on its way gets more time."""
        total = _TOTAL.unpack(payload)[0] if len(payload) == _TOTAL.size else 1 << 63
        if total > self.bytes_sent:
            self._link.abort("it says that it received more than we sent")
            return
        if total > self._confirmed:
            now = self._clock.seconds()
            for item in self._sent.values():
                if item.end > self._confirmed:
                    item.since = now
            self._confirmed = total
        ping = self._sent.get(_PING)
        if ping is not None and total >= ping.end:
            self._on_ack(_PING)

    def _look(self) -> None:
        """End the link if an acknowledgement is overdue, and ask for a sign of life if nothing came for long."""
        now = self._clock.seconds()
        oldest = min((item.since for item in self._sent.values()), default=None)
        if oldest is not None and now - oldest >= PATIENCE:
            self._link.abort(f"nothing was acknowledged for {PATIENCE:.0f} seconds")
            self._on_lost(self._link.why)
            return
        if oldest is None and now - self._heard >= IDLE:
            self._send(_Item(_PING, PING, b"", None))
            oldest = now
        due = self._heard + IDLE if oldest is None else oldest + PATIENCE
        self._look_in(max(0.0, due - now))

    def _look_in(self, seconds: float) -> None:
        if self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self._look)

    # ---- the end -----------------------------------------------------------------------------------------------------

    def close(self, why: str) -> None:
        """Close the link, and give back what is not acknowledged.

        Args:
            why: The reason to pass on.
        """
        self._link.close(why)
        self._on_lost(why)

    def _on_lost(self, why: str) -> None:
        if self._ended:
            return
        self._ended = True
        if self._timer.active():
            self._timer.cancel()
        left = [*self._sent.values(), *self._queue]
        self._sent.clear()
        self._queue.clear()
        self._lost(why)
        for item in left:
            if item.done is not None:
                item.done.errback(UseRelay(why))


def _not_handled(failure: Failure) -> bool:
    """Log that something received was not handled: it stays without an acknowledgement, and comes again by the server.

    What it was is not logged, nor the error's text, which may quote it.
    """
    _log.error("something received over a direct link could not be handled: {kind}", kind=type(failure.value).__name__)
    return False
