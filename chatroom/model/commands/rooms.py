"""Going into a room, and seeing who is there."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.commands.table import (
    MESSAGES,
    ON_PERHAPS,
    ROOM,
    TEXT_PERHAPS,
    USER,
    USER_PERHAPS,
    Command,
    Count,
    Secretive,
    Seq,
    Word,
    row,
)


class Join(Command, frozen=True, gc=False):
    """Join a room. ``create``: make it if there is none. ``after``: tell me everything since that seq."""

    room: Word
    messages: Count | None = None
    after: Seq | None = None
    create: bool = True


row(
    Join,
    "join a room, which is made if there is none, and see its last messages",
    "join|j",
    ROOM,
    MESSAGES,
    bare="join",
    topic="room",
    examples=[{"room": "lobby", "after": 120}],
)
row(Join, "join a room that exists", "", ROOM, upper="JOIN_ROOM", fixed={"create": False}, topic="room")


class Create(Command, frozen=True, gc=False):
    """Make a room and join it."""

    room: Word


row(Create, "make a room and join it", "create", ROOM, upper="CREATE_ROOM", topic="room", examples=[{"room": "lobby"}])


class Leave(Command, frozen=True, gc=False):
    """Leave the room."""


row(Leave, "leave the room", "leave|part", upper="LEAVE_ROOM", bare="leave", in_room=True, topic="room", examples=[{}])


class ListRooms(Command, frozen=True, gc=False, tag="rooms"):
    """Which rooms are there?"""


row(ListRooms, "list the rooms", "rooms|list", upper="LIST_ROOMS", bare="rooms", topic="room", examples=[{}])


class ListMembers(Command, frozen=True, gc=False, tag="names"):
    """Who is in the room?"""


row(ListMembers, "see who is in the room", "names", in_room=True, topic="room", examples=[{}])


class SetTopic(Command, frozen=True, gc=False, tag="topic"):
    """Say what the room is about; an empty text clears it, none shows it."""

    text: str | None = None


row(
    SetTopic,
    "say what the room is about; alone, it shows the topic; - clears it",
    "topic",
    TEXT_PERHAPS,
    in_room=True,
    topic="room",
    examples=[{"text": "all about it"}],
)


class Who(Command, frozen=True, gc=False):
    """Who is online, and where?"""


row(Who, "see who is online, and where", "who", bare="who", topic="people", examples=[{}])


class Whois(Command, frozen=True, gc=False):
    """Who is that: with an account or a guest, in which room, away?"""

    user: Word


row(Whois, "see who somebody is, and where", "whois", USER, topic="people", examples=[{"user": "bob"}])


class SetIgnore(Command, frozen=True, gc=False, tag="ignore"):
    """Hide what a user says from me, or show it again; without a ``user``, list the users that I ignore."""

    user: Word = ""
    on: bool = True


row(
    SetIgnore,
    "hide somebody's messages; off shows them again; alone, it lists whom you ignore",
    "ignore",
    USER_PERHAPS,
    ON_PERHAPS,
    topic="people",
    examples=[{"user": "mallory"}],
)


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


row(
    Hello,
    "make the server say hello",
    "hello",
    bare="hello|hi",
    topic="people",
    examples=[{"version": 1, "client": "example 1.0", "name": "bot"}],
)
