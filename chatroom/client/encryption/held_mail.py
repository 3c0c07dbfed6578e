"""Sealed messages from people whose key has changed: they are kept, unopened, until the user accepts the new key."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.json import decode, encode

from chatroom.client.crypto.rows import Rows
from chatroom.model.key_events import E2eFrom

TABLE = "held"
MOST_OF_ONE = 200  # messages of one sender
MOST = 2000


class HeldMail:
    """The messages that are held back.

    Args:
        rows: Keeps them.
        lost: Called with a sender's name when messages are dropped because too many wait; once, until some of the
            sender's were opened.
    """

    def __init__(self, rows: Rows, lost: Callable[[str], None]) -> None:
        self._rows = rows
        self._lost = lost
        self._told: set[str] = set()  # the ids of senders whose loss was told
        self._untold = {key.split(" ")[0] for key in rows.keys(TABLE)}  # ids of senders

    def hold(self, event: E2eFrom) -> None:
        """Keep a message, or drop it if too many wait."""
        keys = self._rows.keys(TABLE)
        of_one = sum(key.startswith(f"{event.by_id} ") for key in keys)
        if of_one >= MOST_OF_ONE or len(keys) >= MOST:
            if event.by_id not in self._told and len(self._told) < MOST:
                self._told.add(event.by_id)
                self._lost(event.by)
            return
        self._rows.put(TABLE, _key(event), encode(event))
        self._untold.add(event.by_id)

    def news(self) -> list[tuple[E2eFrom, int]]:
        """Return the newest message of each sender, and how many of that sender wait, if more do than were told."""
        untold, self._untold = self._untold, set()
        waiting = [self.of(user_id) for user_id in sorted(untold)]
        return [(messages[-1], len(messages)) for messages in waiting if messages]

    def count(self, user_id: str) -> int:
        """Return how many messages of a user wait."""
        return sum(key.startswith(f"{user_id} ") for key in self._rows.keys(TABLE))

    def of(self, user_id: str) -> list[E2eFrom]:
        """Return the messages of a user, in the order in which they came."""
        keys = sorted(key for key in self._rows.keys(TABLE) if key.startswith(f"{user_id} "))
        values = [self._rows.get(TABLE, key) for key in keys]
        return [decode(value, type=E2eFrom) for value in values if value is not None]

    def remove(self, event: E2eFrom) -> None:
        """Forget a message that was opened."""
        self._told.discard(event.by_id)
        self._rows.delete(TABLE, _key(event))


def _key(event: E2eFrom) -> str:
    return f"{event.by_id} {event.seq:020}"
