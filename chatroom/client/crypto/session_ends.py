"""How the last session of this device in each room has ended, as far as its messages are in the room's log for certain.

It is kept in the vault, so that the next session can tell it also after a crash, after the room was left, and when the
device has got new keys.
"""

from __future__ import annotations

from msgspec.json import Decoder, encode

from chatroom.client.crypto.room_plaintext import SessionEnd, UnusedIndex, mark_of
from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.unused_indexes import end_of

TABLE = "room-outbound-ends"
MOST_ENDS = 1000  # rooms

_ends = Decoder(SessionEnd)


class SessionEnds:
    """The ends of the last sessions, by room.

    Args:
        rows: Keeps them.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def get(self, room: str) -> SessionEnd | None:
        """Return the end of the last session in a room of which a message is in the log; None if there is none."""
        row = self._rows.get(TABLE, room)
        return None if row is None else _ends.decode(row)

    def put(self, room: str, end: SessionEnd | None) -> None:
        """Remember the end of a session in a room; if it has none, the one before stays."""
        if end is None:
            return
        if self._rows.get(TABLE, room) is None:
            self._drop_old()
        self._rows.put(TABLE, room, encode(end))

    def stored(self, room: str, sid: str, index: int) -> bool:
        """Note that a message of a session of an earlier run is in the room's log.

        Args:
            room: The room's id.
            sid: The session.
            index: The message's index.

        Returns:
            Whether the end has changed.
        """
        end = self.get(room)
        if end is None or end.mark != mark_of(sid) or index < end.used:
            return False
        between = [UnusedIndex(doubtful) for doubtful in range(end.used, index)]
        self.put(room, end_of(end.mark, index + 1, [*end.unused, *between]))
        return True

    def _drop_old(self) -> None:
        """Forget all rooms if there are too many: in each, one end of a session is not told."""
        rooms = self._rows.keys(TABLE)
        if len(rooms) >= MOST_ENDS:
            for room in rooms:
                self._rows.delete(TABLE, room)
