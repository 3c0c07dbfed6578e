"""What the server says: every event and answer as a frozen record, and its JSON (docs/protocol.md lists them all).

Events of a room and private messages are stored in logs; ``encode`` gives the bytes that are stored, ``decode`` reads
them back. ``room`` and ``seq`` are not stored with an event, for they are the log's to know: a reader fills them in.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

PROTOCOL_VERSION = 1


def tag(name: str) -> str:
    """``KeysLow`` is ``keys-low`` on the wire."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event", tag=tag):
    """Anything the server says."""


# ---- what happens in a log --------------------------------------------------------------------------------------


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


class Invited(AboutMember, frozen=True, gc=False, kw_only=True):
    """Somebody may come in while the room is locked; the invited person is told as well."""


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


class BansChanged(LogEvent, frozen=True, gc=False):
    """To all daemons: who is kept out of the server has changed."""


class Seen(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: a guest is called ``by``; what is written to that name waits in the mailbox ``box``."""

    box: str


class Mailed(LogEvent, frozen=True, gc=False, kw_only=True):
    """To all daemons: something waits in the mailbox of a guest's name."""

    box: str


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
    | Invited
    | Locked
    | Unlocked
    | Slowed
    | Closed
    | Deleted
)
OfTheServer = (
    Arrived | Departed | Announced | Expelled | Registered | Deregistered | BansChanged | Seen | Mailed | Emptied
)
Stored = Said | Acted | Shared | Joined | Left | Disconnected | Renamed | Moderation | Private | Read | OfTheServer
Message = Said | Acted | Shared | Private
MESSAGES = (Said, Acted, Shared, Private)


# ---- answers to oneself -----------------------------------------------------------------------------------------


class Limits(Struct, frozen=True, gc=False):
    """What a program must stay within: bytes of a record, characters of a message and of the names, lines a second.

    ``file``: bytes of a shared file; 0: any number.
    """

    record: int
    text: int
    name: int
    room: int
    rate: float
    file: int = 0


class RoomLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """One room in the list of rooms."""

    room: str
    users: int
    topic: str


class UserLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """One person online: where, and away with which message."""

    name: str
    room: str = ""
    away: str = ""


class SessionLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """One place where you are logged in, or may log in without the password. Times are in ms since 1970."""

    client: str
    made: int
    used: int
    online: bool = False
    this: bool = False


class HelpLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """One command: how it is used, what it does, its other spellings."""

    usage: str
    help: str
    spellings: list[str] = []


class FileLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """One shared file. ``at`` is milliseconds since 1970."""

    file: str
    number: int
    name: str
    size: int
    by: str
    at: int


class Welcome(Event, frozen=True, gc=False):
    """The answer to a program's ``hello``, and what a person is greeted with.

    ``resume`` is a secret: given in the ``hello`` of a later connection it ends this one, should it still seem alive,
    and makes who comes the same guest.
    """

    server: str
    version: int
    you: str
    guest: bool
    limits: Limits
    features: list[str]
    resume: str = ""

    def __repr__(self) -> str:
        return f"Welcome(server={self.server!r}, you={self.you!r}, ...)"  # the secret is not to be shown


class Entered(Event, frozen=True, gc=False, kw_only=True):
    """You are in the room. ``complete`` is false when not all that came after the ``after`` you gave follows.

    Then ``history`` with that ``after`` gives the messages that do not; ``gone`` is true when some are no longer there.
    """

    room: str
    room_id: str
    topic: str
    users: list[str]
    more: int = 0
    seq: int
    complete: bool
    gone: bool = False
    created: bool = False


class Rooms(Event, frozen=True, gc=False):
    """The rooms there are; ``more`` were left out."""

    rooms: list[RoomLine]
    more: int = 0


class Users(Event, frozen=True, gc=False):
    """Who is online; ``more`` were left out."""

    users: list[UserLine]
    total: int


class History(Event, frozen=True, gc=False):
    """Messages of a room, or without one one's private messages, the newest last.

    ``complete`` is true when there is nothing before them; or after them, if one asked for those ``after`` a seq.
    """

    room: str
    events: list[Said | Acted | Shared | Private]
    complete: bool


