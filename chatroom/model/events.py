"""What happens, as frozen records, and their JSON; beside it the server only says ``chatroom.model.replies``.

Events of a room and private messages are stored in logs; ``encode`` gives the bytes that are stored, ``decode`` reads
them back. ``room`` and ``seq`` are not stored with an event, for they are the log's to know: a reader fills them in.
"""

from __future__ import annotations

import re
from typing import Any, TypeGuard, get_args

import msgspec
from msgspec import Struct

PROTOCOL_VERSION = 1

# Fields that are stored and shown to nobody. ``via`` marks the address from which something came, so that what one
# address writes can be bounded.
HIDDEN = ("via",)


def tag(name: str) -> str:
    """``KeysLow`` is ``keys-low`` on the wire."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event", tag=tag):
    """Anything the server says."""


class LogEvent(Event, frozen=True, gc=False):
    """Something that happened, as it is stored. ``at`` is milliseconds since 1970 by the server's clock."""

    id: str
    at: int
    by: str
    by_id: str


class RoomEvent(LogEvent, frozen=True, gc=False):
    """Something that happened in a room."""

    room: str = ""
    seq: int = 0


class Said(RoomEvent, frozen=True, gc=False, kw_only=True):
    """A message to the room."""

    text: str


class Acted(RoomEvent, frozen=True, gc=False, kw_only=True):
    """``/me``: what somebody does."""

    text: str


class Joined(RoomEvent, frozen=True, gc=False, kw_only=True):
    """Somebody came in. ``session`` is the connection that did, for one person may have several."""

    session: str


class Left(RoomEvent, frozen=True, gc=False, kw_only=True):
    """Somebody went out."""

    session: str


class Disconnected(RoomEvent, frozen=True, gc=False, kw_only=True):
    """Somebody's connection ended, whatever the cause."""

    session: str


class Renamed(RoomEvent, frozen=True, gc=False, kw_only=True):
    """``by`` is called ``name`` from now on. ``user_id``, if given, is who it is by having logged in or out."""

    session: str
    name: str
    user_id: str = ""


class Topic(RoomEvent, frozen=True, gc=False, kw_only=True):
    """What the room is about, from now on."""

    text: str


class AboutMember(RoomEvent, frozen=True, gc=False, kw_only=True):
    """Something that ``by`` did about ``user``. ``user_id`` is empty when nobody of that name was there."""

    user: str
    user_id: str = ""


