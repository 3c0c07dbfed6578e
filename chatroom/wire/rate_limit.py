"""How fast one connection may send: a budget of lines and one of bytes. Beyond them, reading pauses; nothing is
lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.chat.limits import BYTES_A_SECOND, BYTES_BURST, LINES_BURST, Bucket


class RateLimit:
    """The two budgets of a connection.

    Args:
        reactor: Gives ``seconds`` and ``callLater``.
        rate: Lines per second after a burst.
        go: Called when there is budget again, after ``spend_line`` or ``spend_bytes`` said to wait.
    """

    __slots__ = ("_bytes", "_go", "_lines", "_reactor", "_timer")

    def __init__(self, reactor: Any, rate: float, go: Callable[[], None]) -> None:
        now = reactor.seconds()
        self._reactor = reactor
        self._lines = Bucket(rate, LINES_BURST, now)
        self._bytes = Bucket(BYTES_A_SECOND, BYTES_BURST, now)
        self._go = go
        self._timer: Any = None

    def spend_line(self) -> bool:
        """Count a line; return whether the next one must wait."""
        return self._wait(self._lines.spend(1, self._reactor.seconds()))

    def spend_bytes(self, number: int) -> bool:
        """Count bytes; return whether the next ones must wait."""
        return self._wait(self._bytes.spend(number, self._reactor.seconds()))

    def stop(self) -> None:
        """Cancel the timer; ``go`` is not called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float) -> bool:
        """Make sure that ``go`` is not called before so many seconds have passed; return whether to wait at all."""
        if not seconds:
            return self._timer is not None
        if self._timer is None:
            self._timer = self._reactor.callLater(seconds, self._over)
        elif self._timer.getTime() < self._reactor.seconds() + seconds:
            self._timer.reset(seconds)
        return True

    def _over(self) -> None:
        self._timer = None
        self._go()
