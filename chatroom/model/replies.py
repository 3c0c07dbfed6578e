"""Responses: records that the server sends to one connection and stores in no log.

These and the events of ``chatroom.model.events`` are all that the server sends; ``docs/protocol.md`` lists both.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from chatroom.model.event_base import Audience, told_to
from chatroom.model.events import OF_A_ROOM, Deleted, Edited, Message, Private, Reacted
from chatroom.model.key_replies import OF_KEYS as OF_KEYS
from chatroom.model.key_replies import Claimed as Claimed
from chatroom.model.key_replies import ClaimedKey as ClaimedKey
from chatroom.model.key_replies import E2eNotice as E2eNotice
from chatroom.model.key_replies import E2eSent as E2eSent
from chatroom.model.key_replies import Keys as Keys
from chatroom.model.key_replies import KeysBackedUp as KeysBackedUp
from chatroom.model.key_replies import KeysChanged as KeysChanged
from chatroom.model.key_replies import KeysLow as KeysLow
from chatroom.model.key_replies import KeysPublished as KeysPublished
from chatroom.model.key_replies import UserKeys as UserKeys
from chatroom.model.reply_lines import ConversationLine as ConversationLine
from chatroom.model.reply_lines import FileLine as FileLine
from chatroom.model.reply_lines import HelpLine as HelpLine
from chatroom.model.reply_lines import HelpTopic as HelpTopic
from chatroom.model.reply_lines import Limits as Limits
from chatroom.model.reply_lines import MemberId as MemberId
from chatroom.model.reply_lines import RoomLine as RoomLine
from chatroom.model.reply_lines import SessionLine as SessionLine
from chatroom.model.reply_lines import UserLine as UserLine
from chatroom.model.response import Response as Response

FEATURES = (
    "edit",
    "encrypted-rooms",  # sealed messages to rooms
    "files",  # share, get and so on
    "keys",  # keys of devices, and sealed messages to them
    "lines",  # a text may have several lines
    "quote",  # ``quote`` of ``say`` and ``me``
    "react",
    "read",  # read marks, unread counts and conversations
    "rooms",  # several rooms at once: ``stay``, and ``room`` of each command about a room
    "typing",
)
"""What this server can do that its first version could not. A program looks here before it uses such a thing."""


class Welcome(Response, frozen=True, gc=False):
    """The answer to a program's ``hello``.

    ``resume`` is a secret. In the ``hello`` of a later connection it ends this connection, if the server still has it,
    and makes the later connection the same guest. ``replay`` is the number of older messages that people are shown when
    they join a room; a program may ask for any number. ``rooms`` are the rooms that the resumed connection was in, as
    far as the server remembers: join each of them again, with ``stay``. ``server_id`` names this server for ever, and
    ``you_id`` is your user id. ``nonce`` is another one on each connection, for the ``proof`` of
    ``keys-publish``.
    """

    server: str
    version: int
    you: str
    guest: bool
    limits: Limits
    features: list[str]
    resume: str = ""
    replay: int = 0
    rooms: list[str] = msgspec.field(default_factory=list)
    server_id: str = ""
    you_id: str = ""
    nonce: str = ""

    def __repr__(self) -> str:
        return f"Welcome(server={self.server!r}, you={self.you!r}, ...)"  # the secret must not be shown


class Entered(Response, frozen=True, gc=False, kw_only=True):
    """You have joined the room.

    If you gave ``after``, the messages after that seq follow. ``complete`` is false when not all of them follow: use
    ``history`` with that ``after`` to get the others. ``gone`` is true when some of them no longer exist. ``made`` is
    true when your command has made the room, and ``created`` when that command was ``create``.

    ``read`` is your read mark: the seq up to which you have read the room. ``unread`` is the number of messages of
    others after it that are not deleted, and ``mentions`` the number of those that mention you, both at most 1000.

    If the room is ``encrypted``, ``members_rev`` is what ``member-ids`` says in ``rev``, as it was when you joined.
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
    read: int = 0
    unread: int = 0
    mentions: int = 0
    encrypted: bool = False
    members_rev: int = 0


