"""A room: it applies the entries that its log has stored to its state, and shows them to its members.

The entries come in batches. Members who join or leave within a batch see only a part of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from chatroom.chat.limits import LISTED
from chatroom.chat.rooms.barred_authors import BarredAuthors
from chatroom.chat.rooms.listeners import Listener, Listeners
from chatroom.chat.rooms.record import RoomRecord, RoomUser
from chatroom.model.counters import Counters
from chatroom.model.event_base import Event
from chatroom.model.events import ROOM_MESSAGES, Amendment, Closed, Joined, MemberGone, MemberRemoved, Renamed
from chatroom.model.log import Entry, Subscription, Withdrawn
from chatroom.model.log_names import room_log

MOST_SPEAKERS = 1000  # users a slow room remembers before it forgets those who may speak again


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a session found when it joined a room.

    Args:
        seq: The place of the session's ``Joined`` in the log.
        users: The names of the first members, at most as many as one answer lists.
        total: The number of members.
    """

    seq: int
    users: list[str]
    total: int


class MemberSession(Listener, Protocol):
    """What a room needs of the session of a member on this daemon."""

    name: str
    user_id: str
    rooms: tuple[Room, ...]
    arrival: Arrival | None

    @property
    def user(self) -> MemberUser:
        """The session's user."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of bans and mutes that hold for the session."""

    def entered(self, room: Room) -> None:
        """Note that the session is in one more room."""

    def left(self, room: Room, put_out: int = 0) -> None:
        """Note that the session is in a room no more; ``put_out`` is the seq of the event that removed it, if any."""


class MemberUser(RoomUser, Protocol):
    """The user of a member's session."""

    @property
    def account(self) -> Any:
        """The user's account; None for a guest."""


class Member:
    """A member of a room.

    Args:
        name: The member's name as shown.
        user_id: The id of the member's user.
        session: The member's session if it is on this daemon; else None.
    """

    __slots__ = ("name", "session", "user_id")

    def __init__(self, name: str, user_id: str, session: MemberSession | None) -> None:
        self.name = name
        self.user_id = user_id
        self.session = session

    def is_one_of(self, users: set[str]) -> bool:
        """Return whether the member is one of these users.

        A session that has just logged in may have another user than the one that the room knows.
        """
        return self.user_id in users or (self.session is not None and self.session.user_id in users)


