"""An encryption for tests of sealed files: it hands offers over by itself, and seals where a test says so."""

from __future__ import annotations

import os
from typing import Any

from client.files.friends import Friend
from msgspec import to_builtins
from twisted.internet.defer import Deferred

from chatroom.client.crypto.file_offers import FileOffer, SealedFiles, read_offer
from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.errors import Rejected


class Secrets:
    """What one person's client seals, and the offers that it knows.

    Attributes:
        sealed: The rooms and people whose files are sealed.
        asked: How often it was asked.
        deciding: What a question waits for, if it has to.
        refusing: Why nothing can be offered.
        offers: The offers that were made: room, user and body.
        readers: Who gets the offers.
        ids: The ids of people by name.
    """

    def __init__(self, *sealed: str) -> None:
        self.sealed = set(sealed)
        self.asked = 0
        self.deciding: Deferred[None] | None = None
        self.refusing: Rejected | None = None
        self.offers: list[tuple[str, str, dict[str, Any]]] = []
        self.readers: list[Secrets] = []
        self.known = SealedFiles(MemoryRows())
        self.me = ""
        self.ids: dict[str, str] = {}

    async def seals(self, room: str, user: str) -> bool:
        """Return whether the room's or the person's files are sealed."""
        self.asked += 1
        if self.deciding is not None:
            await self.deciding
        return (user or room) in self.sealed

    async def offer(self, room: str, user: str, offer: FileOffer) -> None:
        """Let the readers know an offer."""
        if self.refusing is not None:
            raise self.refusing
        body = to_builtins(offer)
        self.offers.append((room, user, body))
        for reader in self.readers:
            reader.known.add(self.me, read_offer(body))

    def user_id(self, user: str) -> str:
        """Return the id of a person."""
        return self.ids.get(user, "")

    def note(self, by_id: str, offer: FileOffer) -> None:
        """Keep our own offer."""
        self.me = by_id
        self.known.add(by_id, offer)

    def find(self, file: str, by_id: str) -> FileOffer | None:
        """Return an offer."""
        return self.known.get(file, by_id)

    def name_on_server(self, name: str) -> str:
        """Return the server's name of our file."""
        return self.known.name_on_server(name, self.me)

    def random(self, number: int) -> bytes:
        """Return random bytes."""
        return os.urandom(number)


def secretive(friend: Friend, *sealed: str, readers: tuple[Secrets, ...] = ()) -> Secrets:
    """Give somebody an encryption, and return it."""
    secrets = Secrets(*sealed)
    secrets.readers.extend(readers)
    friend.transfers.client.privacy.files = secrets
    return secrets
