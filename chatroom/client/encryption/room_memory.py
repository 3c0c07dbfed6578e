"""The messages of encrypted rooms that were opened lately.

Sealed messages name one another by their ids. The screen, and people who count back, name them by their seqs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from chatroom.client.encryption.conversations import excerpt
from chatroom.client.errors import Rejected
from chatroom.model import events as e

MOST = 2000  # messages of one room
MOST_ROOMS = 64
_ON_ITS_WAY = 1 << 53  # greater than every seq
MOST_REMEMBERED = 10_000  # rooms of which it is known that they are encrypted


@dataclass(frozen=True, slots=True)
class OpenedRoomLine:
    """A message of an encrypted room.

    Args:
        id: The message's id.
        seq: Its number in the room's log.
        by: The author's name, and ``by_id`` the author's id.
        text: The text; empty if the message was deleted.
    """

    id: str
    seq: int
    by: str
    by_id: str
    text: str

    @property
    def quoted(self) -> e.Quoted:
        """What is shown where the message is answered."""
        return e.Quoted(self.by, excerpt(self.text))


class RoomMemory:
    """Remembers the messages that were opened lately, for each encrypted room. A room is named by its id."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, OrderedDict[str, OpenedRoomLine]] = OrderedDict()
        self._on_their_way = 0
        self._sealed_from: dict[str, int] = {}  # the first seq, by room, that is known to be no plain message's

    def note(self, room: str, line: OpenedRoomLine) -> None:
        """Remember a message."""
        lines = self._of(room)
        lines[line.id] = line
        if len(lines) > MOST:
            lines.popitem(last=False)

    def note_own(self, room: str, id: str, by: str, by_id: str, text: str) -> None:
        """Remember a message of ours that is on its way, as the newest one; it may be edited before its echo comes."""
        if self.find(room, id) is None:
            self._on_their_way += 1
            self.note(room, OpenedRoomLine(id, _ON_ITS_WAY + self._on_their_way, by, by_id, text))

    def forget(self, id: str) -> None:
        """Forget a message of ours that was refused."""
        for lines in self._rooms.values():
            lines.pop(id, None)

    def note_sealed(self, room: str, seq: int) -> None:
        """Remember that a room was encrypted when it had an event with this seq."""
        if room in self._sealed_from or len(self._sealed_from) < MOST_REMEMBERED:
            self._sealed_from[room] = min(seq, self._sealed_from.get(room, seq))

    def was_encrypted(self, room: str, seq: int) -> bool:
        """Return whether a room was encrypted at a seq, as far as is known."""
        return room in self._sealed_from and seq >= self._sealed_from[room]

    def find(self, room: str, id: str) -> OpenedRoomLine | None:
        """Return the message with an id; None if it is not known."""
        return self._of(room).get(id)

    def at(self, room: str, seq: int) -> OpenedRoomLine | None:
        """Return the message with a seq; None if it is not known."""
        return next((line for line in reversed(self._of(room).values()) if line.seq == seq), None)

    def edited(self, room: str, line: OpenedRoomLine, text: str) -> None:
        """Give a message another text; an empty one if it was deleted."""
        self.note(room, replace(line, text=text))

    def meant(self, room: str, seq: int | None, last: int, own: str = "") -> OpenedRoomLine:
        """Return the message that somebody means.

        Args:
            room: The room's id.
            seq: The seq of the message; None if it is counted back.
            last: 1 for the last message, 2 for the one before.
            own: If not empty, only messages of the user with this id count.

        Raises:
            Rejected: The message is not known.
        """
        lines = sorted(self._of(room).values(), key=lambda line: line.seq)
        if seq is None:
            lines = [line for line in lines if line.text and own in ("", line.by_id)]
            found = lines[-last] if last <= len(lines) else None
        else:
            found = next((line for line in lines if line.seq == seq and own in ("", line.by_id)), None)
        if found is None or not found.text:
            raise Rejected("no-message", "There is no such message among those that this client has opened.")
        return found

    def _of(self, room: str) -> OrderedDict[str, OpenedRoomLine]:
        lines = self._rooms.setdefault(room, OrderedDict())
        self._rooms.move_to_end(room)
        if len(self._rooms) > MOST_ROOMS:
            self._rooms.popitem(last=False)
        return lines
