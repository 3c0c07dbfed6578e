"""A room: it applies the entries that its log has stored to its state, and shows them to its members.

The entries come in batches. Members who join or leave within a batch see only a part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from chatroom.chat.limits import LISTED
from chatroom.chat.rooms.barred_authors import BarredAuthors
from chatroom.chat.rooms.listeners import Listeners
from chatroom.chat.rooms.members import Arrival, Member, MemberSession, RoomMembers
from chatroom.chat.rooms.passage import Passage
from chatroom.chat.rooms.record import RoomRecord
from chatroom.model.counters import Counters
from chatroom.model.event_base import Event
from chatroom.model.events import (
    ROOM_MESSAGES,
    Amendment,
    Closed,
    DevicesChanged,
    Joined,
    Kicked,
    MemberGone,
    MemberRemoved,
    Renamed,
)
from chatroom.model.log import Entry, Subscription, Withdrawn
from chatroom.model.log_names import room_log

MOST_SPEAKERS = 1000  # users a slow room remembers before it forgets those who may speak again


@dataclass(frozen=True, slots=True)
class RoomReports:
    """What a room calls when something has happened to it.

    Args:
        empty: Called with the room after a batch that leaves it without members on this daemon.
        moderated: Called with the room when its record may have changed.
        withdrawn: Called with a message that is shown to nobody, because its author had lost the right to speak.
        members: Called with the room after a batch that may have changed its members.
    """

    empty: Callable[[Room], None]
    moderated: Callable[[Room], None]
    withdrawn: Callable[[Entry], None]
    members: Callable[[Room], None] = lambda room: None


class Room(RoomMembers):
    """A loaded room with its members. ``apply`` is the only place that changes who is in it.

    Args:
        record: The room's record.
        rev: The record's revision.
        sessions: The sessions on this daemon, by id.
        counters: Counts deliveries to members.
        reports: What it calls.

    Attributes:
        catching_up: Whether it applies entries from before it was loaded, so that no session of this daemon is in it.
        closed: Whether the room has ended, so that nobody can join.
        guarded: Whether some members may not speak, or not always.
        silenced: For each session id, how many events on their way to the log take away its right to speak.
        spoke: When each user last spoke in a slow room, in milliseconds since 1970, by user id or name.
        seq: The place of the last entry that was applied; 0 if none was.
        expected: How many sessions are about to join. While there are any, the room stays loaded.
        sub: The subscription to the room's log; None if the room does not follow it.
    """

    __slots__ = (
        "_barred",
        "_listeners",
        "_report",
        "_sessions",
        "_show",
        "catching_up",
        "closed",
        "expected",
        "guarded",
        "id",
        "log",
        "name",
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
        reports: RoomReports,
    ) -> None:
        super().__init__()
        self.silenced: Counter[str] = Counter()
        self._barred = BarredAuthors()
        self.id = record.id
        self.name = record.name
        self.log = room_log(record.id)
        self.take(record, rev)
        self.closed = False
        self.catching_up = False
        self.seq = 0
        self.spoke: dict[str, int] = {}
        self.expected = 0
        self.sub: Subscription | None = None
        self._sessions = sessions
        self._report = reports
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
        if record.encrypted and not self.members:  # with members, messages from before may be on their way to the log
            self._barred.bar_plain()
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
        passage: Passage | None = None
        for i, entry in enumerate(entries):
            if type(entry.event) not in ROOM_MESSAGES:
                if passage is None:
                    passage = Passage()
                self._change(i, entry, passage)
            elif self._barred and self._barred.bars(entry.event):  # type: ignore[arg-type]
                if passage is None:
                    passage = Passage()
                self._withdraw(i, entry, passage)
        if passage is None:
            self._show(entries)
        else:
            self._show_around(entries, passage)
            self._report.members(self)
        if not self.here:
            self._report.empty(self)

    def _show_around(self, entries: list[Entry], passage: Passage) -> None:
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
        for session, entry in passage.alone:
            self._listeners.show_part(session, [entry], {}, (0,))

    # ---- changing the state ------------------------------------------------------------------------------------

    def _withdraw(self, i: int, entry: Entry, passage: Passage) -> None:
        """Hide a message, an edit or a reaction. The engine then reports to its author that it is withdrawn."""
        entry.error = Withdrawn()
        passage.hidden.add(i)
        self._report.withdrawn(entry)

    def _change(self, i: int, entry: Entry, passage: Passage) -> None:
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
            self._gone(i, entry, event, passage)
        elif isinstance(event, Renamed):
            self._renamed(i, entry, event, passage)
        elif isinstance(event, DevicesChanged):
            self.revisions.changed(event.by_id, entry.seq)
        elif isinstance(event, Kicked) and event.session:
            self._session_out(i, entry, event, passage)
        elif isinstance(event, MemberRemoved):
            self._put_out(i, entry, [id for id, m in self.members.items() if m.user_id == event.user_id], passage)
        elif isinstance(event, Closed):
            self.closed = True
            self._put_out(i, entry, list(self.members), passage)
        if event.changes_record:
            self._report.moderated(self)

    def _joined(self, i: int, entry: Entry, event: Joined, passage: Passage) -> None:
        """Add a member; hold the output of its session, if that is on this daemon, until the welcome is sent."""
        if self.closed:
            passage.hidden.add(i)
            return
        if event.session in self.members:  # a roster had it already
            passage.hidden.add(i)
            return
        session = None if self.catching_up else self._sessions.get(event.session)
        self.members[event.session] = Member(event.by, event.by_id, session)
        if self._one_more(event.by_id, entry.seq) > 1:
            passage.hidden.add(i)
        if session is None:
            return
        self.here += 1
        session.entered(self)
        session.arrival = Arrival(entry.seq, self.names(LISTED), len(self.people), self.members_rev)
        session.out.cork()  # hold its output: the welcome must come first, and may have to wait
        passage.came[session] = i

    def _gone(self, i: int, entry: Entry, event: MemberGone, passage: Passage) -> None:
        """Remove a member who has left or whose connection has ended; hide the entry if there is no such member."""
        member = self._remove(event.session)
        if member is None:
            passage.hidden.add(i)
            return
        if self._one_less(member.user_id, entry.seq):
            passage.hidden.add(i)
        if member.session is not None:
            member.session.left(self)
            passage.went[member.session] = i

    def _session_out(self, i: int, entry: Entry, event: Kicked, passage: Passage) -> None:
        """Remove one session of a user; if the user has others in the room, only that session is told."""
        self.going.discard(event.session)
        member = self.members.get(event.session)
        if member is None:
            passage.hidden.add(i)
            return
        session = member.session
        if self.people[member.user_id] == 1:
            self._barred.put_out(member.user_id)
            self._put_out(i, entry, [event.session], passage)
            return
        passage.hidden.add(i)
        self._remove(event.session)
        self._one_less(member.user_id, entry.seq)
        if session is not None:
            session.left(self, put_out=entry.seq)
            passage.went[session] = i
            passage.alone.append((session, entry))

    def _put_out(self, i: int, entry: Entry, ids: list[str], passage: Passage) -> None:
        """Remove members, who see this entry and none after it."""
        self.revisions.move(entry.seq)
        for id in ids:
            member = self._remove(id)
            if member is None:
                continue
            self._one_less(member.user_id, entry.seq)
            session = member.session
            if session is not None:
                self._barred.put_out(session.user_id)  # the session's user may have changed since the session joined
                session.left(self, put_out=entry.seq)
                passage.went[session] = i + 1

    def _renamed(self, i: int, entry: Entry, event: Renamed, passage: Passage) -> None:
        """Give a member a new name, and a new user id if the session has logged in or out."""
        member = self.members.get(event.session)
        if member is None:
            passage.hidden.add(i)
            return
        if event.name == member.name:  # for example when a guest registers the name that the guest has
            passage.hidden.add(i)
        member.name = event.name
        if event.user_id:
            self.revisions.changed(member.user_id, entry.seq)
            self._one_less(member.user_id, entry.seq)
            self._one_more(event.user_id, entry.seq)
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
