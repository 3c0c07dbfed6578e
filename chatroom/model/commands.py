"""What can be asked of the chat: every command as a frozen record. ``chatroom.chat.table`` says how each is spelled."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chatroom.model.events import tag

Ref = Annotated[int, Meta(ge=-(2**53), le=2**53)] | Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Id = Annotated[str, Meta(pattern=r"^[!-9;-~]{1,64}\Z")]
Word = Annotated[str, Meta(max_length=256)]  # names have bounds of their own; this one keeps their check cheap

Secret = Annotated[str, Meta(max_length=1024)]  # passwords have bounds of their own; this one keeps their check cheap
Reason = Annotated[str, Meta(max_length=4096)]
Seconds = Annotated[int, Meta(ge=0, le=10 * 365 * 86400)]


class Command(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="do", tag=tag):
    """Anything asked of the chat; the answer carries the ``ref`` back as ``re``."""

    ref: Ref | None = None


class Secretive(Command, frozen=True, gc=False, kw_only=True):
    """A command with a secret in it: it never shows what it holds."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Hello(Secretive, frozen=True, gc=False):
    """A program's first record says which version it speaks; a person just says hello.

    ``resume``: the secret of an earlier connection, which is ended if it still seems to be there; who was its guest is
    the same guest again. It is from that one's welcome; or random and of your own making, at least 16 characters, so
    that even a connection whose welcome never came can be ended.
    """

    version: Annotated[int, Meta(ge=0, le=2**53)] = 0
    client: Annotated[str, Meta(max_length=100)] = ""
    name: Word = ""
    resume: Word = ""


class SetName(Command, frozen=True, gc=False, tag="name"):
    """Take a name."""

    name: Word


class Create(Command, frozen=True, gc=False):
    """Make a room and join it."""

    room: Word


class Join(Command, frozen=True, gc=False):
    """Join a room. ``create``: make it if there is none. ``after``: tell me everything since that seq."""

    room: Word
    messages: Count | None = None
    after: Seq | None = None
    create: bool = True


class Leave(Command, frozen=True, gc=False):
    """Leave the room."""


class ListRooms(Command, frozen=True, gc=False, tag="rooms"):
    """Which rooms are there?"""


class Who(Command, frozen=True, gc=False):
    """Who is online, and where?"""


class ListMembers(Command, frozen=True, gc=False, tag="names"):
    """Who is in the room?"""


class Whois(Command, frozen=True, gc=False):
    """Who is that: with an account or a guest, in which room, away?"""

    user: Word


class Say(Command, frozen=True, gc=False):
    """Say something to the room. With an ``id`` of your own, saying it again stores it once."""

    text: str
    id: Id | None = None


class Act(Command, frozen=True, gc=False, tag="me"):
    """Do something: ``* alice waves``."""

    text: str
    id: Id | None = None


class Tell(Command, frozen=True, gc=False, tag="message"):
    """Write to one person."""

    user: Word
    text: str
    id: Id | None = None


class Reply(Command, frozen=True, gc=False):
    """Write to whoever wrote to you last. ``to``: the ``by_id`` of whom you mean, if another writes meanwhile."""

    text: str
    id: Id | None = None
    to: Word = ""


class ReadHistory(Command, frozen=True, gc=False, tag="history"):
    """Show older messages of the room, ``before`` a seq if given; the oldest ones ``after`` a seq, if that is given."""

    messages: Count | None = None
    before: Seq | None = None
    after: Seq | None = None


class Search(Command, frozen=True, gc=False):
    """Find messages of the room that hold all these words, the newest first of all.

    ``before``: only messages with a smaller seq, as ``found`` gives one in ``searched_to``. ``again``: go on there by
    itself, if the same was searched for in this room just before and did not reach the oldest message.
    """

    words: Annotated[str, Meta(max_length=400)]
    before: Seq | None = None
    again: bool = False


class SetEcho(Command, frozen=True, gc=False, tag="echo"):
    """Show my own messages to me, or do not; without ``on``, show the setting."""

    on: bool | None = None


