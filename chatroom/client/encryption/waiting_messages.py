"""Messages of encrypted rooms that wait for their keys, and those that were opened late and are not told yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from chatroom.client.crypto.room_messages import SessionName
from chatroom.client.encryption.room_streams import RoomStreams
from chatroom.client.status import Notice
from chatroom.model.events import Event, SealedMessage

MOST_WAITING = 1000  # messages that wait for their keys


class WaitingMessages:
    """The messages that wait, by their sessions; rooms are named by their ids."""

    def __init__(self) -> None:
        self._events: OrderedDict[SessionName, list[SealedMessage]] = OrderedDict()

    def __iter__(self) -> Iterator[SessionName]:
        return iter(list(self._events))

    def add(self, name: SessionName, event: SealedMessage) -> None:
        """Keep a message of a session; those of the oldest sessions are dropped if there are too many."""
        self._events.setdefault(name, []).append(event)
        while sum(map(len, self._events.values())) > MOST_WAITING:
            self._events.popitem(last=False)

    def take(self, name: SessionName) -> list[SealedMessage]:
        """Return the messages of a session, whose key has come; they wait no more."""
        return self._events.pop(name, [])

    def has_earlier(self, room: str, streams: RoomStreams, seq: int = 0) -> bool:
        """Return whether messages from before we joined a room wait, whose keys may still come.

        Args:
            room: The room.
            streams: Know when we joined.
            seq: The seq of a message; if it is from since we joined, nothing is told before it. 0 for none.
        """
        if not streams.is_earlier(room, seq):
            return False
        waiting = (event for name, events in self._events.items() if name.room == room for event in events)
        return any(streams.is_earlier(room, event.seq) for event in waiting)

    def forget_room(self, room: str) -> None:
        """Forget the messages of a room."""
        for name in self:
            if name.room == room:
                del self._events[name]

    def take_one(self, room: str, seq: int) -> tuple[SessionName, SealedMessage] | None:
        """Return the message of a room with a seq, and its session, if it waits; it waits no more."""
        for name, events in self._events.items():
            for event in events:
                if (name.room, event.seq) == (room, seq):
                    events.remove(event)
                    return name, event
        return None


class HeldLines:
    """What was opened late of each room, and is held until no more keys come, so that it is told in order.

    There is no more of it than can wait.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, list[tuple[int, Sequence[Event | Notice]]]] = {}

    def add(self, room: str, seq: int, told: Sequence[Event | Notice]) -> None:
        """Keep what a message has to tell, until the messages before it are told.

        Args:
            room: The id of the room.
            seq: The message's place in the log of the room.
            told: The events and notices that the message became when it was opened.
        """
        self._rooms.setdefault(room, []).append((seq, told))

    def take(self, room: str) -> list[Event | Notice]:
        """Return what is held of a room, in the order of the room's log; it is held no more."""
        held = sorted(self._rooms.pop(room, []), key=_seq)
        return [each for _, told in held for each in told]

    def take_all(self) -> list[Event | Notice]:
        """Return what is held of all rooms, one room after the other; see ``take``."""
        return [each for room in list(self._rooms) for each in self.take(room)]


def _seq(held: tuple[int, object]) -> int:
    return held[0]
