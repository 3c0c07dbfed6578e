"""Private messages on their way out: sealed for each device of the reader, and for the author's own other devices.

To a person without keys a message goes in plain text, and the user is told so before. A person with whom messages were
encrypted before never gets one in plain text unless the user has agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption import words
from chatroom.client.encryption.conversations import PrivateLine, SealedConversations, excerpt
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.interface import Security
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.outbox import SealedCommand, SealedOutbox
from chatroom.client.encryption.peers import Addressee, Peers
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.encryption.way_out import Send
from chatroom.client.errors import Rejected
from chatroom.client.opened import PrivateChange, SentSealed
from chatroom.client.pending import PendingCommand
from chatroom.client.status import SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device_keys import DeviceKeys, Envelope
from chatroom.model.emoji import is_emoji
from chatroom.model.errors import BAD_EMOJI, NO_KEYS
from chatroom.model.events import Event

TO_PEOPLE = frozenset({"message", "reply"})
TO_PEOPLE_PERHAPS = frozenset({"edit", "react", "quote", "delete", "file"})  # if they have a ``user``
MOST_WAITS = 15  # times that a message is sent to a mailbox that is full
MOST_TRIES = 4  # times that one message is sealed, because devices of the reader came or went meanwhile


async def by_server(id: str, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
    """Return all envelopes: without direct links, all go by the server."""
    return envelopes


class PrivateSealing:
    """Seals private messages, and what is done to them.

    Args:
        ring: Our keys.
        server: Takes the sealed messages.
        peers: Knows the readers.
        envelopes: Seals for devices.
        outbox: Keeps what the server has not confirmed.
        conversations: The history.
        port: Gives answers to commands, and tells notices.

    Attributes:
        carry: Sends envelopes over direct links, and returns those that must go by the server.
    """

    def __init__(
        self,
        ring: KeyRing,
        server: KeyServer,
        peers: Peers,
        envelopes: Envelopes,
        outbox: SealedOutbox,
        conversations: SealedConversations,
        port: Port,
    ) -> None:
        self._ring = ring
        self._server = server
        self._peers = peers
        self._envelopes = envelopes
        self._outbox = outbox
        self._conversations = conversations
        self._port = port
        self.carry = by_server
        self._tries: dict[str, int] = {}
        self._to_self: dict[str, PrivateLine] = {}  # messages to ourselves that are under way, by id
        self._before: dict[str, tuple[str, PrivateLine]] = {}  # what is changed by commands under way, by their ids
        self._told_plain: set[str] = set()
        self._told_guest = False

    @staticmethod
    def takes(record: dict[str, Any]) -> bool:
        """Return whether a command is about private messages."""
        return record["do"] in TO_PEOPLE or (record["do"] in TO_PEOPLE_PERHAPS and bool(record.get("user")))

    async def seal(self, command: PendingCommand) -> Send:
        """Seal a private message, or return what sends it in plain text.

        Raises:
            Rejected: It is not to be sent.
        """
        record = command.record
        kept = self._outbox.get(record.get("id", ""))
        if kept is not None:
            return partial(self._send, command, kept)
        peer = await self._peers.find(record["user"] if record["do"] != "reply" else f"id:{record.get('to', '')}")
        devices = self._peers.recipients(peer)
        if not devices and not peer.rev:
            return self._plain(command, peer)
        id, body, kind = await self._body(command, peer)
        envelopes = await self.for_person(peer, devices, kind, id, body)
        self._ring.contacts.note_encrypted(peer.user_id)
        fields: dict[str, Any] = {"envelopes": tuple(envelopes), "revs": self._revs(peer)}
        sealed = self._outbox.put({**record, "id": id}, to=(peer.name, peer.user_id), **fields)
        self._tell_of_guest(peer)
        if kind == "msg":
            line = self._line(id, peer, body)
            self._conversations.note(peer.user_id, line)
            if peer.user_id == self._ring.user_id:
                self._to_self[id] = line
        return partial(self._send, command, sealed)

    async def for_person(
        self, peer: Addressee, devices: tuple[DeviceKeys, ...], kind: str, id: str, body: dict[str, Any]
    ) -> list[Envelope]:
        """Seal something for all devices of a person, and for our own other devices.

        Raises:
            Rejected: No device of that person can get it, or this device is not linked.
        """
        try:
            own = self._ring.contacts.recipients(self._ring.user_id)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        own = own if peer.user_id != self._ring.user_id else ()
        envelopes = await self._envelopes.seal([*devices, *own], kind, id, body)
        if devices and not any(envelope.user_id == peer.user_id for envelope in envelopes):
            raise Rejected("no-keys-left", f"The devices of {peer.name} have no keys left; try again later.")
        return envelopes

    def _tell_of_guest(self, peer: Addressee) -> None:
        """Tell a guest once, at the first sealed message, how long the keys last."""
        if self._port.guest and not self._told_guest:
            self._told_guest = True
            self._port.tell(SecurityNotice(text=words.guest_keys(self._port.name), user=peer.name))

    def _revs(self, peer: Addressee) -> dict[str, int]:
        own = self._ring.contacts.get(self._ring.user_id).known
        return {peer.user_id: peer.rev, self._ring.user_id: own.rev if own is not None else 0}

    # ---- what is inside --------------------------------------------------------------------------------------------

    async def _body(self, command: PendingCommand, peer: Addressee) -> tuple[str, dict[str, Any], str]:
        """Return the id, the body and the type of what a command seals.

        Raises:
            Rejected: The message that it is about is not known.
        """
        record, do = command.record, command.do
        id = str(record.get("id") or self._port.mint())
        body: dict[str, Any] = {"to": [peer.user_id, peer.name]}
        if do in TO_PEOPLE:
            return id, {**body, "text": record["text"]}, "msg"
        if do == "file":
            return id, {**record["offer"], **body}, "file.offer"
        if do == "react" and not is_emoji(record["emoji"]):
            raise Rejected(BAD_EMOJI.code, BAD_EMOJI().text)
        await self._find(record, peer)
        message, by, first = record["message"]
        if do == "quote":
            return id, {**body, "text": record["text"], "quote": message, "quoted": [by, first]}, "msg"
        body["message"] = message
        if do == "edit":
            body["text"] = record["text"]
        elif do == "react":
            body |= {"emoji": record["emoji"], "on": record.get("on", True)}
        self._note_change(id, peer, do, body)
        return id, body, do

    def _note_change(self, id: str, peer: Addressee, do: str, body: dict[str, Any]) -> None:
        """Do to a message of the history what a command does, so that the next command counts back from there."""
        line = self._conversations.find(peer.user_id, body["message"])
        if line is None:
            return
        self._before.setdefault(id, (peer.user_id, line))
        if do == "edit":
            self._conversations.edited(peer.user_id, line, body["text"], self._port.now())
        elif do == "react":
            by = self._port.name, self._ring.user_id
            self._conversations.reacted(peer.user_id, line, by, body["emoji"], on=body["on"])
        else:
            self._conversations.delete(peer.user_id, line.id)

    async def _find(self, record: dict[str, Any], peer: Addressee) -> None:
        """Note in a command which message it is about: its id, its author and its first words.

        That is done once: when the command is sealed again, another message may be the last.

        Raises:
            Rejected: There is no such message.
        """
        if "message" not in record:
            own = record["do"] in ("edit", "delete")
            line = await self._conversations.counted_back(peer.user_id, record.get("last", 1), own=own)
            record["message"] = line.id, line.by, excerpt(line.text)

    def _line(self, id: str, peer: Addressee, body: dict[str, Any]) -> PrivateLine:
        ring, quoted = self._ring, body.get("quoted")
        return PrivateLine(
            id=id,
            at=self._port.now(),
            by=self._port.name,
            by_id=ring.user_id,
            to=peer.name,
            to_id=peer.user_id,
            text=body["text"],
            quoted=tuple(quoted) if quoted else None,
        )

    # ---- sending ---------------------------------------------------------------------------------------------------

    def _plain(self, command: PendingCommand, peer: Addressee) -> Send:
        """Return what sends a message in plain text, after the user was told that it goes so.

        Raises:
            Rejected: Only sealed messages can be edited and so on.
        """
        if command.do not in TO_PEOPLE:
            raise Rejected("not-encrypted", words.ONLY_SEALED)
        if peer.user_id and peer.user_id not in self._told_plain:
            self._told_plain.add(peer.user_id)
            self._port.tell(SecurityNotice(text=words.plain_notice(peer.name), user=peer.name))
        return partial(self._port.transmit, command)

    def _send(self, command: PendingCommand, sealed: SealedCommand) -> None:
        """Give a sealed message to the server; see ``Send``."""
        Deferred.fromCoroutine(self._sent(command, sealed)).addErrback(self._port.failed)

    async def _sent(self, command: PendingCommand, sealed: SealedCommand) -> None:
        id, (name, _) = sealed.record["id"], sealed.to
        notice = "message" if sealed.record["do"] in (*TO_PEOPLE, "quote") else ""
        try:
            left = await self.carry(id, sealed.envelopes)
            answer = await self._server.send(id, left, sealed.revs, notice=notice, user=name)
        except Rejected as refused:
            self._refused(command, sealed, refused)
            return
        self._tries.pop(id, None)
        self._before.pop(id, None)
        self._outbox.remove(id)
        line = self._to_self.pop(id, None)
        if line is not None:  # no device sends to itself
            self._port.handle(line.event(self._ring.user_id), None)
        self._port.answered(command, self._answer(sealed, answer.waits if answer is not None else ""))

    def _answer(self, sealed: SealedCommand, waits: str) -> Event:
        """Return the answer to a command whose sealed message the server has, and tell what it waits for."""
        record, (name, user_id) = sealed.record, sealed.to
        if waits == "guest":
            self._peers.forget(user_id)  # the guest is gone, and another may have the name when we write again
        if waits == "keys":
            self._port.tell(SecurityNotice(text=words.not_readable(name), user=name))
        if record["do"] in (*TO_PEOPLE, "quote"):
            _, *cited = record["message"] if record["do"] == "quote" else ("",)
            for_whom: Any = {"account": "account", "guest": "return"}.get(waits, "")  # only this guest can open it
            return SentSealed(record["id"], name, record["text"], for_whom, quoted=e.Quoted(*cited) if cited else None)
        if record["do"] != "file":
            self._port.tell(self._change(sealed))
        return a.Ok()

    def _change(self, sealed: SealedCommand) -> PrivateChange:
        record = sealed.record
        message, _, first = record["message"]
        fields = {
            "text": record.get("text") or first,
            "emoji": record.get("emoji", ""),
            "on": record.get("on", True),
        }
        return PrivateChange(
            kind=record["do"], message=message, by=self._port.name, user=sealed.to[0], at=self._port.now(), **fields
        )

    def _refused(self, command: PendingCommand, sealed: SealedCommand, refused: Rejected) -> None:
        """Seal a message again if the devices have changed; otherwise fail its command, unless it comes again."""
        if refused.code == "lost":
            return
        id = sealed.record["id"]
        tries = self._tries.pop(id, 0) + 1
        if refused.code == "mailbox-full" and tries < MOST_WAITS:  # the reader may only be slow
            self._tries[id] = tries
            self._port.later(command)  # with the same bytes
            return
        if refused.code == NO_KEYS.code and tries < MOST_TRIES:  # our keys are published again, and it waits for that
            self._tries[id] = tries
            self._port.again(command)
            return
        self._outbox.remove(id)
        if refused.code == "stale-devices" and tries < MOST_TRIES:
            self._tries[id] = tries
            for user_id in sealed.revs:
                self._peers.forget(user_id)
            Deferred.fromCoroutine(self._again(command, sealed)).addErrback(self._port.failed)
            return
        self._refuse(command, sealed, refused)

    def _refuse(self, command: PendingCommand, sealed: SealedCommand, refused: Rejected) -> None:
        """Fail a command, and take out of the history what it has done there."""
        id, (_, peer_id) = sealed.record["id"], sealed.to
        changed = self._before.pop(id, None)
        if changed is not None:
            self._conversations.put_back(*changed)
        elif sealed.record["do"] in (*TO_PEOPLE, "quote"):
            self._to_self.pop(id, None)
            self._conversations.delete(peer_id, id)
        self._port.refuse(command, refused)

    async def _again(self, command: PendingCommand, sealed: SealedCommand) -> None:
        """Learn the devices anew, and seal the message again."""
        try:
            await self._peers.learn([f"id:{user_id}" for user_id in sealed.revs])
        except Rejected as refused:
            if refused.code != "lost":
                self._refuse(command, sealed, refused)
            return
        self._port.again(command)

    def security(self, name: str) -> Security:
        """Return how messages to a person are protected."""
        return self._peers.security(name)
