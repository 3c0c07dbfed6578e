"""The messages of encrypted rooms that this client has opened: the newest in memory, the others in the local history.

Sealed messages name one another by their ids. The screen, and people who count back, name them by their seqs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.json import decode, encode
from msgspec.structs import replace

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.room_lines import KeptRoomLine
from chatroom.client.encryption.store import Store
from chatroom.client.errors import Rejected
from chatroom.model import events as e
from chatroom.model.commands.table import MOST_BACK

MOST = 2000  # messages of one room
MOST_ROOMS = 64
ON_ITS_WAY = 1 << 53  # greater than every seq
MOST_REMEMBERED = 10_000  # rooms of which it is known that they are encrypted


@dataclass(slots=True)
class _Room:
    lines: OrderedDict[str, KeptRoomLine] = field(default_factory=OrderedDict)
    complete: bool = False  # the newest messages of the history are among them


class RoomMemory:
    """Remembers the messages that were opened, for each encrypted room. A room is named by its id.

    Args:
        store: Keeps the history.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rooms: OrderedDict[str, _Room] = OrderedDict()
        self._on_their_way = 0
        self._sealed_from: dict[str, int] = {}  # the first seq, by room, that is known to be no plain message's

    # ---- what is noted ---------------------------------------------------------------------------------------------

    def note(self, room: str, line: KeptRoomLine) -> KeptRoomLine:
        """Remember a message that was opened, unless it is known already. Returns the message as it is known.

        Raises:
            CryptoRefusal: It has the id of another author's message, which it could change then.
        """
        known = self.find(room, line.id)
        if known is not None and known.by_id != line.by_id:
            raise CryptoRefusal("forged", "an encrypted message has the id of another one")
        if known is not None and known.seq < ON_ITS_WAY:
            return known if known.seq == line.seq else line
        self._put(room, line)
        self._store.note(place_of(room), line.id, line.seq, line.at, encode(line))
        return line

    def note_file(self, room: str, event: e.Shared) -> None:
        """Remember a shared file, which can be answered, reacted to and deleted like a message.

        The server alone says who has shared it, and under which id. So it takes no message's place.
        """
        if self.find(room, event.id) is None:
            who: dict[str, Any] = {"id": event.id, "by": event.by, "by_id": event.by_id}
            line = KeptRoomLine(seq=event.seq, at=event.at, text=event.name, file=True, **who)
            self._put(room, line)
            self._store.note(place_of(room), line.id, line.seq, line.at, encode(line))

    def note_own(self, room: str, line: KeptRoomLine) -> None:
        """Remember a message of ours that is on its way, as the newest one; it may be edited before its echo comes."""
        if self.find(room, line.id) is None:
            self._on_their_way += 1
            self._put(room, replace(line, seq=ON_ITS_WAY + self._on_their_way))

    def change(self, room: str, line: KeptRoomLine, change: e.Edited | e.Reacted) -> None:
        """Remember what was done to a message, unless something newer is known."""
        changed = line.after(change)
        if changed is not line:
            self._put(room, changed)
            self._store.replace(place_of(room), line.id, encode(changed))

    def delete(self, room: str, line: KeptRoomLine) -> None:
        """Forget the text of a message that was deleted, and remove the message from the history."""
        self._put(room, replace(line, text="", answers="", reactions=()))
        self._store.forget(place_of(room), line.id)

    def came_deleted(self, room: str, event: e.SealedMessage) -> None:
        """Remember that a message was deleted, whether it was known before or not: what is told of it later is old."""
        line = self.find(room, event.id)
        if line is None:
            who: dict[str, Any] = {"id": event.id, "by": event.by, "by_id": event.by_id}
            self._put(room, KeptRoomLine(seq=event.seq, at=event.at, text="", **who))
        elif not line.deleted:
            self.delete(room, replace(line, seq=event.seq))

    def forget(self, id: str) -> None:
        """Forget a message of ours that was refused."""
        for known in self._rooms.values():
            known.lines.pop(id, None)

    def note_sealed(self, room: str, seq: int) -> None:
        """Remember that a room was encrypted when it had an event with this seq."""
        if room in self._sealed_from or len(self._sealed_from) < MOST_REMEMBERED:
            self._sealed_from[room] = min(seq, self._sealed_from.get(room, seq))

    def was_encrypted(self, room: str, seq: int) -> bool:
        """Return whether a room was encrypted at a seq, as far as is known."""
        return room in self._sealed_from and seq >= self._sealed_from[room]

    # ---- what is found ---------------------------------------------------------------------------------------------

    def find(self, room: str, id: str) -> KeptRoomLine | None:
        """Return the message with an id; None if this client does not have it."""
        line = self._of(room).lines.get(id)
        if line is not None:
            return line
        kept = self._store.find(place_of(room), id)
        return decode(kept, type=KeptRoomLine) if kept is not None else None

    def event(self, room: str, name: str, line: KeptRoomLine) -> e.Spoken:
        """Return a message of the room with a name as it is shown now."""
        return line.event(name, self.find(room, line.answers) if line.answers else None)

    async def at(self, room: str, seq: int) -> KeptRoomLine | None:
        """Return the message with a seq; None if this client does not have it."""
        line = next((line for line in reversed(self._of(room).lines.values()) if line.seq == seq), None)
        if line is not None:
            return line
        kept = await self._store.recent(place_of(room), seq + 1, 1)
        return next(
            (line for line in (decode(each.value, type=KeptRoomLine) for each in kept) if line.seq == seq), None
        )

    async def meant(
        self, room: str, seq: int | None, last: int, counts: Callable[[KeptRoomLine], bool]
    ) -> KeptRoomLine:
        """Return the message that somebody means.

        Args:
            room: The room's id.
            seq: The seq of the message; None if it is counted back.
            last: 1 for the last message, 2 for the one before.
            counts: Returns whether a message counts. Deleted ones never do.

        Raises:
            Rejected: This client does not have the message.
        """
        if seq is not None:
            there = await self.at(room, seq)
            found = [there] if there is not None else []
            last = 1
        else:
            found = await self._newest(room)
        found = [line for line in found if not line.deleted and counts(line)]
        if last > len(found):
            raise Rejected("no-message", "There is no such message among those that this client has opened.")
        return found[-last]

    async def _newest(self, room: str) -> list[KeptRoomLine]:
        """Return the newest messages, the last one last."""
        known = self._of(room)
        if not known.complete:
            kept = await self._store.recent(place_of(room), 0, MOST_BACK)
            known.lines = OrderedDict({each.id: decode(each.value, type=KeptRoomLine) for each in kept} | known.lines)
            known.complete = True
        return sorted(known.lines.values(), key=lambda line: line.seq)

    def _put(self, room: str, line: KeptRoomLine) -> None:
        lines = self._of(room).lines
        lines[line.id] = line
        if len(lines) > MOST:
            lines.popitem(last=False)

    def _of(self, room: str) -> _Room:
        known = self._rooms.setdefault(room, _Room())
        self._rooms.move_to_end(room)
        if len(self._rooms) > MOST_ROOMS:
            self._rooms.popitem(last=False)
        return known


def place_of(room: str) -> str:
    """Return where the history keeps the messages of a room."""
    return f"room/{room}"
