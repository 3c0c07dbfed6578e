"""How many connections come from where: so many at a time, so many new ones in a while. Loopback is exempt.

Sessions that have logged in are counted by their account, and give their slot at the address back: a class behind one
address fits. TLS handshakes that are not finished have bounds of their own (``chatroom.wire.tls_handshakes``).
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.people.throttles import Window
from chatroom.model.network import is_local, network

NEW = 120  # connections of which none logs in or comes back ...
WINDOW = 600.0  # ... in so many seconds


class AddressBook:
    """Counts connections by address; an IPv6 network of 64 bits is one address, for it is given to one customer.

    Args:
        most: Slots of one address; 0 for any number, and nothing is counted by address.
        seconds: A clock that does not jump.

    Attributes:
        most: As given; it may be changed, for connections that come from then on.
        connections: All that are open, wherever they come from.
    """

    def __init__(self, most: int, seconds: Callable[[], float]) -> None:
        self.most = most
        self.connections = 0
        self._taken: dict[str, int] = {}  # slots, by address
        self._new = Window(NEW, WINDOW, seconds)

    def enter(self, host: str) -> ConnectionSlot:
        """Return a new connection's place, which must be left when the connection has ended.

        It has come in if its address allows that; else the connection should be refused.
        """
        place = ConnectionSlot(self, network(host) if self.most and not is_local(host) else "")
        place.come_in()
        return place

    def tidy(self) -> None:
        """Forget addresses from which nobody came for a while."""
        self._new.tidy()


class ConnectionSlot:
    """The place of one open connection.

    Args:
        book: Where it is counted.
        key: Its address, or what is counted as one; empty for a connection that is not counted by address.

    Attributes:
        key: As given.
        taken: It has come in: it has a slot at its address, or needs none.
    """

    __slots__ = ("_book", "_new", "_open", "_slot", "key", "taken")

    def __init__(self, book: AddressBook, key: str = "") -> None:
        self._book = book
        self.key = key
        self.taken = False
        self._slot = False
        self._new = False  # it counts among the new connections of its address
        self._open = True
        book.connections += 1

    def come_in(self) -> bool:
        """Take a slot as a new connection; return whether that may be."""
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
        """Count for nothing until ``come_in``."""
        self.release()
        self.recognise()
        self.taken = False

    def claim(self) -> bool:
        """Take a slot, unless there is one; return False if none is free."""
        if not self.key or self._slot:
            return True
        taken = self._book._taken.get(self.key, 0)
        if self._book.most and taken >= self._book.most:
            return False
        self._book._taken[self.key] = taken + 1
        self._slot = True
        return True

    def release(self) -> None:
        """Give the slot back; the connection goes on without."""
        if not self._slot:
            return
        self._slot = False
        self._book._taken[self.key] -= 1
        if not self._book._taken[self.key]:
            del self._book._taken[self.key]

    def recognise(self) -> None:
        """Count no longer among the new connections: the session is somebody who was here before."""
        if self._new:
            self._new = False
            self._book._new.forgive((self.key,))

    def leave(self) -> None:
        """The connection has ended. May be called again."""
        self.release()
        if self._open:
            self._open = False
            self._book.connections -= 1