class SetTimestamps(Command, frozen=True, gc=False, tag="timestamps"):
    """Show the time before each message, or do not; without ``on``, show the setting."""

    on: bool | None = None


class SetIgnore(Command, frozen=True, gc=False, tag="ignore"):
    """Hide what a user says from me, or show it again; without a ``user``, list the users that I ignore."""

    user: Word = ""
    on: bool = True


class SetAway(Command, frozen=True, gc=False, tag="away"):
    """Be away, with a word about it; without one, be back."""

    text: Annotated[str, Meta(max_length=4096)] = ""


class ShowSettings(Command, frozen=True, gc=False, tag="set"):
    """Show my settings."""


class ShowHelp(Command, frozen=True, gc=False, tag="help"):
    """Explain the commands; or one of them, or those of a topic."""

    command: Word = ""


# ---- accounts ---------------------------------------------------------------------------------------------------


class Register(Secretive, frozen=True, gc=False):
    """Make an account, and log in; ``remember`` and ``client`` are those of ``login``."""

    user: Word
    password: Secret
    remember: bool = False
    client: Annotated[str, Meta(max_length=100)] = ""


class Login(Secretive, frozen=True, gc=False):
    """Become the owner of an account, by its password or by a ``token`` from a login before.

    ``remember``: the answer has a new token, which logs in without the password; ``client`` names it in ``sessions``.
    """

    user: Word
    password: Secret = ""
    token: Secret = ""
    remember: bool = False
    client: Annotated[str, Meta(max_length=100)] = ""


class Takeover(Command, frozen=True, gc=False):
    """Log in after all, ending the account's oldest session: for a minute after a ``login`` was refused as
    ``already-logged-in``, on the same connection, without the password.
    """


class Logout(Command, frozen=True, gc=False):
    """Be a guest again."""


class ChangePassword(Secretive, frozen=True, gc=False, tag="password"):
    """Change one's password."""

    old: Secret
    new: Secret


class ShowAccount(Command, frozen=True, gc=False, tag="account"):
    """Say who I am."""


class DeleteAccount(Secretive, frozen=True, gc=False):
    """Delete my account and my mail. The name is free then."""

    password: Secret


class ListSessions(Command, frozen=True, gc=False, tag="sessions"):
    """Where am I logged in, or may log in without the password?"""


class EndSession(Command, frozen=True, gc=False):
    """End one of them, by its place in the list."""

    number: Count


class Acknowledge(Command, frozen=True, gc=False, tag="ack"):
    """I have what came to my inbox up to that seq; what is not acknowledged comes again with the next login."""

    seq: Seq


# ---- keeping order ----------------------------------------------------------------------------------------------


class SetTopic(Command, frozen=True, gc=False, tag="topic"):
    """Say what the room is about; an empty text clears it, none shows it."""

    text: str | None = None


class Kick(Command, frozen=True, gc=False):
    """Put somebody out of the room; ``everywhere``, an operator's: off the server."""

    user: Word
    reason: Reason = ""
    everywhere: bool = False


class Ban(Command, frozen=True, gc=False):
    """Keep somebody, or an address, out of the room, for some seconds or for good; without ``user``: who is?

    ``everywhere``, an operator's: off the server.
    """

    user: Word = ""
    seconds: Seconds = 0
    reason: Reason = ""
    everywhere: bool = False


class Unban(Command, frozen=True, gc=False):
    """Let somebody, or an address, in again."""

    user: Word
    everywhere: bool = False


class Mute(Command, frozen=True, gc=False):
    """Let somebody say nothing in the room, for some seconds or until unmuted; without ``user``: who is?"""

    user: Word = ""
    seconds: Seconds = 0
    reason: Reason = ""


class Unmute(Command, frozen=True, gc=False):
    """Let somebody speak again."""

    user: Word


class Op(Command, frozen=True, gc=False):
    """Make somebody a moderator of the room."""

    user: Word


