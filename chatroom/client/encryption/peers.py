"""Whom a private message is for, and whether it is encrypted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chatroom.client.crypto.contacts import Contacts, Learned
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.interface import Security
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.key_replies import UserKeys
from chatroom.model.names import fold

MOST = 2000  # people who are remembered until the connection ends


@dataclass(frozen=True, slots=True)
class Addressee:
    """The other person of a private conversation, as the server knows that person now.

    Args:
        name: The name.
        user_id: The id; empty if there is no such user.
        rev: The revision of the device list; 0 if there is none.
    """

    name: str
    user_id: str
    rev: int


class Peers:
    """Knows the people to whom private messages go.

    Args:
        server: Is asked for device lists.
        contacts: Remembers keys.
    """

    def __init__(self, server: KeyServer, contacts: Contacts) -> None:
        self._server = server
        self._contacts = contacts
        self._known: dict[str, Addressee] = {}

    def forget(self, user_id: str = "") -> None:
        """Ask the server again about a user before the next message; about everybody, without an id."""
        self._known = {key: peer for key, peer in self._known.items() if user_id and peer.user_id != user_id}

    async def find(self, name: str) -> Addressee:
        """Return the person with a name, or with ``id:`` and an id, after the person's keys were compared.

        Raises:
            Rejected: The server cannot be asked, or what it says of the keys must not be believed.
        """
        peer = self._known.get(fold(name))
        # Another guest may take the name of one who left, and a person without keys may get some at any time.
        if peer is None or not peer.rev or peer.user_id.startswith("guest"):
            (peer,) = await self.learn([name])
            if len(self._known) < MOST:
                self._known[fold(name)] = peer
        return peer

    async def learn(self, users: Collection[str]) -> list[Addressee]:
        """Ask the server for device lists, and compare them with what is remembered.

        Raises:
            Rejected: The server cannot be asked, or a list must not be believed.
        """
        found, _ = await self._server.query(users)
        return [self._learned(user) for user in found]

    def _learned(self, user: UserKeys) -> Addressee:
        if user.user_id:
            try:
                learned = self._contacts.learn(user.user_id, user.name, user.list)
            except CryptoRefusal as refused:
                raise as_rejected(refused) from None
            if learned is Learned.WITHHELD:
                return Addressee(user.name, user.user_id, 0)
        return Addressee(user.name, user.user_id, user.list.rev if user.list is not None else 0)

    def recipients(self, peer: Addressee) -> tuple[DeviceKeys, ...]:
        """Return the devices to which messages for a person are sealed; none if they go in plain text.

        Raises:
            Rejected: Nothing may be sent: the key has changed, or there were keys before and now there are none.
        """
        if not peer.user_id:
            return ()
        why = self._contacts.why_blocked(peer.user_id)
        if why:
            raise Rejected("key-changed", sentence(why))
        if peer.rev:
            try:
                return self._contacts.recipients(peer.user_id)
            except CryptoRefusal as refused:
                raise as_rejected(refused) from None
        if not self._contacts.may_send_plain(peer.user_id):
            raise Rejected(
                "no-longer-encrypted",
                f"Messages with {peer.name} were encrypted before, and now the server has no keys of {peer.name}, so"
                f" this was not sent; /keys plain {peer.name} sends in plain text from now on.",
            )
        return ()

    def security(self, name: str) -> Security:
        """Return how messages to a person are protected, as far as that is known without asking the server."""
        peer = self._known.get(fold(name))
        user_id = peer.user_id if peer is not None else self._contacts.id_of(name)
        if not user_id:
            return Security.PLAIN if peer is not None else Security.UNKNOWN
        contact = self._contacts.get(user_id)
        if contact.blocked:
            return Security.BLOCKED
        if contact.known is None or contact.plain_accepted:
            return Security.PLAIN if peer is not None else Security.UNKNOWN
        return Security.VERIFIED if self._contacts.is_verified(user_id) else Security.ENCRYPTED
