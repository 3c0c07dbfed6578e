"""Responses: records that the server sends to one connection and stores in no log.

These and the events of ``chatroom.model.events`` are all that the server sends; ``docs/protocol.md`` lists both.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from chatroom.model.event_base import Audience, Event, told_to
from chatroom.model.events import OF_A_ROOM, Acted, Message, Said, Shared


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


class HelpTopic(Struct, frozen=True, gc=False):
    """What people may want to do, and the commands for it, as ``/join``."""

    name: str
    title: str
    commands: list[str]


class Response(Event, frozen=True, gc=False):
    """A record for one connection, which no log keeps. Unless its class says otherwise, it answers a command."""

    abstract = True
    audience = Audience.ASKER
    is_message = False
    is_mail = False
    changes_members = False
    changes_record = False


class Welcome(Response, frozen=True, gc=False):
    """The answer to a program's ``hello``, and what a person is greeted with.

    ``resume`` is a secret: given in the ``hello`` of a later connection it ends this one, should it still seem alive,
    and makes who comes the same guest. ``replay``: so many messages of before are shown to people who join a room; a
    program asks for as many as it likes.
    """

    server: str
    version: int
    you: str
    guest: bool
    limits: Limits
    features: list[str]
    resume: str = ""
    replay: int = 0

    def __repr__(self) -> str:
        return f"Welcome(server={self.server!r}, you={self.you!r}, ...)"  # the secret is not to be shown


class Entered(Response, frozen=True, gc=False, kw_only=True):
    """You are in the room. ``complete`` is false when not all that came after the ``after`` you gave follows.

    Then ``history`` with that ``after`` gives the messages that do not; ``gone`` is true when some are no longer there.
    ``made`` is true when there was no such room and your command has made it; ``created`` when that was a ``create``.
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
    made: bool = False


class Rooms(Response, frozen=True, gc=False):
    """The rooms there are; ``more`` were left out."""

    rooms: list[RoomLine]
    more: int = 0


class Users(Response, frozen=True, gc=False):
    """Who is online; ``more`` were left out."""

    users: list[UserLine]
    total: int


class Members(Response, frozen=True, gc=False):
    """Who is in the room, in the order of joining; ``more`` were left out."""

    room: str
    users: list[str]
    more: int = 0


class Person(Response, frozen=True, gc=False, kw_only=True):
    """Who somebody is: a guest or the owner of an account, perhaps an operator; whether online; where; away."""

    name: str
    account: bool
    operator: bool = False
    online: bool = False
    rooms: list[str] = msgspec.field(default_factory=list)
    away: str = ""


class History(Response, frozen=True, gc=False):
    """Messages of a room, or without one one's private messages, the newest last.

    ``complete`` is true when there is nothing before them; or after them, if one asked for those ``after`` a seq.
    """

    room: str
    events: list[Message]
    complete: bool


class Found(Response, frozen=True, gc=False):
    """What a search found, the newest last.

    ``complete`` is false when older messages were not searched: those before the seq ``searched_to``, which was said at
    ``searched_at``. The answer then also says when it was given, ``at``; times are in ms since 1970.
    """

    words: str
    events: list[Said | Acted | Shared]
    complete: bool = True
    searched_to: int = 0
    searched_at: int = 0
    at: int = 0


class Help(Response, frozen=True, gc=False):
    """The commands there are, by ``topics``; or the one that was asked for; or those of a topic with that ``title``."""

    commands: list[HelpLine]
    topics: list[HelpTopic] = msgspec.field(default_factory=list)
    title: str = ""


class Settings(Response, frozen=True, gc=False):
    """Your settings; ``changed`` names the one that was just set."""

    echo: bool
    timestamps: bool
    away: str
    ignored: list[str]
    changed: str = ""


class Sent(Response, frozen=True, gc=False):
    """Your private message is stored. ``waits``: for an ``account`` that is not online, for whoever takes the name of a
    ``guest`` next, or for the ``return`` of a guest who was cut off just now.
    """

    id: str
    to: str
    text: str
    waits: Literal["", "account", "guest", "return"] = ""


class Account(Response, frozen=True, gc=False, kw_only=True):
    """Who you are from now on; and, when you have just logged in, who is online (``more`` were left out).

    ``was`` is the account that you have just logged out of; ``token`` logs in again, if you asked to be remembered.
    """

    name: str
    guest: bool = False
    operator: bool = False
    users: list[str] = msgspec.field(default_factory=list)
    more: int = 0
    was: str = ""
    token: str = ""


class Unchanged(Account, frozen=True, gc=False, kw_only=True, tag="account"):
    """Who you are, because you asked; the same record as ``Account``. For people it does not read like a change."""


class Sessions(Response, frozen=True, gc=False):
    """Where you are logged in, or may log in without the password; ``end-session`` ends one by its place here."""

    sessions: list[SessionLine]


class Ok(Response, frozen=True, gc=False):
    """Done. ``text`` says what, for a person."""

    text: str = ""


class Error(Response, frozen=True, gc=False):
    """Refused: ``code`` for a program, ``text`` for a person. ``file``: that one's upload or download has ended."""

    code: str
    text: str
    file: str = ""


class Upload(Response, frozen=True, gc=False, kw_only=True):
    """Send the file in chunks of that many bytes (the last may be shorter), from the index ``have`` on.

    At most 8 may be under way without their acknowledgement. When all are there ``shared`` follows.
    """

    audience = Audience.TRANSFER

    file: str
    chunk: int
    have: int


class Download(Response, frozen=True, gc=False, kw_only=True):
    """The file comes, in chunks of that many bytes, from the index ``from`` on. Acknowledge each with ``got``.

    ``given``: it was given to one person, and the number is one among that person's files.
    """

    audience = Audience.TRANSFER

    file: str
    number: int
    name: str
    size: int
    sha256: str
    chunk: int
    start: int = msgspec.field(name="from", default=0)
    given: bool = False


class Chunk(Response, frozen=True, gc=False):
    """With ``bytes``: a chunk of a file; after this line come that many raw bytes. Without: yours has been stored."""

    audience = Audience.TRANSFER

    file: str
    index: int
    bytes: int = 0


class Files(Response, frozen=True, gc=False):
    """The files of the room, the newest last; ``more`` were left out. ``given``: those given to you.

    Outside a room ``files`` are those given to you. A given file has a number of its own, beside those of the room.
    """

    room: str
    files: list[FileLine]
    more: int = 0
    given: list[FileLine] = msgspec.field(default_factory=list)
    more_given: int = 0


class Away(Response, frozen=True, gc=False):
    """Whom you just wrote to is away."""

    audience = Audience.PERSON

    user: str
    text: str


class Ping(Response, frozen=True, gc=False):
    """Are you there? Say anything; ``pong`` is made for it."""

    audience = Audience.CONNECTION


class Shutdown(Response, frozen=True, gc=False):
    """The server goes down; the connection closes after this."""

    audience = Audience.CONNECTION


ANSWERS = told_to(Audience.ASKER)
OF_FILES = told_to(Audience.TRANSFER)
OF_A_PERSON = told_to(Audience.PERSON)
OF_THE_CONNECTION = told_to(Audience.CONNECTION)
TOLD = (*ANSWERS, *OF_FILES, *OF_A_ROOM, *OF_A_PERSON, *OF_THE_CONNECTION)
"""Every class of records that the server sends."""
