"""The members of a room: their sessions, and the users whose sessions these are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from chatroom.chat.rooms.listeners import Listener
from chatroom.chat.rooms.record import RoomUser
from chatroom.chat.rooms.revisions import Revisions
from chatroom.model.roster import Roster


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a session found when it joined a room.

    Args:
        seq: The place of the session's ``Joined`` in the log.
        users: The names of the first members, at most as many as one answer lists.
        total: The number of members.
        members_rev: The room's ``members_rev`` right after that.
    """

    seq: int
    users: list[str]
    total: int
    members_rev: int


class MemberSession(Listener, Protocol):
    """What a room needs of the session of a member on this daemon."""

    name: str
    user_id: str
    rooms: tuple[Any, ...]
    arrival: Arrival | None

    @property
    def user(self) -> MemberUser:
        """The session's user."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of bans and mutes that hold for the session."""

    def entered(self, room: Any) -> None:
        """Note that the session is in one more room."""

    def left(self, room: Any, put_out: int = 0) -> None:
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


class RoomMembers:
    """The part of a room that knows its members. Only ``Room.apply`` changes it.

    Attributes:
        members: The members by session id, in the order of joining. A person may have several sessions.
        people: How many of the members' sessions each user has, by user id.
        here: How many of the members' sessions are on this daemon.
        revisions: By which sealed messages say for which members they are.
        going: The ids of the sessions whose removal, one by one, is on its way to the log.
    """

    __slots__ = ("going", "here", "members", "people", "revisions")

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.people: Counter[str] = Counter()
        self.here = 0
        self.revisions = Revisions()
        self.going: set[str] = set()

    @property
    def members_rev(self) -> int:
        """The seq of the last entry, of those shown, that changed which users are members, or a member's devices."""
        return self.revisions.newest

    def _remove(self, id: str) -> Member | None:
        """Remove a session from the members; return the member, None if it was none."""
        member = self.members.pop(id, None)
        if member is not None and member.session is not None:
            self.here -= 1
        return member

    def _one_more(self, user_id: str, seq: int) -> int:
        """Count one session more of a user, by the entry ``seq``; return how many sessions the user has there now."""
        self.people[user_id] += 1
        if self.people[user_id] == 1:
            self.revisions.came(user_id, seq)
        return self.people[user_id]

    def _one_less(self, user_id: str, seq: int) -> int:
        """Count one session less of a user, by the entry ``seq``; return how many sessions of the user are left."""
        self.people[user_id] -= 1
        left = self.people[user_id]
        if not left:
            del self.people[user_id]
            self.revisions.went(user_id, seq)
        return left

    def take_members(self, rosters: Iterable[Roster]) -> None:
        """Take the members who are on other daemons, as these show them, before the room follows its log."""
        rosters = tuple(rosters)
        rev = max((roster.members_rev for roster in rosters), default=0)
        for each in (member for roster in rosters for member in roster.members):
            self.members[each.session] = Member(each.name, each.user_id, None)
            self._one_more(each.user_id, rev)

    def names(self, most: int) -> list[str]:
        """Return the names of the first members, at most so many, in the order of joining: each person once."""
        return [name for _, name in self.users(0, most)]

    def users(self, after: int, most: int) -> list[tuple[str, str]]:
        """Return the ids and names of at most so many members after the first ``after`` ones, as ``names`` does."""
        if len(self.people) == len(self.members):
            return [(member.user_id, member.name) for member in islice(self.members.values(), after, after + most)]
        once = {member.user_id: member.name for member in self.members.values()}
        return list(islice(once.items(), after, after + most))

    def has_remote(self, session: MemberSession) -> bool:
        """Return whether the session's user has a session in the room that is on another daemon."""
        id = session.user_id
        several = self.people[id] > (self in session.rooms)
        return several and any(each.user_id == id and each.session is None for each in self.members.values())