class Kicked(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody was put out, and may come again."""

    reason: str = ""


class Banned(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody was put out and kept out. ``until`` is in milliseconds since 1970; 0 for good."""

    reason: str = ""
    until: int = 0


class Unbanned(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody may come again."""


class Muted(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody may listen, and say nothing. ``until`` is in milliseconds since 1970; 0 for good."""

    reason: str = ""
    until: int = 0


class Unmuted(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody may speak again."""


class Opped(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody moderates the room from now on."""


class Deopped(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody does not moderate the room any more."""


class Owned(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody owns the room from now on. ``before``: the former owner, who has left for good; then nobody did it."""

    before: str = ""


class Invited(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody may come in while the room is locked; in that person's inbox stands another, with ``to``."""

    to: str = ""
    via: str = ""


class Locked(RoomEvent, frozen=True, gc=False):
    """Only the invited may come in."""


class Unlocked(RoomEvent, frozen=True, gc=False):
    """Everybody may come in again."""


class Slowed(RoomEvent, frozen=True, gc=False, kw_only=True):
    """One message per member in that many seconds; 0 ends it."""

    seconds: int


class Closed(RoomEvent, frozen=True, gc=False, kw_only=True):
    """The room has ended and everybody is out of it; its next namesake is a new room."""

    reason: str = ""


class Deleted(RoomEvent, frozen=True, gc=False, kw_only=True):
    """The message with the seq ``message``, of ``user``, was blanked."""

    message: int
    user: str


class Shared(RoomEvent, frozen=True, gc=False, kw_only=True):
    """A file for everybody in the room, or for the one person ``to`` whom it was given; ``get`` fetches it.

    ``number`` is its name in the room, or among that person's files; ``sha256`` is in hex. A deleted one has no name.
    """

    file: str
    number: int
    name: str
    size: int
    sha256: str
    to: str = ""
    via: str = ""

    @property
    def text(self) -> str:
        """What of it can be searched for, and is blanked when it is deleted."""
        return self.name


class Private(LogEvent, frozen=True, gc=False, kw_only=True):
    """A message for one person; it stands in that person's inbox. ``late``: it waited there for its reader."""

    to: str
    text: str
    seq: int = 0
    late: bool = False
    via: str = ""


class Read(LogEvent, frozen=True, gc=False, kw_only=True):
    """In an inbox: everything up to the seq ``upto`` has reached its owner. Nobody is told."""

    upto: int


class Arrived(LogEvent, frozen=True, gc=False):
    """Somebody has logged in."""


class Departed(LogEvent, frozen=True, gc=False, kw_only=True):
    """Somebody has logged out, or is gone. ``session`` is the connection that did, and is not told of itself."""

    session: str


class Announced(LogEvent, frozen=True, gc=False, kw_only=True):
    """An operator's words to everybody."""

    text: str


class Expelled(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: an operator puts a user out of the server."""

    user_id: str
    reason: str = ""


class Registered(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: a name belongs to an account now, and to no guest."""

    name: str


class Deregistered(LogEvent, frozen=True, gc=False):
    """To all daemons: the account ``by_id`` is no more."""


class PasswordChanged(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: the account ``by_id`` has another password, and all its sessions but ``session`` end."""

    session: str = ""


class BansChanged(LogEvent, frozen=True, gc=False):
    """To all daemons: who is kept out of the server has changed."""


class Seen(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: a guest is called ``by``; what is written to that name waits in the mailbox ``box``."""

    box: str


class Mailed(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: something waits in the mailbox of the guest's name ``name``."""

    box: str
    name: str = ""
    via: str = ""


class Emptied(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: that mailbox has been given to whoever took the name, or its name belongs to an account now."""

    box: str


Moderation = (
    Topic
    | Kicked
    | Banned
    | Unbanned
    | Muted
    | Unmuted
    | Opped
    | Deopped
    | Owned
    | Invited
    | Locked
    | Unlocked
    | Slowed
    | Closed
    | Deleted
)
OfTheServer = (
    Arrived
    | Departed
    | Announced
    | Expelled
    | Registered
    | Deregistered
    | PasswordChanged
    | BansChanged
    | Seen
    | Mailed
    | Emptied
)
Stored = Said | Acted | Shared | Joined | Left | Disconnected | Renamed | Moderation | Private | Read | OfTheServer
Message = Said | Acted | Shared | Private
OfInbox = Private | Shared | Invited
MESSAGES = (Said, Acted, Shared, Private)
MODERATION = get_args(Moderation)
OF_A_ROOM = (Said, Acted, Shared, Joined, Left, Disconnected, Renamed, *MODERATION)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Stored).decode


def of_inbox(event: Event) -> TypeGuard[OfInbox]:
    """Whether it is for one person, in whose inbox it stands: its ``seq``, if it has one, is of that and of no room."""
    return isinstance(event, OfInbox) and bool(event.to)


def blanked(event: Any) -> Any:
    """Return the message without what it said."""
    return msgspec.structs.replace(event, **{"name" if isinstance(event, Shared) else "text": ""})


def placed(event: Any, seq: int, room: str = "") -> Any:
    """Return the event with the place that its log knows: its ``seq`` and, for an event of a room, the room's name.

    What is stored but shown to nobody is left out.
    """
    hidden = {"via": ""} if isinstance(event, OfInbox) and event.via else {}
    if isinstance(event, RoomEvent):
        return msgspec.structs.replace(event, seq=seq, room=room, **hidden)
    return msgspec.structs.replace(event, seq=seq, **hidden)