class Rooms(Response, frozen=True, gc=False):
    """The rooms of the server; ``more`` is the number of rooms left out."""

    rooms: list[RoomLine]
    more: int = 0


class Users(Response, frozen=True, gc=False):
    """The users who are online. ``total`` is their number, including those left out."""

    users: list[UserLine]
    total: int


class Members(Response, frozen=True, gc=False):
    """The members of the room, in the order of joining; ``more`` is the number of members left out."""

    room: str
    users: list[str]
    more: int = 0


class MemberIdPage(Response, frozen=True, gc=False, kw_only=True, tag="member-ids"):
    """Some members of the room: each with the user's id, name, and revision of the device list. You are among them.

    ``rev`` is the ``seq`` of the last event that changed who is in the room, or a member's devices. ``more`` is the
    number of members after these. If ``rev`` differs between pages, begin again.

    If you gave ``since``, ``left`` has the ids of the users who have left since that seq, or were put out, and have not
    come again. It is missing if the server does not know that, because too much has happened since.
    """

    room: str
    rev: int
    members: list[MemberId]
    more: int = 0
    left: list[str] | None = None


class Person(Response, frozen=True, gc=False, kw_only=True):
    """What is known about a user. ``away`` is the user's away message; it is empty if the user is not away."""

    name: str
    account: bool
    operator: bool = False
    online: bool = False
    rooms: list[str] = msgspec.field(default_factory=list)
    away: str = ""


class History(Response, frozen=True, gc=False):
    """Messages of a room, or your private messages if ``room`` is empty, the newest last.

    ``complete`` is true when there are no messages before these, or none after these if you asked for those ``after`` a
    seq. ``user`` is the person whose private messages you asked for. If such an answer is not complete, ask for more
    with ``searched_to`` as ``before`` or ``after``: an answer may hold few messages, or none, of one person.

    The messages of a room ``after`` a seq come with what was done to messages since then, so that a program that was
    away can correct what it has: ``edited``, ``reacted`` and ``deleted``.
    """

    room: str
    events: list[Message | Edited | Reacted | Deleted]
    complete: bool
    user: str = ""
    searched_to: int = 0


class Conversations(Response, frozen=True, gc=False):
    """The people with whom you have exchanged private messages, those with the newest message first."""

    conversations: list[ConversationLine]


class Found(Response, frozen=True, gc=False):
    """The messages that a search found, the newest last.

    ``complete`` is false when messages before the seq ``searched_to`` were not searched. Then ``searched_at`` is the
    time of the message with that seq, and ``at`` is the time of this answer, both in milliseconds since 1970.
    """

    words: str
    events: list[Message]
    complete: bool = True
    searched_to: int = 0
    searched_at: int = 0
    at: int = 0


class Help(Response, frozen=True, gc=False):
    """All commands by ``topics``, the command that you asked for, or the commands of the topic with that ``title``."""

    commands: list[HelpLine]
    topics: list[HelpTopic] = msgspec.field(default_factory=list)
    title: str = ""


class Settings(Response, frozen=True, gc=False):
    """Your settings; ``changed`` names the setting that you have just changed."""

    echo: bool
    timestamps: bool
    away: str
    ignored: list[str]
    changed: str = ""
    reactions: bool = True


class Sent(Response, frozen=True, gc=False):
    """Your private message is stored.

    If ``waits`` is given, the message waits: for the owner of an ``account`` who is offline, for the next user who
    takes the name of a ``guest``, or for the ``return`` of a guest whose connection was lost just now.
    """

    has_lines = True

    id: str
    to: str
    text: str
    waits: Literal["", "account", "guest", "return"] = ""


class OwnPrivate(Private, frozen=True, gc=False, kw_only=True, tag="private"):
    """The record of ``Private``, for the author of the message. The words for people differ."""


def own_private(event: Private, seq: int) -> OwnPrivate:
    """Return a private message as its author is shown it.

    Args:
        event: The message as it is stored.
        seq: The place of the author's copy in its log.
    """
    return OwnPrivate(**{**msgspec.structs.asdict(event), "seq": seq, "late": False, "via": ""})


