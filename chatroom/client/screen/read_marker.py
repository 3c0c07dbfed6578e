"""Marking where the user stopped reading: a line before the first message that came while the user was not looking.

The user does not look at a window while another is in front, while the terminal does not have the focus, and while the
client is not running. The last seq (an event's number in the log) that was shown of each room is remembered for the
next run of the client.
"""

from __future__ import annotations

from chatroom.model import events as e

ROOMS = 200  # the most rooms that are remembered


class ReadMarker:
    """Decides before which message the line is drawn.

    Args:
        seen: The last seq that the user saw in each room, as the client's last run has saved it.

    Attributes:
        seen: The last seq that the user has seen by now in each room; the room of the newest message is at the end.
    """

    def __init__(self, seen: dict[str, int] | None = None) -> None:
        self.seen: dict[str, int] = dict(seen or {})
        self._due: set[str] = set(self.seen)  # rooms of the last run in which no new message came yet

    def entered(self, room: str, read: int) -> None:
        """Note up to which seq the user has read a room on any device, before the room's messages are shown.

        Args:
            room: The name of the room, which the user has just joined.
            read: The seq; 0 if it is not known, or if nothing is unread.
        """
        if read:
            self.seen[room] = max(self.seen.get(room, 0), read)
            self._due.add(room)

    def unread(self, room: str, read: int) -> None:
        """Note that some messages of a room were shown in a window that the user did not look at.

        Args:
            room: The name of the room.
            read: The seq up to which the user has read it.
        """
        if read and room in self.seen:
            self.seen[room] = min(self.seen[room], read)

    def before(self, event: e.Event, *, own: bool, away: bool) -> bool:
        """Return whether the line belongs before an event, and remember that the event was shown.

        Args:
            event: The event that is about to be shown. Only a message can have the line before it.
            own: Whether the event is by the user, who then needs no line.
            away: Whether the user has looked away from the event's window since its last message.
        """
        if e.of_inbox(event):
            return away and not own
        if not isinstance(event, e.Spoken):
            return False
        last = self.seen.pop(event.room, 0)
        self.seen[event.room] = max(last, event.seq)
        while len(self.seen) > ROOMS:
            del self.seen[next(iter(self.seen))]
        if event.seq <= last:
            return False  # the event was seen before
        due = event.room in self._due or away
        self._due.discard(event.room)
        return due and not own