class Found(Event, frozen=True, gc=False):
    """What a search found, the newest last."""

    words: str
    events: list[Said | Acted | Shared]


class Help(Event, frozen=True, gc=False):
    """The commands there are, or the one that was asked for."""

    commands: list[HelpLine]


class Settings(Event, frozen=True, gc=False):
    """Your settings; ``changed`` names the one that was just set."""

    echo: bool
    timestamps: bool
    away: str
    ignored: list[str]
    changed: str = ""


class Sent(Event, frozen=True, gc=False):
    """Your private message is stored. ``waits``: for an ``account`` that is not online, for whoever takes the name of a
    ``guest`` next, or for the ``return`` of a guest who was cut off just now.
    """

    id: str
    to: str
    text: str
    waits: Literal["", "account", "guest", "return"] = ""


class Account(Event, frozen=True, gc=False, kw_only=True):
    """Who you are from now on; and, when you have just logged in, who is online (``more`` were left out).

    ``was`` is the account that you have just logged out of; ``token`` logs in again, if you asked to be remembered.
    """

    name: str
    guest: bool = False
    operator: bool = False
    users: list[str] = []
    more: int = 0
    was: str = ""
    token: str = ""


class Sessions(Event, frozen=True, gc=False):
    """Where you are logged in, or may log in without the password; ``end-session`` ends one by its place here."""

    sessions: list[SessionLine]


class Ok(Event, frozen=True, gc=False):
    """Done. ``text`` says what, for a person."""

    text: str = ""


class Error(Event, frozen=True, gc=False):
    """Refused: ``code`` for a program, ``text`` for a person. ``file``: that one's upload or download has ended."""

    code: str
    text: str
    file: str = ""


# ---- files ------------------------------------------------------------------------------------------------------


class Upload(Event, frozen=True, gc=False, kw_only=True):
    """Send the file in chunks of that many bytes (the last may be shorter), from the index ``have`` on.

    At most 8 may be under way without their acknowledgement. When all are there ``shared`` follows.
    """

    file: str
    chunk: int
    have: int


class Download(Event, frozen=True, gc=False, kw_only=True):
    """The file comes, in chunks of that many bytes, from the index ``start`` on. Acknowledge each with ``got``."""

    file: str
    number: int
    name: str
    size: int
    sha256: str
    chunk: int
    start: int = msgspec.field(name="from", default=0)


class Chunk(Event, frozen=True, gc=False):
    """With ``bytes``: a chunk of a file; after this line come that many raw bytes. Without: yours has been stored."""

    file: str
    index: int
    bytes: int = 0


class Files(Event, frozen=True, gc=False):
    """The files of the room, or outside one those given to you, the newest last; ``more`` were left out."""

    room: str
    files: list[FileLine]
    more: int = 0


# ---- about a person, about the connection -----------------------------------------------------------------------


class Away(Event, frozen=True, gc=False):
    """Whom you just wrote to is away."""

    user: str
    text: str


class Ping(Event, frozen=True, gc=False):
    """Are you there? Say anything; ``pong`` is made for it."""


class Shutdown(Event, frozen=True, gc=False):
    """The server goes down; the connection closes after this."""


ANSWERS = (Welcome, Entered, Rooms, Users, History, Found, Help, Settings, Account, Sessions, Sent, Files, Ok, Error)
MODERATION = get_args(Moderation)
OF_FILES = (Upload, Download, Chunk)
OF_A_ROOM = (Said, Acted, Shared, Joined, Left, Disconnected, Renamed, *MODERATION)
OF_A_PERSON = (Private, Away, Arrived, Departed, Announced)
OF_THE_CONNECTION = (Ping, Shutdown)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Stored).decode


def blanked(event: Any) -> Any:
    """Return the message without what it said."""
    return msgspec.structs.replace(event, **{"name" if isinstance(event, Shared) else "text": ""})


def placed(event: Any, seq: int, room: str = "") -> Any:
    """Return the event with the place that its log knows: its ``seq`` and, for an event of a room, the room's name."""
    if isinstance(event, RoomEvent):
        return msgspec.structs.replace(event, seq=seq, room=room)
    return msgspec.structs.replace(event, seq=seq)
