"""Whether there is a user of a name: what the client has heard is looked at first, then the server is asked."""

from __future__ import annotations

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.presenter import Filter, Presenter
from chatroom.model import replies as a
from chatroom.model.names import fold


class UserLookup:
    """Finds users by their names.

    Args:
        client: Asks the server.
        hearing: Told that an answer is not to be shown.
        known: Has the names that the client has heard.
        filter: Has the names that the user ignores.
    """

    def __init__(self, client: Client, hearing: Presenter, known: KnownWords, filter: Filter) -> None:
        self._client = client
        self._hearing = hearing
        self._known = known
        self._filter = filter

    async def find(self, name: str) -> None:
        """Return if a user of this name is online, was heard in this run, is ignored or has an account.

        Args:
            name: As it was typed.

        Raises:
            Rejected: The server knows no such user, or cannot be asked.
        """
        if fold(name) in {*map(fold, self._known.people), *self._filter.ignored}:
            return
        self._hearing.learn_quietly(a.Person)
        try:
            await self._client.do("whois", user=name)
        except Rejected:
            self._hearing.learned(a.Person)
            raise
