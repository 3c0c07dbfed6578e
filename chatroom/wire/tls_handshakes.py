"""TLS handshakes that are not finished: bounded by address and in all, apart from all other connections.

Beginning a handshake costs nothing, so nobody who has not finished one may keep others out. When there are too many,
the oldest ends and makes way for the newest: whoever means it finishes within a second, and only a flood is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatroom.chat.people.throttles import Window
from chatroom.wire.connection_limits import WINDOW

PER_ADDRESS = 16
IN_ALL = 200
FAILED = 600  # handshakes from one address that are never finished, in so many seconds as ``WINDOW``


class UnfinishedHandshake(Protocol):
    """A handshake that is under way."""

    def give_up(self) -> None:
        """End the connection at once."""


class TLSHandshakes:
    """The handshakes that are under way.

    Args:
        seconds: A clock that does not jump.
        on_cut: Called for each handshake that is ended to make way for another.
    """

    def __init__(self, seconds: Callable[[], float], on_cut: Callable[[], None]) -> None:
        self._begun = Window(FAILED, WINDOW, seconds)
        self._on_cut = on_cut
        self._places: dict[UnfinishedHandshake, str] = {}  # the address of each, the oldest first
        self._of: dict[str, dict[UnfinishedHandshake, None]] = {}  # those of each address, the oldest first

    def begin(self, handshake: UnfinishedHandshake, key: str) -> bool:
        """Take a handshake in, and end an older one if there are too many.

        Args:
            handshake: The handshake.
            key: Its address, or what is counted as one; empty for connections that are not counted by address.

        Returns:
            False if too many handshakes from that address were never finished: then it must not begin.
        """
        if key:
            if self._begun.wait((key,)):
                return False
            self._begun.count((key,))
            if len(self._of.get(key, ())) >= PER_ADDRESS:
                self._cut(key)
        if len(self._places) >= IN_ALL:
            self.cut_one()
        self._places[handshake] = key
        self._of.setdefault(key, {})[handshake] = None
        return True

    def cut_one(self) -> bool:
        """End the oldest handshake of the address that has most of them; return whether there was one."""
        if not self._places:
            return False
        self._cut(max(self._of, key=lambda key: len(self._of[key])))
        return True

    def end(self, handshake: UnfinishedHandshake, *, finished: bool = False) -> None:
        """Forget a handshake. One that is finished does not count among those that never are."""
        key = self._places.pop(handshake, None)
        if key is None:
            return
        del self._of[key][handshake]
        if not self._of[key]:
            del self._of[key]
        if finished and key:
            self._begun.forgive((key,))

    def tidy(self) -> None:
        """Forget addresses from which no handshake began for a while."""
        self._begun.tidy()

    def _cut(self, key: str) -> None:
        oldest = next(iter(self._of[key]))
        self.end(oldest)
        self._on_cut()
        oldest.give_up()
