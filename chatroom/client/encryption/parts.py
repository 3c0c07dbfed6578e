"""The parts of the encryption for one user, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatroom.client.crypto.encrypted_rooms import EncryptedRooms
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_offers import FileOffer, SealedFiles
from chatroom.client.crypto.inner import Inner
from chatroom.client.encryption.absent_members import AbsentMembers
from chatroom.client.encryption.conversations import SealedConversations
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.held_mail import HeldMail
from chatroom.client.encryption.key_server import Ask, KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.outbox import SealedOutbox
from chatroom.client.encryption.own_devices import OwnDevices
from chatroom.client.encryption.peers import Peers
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.private_opening import PrivateOpening
from chatroom.client.encryption.private_sealing import PrivateSealing
from chatroom.client.encryption.recovery import Recovery
from chatroom.client.encryption.refusals import sentence
from chatroom.client.encryption.resets import Resets
from chatroom.client.encryption.room_keys import RoomKeys
from chatroom.client.encryption.room_members import RoomReaders
from chatroom.client.encryption.room_memory import RoomMemory
from chatroom.client.encryption.room_opening import RoomOpening
from chatroom.client.encryption.room_sealing import RoomSealing
from chatroom.client.encryption.sealed_files import take_offer
from chatroom.client.encryption.unread_mail import UnreadMail
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.key_events import E2eFrom

MOST_TOLD = 20  # messages that were not sent whose texts are told


class EncryptionParts:
    """All that belongs to one user's keys.

    Args:
        ring: The keys.
        ask: Gives the server a command.
        port: The client around them.
        label: What people call this device.
        random: Returns so many random bytes.

    Attributes:
        ring: As the argument.
        server: Asks the server.
        peers: The people of private conversations.
        envelopes: Seals for devices.
        outbox: What the server has not confirmed.
        conversations: The history of private messages.
        private: Seals private messages.
        unread: Counts the private messages that the user has not read.
        mail: Opens what comes through Olm.
        rooms: Which rooms are encrypted.
        absent: The members of rooms whose connection was lost.
        members: The devices of rooms' members.
        memory: The messages of encrypted rooms.
        room: Seals messages to rooms.
        news: Opens messages of rooms.
        room_keys: Takes, asks for and gives keys of rooms.
        resets: Asks again for what could not be opened.
        devices: Our own devices.
        recovery: The recovery key.
        files: The offers of encrypted files.
        on_offer: Called with the device and the name of a user who offers a file, and with the offer.
        port: As the argument.
    """

    def __init__(self, ring: KeyRing, ask: Ask, port: Port, label: str, random: Callable[[int], bytes]) -> None:
        def warn(text: str) -> None:
            port.tell(SecurityNotice(text=text, alarm=True))

        def warn_room(room: str, text: str) -> None:
            port.tell(SecurityNotice(text=text, room=room, alarm=True))

        def warn_of(user: str, text: str) -> None:
            port.tell(SecurityNotice(text=text, user=user, alarm=True))

        def lost(name: str) -> None:
            warn(f"Too many messages of {name} wait, so later ones are dropped; see /verify {name}.")

        self.ring = ring
        self.port = port
        self.on_offer: Callable[[tuple[str, str], str, FileOffer], None] = lambda peer, name, offer: None
        self.files = SealedFiles(ring.store)
        self.server = KeyServer(ask)
        self.peers = Peers(self.server, ring.contacts, ring.user_id, warn_of)
        self.envelopes = Envelopes(self.server, ring.olm, port.now, warn, port.turn)
        self.outbox = SealedOutbox(ring.store)
        self.conversations = SealedConversations(ring.store, ring.user_id)
        common = ring, self.server, self.peers, self.envelopes
        self.private = PrivateSealing(*common, self.outbox, self.conversations, port)
        self.unread = UnreadMail(ring.store)
        held = HeldMail(ring.store, lost)
        self.mail = PrivateOpening(ring, self.peers, self.conversations, held, self.unread, port)
        self.rooms = EncryptedRooms(ring.store)
        self.memory = memory = RoomMemory(ring.store)
        self.absent = AbsentMembers(ring.store, ring.contacts, port.now)
        self.members = RoomReaders(
            self.server, self.peers, ring.contacts, self.absent, ring.user_id, port.now, warn_room
        )
        self.room = RoomSealing(ring, self.server, self.members, self.envelopes, self.outbox, memory, port)
        self.news = RoomOpening(ring, memory, self.files, port)
        self.room_keys = RoomKeys(*common, self.news, self.mail.show_late, port)
        self.resets = Resets(*common, port)
        self.devices = OwnDevices(ring, self.server, self.envelopes, port, label)
        self.recovery = Recovery(ring, self.server, self.devices, port, random)
        takers = self.mail.takers
        takers["room.key"] = self.room_keys.take
        takers["room.key.request"] = self.room_keys.asked
        takers["file.offer"] = self._file_offered
        takers["session.reset"] = self.resets.asked
        takers["secret.usk"] = lambda inner, event, device: self.devices.take_user_key(inner, device)

    def _file_offered(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> None:
        """Take the offer of a file that somebody has sent, or another device of ours."""
        try:
            offer = take_offer(self.files, inner.sender[0], inner.body)
        except CryptoRefusal as refused:
            self.port.tell(SecurityNotice(text=f"{sentence(refused.text)} It came from {event.by}.", user=event.by))
            return
        self.mail.show_late(self.news.parked.take(offer.file, inner.sender[0]))
        if inner.sender[0] != self.ring.user_id:
            self.on_offer(inner.sender, event.by, offer)

    def give_up_unsent(self) -> list[SecurityNotice]:
        """Take the messages that were not sent out of the history. Returns notices with the texts of some."""
        unsent = self.outbox.all()
        for sealed in unsent:
            if sealed.to[1]:
                self.conversations.delete(sealed.to[1], sealed.record["id"])
        why = "A message was not sent, because this device has new keys."
        return [sealed.not_sent(why) for sealed in unsent[:MOST_TOLD]]

    async def ask_again(self) -> None:
        """Ask for what could not be opened, and tell what is not opened before the user has decided."""
        self.mail.tell_held()
        await self.resets.ask()
        await self.room_keys.ask()

    async def to_device(self, device: DeviceKeys, kind: str, body: Mapping[str, Any]) -> None:
        """Send something to one device; it is stored in the vault before it leaves.

        Args:
            device: The device.
            kind: The type of the message.
            body: Its contents.

        Raises:
            Rejected: The server cannot be asked.
        """
        id = self.port.mint()
        envelopes = await self.envelopes.seal([device], kind, id, body)
        await self.ring.store.commit()
        known = self.ring.contacts.get(device.user_id).known
        await self.server.send(id, envelopes, {device.user_id: known.rev if known is not None else 0})
