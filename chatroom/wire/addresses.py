"""How many connections come from where: so many at a time, so many new ones in a while. Loopback is exempt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from chatroom.network import is_local, network

NEW = 32  # connections
WINDOW = 600.0  # seconds


class AddressBook:
    """Counts connections by address; an IPv6 network of 64 bits is one address, for it is given to one customer.

    Args:
        most: Connections at a time from one address; 0 for any number, and nothing is counted.
        seconds: A clock that does not jump.

    Attributes:
        most: As given; it may be changed, for those who come from then on.
    """

    def __init__(self, most: int, seconds: Callable[[], float]) -> None:
        self.most = most
        self._seconds = seconds
        self._open: dict[str, int] = {}
        self._recent: dict[str, deque[float]] = {}

    def enter(self, host: str) -> Callable[[], None] | None:
        """Let a connection in.

        Returns:
            What must be called once when it has ended; None if it must not come in.
        """
        if not self.most or is_local(host):
            return _nothing
        key = network(host)
        recent = self._recent.get(key) or deque(maxlen=NEW)
        now = self._seconds()
        if self._open.get(key, 0) >= self.most or (len(recent) == NEW and now - recent[0] < WINDOW):
            return None
        recent.append(now)
        self._recent[key] = recent
        self._open[key] = self._open.get(key, 0) + 1
        return lambda: self._leave(key)

    def _leave(self, key: str) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def tidy(self) -> None:
        """Forget addresses of which nothing was heard for a while."""
        horizon = self._seconds() - WINDOW
        for key in [key for key, recent in self._recent.items() if recent[-1] < horizon]:
            del self._recent[key]


def _nothing() -> None:
    return None
