"""The record of a room: its topic, its owner and moderators, bans and mutes, and whether it is locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction, account_key, guest_key, matching, name_key
from chatroom.chat.limits import MODERATORS
from chatroom.model.errors import BANNED, CANNOT_READ, ENCRYPTED_ROOM, LOCKED, ONLY_SEALED
from chatroom.model.names import Name, room_name


class RoomUser(Protocol):
    """The properties of a user that decide the user's rights in a room."""

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
    """The record of one room.

    Args:
        id: The room's id.
        name: The room's name as shown.
        made: When the room was made, in milliseconds since 1970.
        owner: The owner's name as shown.
        owner_id: The owner's id.
        topic: The topic; empty for none.
        moderators: The names of the moderators, by user id.
        invited: The names of the users who may join while the room is locked, by user id.
        bans: The bans.
        mutes: The mutes.
        locked: Whether only invited users may join.
        slow: Seconds between two messages of one member; 0 for no limit.
        next_file: The number that the next shared file gets.
        counted: The key of the list that the room is counted on (``chatroom.chat.rooms.room_quotas``); empty in the
            records of an older chatroom, which had no lists.
        changes: How often the record has changed.
        encrypted: Whether only messages that are encrypted end to end can be sent to the room. It stays so for ever.
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
    encrypted: bool = False

    @property
    def folded(self) -> str:
        """The folded name of the room, under which the record is stored."""
        return room_name(self.name).folded

    def owned_by(self, user: RoomUser) -> bool:
        """Return whether the user has the rights of the owner; operators have them in all rooms."""
        return user.id == self.owner_id or user.operator

    def moderated_by(self, user: RoomUser) -> bool:
        """Return whether the user has the rights of a moderator."""
        return self.owned_by(user) or user.id in self.moderators

    def handed_over(self, guest: RoomUser, user: RoomUser, counted: str | None) -> RoomRecord:
        """Return the record after a guest has logged in to an account, which gets the guest's rights.

        Args:
            guest: The guest.
            user: The owner of the account.
            counted: The key of the list that the room is counted on for the account. None if the account owns too many
                rooms: then the guest stays the owner, and the account moderates the room.
        """
        moderators = dict(self.moderators)
        owned = self.owner_id == guest.id
        if moderators.pop(guest.id, None) is not None or (owned and counted is None):
            moderators[user.id] = user.name
        changed = replace(self, moderators=moderators)
        return replace(changed, owner=user.name, owner_id=user.id, counted=counted) if owned and counted else changed

    def given_to(self, user: RoomUser, counted: str) -> RoomRecord:
        """Return the record with a new owner; the former owner becomes a moderator.

        Args:
            user: The new owner.
            counted: The key of the list that the room is counted on for the new owner.
        """
        moderators = {id: name for id, name in self.moderators.items() if id != user.id}
        if len(moderators) < MODERATORS:
            moderators[self.owner_id] = self.owner
        return replace(self, owner=user.name, owner_id=user.id, moderators=moderators, counted=counted)

    def check_name(self, user: RoomUser, name: Name, now: int) -> None:
        """Check that a member may have a name in the room.

        Args:
            user: The member.
            name: The name.
            now: Milliseconds since 1970.

        Raises:
            Refused: The name is banned.
        """
        ban = matching(self.bans, (name_key(name.folded),), now)
        if ban is not None and not self.moderated_by(user):
            raise BANNED(room=self.name, more=ban.more(now))

    def admit(self, user: RoomUser, keys: Iterable[str], now: int, *, inside: bool, keyed: bool) -> None:
        """Check that a user may be in the room.

        Args:
            user: The user.
            keys: The keys of bans that apply to the user and the session.
            now: Milliseconds since 1970.
            inside: Whether the session is in the room already.
            keyed: Whether the session has the keys of a device in the user's device list.

        Raises:
            Refused: The user, or the address, is banned; or the room is locked and the user not invited; or the room is
                encrypted and the session could not read it.
        """
        ban = self._against(self.bans, user, keys, now)
        if ban is not None:
            raise BANNED(room=self.name, more=ban.more(now))
        if self.locked and not inside and not self.moderated_by(user) and user.id not in self.invited:
            raise LOCKED(room=self.name)
        if self.encrypted and not keyed:
            raise ENCRYPTED_ROOM(room=self.name, next=CANNOT_READ)

    def check_plain(self, *, keyed: bool) -> None:
        """Check that something may be said to the room that is not encrypted end to end.

        Args:
            keyed: Whether the session has the keys of a device in its user's device list.

        Raises:
            Refused: The room is encrypted.
        """
        if self.encrypted:
            raise ENCRYPTED_ROOM(room=self.name, next=ONLY_SEALED if keyed else CANNOT_READ)

    def mute_of(self, user: RoomUser, keys: Iterable[str], now: int) -> Sanction | None:
        """Return the mute that holds for a user; None if there is none.

        Args:
            user: The user.
            keys: The keys of mutes that apply to the user and the session.
            now: Milliseconds since 1970.
        """
        return self._against(self.mutes, user, keys, now)

    def _against(self, sanctions: Iterable[Sanction], user: RoomUser, keys: Iterable[str], now: int) -> Sanction | None:
        """Return the first of the bans or mutes that holds for a user; None if none does.

        For a moderator, only a sanction against this very user holds, not one against a name or an address, which
        somebody else may have too. For an operator, none holds.
        """
        if user.operator:
            return None
        return matching(sanctions, (account_key(user.id), guest_key(user.id)) if self.moderated_by(user) else keys, now)
