"""Sealed messages for this device on their way in: each is opened, judged by its type, and kept in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

from msgspec.structs import replace

from chatroom.client.crypto.believed_amendments import Standing, check_amendment, conversation_of
from chatroom.client.crypto.contacts import shown_name
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.crypto.olm_sessions import Duplicate
from chatroom.client.encryption import words
from chatroom.client.encryption.conversations import PrivateLine, SealedConversations, excerpt
from chatroom.client.encryption.held_mail import HeldMail
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.peers import Peers
from chatroom.client.encryption.plaintext import emoji_of, text_of
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import sentence
from chatroom.client.encryption.unread_mail import UnreadMail
from chatroom.client.errors import Rejected
from chatroom.client.opened import PrivateChange
from chatroom.client.status import Notice, SecurityNotice
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.events import Event
from chatroom.model.key_events import E2eFrom
from chatroom.model.text import clean

Take = Callable[[Inner, E2eFrom, DeviceKeys], None]
"""Takes a message of a type that a part of the encryption has asked for: what came, how, and from which device."""


class PrivateOpening:
    """Opens what comes through Olm.

    Args:
        ring: Our keys.
        peers: Learns the devices of senders.
        conversations: The history.
        held: Keeps what cannot be opened before the user has accepted a key.
        unread: Counts what the user has not read.
        port: Tells notices.

    Attributes:
        takers: What takes messages of other types than those of conversations, by type.
    """

    def __init__(
        self,
        ring: KeyRing,
        peers: Peers,
        conversations: SealedConversations,
        held: HeldMail,
        unread: UnreadMail,
        port: Port,
    ) -> None:
        self._ring = ring
        self._peers = peers
        self._conversations = conversations
        self._held = held
        self._unread = unread
        self._port = port
        self.takers: dict[str, Take] = {}
        self._late: list[Event | Notice] = []

    async def open(self, event: E2eFrom) -> list[Event | Notice]:
        """Open a message. Returns what to show of it.

        Raises:
            Rejected: The server cannot be asked about the sender; the message comes again on the next connection.
        """
        try:
            device = await self._sender(event)
            if device is None:
                return []
            event = replace(event, by=shown_name(self._ring.contacts, event.by_id, event.by))
            inner = self._ring.olm.open(device, event.id, event.kind, event.body)
            return [] if isinstance(inner, Duplicate) else await self._judged(inner, event, device)
        except CryptoRefusal as refused:
            return self._refused(event, refused)

    async def _sender(self, event: E2eFrom) -> DeviceKeys | None:
        """Return the device of the sender; None if the message is held back, because the sender's key has changed.

        Raises:
            CryptoRefusal: There is no such device.
        """
        contacts = self._ring.contacts
        await self._peers.follow(event.by_id)
        if event.by_id == self._ring.user_id:
            return contacts.sender(event.by_id, event.device)
        if contacts.why_blocked(event.by_id):
            self._held.hold(event)
            return None
        return contacts.sender(event.by_id, event.device)

    def _refused(self, event: E2eFrom, refused: CryptoRefusal) -> list[Event | Notice]:
        """Return what to tell of a message that was not opened. What can be asked for again is told when it is lost."""
        if refused.code in ("undecryptable", "not-linked"):
            return []
        return [SecurityNotice(text=f"{sentence(refused.text)} It came from {event.by}.", user=event.by, alarm=True)]

    async def _judged(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> list[Event | Notice]:
        """Return what to show of an opened message.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        take = self.takers.get(inner.type)
        if take is not None:
            take(inner, event, device)
            return []
        if inner.type not in ("msg", "edit", "react", "delete"):
            return [
                SecurityNotice(text=f"{event.by} sent something that a newer chatroom-client can read.", user=event.by)
            ]
        to_id, to = _reader(inner)
        author = inner.sender[0]
        own = author == self._ring.user_id
        conversation = conversation_of(self._ring.user_id, author, to_id)
        peer_id, peer = (to_id, to) if own else (author, event.by)
        self._ring.contacts.note_encrypted(peer_id)
        if inner.type == "msg":
            return [self._message(inner, event, peer_id, to)]
        return self._change(inner, event, peer_id, peer, conversation)

    def _message(self, inner: Inner, event: E2eFrom, peer_id: str, to: str) -> Event:
        """Add a message to the history, and return what to show.

        Raises:
            CryptoRefusal: It has the id of another author's message, which it could change then.
        """
        there = self._conversations.find(peer_id, inner.id)
        if there is not None and there.by_id != inner.sender[0]:
            raise CryptoRefusal("forged", "an encrypted message has the id of another one")
        quoted = inner.body.get("quoted")
        line = PrivateLine(
            id=inner.id,
            at=event.at,
            by=event.by,
            by_id=inner.sender[0],
            to=to,
            to_id=_reader(inner)[0],
            text=text_of(inner.body),
            quoted=(clean(str(quoted[0])), excerpt(clean(str(quoted[1])))) if _is_pair(quoted) else None,
        )
        self._conversations.note(peer_id, line)
        if inner.sender[0] != self._ring.user_id:
            self._unread.came(peer_id, event.by)
        return line.event(self._ring.user_id)

    def _change(self, inner: Inner, event: E2eFrom, peer_id: str, peer: str, conversation: str) -> list[Event | Notice]:
        """Apply an edit, a reaction or a deletion to the history, and return the notice of it.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        line = self._conversations.find(peer_id, str(inner.body.get("message", "")))
        if line is None:
            return [SecurityNotice(text=words.unknown_changed(event.by), user=peer)]
        change = Standing(inner.sender[0], conversation, sealed=True, authenticated=True)
        check_amendment(inner.type, change, Standing(line.by_id, conversation, sealed=True, authenticated=True))
        who: dict[str, Any] = {"message": line.id, "by": event.by, "user": peer, "at": event.at}
        if inner.type == "edit":
            text = text_of(inner.body)
            self._conversations.edited(peer_id, line, text, event.at)
            return [PrivateChange(kind="edit", text=text, **who)]
        if inner.type == "delete":
            self._conversations.delete(peer_id, line.id)
            return [PrivateChange(kind="delete", text=excerpt(line.text), **who)]
        emoji, on = emoji_of(inner.body)
        self._conversations.reacted(peer_id, line, (event.by, inner.sender[0]), emoji, on=on)
        return [PrivateChange(kind="react", text=excerpt(line.text), emoji=emoji, on=on, **who)]

    def show_late(self, told: Iterable[Event | Notice]) -> None:
        """Have something shown with the next that is shown."""
        self._late += told

    def take_late(self) -> list[Event | Notice]:
        """Return what ``show_late`` was given since the last call."""
        late, self._late = self._late, []
        return late

    def tell_held(self) -> None:
        """Tell the user whose messages are held back, and how many: once for each number."""
        for event, number in self._held.news():
            name = shown_name(self._ring.contacts, event.by_id, event.by)
            self._port.tell(SecurityNotice(text=words.held_back(name, number), user=name, alarm=True))

    async def reopen(self, user_id: str) -> list[Event | Notice]:
        """Open what was held back of a user, whose key is accepted now. Returns what to show."""
        told: list[Event | Notice] = []
        for event in self._held.of(user_id):
            try:
                told += await self.open(event)
            except Rejected as refused:
                told.append(SecurityNotice(text=refused.text, user=event.by, alarm=True))
                break
            if not self._ring.contacts.why_blocked(user_id):
                self._held.remove(event)  # it is stored together with what was opened, so a crash loses neither
        return told


def _is_pair(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and len(value) == 2


def _reader(inner: Inner) -> tuple[str, str]:
    """Return the id and the name of the user for whom a message is.

    Raises:
        CryptoRefusal: The message does not say that.
    """
    to = inner.body.get("to")
    if not isinstance(to, list) or len(to) != 2 or not all(isinstance(part, str) for part in to):
        raise CryptoRefusal("forged", "an encrypted message does not say for whom it is")
    return to[0], clean(to[1])
