"""Which rooms are encrypted: known by id and by name, and never forgotten.

A server, or whoever speaks in its name, cannot make us write in plain by saying that a room is no longer encrypted, or
by closing it and making a plain one of the same name.
"""

from __future__ import annotations

from enum import Enum

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.rows import Rows
from chatroom.model.names import fold

MOST_ROOMS = 10_000
IDS = "encrypted-rooms"  # by room id; the value is the room's name
NAMES = "encrypted-room-names"  # by folded name; the value is the room's id


class RoomStanding(Enum):
    """What we make of a room as the server describes it.

    ``REMADE``, ``DOWNGRADED`` and ``REMADE_PLAIN`` must be told to the user.
    """

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    REMADE = "remade"  # encrypted; but it is not the room that we know by this name
    DOWNGRADED = "downgraded"  # the server says that an encrypted room is plain
    REMADE_PLAIN = "remade-plain"  # plain; it has the name of an encrypted room, but is another one


class EncryptedRooms:
    """The encrypted rooms that were ever seen.

    Args:
        rows: Keeps them.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def see(self, room: str, name: str, encrypted: bool) -> RoomStanding:
        """Note what the server says about a room, and return what we make of it.

        Args:
            room: The room's id.
            name: The room's name.
            encrypted: What the server says.

        Raises:
            CryptoRefusal: So many encrypted rooms are known that another one cannot be remembered; it must be left.
        """
        known, by_name = self._rows.get(IDS, room) is not None, self._rows.get(NAMES, fold(name))
        remade = by_name is not None and by_name != room.encode()
        if encrypted:
            self._pin(room, name, known)
            return RoomStanding.REMADE if remade else RoomStanding.ENCRYPTED
        if known:
            return RoomStanding.DOWNGRADED
        return RoomStanding.PLAIN if by_name is None else RoomStanding.REMADE_PLAIN

    def is_encrypted(self, room: str, name: str) -> bool:
        """Return whether only sealed messages may go to a room, by its id or by its name."""
        return self._rows.get(IDS, room) is not None or self._rows.get(NAMES, fold(name)) is not None

    def check_plain(self, room: str, name: str) -> None:
        """Do nothing if a plain message may go to a room.

        Raises:
            CryptoRefusal: The room is encrypted, or was.
        """
        if self.is_encrypted(room, name):
            raise CryptoRefusal("encrypted-room", f"{name} is encrypted; nothing is sent there in plain text")

    def _pin(self, room: str, name: str, known: bool) -> None:
        if not known and len(self._rows.keys(IDS)) >= MOST_ROOMS:
            raise CryptoRefusal("too-many", "there are too many encrypted rooms; this one cannot be remembered")
        for table, key, value in ((IDS, room, name), (NAMES, fold(name), room)):
            if self._rows.get(table, key) != value.encode():
                self._rows.put(table, key, value.encode())
