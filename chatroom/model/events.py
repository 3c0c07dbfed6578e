"""The events of rooms, of inboxes and of the server, as frozen records, and the JSON in which they are stored and sent.

Each class describes itself by class attributes (``chatroom.model.event_base``), from which the sets of classes at the
end of this file are derived. All other records that the server sends are in ``chatroom.model.replies``.

Events are stored in logs: ``encode`` returns the bytes to store, and ``decode`` reads them. ``room`` and ``seq`` are
not stored with an event, because its place in a log says them; ``placed`` fills them in.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, TypeGuard, get_args

import msgspec

from chatroom.model.event_base import EVENTS as EVENTS
from chatroom.model.event_base import Audience as Audience
from chatroom.model.event_base import Event as Event
from chatroom.model.event_base import LogEvent as LogEvent
from chatroom.model.event_base import told_to
from chatroom.model.key_events import E2eFrom as E2eFrom
from chatroom.model.server_events import Announced as Announced
from chatroom.model.server_events import Arrived as Arrived
from chatroom.model.server_events import BansChanged as BansChanged
from chatroom.model.server_events import Departed as Departed
from chatroom.model.server_events import Deregistered as Deregistered
from chatroom.model.server_events import Emptied as Emptied
from chatroom.model.server_events import Expelled as Expelled
from chatroom.model.server_events import Mailed as Mailed
from chatroom.model.server_events import PasswordChanged as PasswordChanged
from chatroom.model.server_events import Registered as Registered
from chatroom.model.server_events import Seen as Seen
from chatroom.model.server_events import ServerEvent as ServerEvent

PROTOCOL_VERSION = 1

# Fields that are stored and never sent. ``via`` stands for the address that an event came from; it serves to limit the
# space that one address can fill.
HIDDEN = ("via",)


class RoomEvent(LogEvent, frozen=True, gc=False):
    """An event in a room."""

    abstract = True
    audience = Audience.ROOM
    is_mail = False

    room: str = ""
    seq: int = 0


# ---- messages to a room ------------------------------------------------------------------------------------------


class EmojiReaction(NamedTuple):
    """A reaction to a message: the emoji, and the name and the id of the user who reacted."""

    emoji: str
    by: str
    by_id: str


class Quoted(msgspec.Struct, frozen=True, gc=False):
    """What a message answers: the author's name, and the first words; ``text`` is empty if that message was deleted."""

    by: str
    text: str


class RoomMessage(RoomEvent, frozen=True, gc=False, kw_only=True):
    """A member of the room says something. ``reactions`` are those that members have not taken back."""

    abstract = True
    is_message = True
    changes_members = False
    changes_record = False

    reactions: tuple[EmojiReaction, ...] = ()


class Spoken(RoomMessage, frozen=True, gc=False, kw_only=True):
    """A message that a member has written.

    ``quote`` is the seq of the message that this one answers, 0 if it answers none, and ``quoted`` says what that is.
    ``edited`` is when the text was last changed, in milliseconds since 1970; 0 if it never was.
    """

    abstract = True
    has_lines = True

    text: str
    quote: int = 0
    quoted: Quoted | None = None
    edited: int = 0

    @property
    def about(self) -> int:
        """The seq of the message that this one answers; 0 if there is none."""
        return self.quote


class Said(Spoken, frozen=True, gc=False, kw_only=True):
    """A message to the room.

    ``quote`` is the seq of the message that it answers, and ``quoted`` has that message's author and first words; these
    are empty if it was deleted. ``edited`` is when the text was last changed. A reaction is an emoji, a name and an id.
    """


class Acted(Spoken, frozen=True, gc=False, kw_only=True):
    """``/me``: what a member does. It has the same further fields as ``said``."""


class Shared(RoomMessage, frozen=True, gc=False, kw_only=True):
    """A file for everybody in the room, or only for the person ``to``; ``get`` fetches it.

    ``number`` identifies the file in the room, or among the files of that person. ``sha256`` is in hexadecimal. The
    ``name`` of a deleted file is empty. ``sealed`` is true if the bytes are encrypted end to end; the name is then a
    random one, and the sender tells the real one in an encrypted message.
    """

    is_mail = True

    file: str
    number: int
    name: str
    size: int
    sha256: str
    to: str = ""
    via: str = ""
    sealed: bool = False

    @property
    def text(self) -> str:
        """The part that can be searched for, and that is blanked when the file is deleted."""
        return self.name


# ---- members who come and go -------------------------------------------------------------------------------------


class MembershipEvent(RoomEvent, frozen=True, gc=False, kw_only=True):
    """A member joins, leaves, or changes name. ``session`` is the member's connection: one person may have several.

    ``again`` is true if the person has another connection in the room. Members are not told of such a coming or going.
    """

    abstract = True
    is_message = False
    changes_members = True
    changes_record = False

    session: str
    again: bool = False


class Joined(MembershipEvent, frozen=True, gc=False, kw_only=True):
    """A user has joined the room."""


class MemberGone(MembershipEvent, frozen=True, gc=False, kw_only=True):
    """A member has left the room."""

    abstract = True


class Left(MemberGone, frozen=True, gc=False, kw_only=True):
    """A member has left the room."""


class Disconnected(MemberGone, frozen=True, gc=False, kw_only=True):
    """A member's connection has ended, for whatever reason."""


