"""Opening the events of a connection: mail, messages of rooms, pages of history, and shared files."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from chatroom.client.connection import Piece
from chatroom.client.conversation import Conversation
from chatroom.client.encryption.earlier_messages import EarlierMessages
from chatroom.client.encryption.mail_acks import MailAcks
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.room_standing import note_room
from chatroom.client.encryption.way_in import OpenedEvents, WayIn
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event
from chatroom.model.key_events import E2eFrom
from chatroom.model.key_replies import KeysChanged, KeysLow


class OpeningOwner(Protocol):
    """The part of ``EncryptionDriver`` that is needed here; its members are documented there."""

    parts: EncryptionParts | None
    earlier: EarlierMessages | None
    conversation: Conversation
    acks: MailAcks

    @property
    def port(self) -> Port: ...

    def commit(self) -> Awaitable[None]: ...

    def not_now(self, failure: Any) -> None: ...


class EventOpening:
    """Opens events; it implements ``EventOpener``.

    Args:
        owner: Has our keys and the connection.

    Attributes:
        way_in: Has the events handled in order.
    """

    def __init__(self, owner: OpeningOwner) -> None:
        self._owner = owner
        self._over_links: dict[int, Deferred[None]] = {}  # what came over links, by the identity of the event
        self.way_in = WayIn(self, owner.port)

    def lost(self) -> None:
        """Drop what is not opened yet: the connection has gone."""
        self.way_in.lost()
        self.tell_held()
        self._over_links.clear()

    def opens(self, event: Event | Piece) -> bool:
        """Return whether an event is sealed, or has sealed ones in it."""
        if isinstance(event, a.History):
            return any(isinstance(each, e.SealedMessage) for each in event.events)
        if isinstance(event, e.Shared):
            return event.sealed and bool(event.name) and self._lacks_offer(event)
        if isinstance(event, e.Edited | e.Reacted):
            return self._owner.parts is not None and self._owner.parts.news.forbids(event)
        return isinstance(event, E2eFrom | e.SealedMessage)

    def _lacks_offer(self, event: e.Shared) -> bool:
        """Return whether it is not known what a shared file is. Our own uploads show their own names."""
        own = self._owner.conversation.carrier.awaits(event)
        return (
            self._owner.parts is not None and not own and self._owner.parts.files.get(event.file, event.by_id) is None
        )

    async def open(self, event: Event) -> OpenedEvents:
        """Open an event."""
        parts = self._owner.parts
        if parts is None:
            return OpenedEvents()
        if isinstance(event, e.Edited | e.Reacted):
            return OpenedEvents([parts.news.refused_plain(event)], changed=False)
        if isinstance(event, E2eFrom):
            return await self._open_mail(event, parts)
        if isinstance(event, a.History):
            return self._open_history(event, parts)
        if isinstance(event, e.Shared):
            parts.news.shared(event)
            parts.news.parked.park(event)
            return OpenedEvents(changed=False)
        assert isinstance(event, e.SealedMessage)  # see ``opens``
        told = parts.news.open(event)
        if parts.news.wanted:
            self._owner.acks.ask_soon()  # no mail may come that has them asked for
        if event.by_id == parts.ring.user_id and event.device == parts.ring.identity.device:
            parts.room.echoed(event.id, event.ct, self._id_of(event.room))
        return OpenedEvents(told)

    async def _open_mail(self, event: E2eFrom, parts: EncryptionParts) -> OpenedEvents:
        over_link = self._over_links.pop(id(event), None)
        if over_link is None and not self._owner.acks.takes(event.seq):
            return OpenedEvents(changed=False)
        try:
            told = await parts.mail.open(event)
        except Rejected as refused:
            if over_link is not None:
                over_link.errback(refused)
            else:
                self._owner.acks.stop()  # this one comes again, so none after it may be acknowledged
                self._not_opened(refused)
            return OpenedEvents(changed=False)
        late = parts.mail.take_late()
        done = partial(self._owner.acks.note, event.seq) if over_link is None else partial(over_link.callback, None)
        return OpenedEvents(told, late=late, done=done)

    def _not_opened(self, refused: Rejected) -> None:
        """Tell the user that mail waits, because the server does not say what is needed to open it."""
        if refused.code not in ("lost", "ended"):
            text = f"Encrypted messages wait on the server and cannot be opened now: {refused.text}"
            self._owner.port.tell(SecurityNotice(text=text, alarm=True))

    def take_over_link(self, event: E2eFrom) -> Deferred[None]:
        """Take a sealed message that came over a direct link; the Deferred fires when it is opened and stored."""
        done: Deferred[None] = Deferred()
        self._over_links[id(event)] = done
        self.way_in.receive(event, None)
        return done

    def _open_history(self, event: a.History, parts: EncryptionParts) -> OpenedEvents:
        """Open the messages of a page of a room's history, and tell the user once if keys are missing."""
        events, notices = parts.news.open_page(event.events, event.room)
        page: Any = replace(event, events=events)
        return OpenedEvents([page, *notices])

    def tell_held(self) -> None:
        """Tell the earlier messages that were opened late: no more keys come for the moment."""
        if self._owner.parts is not None:
            self.way_in.tell_late(self._owner.parts.news.held.take_all())

    def ask_again(self) -> Deferred[None]:
        """Ask for what could not be opened. Returns a Deferred that fires when that is done."""
        if self._owner.parts is None:
            return succeed(None)
        if self._owner.parts.news.wanted:
            self._owner.acks.ask_soon()  # what was opened is told when these keys have had time to come
        else:
            self.tell_held()
        return Deferred.fromCoroutine(self._owner.parts.ask_again()).addErrback(self._owner.not_now)

    def missed(self, room: str) -> None:
        """Note that some events of a room, of which we know the name, are not told."""
        id = self._id_of(room)
        if self._owner.parts is not None and id:
            self._owner.parts.news.streams.broken(id)

    def _id_of(self, room: str) -> str:
        """Return the id of a room that we are in; empty if we are not."""
        state = self._owner.port.rooms.find(room)
        return state.id if state is not None else ""

    def note(self, event: Event) -> None:
        """Follow an event that is about to be handled as it is."""
        parts = self._owner.parts
        if parts is None:
            return
        if isinstance(event, KeysLow):
            Deferred.fromCoroutine(parts.devices.publication.refill()).addErrback(self._owner.not_now)
        elif isinstance(event, KeysChanged):
            parts.peers.forget(event.user_id)
            parts.members.forget()
            if event.user_id == parts.ring.user_id:
                Deferred.fromCoroutine(parts.devices.changed()).addErrback(self._owner.not_now)
        elif isinstance(event, a.Entered | e.Encrypted):
            note_room(event, self._owner.conversation.state.joined, parts.rooms, self._owner.port)
            parts.news.entered(event)
            if self._owner.earlier is not None:  # they can be given when this event was handled
                self._owner.conversation.clock.callLater(0, self._owner.earlier.give, event.room)
        elif isinstance(event, e.Deleted):
            Deferred.fromCoroutine(parts.news.deleted(event)).addErrback(self._owner.not_now)
        elif isinstance(event, e.Shared) and not e.of_inbox(event):
            parts.news.shared(event)
        elif isinstance(event, e.MembershipEvent | e.MemberRemoved):
            self._note_member(event, parts)
        elif isinstance(event, a.Settings) and event.changed == "ignored":
            parts.news.streams.broken()  # the messages of ignored people did not come

    def _note_member(self, event: e.RoomEvent, parts: EncryptionParts) -> None:
        """Note who is absent from an encrypted room, unless the event was seen before."""
        room = self._owner.port.rooms.find(event.room)
        if room is None or not room.encrypted or event.seq <= room.after:
            return
        if parts.absent.note(room.id, event):
            Deferred.fromCoroutine(self.store()).addErrback(self._owner.not_now)

    async def store(self) -> None:
        """Store what was noted."""
        await self._owner.commit()
