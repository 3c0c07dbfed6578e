"""Whether there is a user of a name: what the client has heard is looked at first, then the server is asked."""

from __future__ import annotations

from chatroom.client.client import Link
from chatroom.client.errors import Refused
from chatroom.client.screen.known_words import Known
from chatroom.client.screen.presenter import Filter, Hearing
from chatroom.model import replies as a
from chatroom.model.names import fold


class Finding:
    """Finds users by their names.

    Args:
        link: Asks the server.
        hearing: Told that an answer is not to be shown.
        known: Has the names that the client has heard.
        filter: Has the names that the user ignores.
    """

    def __init__(self, link: Link, hearing: Hearing, known: Known, filter: Filter) -> None:
        self._link = link
        self._hearing = hearing
        self._known = known
        self._filter = filter

    async def find(self, name: str) -> None:
        """Return if a user of this name is online, was heard in this run, is ignored or has an account.

        Args:
            name: As it was typed.

        Raises:
            Refused: The server knows no such user, or cannot be asked.
        """
        if fold(name) in {*map(fold, self._known.people), *self._filter.ignored}:
            return
        self._hearing.learn_quietly(a.Person)
        try:
            await self._link.do("whois", user=name)
        except Refused:
            self._hearing.learned(a.Person)
            raise
