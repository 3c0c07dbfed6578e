"""End-to-end encryption on a client's connection: what is sealed on the way out, and opened on the way in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock

from chatroom.client.connection import Piece, Ref
from chatroom.client.conversation import Conversation
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption import words
from chatroom.client.encryption.client_port import ClientPort
from chatroom.client.encryption.earlier_messages import EarlierMessages
from chatroom.client.encryption.event_opening import EventOpening
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.local_answers import LocalAnswers
from chatroom.client.encryption.mail_acks import MailAcks
from chatroom.client.encryption.own_publication import StaleVault
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.encryption.private_sealing import PrivateSealing
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.encryption.room_sealing import SEALED, is_counted_deletion
from chatroom.client.encryption.shut_out import explained
from chatroom.client.encryption.store import Store
from chatroom.client.encryption.way_out import Send, WayOut
from chatroom.client.errors import Rejected
from chatroom.client.pending import PendingCommand
from chatroom.client.room_state import RoomState
from chatroom.client.status import SecurityNotice
from chatroom.client.vault.errors import VaultError, WrongPassphrase
from chatroom.model import replies as a
from chatroom.model.events import Event

TAKEN_AWAY = frozenset({"keys-elsewhere", "unlinked"})  # what the server says when this session has its device no more

OpenStore = Callable[[str, str], Deferred[Store]]
"""Opens the store of a user, given the server's id and the user's id; fails with a ``VaultError``."""


class EncryptionDriver:
    """Seals and opens for a ``Conversation``; it implements ``Sealing``.

    Args:
        conversation: Has the connection.
        open_store: Opens a user's store.
        random: Returns so many random bytes.
        mint: Returns a new unique id.
        now: Returns the time in milliseconds since 1970.
        label: What people call this device.

    Attributes:
        conversation: As the argument.
        port: The client around the encryption.
        acks: Acknowledges mail.
        opening: Opens events.
        parts: What belongs to our keys; None if we have none here.
        earlier: Messages of an earlier run; None if we have no keys here.
        problem: Why we have no keys here although the server knows keys; empty if there is no problem.
        expects_keys: Whether the server knew keys in an earlier run, so that it must know them now.
        on_parts: Called with the new ``parts`` when these change, and with None before they end.
    """

    def __init__(
        self,
        conversation: Conversation,
        open_store: OpenStore,
        random: Callable[[int], bytes],
        mint: Callable[[], str],
        now: Callable[[], int],
        label: str,
    ) -> None:
        self.conversation = conversation
        self._open_store = open_store
        self._random = random
        self._label = label
        self.port = ClientPort(conversation, mint, now, self._again, self._later, self._is_behind)
        self._out = WayOut(self, conversation.transmit, self.port.refuse)
        self.acks = MailAcks(conversation.clock, self._acknowledge, lambda: self.opening.ask_again())
        self._local = LocalAnswers(self.port)
        self.opening = EventOpening(self)
        self.on_parts: Callable[[EncryptionParts | None], None] = lambda parts: None
        self.parts: EncryptionParts | None = None
        self.earlier: EarlierMessages | None = None
        self.problem = ""
        self.expects_keys = False
        self._arriving = DeferredLock()  # each arrival is of the same keys, or makes new ones

    # ---- the connection --------------------------------------------------------------------------------------------

    def arrive(self) -> Deferred[None]:
        """Open the store of the user that we are now, and publish our keys."""
        arrival = object()
        self._out.hold(arrival)

        def arrived(result: Any) -> Any:
            self._out.release(arrival)
            return result

        return self._arriving.run(lambda: Deferred.fromCoroutine(self._arrive())).addBoth(arrived)

    def settled(self) -> Deferred[None]:
        """Return a Deferred that fires when our keys are published, or it is known that we have none."""
        return self._out.settled()

    async def _arrive(self) -> None:
        state = self.conversation.state
        if "keys" not in state.features:
            if self.parts is not None or self.expects_keys:
                await self._stop("the server says that it knows no encryption any more, which it did.")
            return
        await self._open(state.server_id, state.user_id)
        if self.parts is None:
            return
        self.acks.start()
        try:
            try:
                await self.parts.devices.arrive()
            except StaleVault:
                await self._renew(self.parts)
            await self.parts.recovery.check()
        except Rejected as refused:
            if refused.code == "lost":
                raise
            await self._stop(refused.text)
            return
        if self.earlier is not None:
            self.earlier.give("")

    async def _renew(self, parts: EncryptionParts) -> None:
        """Make new keys for this device, because a copy of the store is in use, and publish them."""
        unsent, notices = len(parts.outbox.all()), parts.give_up_unsent()
        parts.ring.renew()
        await self.commit()
        self.on_parts(None)
        new = self._use(KeyRing(parts.ring.store, parts.ring.server, parts.ring.user_id, self._random))
        self.port.tell(SecurityNotice(text=words.device_renewed(unsent), alarm=True))
        for notice in notices:
            self.port.tell(notice)
        await new.devices.arrive()

    async def _open(self, server: str, user_id: str) -> None:
        """Open the store of a user, unless it is open."""
        if self.parts is not None and (self.parts.ring.server, self.parts.ring.user_id) == (server, user_id):
            return
        await self._close()
        self.problem = ""
        try:
            store = await self._open_store(server, user_id)
            ring = KeyRing(store, server, user_id, self._random)
        except WrongPassphrase as error:
            # Somebody types it again now, and it must not be said to a room.
            self.conversation.drop(f"{error}; start the client again, and type the right one", hopeless=True)
            raise Rejected("lost", sentence(str(error))) from None
        except (VaultError, CryptoRefusal) as error:
            await self._stop(sentence(str(error)))
            return
        parts = self._use(ring)
        for id, person in parts.unread.all().items():
            self.conversation.state.inbox.resume_sealed(person.name, id, person.number)
        parts.mail.tell_held()

    def _use(self, ring: KeyRing) -> EncryptionParts:
        """Use keys from now on."""
        self.parts = parts = EncryptionParts(ring, self.conversation.ask, self.port, self._label, self._random)
        self.earlier = EarlierMessages(parts.outbox, self.conversation, self.port.tell)
        parts.devices.on_stale = partial(self.conversation.drop, "this device needs new keys")
        self.on_parts(parts)
        return parts

    async def _stop(self, why: str) -> None:
        """Go on without keys: nothing private is sent from now on, because nobody knows what was encrypted before."""
        await self._close()
        self.problem = why
        self.port.tell(SecurityNotice(text=words.does_not_work(why), alarm=True))

    async def _close(self) -> None:
        parts, self.parts, self.earlier = self.parts, None, None
        if parts is not None:
            self.on_parts(None)
            parts.devices.overdue.stop()
            await parts.ring.close()

    def read(self, user: str) -> None:
        """Note in the vault that the user has read the sealed messages of a person."""
        parts = self.parts
        if parts is not None and parts.unread.read(parts.ring.contacts.id_of(user)):
            Deferred.fromCoroutine(self.commit()).addErrback(self.not_now)

    def missed(self, room: str) -> None:
        """Note that some messages of a room are not told, so that nobody is said to have kept them back."""
        self.opening.missed(room)

    def lost(self) -> None:
        """Drop what is under way: the connection has gone."""
        self._out.lost()
        self.opening.lost()
        self.acks.stop()
        if self.parts is not None:
            self.parts.devices.overdue.stop()
            self.parts.room.lost()
            self.parts.peers.forget()

    def end(self) -> Deferred[None]:
        """Close the store."""
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        await self.opening.way_in.idle()
        await self._close()

    def give(self, do: str, fields: dict[str, Any]) -> Deferred[Event]:
        """Give a command of the encryption's own; see ``Client.do``."""
        return self.conversation.give(do, fields)

    # ---- the way out -----------------------------------------------------------------------------------------------

    def send(self, command: PendingCommand) -> bool:
        """Take a command, unless it is to be sent as it is, now."""
        return self._out.send(command)

    def takes(self, command: PendingCommand) -> bool:
        """Return whether a command is to be sealed, or refused, or answered here."""
        record = command.record
        if PrivateSealing.takes(record):
            return self.parts is not None or bool(self.problem)
        if self.parts is None:
            return bool(self.problem) and record["do"] in SEALED and self._sealed_room(record) is not None
        sealed = record["do"] in SEALED and (self._sealed_room(record) is not None or self._was_sealed(record))
        return (
            sealed
            or (is_counted_deletion(record) and self._sealed_room(record) is not None)
            or self._local.takes(record, self.parts)
        )

    async def seal(self, command: PendingCommand) -> Send:
        """Seal a command."""
        if self.parts is None:
            raise Rejected("no-keys", f"This was not sent, because it may have to be encrypted. {self.problem}")
        try:
            if PrivateSealing.takes(command.record):
                return await self.parts.private.seal(command)
            if self._local.takes(command.record, self.parts):
                return await self._local.answer(command, self.parts)
            room = self._sealed_room(command.record)
            if room is not None and self.earlier is not None and self.earlier.give(room.room):
                self._again(command)
                raise Rejected("lost", "it is sealed after the messages of an earlier run")
            if room is not None:
                return await self.parts.room.seal(command, room)
            if self._was_sealed(command.record):
                name = command.record["room"]
                raise Rejected("not-in-that-room", f"you are not in room {name}; join it with /join {name}.")
            return partial(self.port.transmit, command)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        except VaultError as error:
            await self._stop(sentence(str(error)))
            raise Rejected("vault", f"This was not sent. {self.problem}") from None

    async def commit(self) -> None:
        """Store what was noted."""
        if self.parts is not None:
            try:
                await self.parts.ring.store.commit()
            except VaultError as error:
                await self._stop(sentence(str(error)))
                raise Rejected("vault", f"This was not sent. {self.problem}") from None

    def _again(self, command: PendingCommand) -> None:
        self._out.again(command)

    def _is_behind(self, command: PendingCommand) -> bool:
        return self._out.is_behind(command)

    def _later(self, command: PendingCommand) -> None:
        self._out.later(command, self.conversation.clock)

    def _sealed_room(self, record: dict[str, Any]) -> RoomState | None:
        """Return the encrypted room that a command is for; None if it is for none."""
        room = self.conversation.state.joined.find(str(record.get("room", "")))
        return room if room is not None and self.is_encrypted(room) else None

    def _was_sealed(self, record: dict[str, Any]) -> bool:
        """Return whether a command names a room that we know to be encrypted; we need not be in it."""
        name = str(record.get("room", ""))
        return self.parts is not None and bool(name) and self.parts.rooms.is_encrypted("", name)

    def is_encrypted(self, room: RoomState) -> bool:
        """Return whether a room is encrypted, or ever was."""
        return room.encrypted or (self.parts is not None and self.parts.rooms.is_encrypted(room.id, room.room))

    # ---- the way in ------------------------------------------------------------------------------------------------

    def receive(self, event: Event | Piece, re: Ref | None) -> bool:
        """Take an event, unless it is to be handled as it is, now.

        A notice that a sealed message waits is dropped unless we can have no keys: with them, we get the message.
        """
        parts = self.parts
        if isinstance(event, a.E2eNotice) and not self.problem:
            return True
        if isinstance(event, a.Error) and re is not None and parts is not None and self._refused(event, re, parts):
            return True
        ours = explained(event, self.conversation.waiting(re), self.port.name, self.parts, self.problem)
        if parts is not None and self._comes_in(ours, re):
            return True
        if ours is not event:
            self.port.handle(ours, re)
        return ours is not event

    def _comes_in(self, event: Event | Piece, re: Ref | None) -> bool:
        """Take an event if it is sealed, or if such events wait; see ``receive``."""
        if isinstance(event, a.Error) and re is None and event.code in TAKEN_AWAY:
            self.arrive().addErrback(self.not_now)  # to see why: if a copy of our store has the device, we need another
        return self.opening.way_in.receive(event, re)

    def _refused(self, event: a.Error, re: Ref, parts: EncryptionParts) -> bool:
        """Return whether a refused message to a room is sealed again."""
        waiting = self.conversation.waiting(re)
        if waiting is None:
            return False
        room = self.conversation.state.joined.find(str(waiting.record.get("room", "")))
        if event.code == "encrypted-room" and room is not None and waiting.do in SEALED and not parts.room.has_sent(re):
            room.encrypted = True  # it was encrypted while our message was on its way
            self._again(waiting)
            return True
        return parts.room.refused(re, event.code, room)

    # ---- details ---------------------------------------------------------------------------------------------------

    def _acknowledge(self, seq: int) -> None:
        if self.parts is not None:
            Deferred.fromCoroutine(self.parts.server.acknowledge(seq)).addErrback(self.not_now)

    def not_now(self, failure: Any) -> None:
        """Ignore what fails because the connection is gone: it is done on the next one."""
        if not failure.check(Rejected, VaultError):
            self.port.failed(failure)
