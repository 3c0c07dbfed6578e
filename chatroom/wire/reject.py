"""A refused connection: the client is told why, and what it sends is thrown away so that the answer is not lost.

Closing a socket that has unread input resets the connection, and a reset discards what the other side has not yet read.
So we close our half first, and the connection when the other side has closed its half, or after ``LINGER`` seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.chat.limits import READ_COST

LINGER = 2.0  # seconds until the connection is closed, if the other side does not close it
THROWN_AWAY = 64 * 1024  # bytes that are thrown away before reading stops; each read counts as ``READ_COST`` at least


@implementer(IHalfCloseableProtocol)
class Rejection(Protocol):
    """The protocol of one refused connection.

    Args:
        reactor: Gives ``callLater``.
        answer: The bytes that tell the client why it is refused.
        leave: Called when the connection has ended.
    """

    def __init__(self, reactor: Any, answer: bytes, leave: Callable[[], None]) -> None:
        self._reactor = reactor
        self._answer = answer
        self._leave = leave
        self._timer: Any = None
        self._room = THROWN_AWAY

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(self._answer)
        transport.loseWriteConnection()
        self._timer = self._reactor.callLater(LINGER, transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        """Throw the data away, and stop reading when there was too much of it."""
        self._room -= max(len(data), READ_COST)
        if self._room < 0:
            transport: Any = self.transport
            transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """Close when the answer is sent, because the other side will send no more."""
        transport: Any = self.transport
        transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing; our half is closed because the answer is sent."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._leave()
