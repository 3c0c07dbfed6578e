"""Sealed messages of rooms on their way in. One whose key has not come yet is kept, asked for, and shown later."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from chatroom.client.crypto.believed_amendments import Standing, check_amendment
from chatroom.client.crypto.contacts import shown_name
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_offers import SealedFiles
from chatroom.client.crypto.inbound_sessions import OpenedInRoom
from chatroom.client.crypto.room_messages import RoomCiphertext, SessionName
from chatroom.client.crypto.room_plaintext import SessionEnd
from chatroom.client.encryption import words
from chatroom.client.encryption.conversations import excerpt
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.parked_files import ParkedFiles
from chatroom.client.encryption.plaintext import emoji_of, text_of
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.room_lines import KeptRoomLine
from chatroom.client.encryption.room_memory import RoomMemory
from chatroom.client.encryption.room_streams import RoomStreams
from chatroom.client.encryption.sealed_files import take_offer
from chatroom.client.encryption.waiting_messages import HeldLines, WaitingMessages
from chatroom.client.room_state import RoomState
from chatroom.client.status import Notice, SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event
from chatroom.model.shared_files import SOME_FILE

MOST_EARLY = 1000  # changes of messages that are not opened yet

Told = list[Event | Notice]


class RoomOpening:
    """Opens messages of rooms.

    Args:
        ring: Our keys.
        memory: Remembers what was opened.
        files: Keeps the offers of files.
        port: Knows the rooms.

    Attributes:
        wanted: The messages whose keys are to be asked for.
        streams: What came without a break.
        parked: Shared files that are shown when their offers come.
        held: Earlier messages that were opened late, and are told together.
    """

    def __init__(self, ring: KeyRing, memory: RoomMemory, files: SealedFiles, port: Port) -> None:
        self._ring = ring
        self._memory = memory
        self._files = files
        self.parked = ParkedFiles()
        self.held = HeldLines()
        self._port = port
        self._waiting = WaitingMessages()
        self._early: OrderedDict[str, tuple[str, str, e.Edited | e.Reacted]] = OrderedDict()  # room, message, change
        self.wanted: list[RoomCiphertext] = []
        self.streams = RoomStreams()

    def open(self, event: e.SealedMessage) -> Told:
        """Open a message that has come. Returns what to show of it; a deleted one is shown as it is."""
        sealed = self._sealed(event)
        if not event.ct:
            if sealed is not None:
                self.streams.deleted(sealed.name(), event.seq)
                self._memory.came_deleted(sealed.room, event)
                if self._waiting.has_earlier(sealed.room, self.streams, event.seq):
                    self.held.add(sealed.room, event.seq, [event])  # those before it are told first
                    return []
            return [event]
        if sealed is None:
            return []
        told, opened = self._opened(event, sealed)
        if told is None:
            return self._wait(event, sealed)
        missing = self._missing(sealed, opened) if opened is not None else 0
        return [*self._told_missing(missing, event), *told]

    def _told_missing(self, missing: int, event: e.SealedMessage) -> Told:
        """Return what is told of missing messages of an author, if there are any."""
        text = words.missing(missing, self._named(event).by)
        return [SecurityNotice(text=text, room=event.room)] if missing else []

    def _missing(self, sealed: RoomCiphertext, opened: OpenedInRoom) -> int:
        """Return how many messages are missing before one that was opened, also of the author's session before."""
        name, end = sealed.name(), opened.plain.before
        missing = 0 if end is None else self._missing_at_end(name, end, sealed.seq)
        return missing + self.streams.came(name, sealed.seq, opened.index, opened.skipped)

    def _missing_at_end(self, name: SessionName, end: SessionEnd, seq: int) -> int:
        """Return how many messages are missing at the end of the session before a session."""
        before = self.streams.ended(name, end, seq)
        if isinstance(before, int):
            return before
        return max(0, self._ring.groups.inbound.missing_at_end(before.name, before.first, end) - before.deleted)

    def open_page(self, events: Sequence[Event], name: str) -> tuple[list[Event], list[Notice]]:
        """Open the messages of a page of the history.

        Args:
            events: The page.
            name: The name of the room.

        Returns:
            The page as it is shown, with all that was done to its messages, and what is told of those that cannot be
            opened. What was done to a message is no line of the page.
        """
        shown: list[Event] = []
        notices: list[Notice] = []
        lacking = False
        for each in events:
            sealed = self._sealed(each) if isinstance(each, e.SealedMessage) else None
            if not isinstance(each, e.SealedMessage) or not each.ct:
                if sealed is not None and isinstance(each, e.SealedMessage):
                    self._memory.came_deleted(sealed.room, each)
                shown.append(each)
                continue
            told = self._opened(each, sealed)[0] if sealed is not None else []
            if told is None and sealed is not None:
                lacking = True
                self.wanted.append(sealed)
            shown += [one for one in told or () if isinstance(one, e.Spoken)]
            notices += [one for one in told or () if isinstance(one, SecurityNotice) and one.alarm]
            notices += [one for one in _before_key(self._named(each).by, told or ()) if one not in notices]
        if lacking:
            notices.append(SecurityNotice(text=self._why_unread(), room=name))
        return [self._as_known(each) for each in shown], notices

    def _as_known(self, event: Event) -> Event:
        """Return a message of a page with what was done to it, which may stand further down on the page."""
        room = self._port.rooms.find(event.room) if isinstance(event, e.RoomEvent) else None
        if not isinstance(event, e.Spoken | e.Shared) or room is None:
            return event
        line = self._memory.find(room.id, event.id)
        if isinstance(event, e.Shared):
            return replace(event, reactions=line.living) if line is not None and line.file else event
        return self._memory.event(room.id, event.room, line) if line is not None and line.seq == event.seq else event

    def _sealed(self, event: e.SealedMessage) -> RoomCiphertext | None:
        """Return what is to be opened; None if we are not in the room any more."""
        room = self._port.rooms.find(event.room)
        if room is None:
            return None
        self._memory.note_sealed(room.id, event.seq)
        return RoomCiphertext(room.id, event.id, (event.by_id, event.device), event.sid, event.ct, event.seq)

    def _named(self, event: e.SealedMessage) -> e.SealedMessage:
        return replace(event, by=shown_name(self._ring.contacts, event.by_id, event.by))

    def _opened(self, event: e.SealedMessage, sealed: RoomCiphertext) -> tuple[Told | None, OpenedInRoom | None]:
        """Open a message.

        Returns:
            What to show of it, None if its key is missing; and what was sealed, None if it could not be opened.
        """
        room = self._port.rooms.find(event.room)
        assert room is not None  # see ``_sealed``
        event = self._named(event)
        opened = None
        try:
            opened = self._ring.groups.inbound.open(sealed)
            return list(self._shown(event, room, opened)), opened
        except CryptoRefusal as refused:
            if refused.code == "no-key":
                return None, None
            if refused.code == "before-key":
                return [SecurityNotice(text=words.before_key(event.by), room=event.room)], None
            text = f"A message of {event.by} was not shown: {refused.text}."
            return [SecurityNotice(text=text, room=event.room, alarm=True)], opened

    def _wait(self, event: e.SealedMessage, sealed: RoomCiphertext) -> Told:
        """Keep a message until its key comes. Returns a notice, unless the user was told so."""
        self._waiting.add(sealed.name(), event)
        self.streams.locked(sealed.name())
        self.wanted.append(sealed)
        if not self._ring.contacts.linked:
            return []  # the user was told so, and how to link the device
        earlier = self.streams.is_earlier(sealed.room, event.seq)
        text = self._why_unread() if earlier else words.not_opened_yet(self._named(event).by)
        return [SecurityNotice(text=text, room=event.room)] if self.streams.once(sealed.room, text) else []

    def _why_unread(self) -> str:
        """Return why this device has no key for what was said earlier, in words."""
        try:
            return words.not_here(others=bool(self._ring.contacts.recipients(self._ring.user_id)))
        except CryptoRefusal:
            return words.not_here(others=False)

    def given(self, name: SessionName) -> Told:
        """Follow a session whose owner has just given us its key; see ``came``."""
        self.streams.given(name)
        return self.came(name)

    def came(self, name: SessionName) -> Told:
        """Open the messages that waited for a key. Returns what to show of them."""
        told: Told = []
        end, waiting = self.streams.unlocked(name), self._waiting.take(name)
        for event in waiting:
            self.streams.again(name.room, words.not_opened_yet(self._named(event).by))
            opened = self.open(event)
            early = _before_key(self._named(event).by, opened)
            opened = [each for each in opened if each not in early or each not in told]
            if self.streams.is_earlier(name.room, event.seq) and not early:
                self.held.add(name.room, event.seq, opened)
            else:
                told += opened
        if waiting and end is not None:
            last = waiting[-1]
            told += self._told_missing(self._missing_at_end(name, end, last.seq), last)
        return told if self._waiting.has_earlier(name.room, self.streams) else [*self.held.take(name.room), *told]

    def imported(self) -> Told:
        """Open the messages that waited for keys which were imported. Returns what to show of them."""
        known = [name for name in self._waiting if self._ring.groups.inbound.knows(name)]
        told = [each for name in known for each in self.came(name)]
        return [*self.held.take_all(), *told]

    # ---- what is inside --------------------------------------------------------------------------------------------

    def _shown(self, event: e.SealedMessage, room: RoomState, opened: OpenedInRoom) -> Told:
        """Return the event of an opened message.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        plain, kind = opened.plain, opened.plain.type
        if kind in ("msg", "me"):
            return [self._message(event, room, plain.body, acted=kind == "me")]
        if kind == "file":
            offer = take_offer(self._files, event.by_id, plain.body)
            return list(self.parked.take(offer.file, event.by_id))
        if kind not in ("edit", "react"):
            return [SecurityNotice(text=f"{event.by} sent something that a newer client can read.", room=event.room)]
        id = str(plain.body.get("message", ""))
        line = self._memory.find(room.id, id)
        change = _change(kind, plain.body, event)
        if line is None and opened.authenticated:
            return self._too_early(room, id, change)
        if line is not None and line.file and kind == "edit":
            raise CryptoRefusal("not-author", "an edit names a file, which has no text")
        about = None if line is None else Standing(line.by_id, room.id, sealed=True, authenticated=True)
        check_amendment(kind, Standing(event.by_id, room.id, sealed=True, authenticated=opened.authenticated), about)
        assert line is not None  # checked just now
        if line.deleted:
            return []
        change = replace(change, message=line.seq)
        self._memory.change(room.id, line, change)
        if isinstance(change, e.Reacted):
            change = replace(change, user=line.by, text=excerpt(line.text))
        return [change]

    def _too_early(self, room: RoomState, id: str, change: e.Edited | e.Reacted) -> Told:
        """Keep a change of a message that this device does not have, for when the message is opened.

        Returns:
            The notice of it; nothing if it was made before we came, for then the message may be further back.
        """
        self._early[change.id] = room.id, id, change
        if len(self._early) > MOST_EARLY:
            self._early.popitem(last=False)
        if room.replayed(change):
            return []
        return [SecurityNotice(text=words.change_of_unknown(change), room=room.room)]

    def _message(self, event: e.SealedMessage, room: RoomState, body: dict[str, Any], *, acted: bool) -> e.Spoken:
        """Remember a message, and return it as it is now.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        who: dict[str, Any] = {"id": event.id, "seq": event.seq, "by": event.by, "by_id": event.by_id}
        line = KeptRoomLine(at=event.at, text=text_of(body), acted=acted, answers=str(body.get("quote", "")), **who)
        line = self._memory.note(room.id, line)
        for key, (place, message, change) in list(self._early.items()):
            if (place, message) == (room.id, event.id):
                del self._early[key]
                if isinstance(change, e.Reacted) or change.by_id == line.by_id:
                    self._memory.change(room.id, line, change)
                    line = line.after(change)
        return self._memory.event(room.id, event.room, line)

    def shared(self, event: e.Shared) -> None:
        """Remember a file that was shared in an encrypted room, by its real name if that is known."""
        room = self._port.rooms.find(event.room)
        if room is not None and event.sealed and event.name:
            offer = self._files.get(event.file, event.by_id)
            self._memory.note_file(room.id, replace(event, name=offer.name if offer is not None else SOME_FILE))

    # ---- what must not come in plain text -------------------------------------------------------------------------

    def entered(self, event: a.Entered | e.Encrypted) -> None:
        """Follow a room that we have joined, and remember from which seq on it is encrypted for certain."""
        room = self._port.rooms.find(event.room)
        if isinstance(event, a.Entered):
            again = room is not None and room.id == event.room_id and event.seq >= room.after and not event.gone
            self.streams.entered(event.room_id, event.seq, again=again)
            if not again:
                self.held.take(event.room_id)  # what the server tells on a join comes again
                self._waiting.forget_room(event.room_id)
            if event.encrypted:
                self._memory.note_sealed(event.room_id, event.seq)
        elif room is not None:
            self._memory.note_sealed(room.id, event.seq)

    def forbids(self, event: e.Edited | e.Reacted) -> bool:
        """Return whether a change that came in plain text must not be believed: of a sealed message, or since then."""
        room = self._port.rooms.find(event.room)
        if room is None:
            return False
        return self._memory.was_encrypted(room.id, max(event.seq, event.message))

    def refused_plain(self, event: e.Edited | e.Reacted) -> Notice:
        """Return the notice about a change that ``forbids`` does not let through."""
        what = "An edit" if isinstance(event, e.Edited) else "A reaction"
        text = f"{what} that the server says is from {event.by} came without encryption, and was not shown."
        return SecurityNotice(text=text, room=event.room, alarm=True)

    async def deleted(self, event: e.Deleted) -> None:
        """Remove a message from the history that was deleted, and from those that wait for their keys."""
        room = self._port.rooms.find(event.room)
        if room is not None:
            waited = self._waiting.take_one(room.id, event.message)
            if waited is not None:
                self.streams.deleted(waited[0], event.message)
                self._memory.came_deleted(room.id, waited[1])
        line = await self._memory.at(room.id, event.message) if room is not None else None
        if room is not None and line is not None:
            self._memory.delete(room.id, line)
            await self._ring.store.commit()


def _before_key(by: str, told: Sequence[Event | Notice]) -> list[Notice]:
    """Return the notices that say that messages of a person were sealed before we were given their key."""
    text = words.before_key(by)
    return [each for each in told if isinstance(each, SecurityNotice) and each.text == text]


def _change(kind: str, body: dict[str, Any], event: e.SealedMessage) -> e.Edited | e.Reacted:
    """Return an edit or a reaction as an event, which does not say yet which message it is about.

    Raises:
        CryptoRefusal: It has no proper text, or no emoji.
    """
    place: dict[str, Any] = {"room": event.room, "seq": event.seq, "message": 0}
    who: dict[str, Any] = {"id": event.id, "at": event.at, "by": event.by, "by_id": event.by_id}
    if kind == "edit":
        return e.Edited(text=text_of(body), **place, **who)
    emoji, on = emoji_of(body)
    return e.Reacted(emoji=emoji, on=on, **place, **who)