class _Passage:
    """What a batch of log entries does to the sessions on this daemon.

    Attributes:
        came: For each session that joined, the index of its ``Joined``.
        went: For each session that left, the index of the first entry that it does not see. A session that is removed
            still sees the entry that says why.
        own: For each session, the indexes of the entries that it is not shown, because it gets them as the answer to
            its command.
        hidden: The indexes of the entries that are shown to nobody.
    """

    __slots__ = ("came", "hidden", "own", "went")

    def __init__(self) -> None:
        self.came: dict[MemberSession, int] = {}
        self.went: dict[MemberSession, int] = {}
        self.own: dict[MemberSession, set[int]] = {}
        self.hidden: set[int] = set()

    def seen_by(self, session: MemberSession, entries: list[Entry]) -> Iterable[int]:
        """Return the indexes of the entries that a session sees."""
        seen = range(self.came.get(session, -1) + 1, self.went.get(session, len(entries)))
        own = self.own.get(session, ())
        if not own and not session.filters:
            return seen
        return [i for i in seen if i not in own and session.hears(entries[i])]

    def without_hidden(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries that are not hidden, and change all indexes to those in the returned list.

        An entry that changed nothing is hidden, such as the end of a connection that never joined, or the coming of a
        person who has another connection in the room.
        """
        kept = [i for i in range(len(entries)) if i not in self.hidden]
        place = {old: new for new, old in enumerate(kept)}
        self.came = {session: bisect_right(kept, i) - 1 for session, i in self.came.items()}
        self.own = {session: {place[i] for i in own if i in place} for session, own in self.own.items()}
        self.went = {session: bisect_left(kept, end) for session, end in self.went.items()}
        return [entries[i] for i in kept]


class Room:
    """A loaded room with its members. ``apply`` is the only place that changes who is in it.

    Args:
        record: The room's record.
        rev: The record's revision.
        sessions: The sessions on this daemon, by id.
        counters: Counts deliveries to members.
        on_empty: Called with the room after a batch that leaves it without members.
        on_moderated: Called with the room when its record may have changed.
        on_withdrawn: Called with a message that is shown to nobody, because its author had lost the right to speak.

    Attributes:
        closed: Whether the room has ended, so that nobody can join.
        guarded: Whether some members may not speak, or not always.
        silenced: For each session id, how many events on their way to the log take away its right to speak.
        spoke: When each user last spoke in a slow room, in milliseconds since 1970, by user id or name.
        members: The members by session id, in the order of joining. A person may have several sessions.
        people: How many of the members' sessions each user has, by user id.
        seq: The place of the last entry that was applied; 0 if none was.
        expected: How many sessions are about to join. While there are any, the room stays loaded.
        sub: The subscription to the room's log; None if the room does not follow it.
    """

    __slots__ = (
        "_barred",
        "_listeners",
        "_on_empty",
        "_on_moderated",
        "_on_withdrawn",
        "_sessions",
        "_show",
        "closed",
        "expected",
        "guarded",
        "id",
        "log",
        "members",
        "name",
        "people",
        "record",
        "rev",
        "seq",
        "silenced",
        "spoke",
        "sub",
    )

    record: RoomRecord
    rev: int
    guarded: bool

    def __init__(
        self,
        record: RoomRecord,
        rev: int,
        sessions: Mapping[str, MemberSession],
        counters: Counters,
        on_empty: Callable[[Room], None],
        on_moderated: Callable[[Room], None],
        on_withdrawn: Callable[[Entry], None],
    ) -> None:
        self.silenced: Counter[str] = Counter()
        self._barred = BarredAuthors()
        self._on_withdrawn = on_withdrawn
        self.id = record.id
        self.name = record.name
        self.log = room_log(record.id)
        self.take(record, rev)
        self.closed = False
        self.seq = 0
        self.spoke: dict[str, int] = {}
        self.members: dict[str, Member] = {}
        self.people: Counter[str] = Counter()
        self.expected = 0
        self.sub: Subscription | None = None
        self._sessions = sessions
        self._on_empty = on_empty
        self._on_moderated = on_moderated
        self._listeners = Listeners(record.name, counters)
        self._show = self._listeners.show

    def take(self, record: RoomRecord, rev: int) -> None:
        """Replace the record.

        Args:
            record: The new record.
            rev: Its revision.
        """
        self.record = record
        self.rev = rev
        self._guard()

    def _guard(self) -> None:
        """Set ``guarded`` anew, after a change of what it depends on."""
        self.guarded = bool(self.record.mutes or self.record.slow or self.silenced)

    @contextmanager
    def silence(self, user_ids: Iterable[str]) -> Iterator[None]:
        """Refuse the messages of these users inside the context, while an event that silences them is being stored."""
        users = set(user_ids)
        sessions = Counter(id for id, member in self.members.items() if member.is_one_of(users))
        self.silenced += sessions
        self._guard()
        try:
            yield
        finally:
            self.silenced -= sessions
            self._guard()

    def note_speaking(self, key: str, now: int) -> None:
        """Note that a user speaks in a slow room.

        Args:
            key: The user's id or name.
            now: Milliseconds since 1970.
        """
        if len(self.spoke) > MOST_SPEAKERS:
            horizon = now - self.record.slow * 1000
            self.spoke = {id: at for id, at in self.spoke.items() if at > horizon}
        self.spoke[key] = now

    # ---- delivering a batch ------------------------------------------------------------------------------------

    def apply(self, entries: list[Entry]) -> None:
        """Apply entries that the log has stored: change the state, and show them to the members."""
        self.seq = entries[-1].seq
        passage: _Passage | None = None
        for i, entry in enumerate(entries):
            if type(entry.event) not in ROOM_MESSAGES:
                if passage is None:
                    passage = _Passage()
                self._change(i, entry, passage)
            elif self._barred and self._barred.bars(entry.event):  # type: ignore[arg-type]
                if passage is None:
                    passage = _Passage()
                self._withdraw(i, entry, passage)
        if passage is None:
            self._show(entries)
        else:
            self._show_around(entries, passage)
        if not self.members:
            self._on_empty(self)

    def _show_around(self, entries: list[Entry], passage: _Passage) -> None:
        """Show a batch to the members who see all of it, then to each session that sees only a part of it."""
        if passage.hidden:
            entries = passage.without_hidden(entries)
        different = {**passage.came, **passage.went, **passage.own}
        for session in different:
            self._listeners.unseat(session)
        rendered = self._show(entries)
        for session in different:
            self._listeners.show_part(session, entries, rendered, passage.seen_by(session, entries))
            if self in session.rooms:
                self._listeners.seat(session)

    # ---- changing the state ------------------------------------------------------------------------------------

    def _withdraw(self, i: int, entry: Entry, passage: _Passage) -> None:
        """Hide a message, an edit or a reaction. The engine then reports to its author that it is withdrawn."""
        entry.error = Withdrawn()
        passage.hidden.add(i)
        self._on_withdrawn(entry)

    def _change(self, i: int, entry: Entry, passage: _Passage) -> None:
        """Apply entry ``i`` of a batch, which is not a message, to the room, and note in the passage what it does.

        An amendment changes nothing here: the engine has changed the message that it is about.
        """
        event = entry.event
        if isinstance(event, Amendment):
            if self._barred and self._barred.bars(event):
                self._withdraw(i, entry, passage)
            return
        self._barred.note(event)  # type: ignore[arg-type]
        if isinstance(event, Joined):
            self._joined(i, entry, event, passage)
        elif isinstance(event, MemberGone):
            self._gone(i, event, passage)
        elif isinstance(event, Renamed):
            self._renamed(i, event, passage)
        elif isinstance(event, MemberRemoved):
            self._put_out(i, entry, [id for id, m in self.members.items() if m.user_id == event.user_id], passage)
        elif isinstance(event, Closed):
            self.closed = True
            self._put_out(i, entry, list(self.members), passage)
        if event.changes_record:
            self._on_moderated(self)

    def _joined(self, i: int, entry: Entry, event: Joined, passage: _Passage) -> None:
        """Add a member; hold the output of its session, if that is on this daemon, until the welcome is sent."""
        if self.closed:
            passage.hidden.add(i)
            return
        session = self._sessions.get(event.session)
        self.members[event.session] = Member(event.by, event.by_id, session)
        self.people[event.by_id] += 1
        if self.people[event.by_id] > 1:
            passage.hidden.add(i)
        if session is None:
            return
        session.entered(self)
        session.arrival = Arrival(entry.seq, self.names(LISTED), len(self.people))
        session.out.cork()  # hold its output: the welcome must come first, and may have to wait
        passage.came[session] = i

    def _gone(self, i: int, event: MemberGone, passage: _Passage) -> None:
        """Remove a member who has left or whose connection has ended; hide the entry if there is no such member."""
        member = self.members.pop(event.session, None)
        if member is None:
            passage.hidden.add(i)
            return
        if self._other_sessions(member.user_id):
            passage.hidden.add(i)
        if member.session is not None:
            member.session.left(self)
            passage.went[member.session] = i

    def _put_out(self, i: int, entry: Entry, ids: list[str], passage: _Passage) -> None:
        """Remove members, who see this entry and none after it."""
        for id in ids:
            member = self.members.pop(id)
            self._other_sessions(member.user_id)
            session = member.session
            if session is not None:
                self._barred.put_out(session.user_id)  # the session's user may have changed since the session joined
                session.left(self, put_out=entry.seq)
                passage.went[session] = i + 1

    def _other_sessions(self, user_id: str) -> int:
        """Count one session less of a user; return how many sessions of the user are left in the room."""
        self.people[user_id] -= 1
        left = self.people[user_id]
        if not left:
            del self.people[user_id]
        return left

    def _renamed(self, i: int, event: Renamed, passage: _Passage) -> None:
        """Give a member a new name, and a new user id if the session has logged in or out."""
        member = self.members.get(event.session)
        if member is None:
            passage.hidden.add(i)
            return
        if event.name == member.name:  # for example when a guest registers the name that the guest has
            passage.hidden.add(i)
        member.name = event.name
        if event.user_id:
            self._other_sessions(member.user_id)
            self.people[event.user_id] += 1
            member.user_id = event.user_id
        if member.session is not None:
            if not event.user_id:  # otherwise the session already has its new user and name
                member.session.name = event.name
            passage.own.setdefault(member.session, set()).add(i)

    # ---- who hears what ----------------------------------------------------------------------------------------

    def seat(self, session: MemberSession) -> None:
        """Show a member's session the entries from now on, as its dialect and settings say."""
        self._listeners.seat(session)

    def unseat(self, session: MemberSession) -> None:
        """Show a member's session nothing, until ``seat``: its dialect or its settings are about to change."""
        self._listeners.unseat(session)

    def tell_programs(self, event: Event, by: MemberSession) -> None:
        """Tell the programs of the other members something that no log keeps; ``by`` is the author's session."""
        self._listeners.tell_programs(event, by)

    # ---- who is there ------------------------------------------------------------------------------------------

    def names(self, most: int) -> list[str]:
        """Return the names of the first members, at most so many, in the order of joining: each person once."""
        if len(self.people) == len(self.members):
            return [member.name for member in islice(self.members.values(), most)]
        once = {member.user_id: member.name for member in self.members.values()}
        return list(islice(once.values(), most))

    def has_remote(self, session: MemberSession) -> bool:
        """Return whether the session's user has a session in the room that is on another daemon."""
        id = session.user_id
        several = self.people[id] > (self in session.rooms)
        return several and any(each.user_id == id and each.session is None for each in self.members.values())
