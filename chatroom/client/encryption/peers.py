"""Whom a private message is for, and whether it is encrypted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from chatroom.client.crypto.contacts import Contacts, Learned
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.interface import Security
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.encryption.words import key_changed, other_person
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
        me: Our user id.
        warn: Tells the user that the keys of a person have changed: the person's name, and a sentence.
    """

    def __init__(self, server: KeyServer, contacts: Contacts, me: str, warn: Callable[[str, str], None]) -> None:
        self._server = server
        self._contacts = contacts
        self._me = me
        self._warn = warn
        self._known: dict[str, Addressee] = {}
        self._current: set[str] = set()  # the ids of users whose lists are as the server has them

    def forget(self, user_id: str = "") -> None:
        """Ask the server again about a user before the next message; about everybody, without an id."""
        self._known = {key: peer for key, peer in self._known.items() if user_id and peer.user_id != user_id}
        self._current = self._current - {user_id} if user_id else set()

    async def find(self, name: str) -> Addressee:
        """Return the person with a name, or with ``id:`` and an id, after the person's keys were compared.

        Raises:
            Rejected: The server cannot be asked, or what it says of the keys must not be believed.
        """
        peer = self._known.get(fold(name))
        if peer is None or not peer.rev:  # a person without keys may get some at any time
            (peer,) = await self.learn([name])
            if len(self._known) < MOST:
                self._known[fold(name)] = peer
        return peer

    async def follow(self, user_id: str) -> None:
        """Learn the device list of a user unless it is known as the server has it.

        A list that must not be believed is told, and what was known of the user stays.

        Raises:
            Rejected: The server cannot be asked.
        """
        if user_id in self._current:
            return
        ((user, refused),) = await self._learn([f"id:{user_id}"])
        if refused is not None:
            self._warn(user.name, sentence(refused.text))
        if len(self._current) < MOST:
            self._current.add(user_id)

    async def learn(self, users: Collection[str]) -> list[Addressee]:
        """Ask the server for device lists, and compare them with what is remembered.

        Raises:
            Rejected: The server cannot be asked, or a list must not be believed.
        """
        learned = await self._learn(users)
        for _, refused in learned:
            if refused is not None:
                raise as_rejected(refused) from None
        return [_addressee(user) for user, _ in learned]

    async def _learn(self, users: Collection[str]) -> list[tuple[UserKeys, CryptoRefusal | None]]:
        """Return what the server says of users, each with the reason if it must not be believed."""
        found, _ = await self._server.query(users)
        learned: list[tuple[UserKeys, CryptoRefusal | None]] = []
        for user in found:
            try:
                self._compare(user)
                learned.append((user, None))
            except CryptoRefusal as refused:
                learned.append((user, refused))
        return learned

    def _compare(self, user: UserKeys) -> None:
        """Compare what the server says of a user with what is remembered; tell a change, once.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        if not user.user_id:
            return
        known = self._known.get(fold(user.name))
        if known is not None and known.user_id != user.user_id:
            del self._known[fold(user.name)]  # another has that name now: a guest has left, or has registered
        before = self._contacts.get(user.user_id).changed
        learned = self._contacts.learn(user.user_id, user.name, user.list)
        now = self._contacts.get(user.user_id).changed
        if now is not None and (before is None or before.user_key != now.user_key):
            own = user.user_id == self._me
            self._warn(user.name, sentence(self._contacts.why_blocked(self._me)) if own else key_changed(user.name))
        elif learned is Learned.OTHER_PERSON:
            self._warn(user.name, other_person(user.name))

    def recipients(self, peer: Addressee) -> tuple[DeviceKeys, ...]:
        """Return the devices to which messages for a person are sealed; none if they go in plain text.

        Raises:
            Rejected: Nothing may be sent: the key has changed, or there were keys before and now there are none.
        """
        user_id = self._id_of(peer)
        if not user_id:
            return ()
        why = self._contacts.why_blocked(user_id)
        if why:
            raise Rejected("key-changed", sentence(why))
        if peer.rev:
            try:
                return self._contacts.recipients(user_id)
            except CryptoRefusal as refused:
                raise as_rejected(refused) from None
        if not self._contacts.may_send_plain(user_id):
            raise Rejected(
                "no-longer-encrypted",
                f"Messages with {peer.name} were encrypted before, and now the server has no keys of {peer.name}, so"
                f" this was not sent; /keys plain {peer.name} sends in plain text from now on.",
            )
        return ()

    def _id_of(self, peer: Addressee) -> str:
        """Return the id of a person; of one whom the server does not know now, the id that we remember for the name.

        So neither a lost connection of the person nor a lie of the server makes an encrypted conversation a plain one.
        """
        return peer.user_id or self._contacts.id_of(peer.name)

    def id_of(self, name: str) -> str:
        """Return the id of the person with a name, as far as that is known without asking the server."""
        peer = self._known.get(fold(name))
        return self._id_of(peer) if peer is not None else self._contacts.id_of(name)

    def security(self, name: str) -> Security:
        """Return how messages to a person are protected, as far as that is known without asking the server."""
        peer = self._known.get(fold(name))
        user_id = self.id_of(name)
        if not user_id:
            return Security.PLAIN if peer is not None else Security.UNKNOWN
        contact = self._contacts.get(user_id)
        if contact.blocked:
            return Security.BLOCKED
        if contact.known is None or contact.plain_accepted:
            return Security.PLAIN if peer is not None else Security.UNKNOWN
        return Security.VERIFIED if self._contacts.is_verified(user_id) else Security.ENCRYPTED


def _addressee(user: UserKeys) -> Addressee:
    return Addressee(user.name, user.user_id, user.list.rev if user.list is not None else 0)
