"""Checking that a user exists: the client looks at the names that it knows, then asks the server."""

from __future__ import annotations

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.presenter import Filter, Presenter
from chatroom.model import replies as a
from chatroom.model.names import fold


class UserLookup:
    """Looks up users by name.

    Args:
        client: Asks the server.
        hearing: Shows events; it is told not to show the server's answer to our question.
        known: The names that the client knows.
        filter: Knows the names of the users that are ignored.
    """

    def __init__(self, client: Client, hearing: Presenter, known: KnownWords, filter: Filter) -> None:
        self._client = client
        self._hearing = hearing
        self._known = known
        self._filter = filter

    async def find(self, name: str) -> None:
        """Check that a user with this name is online, was seen in this run, is ignored, or has an account.

        Args:
            name: The name as typed.

        Raises:
            Rejected: There is no such user, or the server cannot be asked.
        """
        if fold(name) in {*map(fold, self._known.people), *self._filter.ignored}:
            return
        self._hearing.learn_quietly(a.Person)
        try:
            await self._client.do("whois", user=name)
        except Rejected:
            self._hearing.learned(a.Person)
            raise
