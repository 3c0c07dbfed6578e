"""A room: who is in it, and the one place where what is read back from its log becomes state and reaches its members.

A batch is one write for every member who was there before it. Who comes inside the batch gets the tail, who goes the
head; who hears not everything gets a join of its own from the same rendered pieces. Nothing is rendered per member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from chatroom.chat.interfaces import Dialect
from chatroom.chat.limits import LISTED
from chatroom.counters import Counters
from chatroom.events import Acted, Disconnected, Joined, Left, Renamed, Said
from chatroom.log import Entry, Subscription
from chatroom.logger import logger

if TYPE_CHECKING:
    from chatroom.chat.session import Session

_log = logger(__name__)

Write = Callable[[bytes], None]

_TALK = (Said, Acted)  # events that change nothing


class Member:
    """Somebody in the room; ``session`` when it sits on this node."""

    __slots__ = ("name", "session")

    def __init__(self, name: str, session: Session | None) -> None:
        self.name = name
        self.session = session


@dataclass(frozen=True, slots=True)
class Arrival:
    """What there was when somebody came: its place in the log, the first members' names, and how many there are."""

    seq: int
    users: list[str]
    total: int


class _Passage:
    """What a batch does to local sessions: at which entry they came or went, and which entry is not for them."""

    __slots__ = ("came", "hidden", "own", "went")

    def __init__(self) -> None:
        self.came: dict[Session, int] = {}
        self.went: dict[Session, int] = {}
        self.own: dict[Session, int] = {}
        self.hidden: set[int] = set()

    def view(self, session: Session, entries: list[Entry], pieces: list[bytes]) -> list[bytes]:
        """Return what the session sees of the batch."""
        start = self.came.get(session, -1) + 1
        end = self.went.get(session, len(pieces))
        own = self.own.get(session)
        if own is None and not session.filters:
            return pieces[start:end]
        return [pieces[i] for i in range(start, end) if i != own and session.hears(entries[i])]


