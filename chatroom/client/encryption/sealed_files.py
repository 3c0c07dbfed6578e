"""Encrypted files: which are sealed, and their offers, which travel as encrypted messages; see ``FileSealing``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import to_builtins
from twisted.internet.defer import Deferred

from chatroom.client.crypto.file_offers import FileOffer, SealedFiles, read_offer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.peers import Peers
from chatroom.client.errors import Rejected
from chatroom.model.events import Event


class FileParts(Protocol):
    """What is needed of ``EncryptionParts``."""

    @property
    def peers(self) -> Peers:
        """The people of private conversations."""
        ...

    @property
    def ring(self) -> KeyRing:
        """Our keys."""
        ...

    @property
    def files(self) -> SealedFiles:
        """The offers of encrypted files."""
        ...


class SealedFileOffers:
    """Implements ``FileSealing`` for a client with keys.

    Args:
        parts: Returns what belongs to our keys; None if we have none here.
        problem: Returns why we have none; empty if that is no problem.
        encrypted: Returns whether a room is encrypted, by its name.
        give: Gives the client a command.
        random: Returns so many random bytes.
    """

    def __init__(
        self,
        parts: Callable[[], FileParts | None],
        problem: Callable[[], str],
        encrypted: Callable[[str], bool],
        give: Callable[[str, dict[str, Any]], Deferred[Event]],
        random: Callable[[int], bytes],
    ) -> None:
        self._parts = parts
        self._problem = problem
        self._encrypted = encrypted
        self._give = give
        self.random = random

    async def seals(self, room: str, user: str) -> bool:
        parts = self._parts()
        if not user:
            return self._encrypted(room)
        if parts is None:
            if self._problem():
                why = f"The file was not sent, because it may have to be encrypted. {self._problem()}"
                raise Rejected("no-keys", why)
            return False
        peer = await parts.peers.find(user)
        return bool(parts.peers.recipients(peer))

    async def offer(self, room: str, user: str, offer: FileOffer) -> None:
        where = {"user": user} if user else {"room": room}
        await self._give("file", {**where, "offer": to_builtins(offer)})

    def user_id(self, user: str) -> str:
        parts = self._parts()
        return parts.peers.id_of(user) if parts is not None else ""

    def note(self, by_id: str, offer: FileOffer) -> None:
        parts = self._parts()
        if parts is not None:
            parts.files.add(by_id, offer)

    def name_on_server(self, name: str) -> str:
        parts = self._parts()
        return parts.files.name_on_server(name, parts.ring.user_id) if parts is not None else ""

    def find(self, file: str, by_id: str) -> FileOffer | None:
        parts = self._parts()
        return parts.files.get(file, by_id) if parts is not None else None


def take_offer(files: SealedFiles, by_id: str, body: dict[str, Any]) -> FileOffer:
    """Remember an offer that somebody has made.

    Args:
        files: Keeps the offers.
        by_id: The user id of the sender, as the encrypted message proves it.
        body: The body of the message.

    Raises:
        CryptoRefusal: It is no valid offer.
    """
    offer = read_offer({key: value for key, value in body.items() if key != "to"})
    files.add(by_id, offer)
    return offer
