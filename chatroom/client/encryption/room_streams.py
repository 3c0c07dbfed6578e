"""What this client was shown of each encrypted room without a break, so that it knows which messages must have come.

A skipped index of a session says that a message is missing only if the messages before and after it belong to one
stream: all that the server tells from our join on, and the latest messages before it. What was said earlier may be in
the history, and nothing is missing because this client has not asked for it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from chatroom.client.crypto.room_messages import SessionName

MOST_FOLLOWED = 500  # sessions of one room
MOST_ROOMS = 100
MOST_TOLD = 1000  # sentences of one room


@dataclass(slots=True)
class RoomStream:
    """The stream of one room.

    Args:
        joined: The seq of our last join.
        followed: The sessions of which a message has come since; with the number of messages that were deleted since
            the last one that came.
        given: The sessions whose owners have given us the key since.
        told: The sentences that the user was told.
    """

    joined: int
    followed: OrderedDict[SessionName, int] = field(default_factory=OrderedDict)
    given: OrderedDict[SessionName, None] = field(default_factory=OrderedDict)
    told: set[str] = field(default_factory=set)


class RoomStreams:
    """The streams of all rooms that we are in; a room is named by its id."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, RoomStream] = OrderedDict()

    def entered(self, room: str, seq: int, *, again: bool) -> None:
        """Note that we have joined a room.

        Args:
            room: The room.
            seq: The seq of the join.
            again: Whether the connection was lost, and all that we missed meanwhile is told now.
        """
        if again and room in self._streams:
            self._streams[room].joined = seq
            return
        self._streams.pop(room, None)
        self._streams[room] = RoomStream(seq)
        _bound(self._streams, MOST_ROOMS)

    def broken(self, room: str = "") -> None:
        """Note that some messages of a room, or of all rooms, are not told."""
        for name, stream in self._streams.items():
            if room in ("", name):
                stream.followed.clear()
                stream.given.clear()

    def is_earlier(self, room: str, seq: int) -> bool:
        """Return whether an event is from before we joined a room."""
        stream = self._streams.get(room)
        return stream is not None and seq < stream.joined

    def given(self, name: SessionName) -> None:
        """Note that the owner of a session has given us its key: all that is sealed with it from now on must come."""
        stream = self._streams.get(name.room)
        if stream is not None:
            stream.given[name] = None
            _bound(stream.given, MOST_FOLLOWED)

    def deleted(self, name: SessionName) -> None:
        """Note that a message of a session has come without its text, because it was deleted."""
        stream = self._streams.get(name.room)
        if stream is not None and name in stream.followed:
            stream.followed[name] += 1

    def came(self, name: SessionName, seq: int, skipped: int) -> int:
        """Note that a message of a session has come.

        Args:
            name: The session.
            seq: The seq of the message.
            skipped: How many messages of the session were skipped before this one.

        Returns:
            How many of them are missing.
        """
        stream = self._streams.get(name.room)
        if stream is None:
            return skipped
        certain = name in stream.followed or (name in stream.given and seq > stream.joined)
        deleted = stream.followed.pop(name, 0)
        stream.followed[name] = 0
        _bound(stream.followed, MOST_FOLLOWED)
        return max(0, skipped - deleted) if certain else 0

    # ---- what the user was told ------------------------------------------------------------------------------------

    def once(self, room: str, sentence: str) -> bool:
        """Return whether the user was not told a sentence since we came to a room; from now on it counts as told."""
        told = self._streams.setdefault(room, RoomStream(0)).told
        if sentence in told or len(told) >= MOST_TOLD:
            return False
        told.add(sentence)
        return True

    def again(self, room: str, sentence: str) -> None:
        """Let a sentence be told again when it is true again."""
        if room in self._streams:
            self._streams[room].told.discard(sentence)


def _bound(rows: OrderedDict[Any, Any], most: int) -> None:
    """Forget the oldest row if there are too many."""
    if len(rows) > most:
        rows.popitem(last=False)
