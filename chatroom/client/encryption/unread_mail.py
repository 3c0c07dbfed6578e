"""How many encrypted private messages of each person are unread. The server does not know, so the vault does."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import decode, encode

from chatroom.client.crypto.rows import Rows
from chatroom.model.unread import MOST_COUNTED

TABLE = "unread"


class UnreadPerson(Struct, frozen=True):
    """A person of whom messages are unread: the name, and how many."""

    name: str
    number: int


class UnreadMail:
    """Counts unread messages over the runs of the client.

    Args:
        rows: Keeps the numbers.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def came(self, user_id: str, name: str) -> None:
        """Count a message of a user."""
        known = self._get(user_id)
        number = 1 if known is None else min(MOST_COUNTED, known.number + 1)
        self._rows.put(TABLE, user_id, encode(UnreadPerson(name, number)))

    def read(self, user_id: str) -> bool:
        """Note that all messages of a user are read. Returns whether any was unread."""
        known = self._get(user_id)
        if known is not None:
            self._rows.delete(TABLE, user_id)
        return known is not None

    def all(self) -> dict[str, UnreadPerson]:
        """Return the people of whom messages are unread, by user id."""
        found = {user_id: self._get(user_id) for user_id in self._rows.keys(TABLE)}
        return {user_id: person for user_id, person in found.items() if person is not None}

    def _get(self, user_id: str) -> UnreadPerson | None:
        value = self._rows.get(TABLE, user_id)
        return None if value is None else decode(value, type=UnreadPerson)
