"""How fast one connection may send: a budget of lines, one of queries, and one of bytes.

When a budget is spent, the server stops reading the connection for a while; nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.chat.limits import BYTES_A_SECOND, BYTES_BURST, LINES_BURST, QUERIES_A_SECOND, QUERIES_BURST, Bucket
from chatroom.model.commands import Command


class RateLimit:
    """The budgets of a connection.

    Args:
        reactor: Gives ``seconds`` and ``callLater``.
        rate: Lines per second that the connection may send after a burst.
        go: Called when there is budget again, after ``spend_command`` or ``spend_bytes`` returned True.
    """

    __slots__ = ("_bytes", "_go", "_lines", "_queries", "_reactor", "_timer")

    def __init__(self, reactor: Any, rate: float, go: Callable[[], None]) -> None:
        now = reactor.seconds()
        self._reactor = reactor
        self._lines = Bucket(rate, LINES_BURST, now)
        self._bytes = Bucket(BYTES_A_SECOND, BYTES_BURST, now)
        self._queries: Bucket | None = None  # made with the first query, because most connections give none
        self._go = go
        self._timer: Any = None

    def spend_command(self, command: Command | None) -> bool:
        """Count a line; return whether the next line must wait until ``go`` is called.

        Args:
            command: The command in the line; None if the line has none.
        """
        now = self._reactor.seconds()
        cost = command.cost if command is not None else 0
        if not cost:
            return self._wait(self._lines.spend(command.weight if command is not None else 1, now))
        if self._queries is None:
            self._queries = Bucket(QUERIES_A_SECOND, QUERIES_BURST, now)
        return self._wait(self._queries.spend(cost, now))

    def spend_bytes(self, number: int) -> bool:
        """Count bytes; return whether the next bytes must wait until ``go`` is called."""
        return self._wait(self._bytes.spend(number, self._reactor.seconds()))

    def stop(self) -> None:
        """Cancel the timer; ``go`` is not called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float) -> bool:
        """Call ``go`` in ``seconds``, or later if the other budget needs longer; return whether reading must wait."""
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