class Account(Response, frozen=True, gc=False, kw_only=True):
    """Who you are now.

    After a login, ``users`` are the users who are online, and ``more`` is the number of users left out. ``was`` is the
    account that you have just logged out of. ``token`` logs in again; it is given if you asked to be remembered. ``id``
    is your user id.
    """

    name: str
    guest: bool = False
    operator: bool = False
    users: list[str] = msgspec.field(default_factory=list)
    more: int = 0
    was: str = ""
    token: str = ""
    id: str = ""


class Unchanged(Account, frozen=True, gc=False, kw_only=True, tag="account"):
    """The record of ``Account``, for a user who asked. The words for people differ, because nothing has changed."""


class Sessions(Response, frozen=True, gc=False):
    """The places where you are logged in or can log in without the password; ``end-session`` ends one by its place."""

    sessions: list[SessionLine]


class Ok(Response, frozen=True, gc=False):
    """The command was done. ``text`` says what was done, for people."""

    text: str = ""


class Error(Response, frozen=True, gc=False):
    """Something was refused. ``code`` is for programs, ``text`` is for people. The transfer of ``file`` has ended."""

    code: str
    text: str
    file: str = ""


class Upload(Response, frozen=True, gc=False, kw_only=True):
    """Send the file in chunks of ``chunk`` bytes, beginning with the index ``have``. The last chunk may be shorter.

    At most 8 chunks may be sent without having been acknowledged. After the last one, ``shared`` follows.
    """

    audience = Audience.TRANSFER

    file: str
    chunk: int
    have: int


class Download(Response, frozen=True, gc=False, kw_only=True):
    """The file follows in chunks of ``chunk`` bytes, beginning with the index ``from``. Acknowledge each with ``got``.

    If ``given`` is true, the file was given to one person, and ``number`` is its number among that person's files. If
    ``sealed`` is true, the bytes are encrypted end to end.
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
    by: str = ""
    by_id: str = ""
    sealed: bool = False


class Chunk(Response, frozen=True, gc=False):
    """With ``bytes``, a chunk of a file: so many raw bytes follow this line. Without, your own chunk was stored."""

    audience = Audience.TRANSFER

    file: str
    index: int
    bytes: int = 0


class Files(Response, frozen=True, gc=False):
    """The files of the room and, in ``given``, those given to you, the newest last.

    ``more`` and ``more_given`` are the numbers of files left out. Outside a room, ``files`` are those given to you. The
    files given to you have numbers of their own.
    """

    room: str
    files: list[FileLine]
    more: int = 0
    given: list[FileLine] = msgspec.field(default_factory=list)
    more_given: int = 0


class Away(Response, frozen=True, gc=False):
    """The user to whom you have just written is away."""

    audience = Audience.PERSON

    user: str
    text: str


class Typing(Response, frozen=True, gc=False, kw_only=True):
    """A user is typing something: to the room, or to you if ``room`` is empty. Forget it after six seconds."""

    audience = Audience.PERSON

    by: str
    by_id: str
    room: str = ""


class Marked(Response, frozen=True, gc=False, kw_only=True):
    """Another session of yours has read a room, or the private messages with ``user``, up to the message ``seq``.

    ``unread`` and ``mentions`` count what is left, as those of ``entered`` do.
    """

    audience = Audience.PERSON

    room: str = ""
    user: str = ""
    user_id: str = ""
    seq: int
    unread: int = 0
    mentions: int = 0


class Ping(Response, frozen=True, gc=False):
    """The server asks whether you are still there. Any command will do as an answer; ``pong`` is meant for this."""

    audience = Audience.CONNECTION


class Shutdown(Response, frozen=True, gc=False):
    """The server shuts down; then the connection closes."""

    audience = Audience.CONNECTION


ANSWERS = told_to(Audience.ASKER)
OF_FILES = told_to(Audience.TRANSFER)
OF_A_PERSON = told_to(Audience.PERSON)
OF_THE_CONNECTION = told_to(Audience.CONNECTION)
TOLD = (*ANSWERS, *OF_FILES, *OF_A_ROOM, *OF_A_PERSON, *OF_THE_CONNECTION)
"""Every class of records that the server sends."""
