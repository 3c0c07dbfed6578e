"""Somebody who sends and fetches files over direct links, and whose offers reach another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from client.files.friends import Friend, result_of
from client.files.links import Links
from client.files.secrets import Secrets
from client.network import Network
from msgspec import to_builtins

from chatroom.client.crypto.file_offers import FileOffer, read_offer
from chatroom.client.files.direct_files import DirectFiles


class DirectFriend(Friend):
    """Somebody with an encryption, and direct links.

    Attributes:
        numbers: The numbers of the files that were offered to them.
    """

    def __init__(self, network: Network, name: str) -> None:
        super().__init__(network, name)
        self.secrets = Secrets()
        self.transfers.client.privacy.files = self.secrets
        (user_id,) = (user.id for user in network.world.chat.users.values() if user.name == name)
        self.links = Links((user_id, "DEVICE"))
        self.links.files = self.direct = DirectFiles(self.transfers, self.links)
        self.numbers: list[int] = []

    def offers_to(self, other: DirectFriend) -> None:
        """Let encrypted offers reach somebody."""
        secrets = self.secrets
        secrets.sealed.add(other.client.name)
        self.links.names[other.client.name] = other.links.me
        secrets.ids[other.client.name] = other.links.me[0]

        async def offer(room: str, user: str, offer: FileOffer) -> None:
            if secrets.refusing is not None:
                raise secrets.refusing
            assert user == other.client.name
            body = to_builtins(offer)
            secrets.offers.append((room, user, body))
            other.secrets.known.add(self.links.me[0], read_offer(body))
            other.numbers.append(other.direct.offered(self.links.me, read_offer(body)))

        secrets.offer = offer  # type: ignore[method-assign]

    def send_directly(self, path: Path, user: str) -> list[Any]:
        """Begin to send; what comes of it will be in the list."""
        return result_of(self.direct.send(path, user))

    def get_directly(self, number: int, wanted: Path) -> list[Any]:
        """Begin to fetch; what comes of it will be in the list."""
        return result_of(self.direct.get(number, wanted, folder=True))
