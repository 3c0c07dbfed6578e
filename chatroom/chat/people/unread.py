"""How much is unread in an inbox, in all and by sender."""

from __future__ import annotations

from collections import Counter

from chatroom.events import OfInbox

GUEST = "g"  # what ``via`` begins with in a message of a guest's ...
MEMBER = "m"  # ... and of somebody's who is logged in


class Unread:
    """Counts messages.

    Attributes:
        total: How many there are.
    """

    __slots__ = ("_by", "total")

    def __init__(self) -> None:
        self.total = 0
        self._by: Counter[str] = Counter()

    def of(self, key: str) -> int:
        """Return how many there are of one sender, or of one address; see ``senders``."""
        return self._by[key]

    def add(self, event: OfInbox) -> None:
        """Count a message."""
        self.total += 1
        for key in senders(event):
            self._by[key] += 1

    def remove(self, event: OfInbox) -> None:
        """Count a message no more."""
        self.total -= 1
        for key in senders(event):
            self._by[key] -= 1
            if self._by[key] <= 0:
                del self._by[key]


def senders(event: OfInbox) -> tuple[str, ...]:
    """Return the keys that a message counts for: its sender's, and its address's if it is known.

    All guests at one address are one sender; everybody else is known by the id.
    """
    if not event.via:
        return (event.by_id,)
    return (event.via if event.via.startswith(GUEST) else event.by_id), event.via[1:]