class Owner(Command, frozen=True, gc=False):
    """Give the room to somebody with an account."""

    user: Word


class Deop(Command, frozen=True, gc=False):
    """Make somebody a moderator no more."""

    user: Word


class Invite(Command, frozen=True, gc=False):
    """Let somebody in while the room is locked."""

    user: Word


class Lock(Command, frozen=True, gc=False):
    """Let in only whom a moderator invites."""


class Unlock(Command, frozen=True, gc=False):
    """Let everybody in again."""


class Slow(Command, frozen=True, gc=False):
    """Let everybody speak only once in that many seconds; 0 ends it."""

    seconds: Annotated[int, Meta(ge=0, le=3600)]


class Close(Command, frozen=True, gc=False):
    """End the room; its next namesake is a new one. ``room``, an operator's: any other."""

    room: Word = ""
    reason: Reason = ""


class Delete(Command, frozen=True, gc=False):
    """Blank a message of the room: the one with that seq, or the last of that user, or one's own last."""

    user: Word = ""
    seq: Seq | None = None


# ---- files ------------------------------------------------------------------------------------------------------


class Share(Command, frozen=True, gc=False):
    """Share a file with the room, or give it to one person; the answer, ``upload``, says from where on to send it.

    Who shares the same again after a cut goes on where it was cut.
    """

    name: Annotated[str, Meta(max_length=1024)]
    size: Count
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    user: Word = ""


class PutChunk(Command, frozen=True, gc=False, tag="chunk"):
    """A chunk of a file that is being shared; after this line come so many raw bytes. ``chunk`` acknowledges it."""

    file: Word
    index: Count
    bytes: Count


class Get(Command, frozen=True, gc=False):
    """Fetch a file, by its id or by its number, from that chunk on.

    The number is that of a file of the room; with ``given``, or outside a room, of one that was given to you. With
    ``send`` false only ``download`` comes: what it is, so that you can see whether you have the beginning already.
    """

    number: Count = 0
    given: bool = False
    file: Word = ""
    start: Count = msgspec.field(name="from", default=0)
    send: bool = True


class Got(Command, frozen=True, gc=False):
    """I have that chunk, and all before it."""

    file: Word
    index: Count


class Cancel(Command, frozen=True, gc=False):
    """Send me no more of that file, or: I send no more of it, and what came of it is not wanted.

    An upload that only the end of the connection has interrupted can be gone on with for a day.
    """

    file: Word


class Unshare(Command, frozen=True, gc=False):
    """Take back a file that I shared: with ``user`` the one given to that user; else the one in this room, or anywhere.

    Of several of that name the last is meant; the answer says which it was. ``notes.txt bob`` is read as file and user
    when there is no file of that whole name.
    """

    name: Annotated[str, Meta(max_length=4096)]
    user: Word = ""


class ListFiles(Command, frozen=True, gc=False, tag="files"):
    """Which files are there in the room, and which were given to me? Outside one: which were given to me?"""


# ---- operators --------------------------------------------------------------------------------------------------


class Announce(Command, frozen=True, gc=False):
    """Say something to everybody on the server."""

    text: str


class AddAccount(Secretive, frozen=True, gc=False):
    """Make an account, with a seat reserved for it."""

    user: Word
    password: Secret


class RemoveAccount(Command, frozen=True, gc=False):
    """Remove somebody's account."""

    user: Word


class SetOperator(Command, frozen=True, gc=False):
    """Make an account an operator's, or not."""

    user: Word
    on: bool


class SetPassword(Secretive, frozen=True, gc=False):
    """Give an account another password."""

    user: Word
    password: Secret


class Drain(Command, frozen=True, gc=False):
    """Let nobody new in, or again."""

    on: bool


class ShowStats(Command, frozen=True, gc=False, tag="stats"):
    """Show figures of this server."""


class Pong(Command, frozen=True, gc=False):
    """I am here."""


class Quit(Command, frozen=True, gc=False):
    """Leave the server."""
