"""The events of rooms that say what moderators do. ``chatroom.model.events`` offers them together with all others."""

from __future__ import annotations

from chatroom.model.event_base import RoomEvent


class ModerationEvent(RoomEvent, frozen=True, gc=False):
    """Something that a moderator does; the room's record says so already."""

    abstract = True
    is_message = False
    changes_members = False
    changes_record = True


class Topic(ModerationEvent, frozen=True, gc=False, kw_only=True):
    """The room has a new topic."""

    text: str


class AboutMember(ModerationEvent, frozen=True, gc=False, kw_only=True):
    """Something that ``by`` does about ``user``. ``user_id`` is empty when nobody of that name was there."""

    abstract = True

    user: str
    user_id: str = ""


class MemberRemoved(AboutMember, frozen=True, gc=False, kw_only=True):
    """A member is removed from the room."""

    abstract = True
    changes_members = True
    ends_stay = True

    reason: str = ""


class Kicked(MemberRemoved, frozen=True, gc=False, kw_only=True):
    """A member was removed from the room, and may join again.

    With ``session``, only that connection of ``user`` was removed, because it cannot follow the encrypted room; then
    ``by`` is empty. With ``again`` as well, another connection of ``user`` stays in the room, and only the removed one
    is told.
    """

    session: str = ""
    again: bool = False


class Banned(MemberRemoved, frozen=True, gc=False, kw_only=True):
    """A user was removed and may not join. ``until`` is in milliseconds since 1970; 0 means for good."""

    until: int = 0


class Unbanned(AboutMember, frozen=True, gc=False, kw_only=True):
    """A banned user may join again."""


class Muted(AboutMember, frozen=True, gc=False, kw_only=True):
    """A user may read but not write. ``until`` is in milliseconds since 1970; 0 means for good."""

    reason: str = ""
    until: int = 0


class Unmuted(AboutMember, frozen=True, gc=False, kw_only=True):
    """A muted user may write again."""


class Opped(AboutMember, frozen=True, gc=False, kw_only=True):
    """A user is now a moderator of the room."""


class Deopped(AboutMember, frozen=True, gc=False, kw_only=True):
    """A user is no longer a moderator of the room."""


class Owned(AboutMember, frozen=True, gc=False, kw_only=True):
    """A user now owns the room. ``before`` names the former owner if that user left for good; then ``by`` is empty."""

    before: str = ""


class Invited(AboutMember, frozen=True, gc=False, kw_only=True):
    """A user may join although the room is locked. The user's inbox gets a copy, which has ``to``."""

    is_mail = True

    to: str = ""
    via: str = ""


class Locked(ModerationEvent, frozen=True, gc=False):
    """Only invited users may join the room."""


class Unlocked(ModerationEvent, frozen=True, gc=False):
    """Everybody may join the room again."""


class Slowed(ModerationEvent, frozen=True, gc=False, kw_only=True):
    """Each member may send one message in this many seconds; 0 ends this."""

    seconds: int


class Encrypted(ModerationEvent, frozen=True, gc=False):
    """From now on, only messages that are encrypted end to end can be sent to the room. Nobody can undo this.

    Those who cannot follow are removed from the room (``kicked``). What was said before stays readable on the server.
    """


class Closed(ModerationEvent, frozen=True, gc=False, kw_only=True):
    """The room has ended and all its members are out. A later room of the same name is a new room."""

    changes_members = True

    reason: str = ""
