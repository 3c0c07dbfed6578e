"""What lasts of a room beside its log: who owns and moderates it, who is kept out or silent, whether it is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction, matching, name_key
from chatroom.chat.limits import MODERATORS
from chatroom.model.errors import BANNED, LOCKED
from chatroom.model.names import Name, room_name


class RoomUser(Protocol):
    """A user, as far as rights in a room go."""

    @property
    def id(self) -> str:
        """The user's id."""

    @property
    def name(self) -> str:
        """The user's name as shown."""

    @property
    def operator(self) -> bool:
        """Whether the user is an operator."""


class RoomRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The record of one room; people stand in it by id, with names.

    Args:
        made: When it was made, in milliseconds since 1970.
        slow: Seconds between two messages of one member, 0 for none.
        next_file: The number that the next shared file gets.
        counted: The key of the list of rooms it is on (``chatroom.chat.rooms.room_quotas``); empty in records of before
            there were lists.
        changes: How often the record has changed.
    """

    id: str
    name: str
    made: int
    owner: str
    owner_id: str
    topic: str = ""
    moderators: Mapping[str, str] = {}
    invited: Mapping[str, str] = {}
    bans: tuple[Sanction, ...] = ()
    mutes: tuple[Sanction, ...] = ()
    locked: bool = False
    slow: int = 0
    next_file: int = 1
    counted: str = ""
    changes: int = 0

    @property
    def folded(self) -> str:
        """The folded name of the room, under which the record is stored."""
        return room_name(self.name).folded

    def owned_by(self, user: RoomUser) -> bool:
        """Whether it is the user's room; all are the operators'."""
        return user.id == self.owner_id or user.operator

    def moderated_by(self, user: RoomUser) -> bool:
        """Whether the user keeps order in it."""
        return self.owned_by(user) or user.id in self.moderators

    def handed_over(self, guest: RoomUser, user: RoomUser, counted: str | None) -> RoomRecord:
        """Return the record after the guest has become the owner of an account.

        Args:
            guest: The guest.
            user: The owner of the account.
            counted: The key of the list on which the room is counted for the account. None: the account has no room
                left there, so the guest stays the owner, and the user of the account moderates the room.
        """
        moderators = dict(self.moderators)
        owned = self.owner_id == guest.id
        if moderators.pop(guest.id, None) is not None or (owned and counted is None):
            moderators[user.id] = user.name
        changed = replace(self, moderators=moderators)
        return replace(changed, owner=user.name, owner_id=user.id, counted=counted) if owned and counted else changed

    def given_to(self, user: RoomUser, counted: str) -> RoomRecord:
        """Return the record of a room that the user owns from now on; the former owner moderates it.

        Args:
            user: The new owner.
            counted: The key of the list on which the room is counted for the new owner.
        """
        moderators = {id: name for id, name in self.moderators.items() if id != user.id}
        if len(moderators) < MODERATORS:
            moderators[self.owner_id] = self.owner
        return replace(self, owner=user.name, owner_id=user.id, moderators=moderators, counted=counted)

    def check_name(self, user: RoomUser, name: Name, now: int) -> None:
        """Check that a user who is in the room may have that name there.

        Args:
            user: Who takes the name.
            name: The name.
            now: Milliseconds since 1970.

        Raises:
            Refused: The name is banned.
        """
        ban = matching(self.bans, (name_key(name.folded),), now)
        if ban is not None and not self.moderated_by(user):
            raise BANNED(room=self.name, more=ban.more(now))

    def admit(self, user: RoomUser, keys: Iterable[str], now: int, *, inside: bool) -> None:
        """Check that a user may be in the room.

        Args:
            user: The user.
            keys: The keys of bans that hold for the user and the session.
            now: Milliseconds since 1970.
            inside: The session is in the room already.

        Raises:
            Refused: The user, or the address, is banned; or the room is locked and the user not invited.
        """
        if self.moderated_by(user):
            return
        ban = matching(self.bans, keys, now)
        if ban is not None:
            raise BANNED(room=self.name, more=ban.more(now))
        if self.locked and user.id not in self.invited and not inside:
            raise LOCKED(room=self.name)