class Renamed(MembershipEvent, frozen=True, gc=False, kw_only=True):
    """``by`` is now called ``name``. ``user_id`` is given if the user has logged in or out: it is the user's new id.

    With ``again``, a person with several connections has logged out on one of them: ``by`` is still in the room.
    """

    name: str
    user_id: str = ""


# ---- what moderators do ------------------------------------------------------------------------------------------


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

    reason: str = ""


class Kicked(MemberRemoved, frozen=True, gc=False, kw_only=True):
    """A member was removed from the room, and may join again."""


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


class Closed(ModerationEvent, frozen=True, gc=False, kw_only=True):
    """The room has ended and all its members are out. A later room of the same name is a new room."""

    changes_members = True

    reason: str = ""


# ---- what happens to a message -----------------------------------------------------------------------------------


class Amendment(RoomEvent, frozen=True, gc=False, kw_only=True):
    """Something that ``by`` does to a message of the same log. ``message`` is that message's seq.

    The engine stores an amendment and changes the stored message in one transaction, as
    ``chatroom.model.amendments`` says. An amendment is kept as long as its message is.
    """

    abstract = True
    is_message = False
    changes_members = False
    changes_record = False

    message: int

    @property
    def about(self) -> int:
        """The seq of the message that changes."""
        return self.message


class Edited(Amendment, frozen=True, gc=False, kw_only=True):
    """The author has given a message another text. ``message`` is the message's seq."""

    has_lines = True

    text: str


class Reacted(Amendment, frozen=True, gc=False, kw_only=True):
    """A member reacts to a message with an emoji, or takes the reaction back (``on`` is false).

    ``message`` is the message's seq, ``user`` its author, and ``text`` its first words; they are left out if it was
    deleted.
    """

    emoji: str
    on: bool
    user: str = ""
    text: str = ""


class Deleted(Amendment, frozen=True, gc=False, kw_only=True):
    """The text of a message was deleted. ``message`` is the message's seq, and ``user`` its author."""

    user: str


# ---- events of an inbox ------------------------------------------------------------------------------------------


class InboxEvent(LogEvent, frozen=True, gc=False):
    """An event in the inbox of one person, and in no room."""

    abstract = True
    changes_members = False
    changes_record = False


class Private(InboxEvent, frozen=True, gc=False, kw_only=True):
    """A private message. It is stored in the inbox of ``to``; ``late`` means that it had to wait there.

    A copy is stored for its author, whose other sessions are told of it: then ``by`` is your own name, and ``seq``
    counts in the log of the messages that you have sent. ``to_id`` is the id of the user ``to``; it is empty if the
    message waits for the next guest of that name.
    """

    audience = Audience.PERSON
    is_message = True
    is_mail = True
    has_lines = True

    to: str
    text: str
    to_id: str = ""
    seq: int = 0
    late: bool = False
    via: str = ""


class Read(InboxEvent, frozen=True, gc=False, kw_only=True):
    """The inbox's owner has seen everything up to the seq ``upto``. No session is told."""

    audience = Audience.NOBODY
    is_message = False
    is_mail = False

    upto: int


# ---- sets of events, derived from what each class says -----------------------------------------------------------

Message = Said | Acted | Shared | Private
Mail = Private | Shared | Invited


def _written(union: Any, derived: Iterable[type[Event]]) -> tuple[Any, ...]:
    """Return the classes of a union, which is written out because type checkers cannot derive it.

    Raises:
        TypeError: The classes of the union are not the ``derived`` ones.
    """
    classes = get_args(union)
    different = {*classes} ^ {*derived}
    if different:
        names = ", ".join(sorted(kind.__name__ for kind in different))
        raise TypeError(f"the class attributes and the union written in this file differ about {names}")
    return classes


STORED: tuple[type[LogEvent], ...] = tuple(kind for kind in EVENTS if issubclass(kind, LogEvent))
MESSAGES: tuple[type[Message], ...] = _written(Message, (kind for kind in EVENTS if kind.is_message))
MAIL: tuple[type[Mail], ...] = _written(Mail, (kind for kind in EVENTS if kind.is_mail))
ROOM_MESSAGES = tuple(kind for kind in MESSAGES if issubclass(kind, RoomEvent))
OF_A_ROOM = told_to(Audience.ROOM)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(reduce(or_, STORED)).decode


def of_inbox(event: Event) -> TypeGuard[Mail]:
    """Return whether an event is for the inbox of one person: then its ``seq`` is of that inbox, not of a room."""
    return isinstance(event, MAIL) and bool(event.to)


def blanked(event: Any) -> Any:
    """Return a copy of a message with an empty text; of a shared file, with an empty name.

    What was done to a message of a room, and what it answers, goes as well.
    """
    gone: dict[str, Any] = {"name" if isinstance(event, Shared) else "text": ""}
    if isinstance(event, RoomMessage):
        gone["reactions"] = ()
    if isinstance(event, Spoken):
        gone |= {"quote": 0, "quoted": None, "edited": 0}
    return msgspec.structs.replace(event, **gone)


def placed(event: Any, seq: int, room: str = "") -> Any:
    """Return a copy of an event with its seq and its room filled in, and with the fields of ``HIDDEN`` emptied.

    Args:
        event: The event as it is stored.
        seq: The event's place in its log.
        room: The name of the room, if the event is of a room.
    """
    hidden = {"via": ""} if isinstance(event, MAIL) and event.via else {}
    if isinstance(event, RoomEvent):
        return msgspec.structs.replace(event, seq=seq, room=room, **hidden)
    return msgspec.structs.replace(event, seq=seq, **hidden)
