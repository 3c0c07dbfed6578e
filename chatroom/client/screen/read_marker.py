"""Marking where the user stopped reading: a line before the first message that came while the user was not looking.

The user is not looking while the terminal does not have the focus, and while the client is not running. The last
seq (an event's number in the log) that the user saw in each room is remembered for the next run of the client.
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
        self._away = False
        self._due: set[str] = set(self.seen)  # rooms of the last run in which no new message came yet
        self._anew = False  # the next new message, in any room, gets a line, because the focus was lost

    def focus(self, there: bool) -> None:
        """Note that the terminal has got the focus (``there`` is True) or lost it."""
        if self._away and there:
            self._anew = False
        elif not there and not self._away:
            self._anew = True
        self._away = not there

    def before(self, event: e.Event, *, own: bool) -> bool:
        """Return whether the line belongs before an event, and remember that the event was seen.

        Args:
            event: The event that is about to be shown. Only a message said in a room can have the line before it.
            own: Whether the event is by the user, who then needs no line.
        """
        if not isinstance(event, e.Spoken):
            return False
        last = self.seen.pop(event.room, 0)
        self.seen[event.room] = max(last, event.seq)
        while len(self.seen) > ROOMS:
            del self.seen[next(iter(self.seen))]
        if event.seq <= last:
            return False  # the event was seen before
        due = event.room in self._due or self._anew
        self._due.discard(event.room)
        self._anew = False
        return due and not own