class Room:
    """See the module.

    Args:
        id: Its id; a new room of the same name has another.
        name: Its name as shown.
        sessions: This node's sessions by id.
        on_empty: Called with the room when the last member has gone.
        counters: Where it is counted what members are told.
    """

    __slots__ = (
        "_audience", "_counters", "_filtering", "_on_empty", "_sessions", "expected", "id", "log", "members", "name",
        "sub",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        name: str,
        sessions: dict[str, Session],
        on_empty: Callable[[Room], None],
        counters: Counters,
    ) -> None:
        self.id = id
        self.name = name
        self.log = f"room/{id}"
        self.members: dict[str, Member] = {}  # by session id, in the order of joining
        self.expected = 0  # sessions on their way in; while there are any the room stays loaded
        self.sub: Subscription | None = None
        self._sessions = sessions
        self._on_empty = on_empty
        self._counters = counters
        self._audience: dict[Dialect, dict[Session, Write]] = {}
        self._filtering: dict[Session, None] = {}  # members who do not hear everything

    # ---- the way of a batch ------------------------------------------------------------------------------------

    def apply(self, entries: list[Entry]) -> None:
        """Take in what the log has stored: change the state, tell the members."""
        passage: _Passage | None = None
        for i, entry in enumerate(entries):
            if type(entry.event) not in _TALK:
                if passage is None:
                    passage = _Passage()
                self._change(i, entry, passage)
        if passage is None:
            self._tell(entries)
        else:
            self._tell_around(entries, passage)
        if not self.members:
            self._on_empty(self)

    def _tell(self, entries: list[Entry]) -> dict[Dialect, list[bytes]]:
        """Tell everybody seated; returns what was rendered."""
        rendered: dict[Dialect, list[bytes]] = {}
        name = self.name
        for dialect, writes in self._audience.items():
            render = dialect.render
            pieces = rendered[dialect] = [render(name, entry) for entry in entries]
            self._counters.deliveries += len(writes) * len(pieces)
            _send(writes.values(), pieces[0] if len(pieces) == 1 else b"".join(pieces))
        for session in self._filtering:
            pieces = self._pieces(session.dialect, entries, rendered)
            heard = [p for p, e in zip(pieces, entries, strict=True) if session.hears(e)]
            self._counters.deliveries += len(heard)
            _send((session.out.write,), b"".join(heard))
        return rendered

    def _tell_around(self, entries: list[Entry], passage: _Passage) -> None:
        """Tell everybody who was there all along, then those for whom the batch looks different."""
        if passage.hidden:
            entries = self._without(entries, passage)
        different = {**passage.came, **passage.went, **passage.own}
        for session in different:
            self._unseat(session)
        rendered = self._tell(entries)
        for session in different:
            pieces = self._pieces(session.dialect, entries, rendered)
            seen = passage.view(session, entries, pieces)
            self._counters.deliveries += len(seen)
            _send((session.out.write,), b"".join(seen))
            if session.room is self:
                self._seat(session)

    def _pieces(self, dialect: Dialect, entries: list[Entry], rendered: dict[Dialect, list[bytes]]) -> list[bytes]:
        pieces = rendered.get(dialect)
        if pieces is None:
            pieces = rendered[dialect] = [dialect.render(self.name, entry) for entry in entries]
        return pieces

    def _without(self, entries: list[Entry], passage: _Passage) -> list[Entry]:
        """Leave out what changed nothing, such as the end of a connection that never got in."""
        kept = [i for i in range(len(entries)) if i not in passage.hidden]
        place = {old: new for new, old in enumerate(kept)}
        for moves in (passage.came, passage.went, passage.own):
            for session, i in moves.items():
                moves[session] = place[i]
        return [entries[i] for i in kept]

    # ---- what changes ------------------------------------------------------------------------------------------

    def _change(self, i: int, entry: Entry, passage: _Passage) -> None:
        event = entry.event
        if isinstance(event, Joined):
            self._joined(i, entry, event, passage)
        elif isinstance(event, Left | Disconnected):
            self._gone(i, event, passage)
        elif isinstance(event, Renamed):
            self._renamed(i, event, passage)

    def _joined(self, i: int, entry: Entry, event: Joined, passage: _Passage) -> None:
        session = self._sessions.get(event.session)
        self.members[event.session] = Member(event.by, session)
        if session is None:
            return
        session.room = self
        session.heading = None
        users = [member.name for member in islice(self.members.values(), LISTED)]
        session.arrival = Arrival(entry.seq, users, len(self.members))
        session.out.cork()  # its welcome goes first, and may need a look into the history
        passage.came[session] = i

    def _gone(self, i: int, event: Left | Disconnected, passage: _Passage) -> None:
        member = self.members.pop(event.session, None)
        if member is None:
            passage.hidden.add(i)
        elif member.session is not None:
            member.session.room = None
            passage.went[member.session] = i

    def _renamed(self, i: int, event: Renamed, passage: _Passage) -> None:
        member = self.members.get(event.session)
        if member is None:
            passage.hidden.add(i)
            return
        member.name = event.name
        if member.session is not None:
            member.session.name = event.name
            passage.own[member.session] = i

    # ---- who sits where ----------------------------------------------------------------------------------------

    def reseat(self, session: Session, change: Callable[[], None]) -> None:
        """Make a change to what a member hears, or in which dialect."""
        self._unseat(session)
        change()
        self._seat(session)

    def _seat(self, session: Session) -> None:
        if session.filters:
            self._filtering[session] = None
        else:
            self._audience.setdefault(session.dialect, {})[session] = session.out.write

    def _unseat(self, session: Session) -> None:
        self._filtering.pop(session, None)
        writes = self._audience.get(session.dialect)
        if writes is not None and writes.pop(session, None) is not None and not writes:
            del self._audience[session.dialect]


def _send(writes: Iterable[Write], data: bytes) -> None:
    """One member's failure is not the others'."""
    if data:
        for write in writes:
            try:
                write(data)
            except Exception:
                _log.failure("a member could not be told")
