"""Unfinished TLS handshakes: they take no slot at their address, but are limited for each address and in all.

A client begins a handshake at no cost, so a client that has not finished one must not keep others out. When there are
too many handshakes, an old one is cut (its connection is ended) to make room for the newest. An honest client finishes
within a second, so only a flood is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatroom.chat.people.throttles import Window
from chatroom.wire.connection_limits import WINDOW

PER_ADDRESS = 16  # unfinished handshakes of one address at a time
IN_ALL = 200  # unfinished handshakes of all addresses at a time
FAILED = 600  # handshakes that one address may begin and not finish within ``WINDOW`` seconds


class UnfinishedHandshake(Protocol):
    """What ``TLSHandshakes`` uses of an unfinished handshake (``chatroom.wire.tls.Handshake``)."""

    def give_up(self) -> None:
        """End the connection of the handshake at once."""


class TLSHandshakes:
    """All unfinished handshakes.

    Args:
        seconds: Returns the time in seconds; it never goes back.
        on_cut: Called for each handshake that is cut to make room for another.
    """

    def __init__(self, seconds: Callable[[], float], on_cut: Callable[[], None]) -> None:
        self._begun = Window(FAILED, WINDOW, seconds)
        self._on_cut = on_cut
        self._places: dict[UnfinishedHandshake, str] = {}  # the address of each, the oldest first
        self._of: dict[str, dict[UnfinishedHandshake, None]] = {}  # the handshakes of each address, the oldest first

    def begin(self, handshake: UnfinishedHandshake, key: str) -> bool:
        """Add a handshake, and cut an older one if there are too many.

        Args:
            handshake: The handshake.
            key: The address, or the network counted as one; empty for connections that are not counted by address.

        Returns:
            True if the handshake was added. False if too many handshakes from that address were never finished; then
            this one must not begin.
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
        """Cut the oldest handshake of the address that has the most; return False if there is no handshake at all."""
        if not self._places:
            return False
        self._cut(max(self._of, key=lambda key: len(self._of[key])))
        return True

    def end(self, handshake: UnfinishedHandshake, *, finished: bool = False) -> None:
        """Remove a handshake that has ended. If it is ``finished``, it does not count towards ``FAILED``."""
        key = self._places.pop(handshake, None)
        if key is None:
            return
        del self._of[key][handshake]
        if not self._of[key]:
            del self._of[key]
        if finished and key:
            self._begun.forgive((key,))

    def tidy(self) -> None:
        """Forget addresses from which no handshake has begun for a while."""
        self._begun.tidy()

    def _cut(self, key: str) -> None:
        oldest = next(iter(self._of[key]))
        self.end(oldest)
        self._on_cut()
        oldest.give_up()
