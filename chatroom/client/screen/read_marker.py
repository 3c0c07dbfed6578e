"""Where one left off: a line is drawn before the first message that came while one was not looking.

One is not looking while the terminal says that it has lost the focus, and while the client does not run: the last seq
that was seen of each room is remembered for the next time.
"""

from __future__ import annotations

from chatroom.model import events as e

ROOMS = 200  # remembered


class ReadMarker:
    """Knows when the line is due.

    Args:
        seen: The last seq that was seen of each room, from the last time.
    """

    def __init__(self, seen: dict[str, int] | None = None) -> None:
        self.seen: dict[str, int] = dict(seen or {})
        self._away = False
        self._due: set[str] = set(self.seen)  # rooms that have not been drawn a line in
        self._anew = False

    def focus(self, there: bool) -> None:
        """The terminal has gained or lost the focus."""
        if self._away and there:
            self._anew = False
        elif not there and not self._away:
            self._anew = True
        self._away = not there

    def before(self, event: e.Event, *, own: bool) -> bool:
        """Return whether the line belongs right before this event; remembers that it was seen."""
        if not isinstance(event, e.Said | e.Acted):
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
