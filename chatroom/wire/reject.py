"""A connection that is told something and closed: what comes in is thrown away, so that the answer is not lost.

Closing a socket with unread input resets it, and a reset takes back what the other side has not yet read. So our half
is closed first, and the rest when the other side has closed its own, or after a while.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.chat.limits import READ_COST

LINGER = 2.0  # seconds
THROWN_AWAY = 64 * 1024  # bytes, as ``READ_COST`` counts them; more is not read


@implementer(IHalfCloseableProtocol)
class Rejection(Protocol):
    """See the module.

    Args:
        reactor: Gives ``callLater``.
        answer: What is said.
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
        """Throw it away; stop reading when it becomes much."""
        self._room -= max(len(data), READ_COST)
        if self._room < 0:
            transport: Any = self.transport
            transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """The other side has said all: close when it has our answer."""
        transport: Any = self.transport
        transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """It has our answer."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._leave()
