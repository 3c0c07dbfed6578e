"""Marking where the user stopped reading: a line before the first message that came while the user was not looking.

The user is not looking while the terminal does not have the focus, and while the client is not running. The last seq
that the user saw in each room is remembered for the next run.
"""

from __future__ import annotations

from chatroom.model import events as e

ROOMS = 200  # remembered


class ReadMarker:
    """Decides where the line is drawn.

    Args:
        seen: The last seq that the user saw in each room, from the last run.
    """

    def __init__(self, seen: dict[str, int] | None = None) -> None:
        self.seen: dict[str, int] = dict(seen or {})
        self._away = False
        self._due: set[str] = set(self.seen)  # rooms in which no line was drawn yet
        self._anew = False

    def focus(self, there: bool) -> None:
        """Note that the terminal has got or lost the focus."""
        if self._away and there:
            self._anew = False
        elif not there and not self._away:
            self._anew = True
        self._away = not there

    def before(self, event: e.Event, *, own: bool) -> bool:
        """Return whether the line belongs before this event, and remember that the event was seen."""
        if not isinstance(event, e.Spoken):
            return False
        last = self.seen.pop(event.room, 0)
        self.seen[event.room] = max(last, event.seq)
        while len(self.seen) > ROOMS:
            del self.seen[next(iter(self.seen))]
        if event.seq <= last:
            return False  # it was seen before
        due = event.room in self._due or self._anew
        self._due.discard(event.room)
        self._anew = False
        return due and not own
