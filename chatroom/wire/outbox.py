"""The way out to one connection: straight to the socket while it takes everything, held and bounded while it does not.

``transport.write`` costs two ``epoll_ctl`` calls and a turn of the reactor; a socket that has room needs neither. What
it does not take is held here and handed to the transport, which asks for more when it is empty (a pull producer).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer


def sender(transport: Any) -> Callable[[bytes], int]:
    """Return what sends bytes over a transport: its socket's ``send``, or its ``write`` where bytes must go through it.

    A transport that is no bare socket (TLS, a test's) has no ``send`` to use, or one that would go past it.
    """
    handle: Any = transport.getHandle() if hasattr(transport, "getHandle") else None
    if hasattr(handle, "send") and not hasattr(handle, "get_peer_certificate"):
        send: Callable[[bytes], int] = handle.send
        return send

    def write(data: bytes) -> int:
        transport.write(data)
        return len(data)

    return write


def _swallow(data: bytes) -> int:
    return len(data)


def _nothing() -> None:
    return None


@implementer(IPullProducer)
class Outbox:
    """A Recipient (see ``chatroom.chat.interfaces``) over a transport.

    Args:
        transport: The connection.
        limit: Bytes that are held at most, 0 for any number.
        on_overflow: Called once, when more would have to be held; nothing is sent from then on.

    Attributes:
        closing: Nothing more will be sent but what is held.
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
        self._send = sender(transport)
        self._limit = limit
        self._on_overflow = on_overflow
        self._on_free: Callable[[], None] | None = None
        self._held: list[bytes] | None = None  # None: the socket takes everything
        self._corked: list[bytes] | None = None
        self._queued = 0  # bytes in the two lists
        self._given = -1  # bytes that the transport holds; -1 while it has nothing to do with it
        self.closing = False

    def bound(self, limit: int) -> None:
        """Hold so much from now on."""
        self._limit = limit

    def become(self, limit: int, on_overflow: Callable[[], None]) -> None:
        """Hold so much from now on, and let somebody else know when that is not enough."""
        self._limit = limit
        self._on_overflow = on_overflow

    @property
    def holds(self) -> bool:
        """Whether something is held at the moment."""
        return self._held is not None

    def write(self, data: bytes) -> None:
        """Send, or hold while the other side is slow. Never raises, never blocks."""
        if self._held is not None:
            self._hold(data)
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.ENOMEM):
                return  # the connection is gone; the reactor will say so
            sent = 0
        if sent != len(data):
            self._fall_back(data[sent:])

    def cork(self) -> None:
        """Hold what is written from now on, so that something can still be put before it."""
        self._corked = []
        if self._held is None:
            self._held = []

    def uncork(self, first: bytes) -> None:
        """Send ``first``, then what was held since ``cork``."""
        corked, self._corked = self._corked or [], None
        self._queued -= sum(map(len, corked))
        data = b"".join([first, *corked])
        if self._given < 0:
            self._held = None
        if data and not self.closing:
            self.write(data)
        self._freed()

    def widen(self, more: int) -> None:
        """Hold so many bytes more."""
        if self._limit:
            self._limit += more

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, as soon as nothing is held any more; never when the connection has ended by then."""
        self._on_free = call
        self._freed()

    def _freed(self) -> None:
        if self._held is None and self._on_free is not None:
            call, self._on_free = self._on_free, None
            call()

    def close(self) -> None:
        """Send what is held, then end the connection; what is written afterwards goes nowhere."""
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

    # ---- what the transport asks -------------------------------------------------------------------------------

    def resumeProducing(self) -> None:
        """The transport is empty: give it what is held, or go straight to the socket again."""
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
        """The connection is gone."""
        self._send = _swallow
        self._on_overflow = _nothing  # it leads back to whoever has us; a circle would wait for the garbage collector
        self._held, self._corked, self._on_free = None, None, None
        self._queued, self._given = 0, -1
