"""Sealed messages of rooms on their way in. One whose key has not come yet is kept, asked for, and shown later."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from chatroom.client.crypto.believed_amendments import Standing, check_amendment
from chatroom.client.crypto.contacts import shown_name
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_offers import SealedFiles
from chatroom.client.crypto.inbound_sessions import OpenedInRoom
from chatroom.client.crypto.room_messages import RoomCiphertext, SessionName
from chatroom.client.encryption import words
from chatroom.client.encryption.conversations import excerpt
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.parked_files import ParkedFiles
from chatroom.client.encryption.plaintext import emoji_of, text_of
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.room_memory import OpenedRoomLine, RoomMemory
from chatroom.client.encryption.sealed_files import take_offer
from chatroom.client.opened import OpenedActed, OpenedSaid
from chatroom.client.status import Notice, SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event

MOST_WAITING = 1000  # messages that wait for their keys

Told = list[Event | Notice]


class KeptRoomLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message of an encrypted room as the history keeps it; see ``OpenedRoomLine``."""

    id: str
    seq: int
    at: int
    by: str
    by_id: str
    text: str
    acted: bool = False


class RoomOpening:
    """Opens messages of rooms.

    Args:
        ring: Our keys.
        memory: Remembers what was opened.
        files: Keeps the offers of files.
        port: Knows the rooms.

    Attributes:
        wanted: The messages whose keys are to be asked for.
        parked: Shared files that are shown when their offers come.
    """

    def __init__(self, ring: KeyRing, memory: RoomMemory, files: SealedFiles, port: Port) -> None:
        self._ring = ring
        self._memory = memory
        self._files = files
        self.parked = ParkedFiles()
        self._port = port
        self._waiting: OrderedDict[SessionName, list[e.SealedMessage]] = OrderedDict()
        self.wanted: list[RoomCiphertext] = []

    def open(self, event: e.SealedMessage) -> Told:
        """Open a message. Returns what to show of it."""
        room = self._port.rooms.find(event.room)
        if room is None or not event.ct:
            return []
        self._memory.note_sealed(room.id, event.seq)
        event = replace(event, by=shown_name(self._ring.contacts, event.by_id, event.by))
        sealed = RoomCiphertext(room.id, event.id, (event.by_id, event.device), event.sid, event.ct, event.seq)
        try:
            opened = self._ring.groups.inbound.open(sealed)
            told: Told = list(self._shown(event, room.id, opened))
        except CryptoRefusal as refused:
            if refused.code == "no-key":
                return self._wait(event, sealed)
            text = f"A message of {event.by} was not shown: {refused.text}."
            return [SecurityNotice(text=text, room=event.room, alarm=True)]
        if opened.skipped:
            told.insert(0, SecurityNotice(text=words.missing(opened.skipped, event.by), room=event.room))
        return told

    def _wait(self, event: e.SealedMessage, sealed: RoomCiphertext) -> Told:
        """Keep a message until its key comes. Returns a notice about the first one of its session."""
        name = sealed.name()
        first = name not in self._waiting
        self._waiting.setdefault(name, []).append(event)
        self.wanted.append(sealed)
        while sum(map(len, self._waiting.values())) > MOST_WAITING:
            self._waiting.popitem(last=False)
        if not first:
            return []
        text = f"Messages of {event.by} cannot be opened yet: their key is missing, and was asked for."
        return [SecurityNotice(text=text, room=event.room)]

    def came(self, name: SessionName) -> Told:
        """Open the messages that waited for a key. Returns what to show of them."""
        told: Told = []
        for event in self._waiting.pop(name, []):
            told += self.open(event)
        return told

    # ---- what is inside --------------------------------------------------------------------------------------------

    def _shown(self, event: e.SealedMessage, room: str, opened: OpenedInRoom) -> Told:
        """Return the event of an opened message.

        Raises:
            CryptoRefusal: It must not be believed.
        """
        plain, kind = opened.plain, opened.plain.type
        who: dict[str, Any] = {"id": event.id, "at": event.at, "by": event.by, "by_id": event.by_id}
        place: dict[str, Any] = {**who, "room": event.room, "seq": event.seq}
        if kind in ("msg", "me"):
            return [self._message(event, room, plain.body, place, acted=kind == "me")]
        if kind == "file":
            offer = take_offer(self._files, event.by_id, plain.body)
            return list(self.parked.take(offer.file, event.by_id))
        if kind not in ("edit", "react"):
            return [SecurityNotice(text=f"{event.by} sent something that a newer client can read.", room=event.room)]
        line = self._memory.find(room, str(plain.body.get("message", "")))
        about = None if line is None else Standing(line.by_id, room, sealed=True, authenticated=True)
        check_amendment(kind, Standing(event.by_id, room, sealed=True, authenticated=opened.authenticated), about)
        assert line is not None  # checked just now
        if kind == "edit":
            text = text_of(plain.body)
            self._memory.edited(room, line, text)
            self._note(event, room, KeptRoomLine(seq=line.seq, text=text, **{**who, "id": line.id}), again=True)
            return [e.Edited(message=line.seq, text=text, **place)]
        emoji, on = emoji_of(plain.body)
        return [e.Reacted(message=line.seq, emoji=emoji, on=on, user=line.by, text=excerpt(line.text), **place)]

    def _message(
        self, event: e.SealedMessage, room: str, body: dict[str, Any], place: dict[str, Any], *, acted: bool
    ) -> e.Spoken:
        text = text_of(body)
        quoted = self._memory.find(room, str(body.get("quote", "")))
        self._memory.note(room, OpenedRoomLine(event.id, event.seq, event.by, event.by_id, text))
        kept = KeptRoomLine(
            id=event.id, seq=event.seq, at=event.at, by=event.by, by_id=event.by_id, text=text, acted=acted
        )
        self._note(event, room, kept)
        fields: dict[str, Any] = {"quote": quoted.seq, "quoted": quoted.quoted} if quoted is not None else {}
        return (OpenedActed if acted else OpenedSaid)(text=text, **place, **fields)

    def _note(self, event: e.SealedMessage, room: str, line: KeptRoomLine, *, again: bool = False) -> None:
        """Put a message, or its new text, into the history."""
        if again:
            self._ring.store.replace(f"room/{room}", line.id, encode(line))
        else:
            self._ring.store.note(f"room/{room}", line.id, event.seq, event.at, encode(line))

    # ---- what must not come in plain text -------------------------------------------------------------------------

    def entered(self, event: a.Entered | e.Encrypted) -> None:
        """Remember from which seq on a room is encrypted for certain."""
        if isinstance(event, a.Entered):
            if event.encrypted:
                self._memory.note_sealed(event.room_id, event.seq)
            return
        room = self._port.rooms.find(event.room)
        if room is not None:
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

    def deleted(self, event: e.Deleted) -> None:
        """Remove a message from the history that was deleted."""
        room = self._port.rooms.find(event.room)
        line = self._memory.at(room.id, event.message) if room is not None else None
        if room is not None and line is not None:
            self._memory.edited(room.id, line, "")
            self._ring.store.forget(f"room/{room.id}", line.id)
