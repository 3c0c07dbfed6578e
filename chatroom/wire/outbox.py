"""Sends bytes on one connection: straight to the socket while the socket takes all; otherwise a bounded number is held.

``transport.write`` costs two ``epoll_ctl`` calls and a turn of the reactor; a socket that has room needs neither. Bytes
that the socket does not take are held here and handed to the transport, which asks for more when it has sent all that
it has (so the outbox is a pull producer).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from chatroom.wire.transports import is_secure, send_function


def _swallow(data: bytes) -> int:
    return len(data)


def _nothing() -> None:
    return None


@implementer(IPullProducer)
class Outbox:
    """The output of a connection: a ``Recipient`` (``chatroom.chat.interfaces``) that sends over a transport.

    Args:
        transport: The connection's transport.
        limit: The most bytes to hold; 0 for any number.
        on_overflow: Called once, when more bytes would have to be held. The bytes that are held are thrown away first.

    Attributes:
        closing: Whether new bytes are thrown away, so that only bytes already held are still sent.
    """

    __slots__ = (
        "_corked",
        "_given",
        "_held",
        "_limit",
        "_on_free",
        "_on_overflow",
        "_queued",
        "_send",
        "_transport",
        "closing",
    )

    def __init__(self, transport: Any, limit: int, on_overflow: Callable[[], None]) -> None:
        self._transport = transport
        self._send = send_function(transport)
        self._limit = limit
        self._on_overflow = on_overflow
        self._on_free: list[Callable[[], None]] | None = None
        self._held: list[bytes] | None = None  # bytes for the transport; None while the socket takes everything
        self._corked: list[bytes] | None = None  # bytes that wait for ``uncork``; None while nothing must wait for it
        self._queued = 0  # bytes in the two lists
        self._given = -1  # bytes that we gave the transport to send; -1 while we send straight to the socket
        self.closing = False

    def set_limit(self, limit: int) -> None:
        """Change how many bytes are held at most; 0 for any number."""
        self._limit = limit

    def set_owner(self, limit: int, on_overflow: Callable[[], None]) -> None:
        """Change how many bytes are held at most, and what is called when more would have to be held."""
        self._limit = limit
        self._on_overflow = on_overflow

    @property
    def holds(self) -> bool:
        """Whether the outbox holds bytes, or is corked."""
        return self._held is not None

    def write(self, data: bytes) -> None:
        """Send the bytes, or hold them while the other side is slow. Never raise, never block."""
        if self._held is not None:
            self._hold(data)
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.ENOMEM):
                return  # the connection has ended; the reactor will say so
            sent = 0
        if sent != len(data):
            self._fall_back(data[sent:])

    def cork(self) -> None:
        """Hold what is written from now on, until ``uncork`` sends something before it."""
        self._corked = []
        if self._held is None:
            self._held = []

    def uncork(self, first: bytes) -> None:
        """Send ``first``, then what was written since ``cork``."""
        corked, self._corked = self._corked or [], None
        self._queued -= sum(map(len, corked))
        data = b"".join([first, *corked])
        if self._given < 0:
            self._held = None
        if data and not self.closing:
            self.write(data)
        self._freed()

    def widen(self, more: int) -> None:
        """Raise the limit of bytes to hold by ``more``, if there is a limit."""
        if self._limit:
            self._limit += more

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function once, as soon as the outbox holds nothing; never if the connection ends before that."""
        self._on_free = [*(self._on_free or ()), call]
        self._freed()

    def _freed(self) -> None:
        if self._held is None and self._on_free is not None:
            calls, self._on_free = self._on_free, None
            for call in calls:
                call()

    def close(self) -> None:
        """Send what the outbox holds, then end the connection. What is written from now on is thrown away."""
        if self._corked is not None:
            self.uncork(b"")
        self.closing = True
        self._send = _swallow
        self._transport.loseConnection()

    # ---- holding -----------------------------------------------------------------------------------------------

    def _hold(self, data: bytes) -> None:
        if self.closing:
            return
        self._queued += len(data)
        if self._limit and self._queued + max(self._given, 0) > self._limit:
            self._overflow()
        elif self._corked is not None:
            self._corked.append(data)
        else:
            self._held.append(data)  # type: ignore[union-attr]  # only called while something is held

    def _fall_back(self, rest: bytes) -> None:
        self._held = [rest]
        self._queued = len(rest)
        self._given = 0
        if self._limit and len(rest) > self._limit:
            self._overflow()
        else:
            self._transport.registerProducer(self, False)

    def _overflow(self) -> None:
        on_overflow = self._on_overflow
        self.stopProducing()
        self.closing = True
        on_overflow()

    # ---- called by the transport -----------------------------------------------------------------------------------

    def resumeProducing(self) -> None:
        """Give what is held to the transport, which has sent all it had; if nothing is held, go back to the socket."""
        if self._held:
            data, self._held = b"".join(self._held), []
            self._queued -= len(data)
            self._given = len(data)
            self._transport.write(data)
            return
        self._given = -1
        if self._corked is None:
            self._held = None
        self._transport.unregisterProducer()
        self._freed()

    def stopProducing(self) -> None:
        """Forget everything, because the connection has ended."""
        self._send = _swallow
        self._on_overflow = _nothing  # the old one refers to our owner; such a circle would be freed late
        self._held, self._corked, self._on_free = None, None, None
        self._queued, self._given = 0, -1


class SecureOutbox(Outbox):
    """An outbox over TLS. Only corked bytes wait here; all others are encrypted, and held in the outbox under TLS.

    Args:
        transport: The TLS connection (``chatroom.wire.tls.Unwrapping``).
        limit: The most bytes to hold; 0 for any number.
        on_overflow: Called once, when more bytes would have to be held. The bytes that are held are thrown away first.
    """

    __slots__ = ("_below",)

    def __init__(self, transport: Any, limit: int, on_overflow: Callable[[], None]) -> None:
        super().__init__(transport, limit, on_overflow)
        self._below: Outbox = transport.outbox
        self._below.set_owner(limit, self._overflow)

    @property
    def holds(self) -> bool:
        """Whether this outbox holds bytes or is corked, or the one under TLS holds bytes."""
        return self._held is not None or self._below.holds

    def set_limit(self, limit: int) -> None:
        """Change how many bytes are held at most; 0 for any number."""
        super().set_limit(limit)
        self._below.set_limit(limit)

    def widen(self, more: int) -> None:
        """Raise the limit of bytes to hold by ``more``, and under TLS by what encryption adds, if there is a limit."""
        super().widen(more)
        self._below.widen(more + more // 64)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function once, as soon as neither this outbox nor the one under TLS holds anything."""
        super().when_free(lambda: self._below.when_free(call))

    def stopProducing(self) -> None:
        """Forget everything, because the connection has ended."""
        super().stopProducing()
        self._below.stopProducing()


def outbox_for(transport: Any, limit: int, on_overflow: Callable[[], None]) -> Outbox:
    """Return a new outbox of the kind that fits the transport; the arguments are those of ``Outbox``."""
    return (SecureOutbox if is_secure(transport) else Outbox)(transport, limit, on_overflow)
