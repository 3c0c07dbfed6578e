"""What this client was shown of each encrypted room without a break, so that it knows which messages must have come.

A skipped index of a session says that a message is missing only if the messages before and after it belong to one
stream: all that the server tells from our join on, and the latest messages before it. What was said earlier may be in
the history, and nothing is missing because this client has not asked for it.

The same holds for the end of a session, of which the next session of the same author tells.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from chatroom.client.crypto.room_messages import LONGEST_SESSION, SessionName
from chatroom.client.crypto.room_plaintext import SessionEnd, mark_of

MOST_FOLLOWED = 500  # sessions of one room
MOST_ROOMS = 100
MOST_TOLD = 1000  # sentences of one room


@dataclass(frozen=True, slots=True)
class SessionSoFar:
    """A session of which an end is told.

    Args:
        name: The session.
        first: The index after the last message that came, or that was told to be missing.
        deleted: How many messages came since only as deleted ones.
    """

    name: SessionName
    first: int
    deleted: int


@dataclass(frozen=True, slots=True)
class FollowedSession:
    """A session of which all messages must come.

    Args:
        next: The index after the last message that came, or that was told to be missing.
        since: The seq of the first message that came.
    """

    next: int
    since: int


@dataclass(slots=True)
class RoomStream:
    """The stream of one room.

    Args:
        joined: The seq of our last join.
        followed: The sessions of which a message has come since.
        given: The sessions whose owners have given us the key since.
        deleted: The seqs of the messages of a session that have come since only as deleted ones, and that no gap has
            been accounted for with.
        locked: The sessions of which messages have come whose key is missing; with the end that is told of them.
        strange: The marks of sessions of which nothing has come.
    """

    joined: int
    followed: OrderedDict[SessionName, FollowedSession] = field(default_factory=OrderedDict)
    given: OrderedDict[SessionName, None] = field(default_factory=OrderedDict)
    deleted: OrderedDict[SessionName, set[int]] = field(default_factory=OrderedDict)
    locked: OrderedDict[SessionName, SessionEnd | None] = field(default_factory=OrderedDict)
    strange: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def clear(self) -> None:
        """Forget what has come: the stream begins anew."""
        for rows in (self.followed, self.given, self.deleted, self.locked, self.strange):
            rows.clear()

    def has_earlier(self, name: SessionName, seq: int) -> bool:
        """Return whether an earlier session of the same device has come, so that all of this one must come.

        Args:
            name: The session.
            seq: The seq of a message of it.
        """
        others = (other for other in self.followed if other.owner == name.owner and other != name)
        return any(self.followed[other].since < seq for other in others)

    def follow(self, name: SessionName, seq: int, index: int) -> None:
        """Follow a session from an index on, unless it is followed from a later one on."""
        known = self.followed.pop(name, FollowedSession(index, seq))
        self.followed[name] = FollowedSession(max(index, known.next), known.since)
        _bound(self.followed, MOST_FOLLOWED)

    def is_due(self, name: SessionName, seq: int) -> bool:
        """Return whether messages of a session must have come before a seq."""
        return name in self.followed or (name in self.given and seq > self.joined)

    def take_deleted(self, name: SessionName, before: int) -> int:
        """Return how many messages of a session came as deleted ones before a seq, and account for them.

        Those behind it stay: the messages around them may be opened much later than they came, when their key is there.
        """
        seqs = self.deleted.get(name, set())
        found = {seq for seq in seqs if seq < before}
        seqs -= found
        return len(found)

    def find(self, user_id: str, mark: str) -> SessionName | None:
        """Return the session of a user that has come, or was given, and that a mark stands for."""
        known = (*self.followed, *self.given, *self.deleted, *self.locked)
        return next((name for name in known if name.owner[0] == user_id and mark_of(name.sid) == mark), None)


class RoomStreams:
    """The streams of all rooms that we are in; a room is named by its id."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, RoomStream] = OrderedDict()
        self._told: OrderedDict[str, set[str]] = OrderedDict()  # sentences, by room

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
                stream.clear()

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

    def deleted(self, name: SessionName, seq: int) -> None:
        """Note that the message of a session with a seq has come without its text, because it was deleted."""
        stream = self._streams.get(name.room)
        if stream is not None:
            seqs = stream.deleted.setdefault(name, set())
            if len(seqs) < LONGEST_SESSION:
                seqs.add(seq)
            _bound(stream.deleted, MOST_FOLLOWED)

    def locked(self, name: SessionName) -> None:
        """Note that a message of a session has come whose key is missing."""
        stream = self._streams.get(name.room)
        if stream is not None:
            stream.locked.setdefault(name, None)
            _bound(stream.locked, MOST_FOLLOWED)

    def unlocked(self, name: SessionName) -> SessionEnd | None:
        """Note that the messages of a session were opened whose key was missing. Returns the end that was told of it
        meanwhile."""
        stream = self._streams.get(name.room)
        return stream.locked.pop(name, None) if stream is not None else None

    def came(self, name: SessionName, seq: int, index: int, skipped: int) -> int:
        """Note that a message of a session has come.

        Args:
            name: The session.
            seq: The seq of the message.
            index: Its index in the session.
            skipped: How many messages of the session were skipped before this one.

        Returns:
            How many of them are missing.
        """
        stream = self._streams.get(name.room)
        if stream is None:
            return skipped
        certain = stream.is_due(name, seq) or stream.has_earlier(name, seq)
        told = name in stream.followed and index < stream.followed[name].next
        deleted = stream.take_deleted(name, seq)
        stream.follow(name, seq, index + 1)
        return max(0, skipped - deleted) if certain and not told else 0

    def ended(self, name: SessionName, end: SessionEnd, seq: int) -> SessionSoFar | int:
        """Note that the author of a message says in it how the session before ended.

        Args:
            name: The session of the message, of which ``came`` is not called yet.
            end: How the session before ended.
            seq: The seq of the message.

        Returns:
            The session before, if its end must have come. Otherwise how many messages of a session are missing of which
            nothing has come at all, not even its key.
        """
        stream = self._streams.get(name.room)
        if stream is None:
            return 0
        before = stream.find(name.owner[0], end.mark)
        if before is None:
            return self._strange(stream, name, end, seq)
        if before in stream.locked:
            stream.locked[before] = end
            return 0
        if not stream.is_due(before, seq):
            return 0
        first = stream.followed[before].next if before in stream.followed else 0
        stream.follow(before, seq, end.used)
        return SessionSoFar(before, first, len(stream.deleted.pop(before, ())))

    @staticmethod
    def _strange(stream: RoomStream, name: SessionName, end: SessionEnd, seq: int) -> int:
        """Return how many messages of a session are missing of which nothing has come.

        It may be from before the stream began; then no earlier message of the same device has come.
        """
        key = name.owner[0], end.mark
        known = key in stream.strange or mark_of(name.sid) == end.mark
        stream.strange[key] = None
        _bound(stream.strange, MOST_FOLLOWED)
        return end.stored if stream.has_earlier(name, seq) and not known else 0

    # ---- what the user was told ------------------------------------------------------------------------------------

    def once(self, room: str, sentence: str) -> bool:
        """Return whether the user was not told a sentence of a room yet; from now on it counts as told."""
        told = self._told.setdefault(room, set())
        _bound(self._told, MOST_ROOMS)
        if sentence in told or len(told) >= MOST_TOLD:
            return False
        told.add(sentence)
        return True

    def again(self, room: str, sentence: str) -> None:
        """Let a sentence be told again when it is true again."""
        self._told.get(room, set()).discard(sentence)


def _bound(rows: OrderedDict[Any, Any], most: int) -> None:
    """Forget the oldest row if there are too many."""
    if len(rows) > most:
        rows.popitem(last=False)
