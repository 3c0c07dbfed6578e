"""What lasts of a room beside its log: who owns and moderates it, who is kept out or silent, whether it is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction, keys_of, matching, name_key, user_keys
from chatroom.chat.limits import MODERATORS
from chatroom.chat.people.user import User
from chatroom.model.errors import BANNED, LOCKED
from chatroom.model.names import Name

if TYPE_CHECKING:
    from chatroom.chat.session import Session


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

    def owned_by(self, user: User) -> bool:
        """Whether it is the user's room; all are the operators'."""
        return user.id == self.owner_id or user.operator

    def moderated_by(self, user: User) -> bool:
        """Whether the user keeps order in it."""
        return self.owned_by(user) or user.id in self.moderators

    def handed_over(self, guest: User, user: User, counted: str | None) -> RoomRecord:
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

    def given_to(self, user: User, counted: str) -> RoomRecord:
        """Return the record of a room that the user owns from now on; the former owner moderates it.

        Args:
            user: The new owner.
            counted: The key of the list on which the room is counted for the new owner.
        """
        moderators = {id: name for id, name in self.moderators.items() if id != user.id}
        if len(moderators) < MODERATORS:
            moderators[self.owner_id] = self.owner
        return replace(self, owner=user.name, owner_id=user.id, moderators=moderators, counted=counted)

    def check_name(self, session: Session, name: Name) -> None:
        """See whether the session, if it is in the room, may have that name there.

        Raises:
            Refused: The name is banned.
        """
        now = session.chat.now()
        ban = matching(self.bans, (name_key(name.folded),), now)
        if ban is not None and not self.moderated_by(session.user):
            raise BANNED(room=self.name, more=ban.more(now))

    def admit(self, session: Session, user: User) -> None:
        """See whether the session may be in the room as that user.

        Raises:
            Refused: The user, or the address, is banned; or the room is locked and the user not invited.
        """
        if self.moderated_by(user):
            return
        now = session.chat.now()
        ban = matching(self.bans, (*user_keys(user), *keys_of(session)), now)
        if ban is not None:
            raise BANNED(room=self.name, more=ban.more(now))
        inside = session.room is not None and session.room.id == self.id
        if self.locked and user.id not in self.invited and not inside:
            raise LOCKED(room=self.name)
