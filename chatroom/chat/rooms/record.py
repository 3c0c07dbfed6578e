"""What lasts of a room beside its log: who owns and moderates it, who is kept out or silent, whether it is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from chatroom.chat.people.user import User
from chatroom.chat.refusals import BANNED, LOCKED
from chatroom.chat.sanctions import Sanction, keys_of, matching, user_keys

if TYPE_CHECKING:
    from chatroom.chat.session import Session


class RoomRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """See the module. ``made`` is in milliseconds since 1970, ``slow`` in seconds; people stand by id, with names.

    ``next_file`` is the number that the next shared file gets.
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

    def owned_by(self, user: User) -> bool:
        """Whether it is the user's room; all are the operators'."""
        return user.id == self.owner_id or user.operator

    def moderated_by(self, user: User) -> bool:
        """Whether the user keeps order in it."""
        return self.owned_by(user) or user.id in self.moderators

    def handed_over(self, guest: User, user: User) -> RoomRecord:
        """Return the record in which the user has what rights the guest had."""
        moderators = dict(self.moderators)
        if moderators.pop(guest.id, None) is not None:
            moderators[user.id] = user.name
        owner = (user.name, user.id) if self.owner_id == guest.id else (self.owner, self.owner_id)
        return replace(self, owner=owner[0], owner_id=owner[1], moderators=moderators)

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
