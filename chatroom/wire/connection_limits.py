"""Limits connections by address: how many are open at a time, and how many come in a while. Loopback is exempt.

A connection takes one of its address's slots. A session that logs in is counted by account instead and gives its slot
back, so that a school class behind one address fits. Unfinished TLS handshakes have limits of their own
(``chatroom.wire.tls_handshakes``).
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.people.throttles import Window
from chatroom.model.network import is_local, network

NEW = 120  # the most connections from one address within ``WINDOW`` that neither log in nor resume an earlier session
WINDOW = 600.0  # seconds


class AddressBook:
    """Counts connections by address. An IPv6 network of 64 bits counts as one address: it usually is one customer's.

    Args:
        most: Slots for each address; 0 for any number, and then nothing is counted by address.
        seconds: Returns the time in seconds; it never goes back.

    Attributes:
        most: As given. It may be changed; the new value holds for slots that are taken afterwards.
        connections: How many connections are open, from all addresses.
    """

    def __init__(self, most: int, seconds: Callable[[], float]) -> None:
        self.most = most
        self.connections = 0
        self._taken: dict[str, int] = {}  # slots, by address
        self._new = Window(NEW, WINDOW, seconds)

    def enter(self, host: str) -> ConnectionSlot:
        """Count a new connection, and take a slot for it if its address has one.

        Args:
            host: The IP address of the other side.

        Returns:
            What counts the connection. Refuse the connection if its ``taken`` is False, and call its ``leave`` when the
            connection has ended.
        """
        place = ConnectionSlot(self, network(host) if self.most and not is_local(host) else "")
        place.come_in()
        return place

    def tidy(self) -> None:
        """Forget addresses from which no connection has come for a while."""
        self._new.tidy()


class ConnectionSlot:
    """One open connection as its address book counts it, with the slot at its address if it has one.

    Args:
        book: The address book that counts the connection.
        key: The address, or the network counted as one; empty for a connection that is not counted by address.

    Attributes:
        key: As given.
        taken: Whether the connection may be used: it has a slot at its address, or needs none.
    """

    __slots__ = ("_book", "_new", "_open", "_slot", "key", "taken")

    def __init__(self, book: AddressBook, key: str = "") -> None:
        self._book = book
        self.key = key
        self.taken = False
        self._slot = False
        self._new = False  # counted among the new connections of its address
        self._open = True
        book.connections += 1

    def come_in(self) -> bool:
        """Take a slot as a new connection. Return False if the address has none, or had too many new connections."""
        if self.key and self._book._new.wait((self.key,)):
            return False
        if not self.claim():
            return False
        if self.key:
            self._book._new.count((self.key,))
            self._new = True
        self.taken = True
        return True

    def step_aside(self) -> None:
        """Give the slot back, and count for nothing at the address until the TLS handshake calls ``come_in``."""
        self.release()
        self.recognise()
        self.taken = False

    def claim(self) -> bool:
        """Take a slot, if the connection needs one and has none. Return False if no slot is free at the address."""
        if not self.key or self._slot:
            return True
        taken = self._book._taken.get(self.key, 0)
        if self._book.most and taken >= self._book.most:
            return False
        self._book._taken[self.key] = taken + 1
        self._slot = True
        return True

    def release(self) -> None:
        """Give the slot back; the connection stays open without one."""
        if not self._slot:
            return
        self._slot = False
        self._book._taken[self.key] -= 1
        if not self._book._taken[self.key]:
            del self._book._taken[self.key]

    def recognise(self) -> None:
        """Stop counting this connection as a new one of its address, because its user logged in or came back."""
        if self._new:
            self._new = False
            self._book._new.forgive((self.key,))

    def leave(self) -> None:
        """Stop counting the connection, because it has ended. Calling this again does nothing."""
        self.release()
        if self._open:
            self._open = False
            self._book.connections -= 1
