"""How many messages are unread in an inbox, in total and by sender."""

from __future__ import annotations

from collections import Counter

from chatroom.model.events import Mail

GUEST = "g"  # first letter of ``via``, the mark of the sender's address, if the sender was a guest ...
MEMBER = "m"  # ... or was logged in


class Unread:
    """Counts the unread messages of one inbox.

    Attributes:
        total: The number of unread messages.
    """

    __slots__ = ("_by", "total")

    def __init__(self) -> None:
        self.total = 0
        self._by: Counter[str] = Counter()

    def of(self, key: str) -> int:
        """Return the number of unread messages of one sender, or from one address, by its key; see ``senders``."""
        return self._by[key]

    def add(self, event: Mail) -> None:
        """Count a message."""
        self.count(senders(event.by_id, event.via), 1)

    def remove(self, event: Mail) -> None:
        """Stop counting a message."""
        self.count(senders(event.by_id, event.via), -1)

    def count(self, keys: tuple[str, ...], number: int) -> None:
        """Add a number of messages, which may be negative, to the total and to the count of each key."""
        self.total += number
        for key in keys:
            self._by[key] += number
            if self._by[key] <= 0:
                del self._by[key]


def senders(by_id: str, via: str) -> tuple[str, ...]:
    """Return the keys that a message is counted under: the sender's key, and the address's if the address is known.

    All guests at one address are one sender; every account is a sender of its own, known by its id.

    Args:
        by_id: The id of the user who writes the message.
        via: The mark of the address, as it is stored with the message; empty if the address is not known.
    """
    if not via:
        return (by_id,)
    return (via if via.startswith(GUEST) else by_id), via[1:]
