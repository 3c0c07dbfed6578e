"""The members of encrypted rooms whose connection was lost a short while ago: they still get keys, and miss nothing.

They are kept in the vault, so that they get the keys also from a client that was started again. That client did not see
who has left meanwhile, and asks the server for that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.rows import Rows
from chatroom.model import events as e

TABLE = "absent"
ABSENT = 15 * 60_000  # ms for which somebody whose connection was lost still gets keys
MOST = 20_000  # in all rooms


class AbsentMember(Struct, frozen=True):
    """A member whose connection was lost.

    Args:
        name: The member's name.
        until: Until when the member gets keys, in ms since 1970.
        seq: Up to this seq of the room's log it is known that the member has not left since.
        rev: The revision of the member's device list then; 0 if it was not known.
    """

    name: str
    until: int
    seq: int
    rev: int


_member = Decoder(AbsentMember)


class AbsentMembers:
    """Remembers absent members by room and user id.

    Args:
        rows: Keeps them.
        contacts: Knows device lists.
        now: Returns the time in milliseconds since 1970.
    """

    def __init__(self, rows: Rows, contacts: Contacts, now: Callable[[], int]) -> None:
        self._rows = rows
        self._contacts = contacts
        self._now = now

    def note(self, room: str, event: e.Event) -> bool:
        """Note who has lost the connection, has left, or was put out.

        Args:
            room: The room's id.
            event: An event of the room that was not seen before.

        Returns:
            Whether that has changed something, which is to be stored.
        """
        if isinstance(event, e.Disconnected):
            return self._lost(room, event)
        if isinstance(event, e.Joined | e.MemberGone):
            return self.forget(room, [event.by_id])
        return isinstance(event, e.MemberRemoved) and self.forget(room, [event.user_id])

    def _lost(self, room: str, event: e.Disconnected) -> bool:
        keys = self._rows.keys(TABLE)
        if len(keys) >= MOST:
            for other in {key.split(" ")[0] for key in keys}:
                self.of(other)
            if len(self._rows.keys(TABLE)) >= MOST:
                return False
        known = self._contacts.get(event.by_id).known
        until = min(event.at, self._now()) + ABSENT
        member = AbsentMember(event.by, until, event.seq, known.rev if known is not None else 0)
        self._rows.put(TABLE, _key(room, event.by_id), encode(member))
        return True

    def forget(self, room: str, users: Collection[str]) -> bool:
        """Forget users of a room, by id. Returns whether any of them was absent."""
        there = [key for user in users if self._rows.get(TABLE, key := _key(room, user)) is not None]
        for key in there:
            self._rows.delete(TABLE, key)
        return bool(there)

    def of(self, room: str) -> dict[str, AbsentMember]:
        """Return who is absent from a room, by user id; forget those who have been for too long."""
        found = {}
        for key in self._rows.keys(TABLE):
            value = self._rows.get(TABLE, key) if key.startswith(f"{room} ") else None
            if value is None:
                continue
            member = _member.decode(value)
            if member.until > self._now():
                found[key.split(" ")[1]] = member
            else:
                self._rows.delete(TABLE, key)
        return found

    def checked(self, room: str, members: dict[str, AbsentMember], left: Collection[str] | None, seq: int) -> None:
        """Forget those who have left; the others have not, up to a seq.

        Args:
            room: The room's id.
            members: Who was absent when the server was asked, by user id.
            left: The ids of those who have left since; None if the server does not know, so that nobody counts.
            seq: Up to which seq of the room's log that is true.
        """
        self.forget(room, members if left is None else [user for user in members if user in left])
        for user, member in self.of(room).items():
            if user in members:
                self._rows.put(TABLE, _key(room, user), encode(replace(member, seq=max(seq, member.seq))))

    def is_as_before(self, user_id: str, member: AbsentMember) -> bool:
        """Return whether a member still has the device list that was known when the connection was lost."""
        known = self._contacts.get(user_id).known
        return not member.rev or (known is not None and known.rev == member.rev)


def _key(room: str, user_id: str) -> str:
    return f"{room} {user_id}"
