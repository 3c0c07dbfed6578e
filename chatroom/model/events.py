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

from chatroom.model.device_keys import DeviceChange
from chatroom.model.event_base import EVENTS as EVENTS
from chatroom.model.event_base import Audience as Audience
from chatroom.model.event_base import Event as Event
from chatroom.model.event_base import LogEvent as LogEvent
from chatroom.model.event_base import RoomEvent as RoomEvent
from chatroom.model.event_base import told_to
from chatroom.model.key_events import E2eFrom as E2eFrom
from chatroom.model.moderation_events import AboutMember as AboutMember
from chatroom.model.moderation_events import Banned as Banned
from chatroom.model.moderation_events import Closed as Closed
from chatroom.model.moderation_events import Deopped as Deopped
from chatroom.model.moderation_events import Encrypted as Encrypted
from chatroom.model.moderation_events import Invited as Invited
from chatroom.model.moderation_events import Kicked as Kicked
from chatroom.model.moderation_events import Locked as Locked
from chatroom.model.moderation_events import MemberRemoved as MemberRemoved
from chatroom.model.moderation_events import ModerationEvent as ModerationEvent
from chatroom.model.moderation_events import Muted as Muted
from chatroom.model.moderation_events import Opped as Opped
from chatroom.model.moderation_events import Owned as Owned
from chatroom.model.moderation_events import Slowed as Slowed
from chatroom.model.moderation_events import Topic as Topic
from chatroom.model.moderation_events import Unbanned as Unbanned
from chatroom.model.moderation_events import Unlocked as Unlocked
from chatroom.model.moderation_events import Unmuted as Unmuted
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
    """A file for everybody in the room, or only for the person ``to`` with the id ``to_id``; ``get`` fetches it.

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
    to_id: str = ""
    via: str = ""
    sealed: bool = False

    @property
    def text(self) -> str:
        """The part that can be searched for, and that is blanked when the file is deleted."""
        return self.name


class SealedMessage(RoomMessage, frozen=True, gc=False, kw_only=True, tag="sealed"):
    """A message to an encrypted room. Only the devices of the members can read it.

    ``device`` is the author's device, ``sid`` names the keys, and ``ct`` is the encrypted message: base64 without
    padding. ``ct`` of a deleted message is empty.
    """

    device: str
    sid: str
    ct: str

    @property
    def text(self) -> str:
        """What can be searched for, quoted and blanked: nothing."""
        return ""

    def __repr__(self) -> str:
        return f"SealedMessage(id={self.id!r}, by={self.by!r}, ...)"


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
    ends_stay = True


class Left(MemberGone, frozen=True, gc=False, kw_only=True):
    """A member has left the room."""


class Disconnected(MemberGone, frozen=True, gc=False, kw_only=True):
    """A member's connection has ended, for whatever reason."""


class Renamed(MembershipEvent, frozen=True, gc=False, kw_only=True):
    """``by`` is now called ``name``. ``user_id`` is given if the user has logged in or out: it is the user's new id.

    With ``again``, a person with several connections has logged out on one of them: ``by`` is still in the room.
    """

    ends_stay = True

    name: str
    user_id: str = ""


class DevicesChanged(RoomEvent, frozen=True, gc=False, kw_only=True):
    """The member ``by`` of an encrypted room has another list of devices, with the revision ``rev``.

    ``change`` says what has changed: a device was ``linked``, one was ``removed``, or there is another user ``key``; or
    nothing of that, such as a name (``other``).

    It changes nobody's membership, but who may have the keys: ``members`` of ``say-sealed`` is the ``seq`` of the last
    event that changed one of both.
    """

    ends_stay = True
    is_message = False
    changes_members = False
    changes_record = False

    rev: int
    change: DeviceChange = "other"


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

Message = Said | Acted | Shared | Private | SealedMessage
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
    """Return a copy of a message with an empty text; of a file, with an empty name; of a sealed one, with no ``ct``.

    What was done to a message of a room, and what it answers, goes as well.
    """
    gone: dict[str, Any] = {_content_of(event): ""}
    if isinstance(event, RoomMessage):
        gone["reactions"] = ()
    if isinstance(event, Spoken):
        gone |= {"quote": 0, "quoted": None, "edited": 0}
    return msgspec.structs.replace(event, **gone)


def _content_of(event: Any) -> str:
    """Return the name of the field that holds what somebody says by a message."""
    if isinstance(event, SealedMessage):
        return "ct"
    return "name" if isinstance(event, Shared) else "text"


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
