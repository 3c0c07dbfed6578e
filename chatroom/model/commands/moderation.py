"""Commands to keep order in a room."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import (
    BACK_PERHAPS,
    HOW_LONG,
    REASON,
    USER,
    USER_PERHAPS,
    Back,
    Needs,
    Reason,
    RoomCommand,
    Seconds,
    Seq,
    Word,
    row,
)


class Kick(RoomCommand, frozen=True, gc=False):
    """Remove a member from the room. An operator can use ``everywhere`` to disconnect a user from the server."""

    user: Word
    reason: Reason = ""
    everywhere: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the command is about a room, not about the server."""
        return not self.everywhere


row(
    Kick,
    "remove somebody from the room; outside a room, operators disconnect them from the server",
    "kick",
    USER,
    REASON,
    topic="order",
    examples=[{"user": "mallory", "reason": "be nice"}],
)


class Ban(RoomCommand, frozen=True, gc=False):
    """Ban a user or an address from the room, for some seconds or for good. Without ``user``, list the bans.

    An operator can use ``everywhere`` to ban from the whole server.
    """

    user: Word = ""
    seconds: Seconds = 0
    reason: Reason = ""
    everywhere: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the command is about a room, not about the server."""
        return not self.everywhere


row(
    Ban,
    "keep a person or an address out of the room, for 10m, 2h, 7d or for good; alone, it lists who is banned",
    "ban",
    USER_PERHAPS,
    HOW_LONG,
    REASON,
    topic="order",
    examples=[{"user": "mallory", "seconds": 7200, "reason": "be nice"}],
)


class Unban(RoomCommand, frozen=True, gc=False):
    """Lift the ban of a user or an address."""

    user: Word
    everywhere: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the command is about a room, not about the server."""
        return not self.everywhere


row(Unban, "let somebody who was banned join again", "unban", USER, topic="order", examples=[{"user": "mallory"}])


class Mute(RoomCommand, frozen=True, gc=False):
    """Stop a user from writing in the room, for some seconds or for good. Without ``user``, list who is muted."""

    user: Word = ""
    seconds: Seconds = 0
    reason: Reason = ""


row(
    Mute,
    "stop somebody from speaking in the room; alone, it lists who is muted",
    "mute",
    USER_PERHAPS,
    HOW_LONG,
    REASON,
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"user": "mallory", "seconds": 600}],
)


class Unmute(RoomCommand, frozen=True, gc=False):
    """Let a muted user write again."""

    user: Word


row(
    Unmute,
    "let somebody speak again",
    "unmute",
    USER,
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"user": "mallory"}],
)


class Op(RoomCommand, frozen=True, gc=False):
    """Make a user a moderator of the room."""

    user: Word


row(
    Op,
    "make somebody a moderator of the room",
    "op",
    USER,
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"user": "alice"}],
)


class Deop(RoomCommand, frozen=True, gc=False):
    """Take the rights of a moderator away from a user."""

    user: Word


row(
    Deop,
    "take a moderator's rights away from somebody",
    "deop",
    USER,
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"user": "alice"}],
)


class Owner(RoomCommand, frozen=True, gc=False):
    """Give the room to the owner of an account."""

    user: Word


row(
    Owner,
    "give the room to somebody with an account",
    "owner",
    USER,
    in_room=True,
    needs=Needs.OWNER,
    topic="order",
    examples=[{"user": "alice"}],
)


class Invite(RoomCommand, frozen=True, gc=False):
    """Let a user join although the room is locked."""

    user: Word


row(
    Invite,
    "let somebody join the room although it is locked",
    "invite",
    USER,
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"user": "alice"}],
)


class Lock(RoomCommand, frozen=True, gc=False):
    """Let only users join that a moderator has invited."""


row(
    Lock,
    "let only people join that a moderator invites",
    "lock",
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{}],
)


class Unlock(RoomCommand, frozen=True, gc=False):
    """Let everybody join again."""


row(Unlock, "let everybody join again", "unlock", in_room=True, needs=Needs.MODERATOR, topic="order", examples=[{}])


class Slow(RoomCommand, frozen=True, gc=False):
    """Let each member send only one message in this many seconds; 0 ends this."""

    seconds: Annotated[int, Meta(ge=0, le=3600)]


row(
    Slow,
    "let each person speak only once in so many seconds; 0 ends this",
    "slow",
    Arg("seconds", Kind.COUNT),
    in_room=True,
    needs=Needs.MODERATOR,
    topic="order",
    examples=[{"seconds": 10}],
)


class Delete(RoomCommand, frozen=True, gc=False):
    """Delete the text of a message in the room: the one with that seq, the last of ``user``, or your own last.

    ``last`` counts back from the last one.
    """

    user: Word = ""
    seq: Seq | None = None
    last: Back = 1


row(
    Delete,
    "delete your last message or file here, or with -2 the one before; moderators can delete other people's",
    "delete",
    BACK_PERHAPS,
    USER_PERHAPS,
    in_room=True,
    topic="order",
    examples=[{"seq": 132}],
)


class Close(RoomCommand, frozen=True, gc=False):
    """End the room. A later room of the same name is a new room. An operator can end any ``room``."""

    elsewhere = True

    reason: Reason = ""


row(Close, "close the room for everybody", "close", REASON, topic="order", examples=[{"reason": "moved to den"}])
