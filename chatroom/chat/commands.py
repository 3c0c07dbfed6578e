"""What can be asked of the chat: every command as a frozen record. ``chatroom.chat.table`` says how each is spelled."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chatroom.events import tag

Ref = Annotated[int, Meta(ge=-(2**53), le=2**53)] | Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Id = Annotated[str, Meta(pattern=r"^[!-9;-~]{1,64}\Z")]
Word = Annotated[str, Meta(max_length=256)]  # names have bounds of their own; this one keeps their check cheap


class Command(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="do", tag=tag):
    """Anything asked of the chat; the answer carries the ``ref`` back as ``re``."""

    ref: Ref | None = None


class Hello(Command, frozen=True, gc=False):
    """A program's first record says which version it speaks; a person just says hello."""

    version: Annotated[int, Meta(ge=0, le=2**53)] = 0
    client: Annotated[str, Meta(max_length=100)] = ""
    name: Word = ""


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
    """Write to whoever wrote to you last."""

    text: str
    id: Id | None = None


class ReadHistory(Command, frozen=True, gc=False, tag="history"):
    """Show older messages of the room, ``before`` a seq if given."""

    messages: Count | None = None
    before: Seq | None = None


class Search(Command, frozen=True, gc=False):
    """Find messages of the room that hold all these words."""

    words: Annotated[str, Meta(max_length=400)]


class SetEcho(Command, frozen=True, gc=False, tag="echo"):
    """See one's own messages, or not."""

    on: bool


class SetTimestamps(Command, frozen=True, gc=False, tag="timestamps"):
    """See the time before each message, or not."""

    on: bool


class SetIgnore(Command, frozen=True, gc=False, tag="ignore"):
    """Hear nothing of somebody any more, or again."""

    user: Word
    on: bool = True


class SetAway(Command, frozen=True, gc=False, tag="away"):
    """Be away, with a word about it; without one, be back."""

    text: Annotated[str, Meta(max_length=4096)] = ""


class ShowSettings(Command, frozen=True, gc=False, tag="set"):
    """Show my settings."""


class ShowHelp(Command, frozen=True, gc=False, tag="help"):
    """Explain the commands, or one of them."""

    command: Word = ""


class Pong(Command, frozen=True, gc=False):
    """I am here."""


class Quit(Command, frozen=True, gc=False):
    """Leave the server."""
