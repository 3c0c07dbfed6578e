"""Commands to join and leave rooms, and to see who is there; and ``hello``."""

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
    RoomCommand,
    Secretive,
    Seq,
    Word,
    row,
)
from chatroom.model.device import DeviceWord


class Join(Command, frozen=True, gc=False):
    """Join a room.

    Unless ``create`` is false, the room is made if there is none. ``messages`` is the number of older messages to show;
    if more than that are unread, all of these are shown, at most 200.
    With ``after``, everything after that seq is sent instead. Unless ``stay`` is true, the rooms that you are in are
    left; but a room that you are in already is refused, and changes nothing.
    """

    room: Word
    messages: Count | None = None
    after: Seq | None = None
    create: bool = True
    stay: bool = False

    @property
    def cost(self) -> int:
        """Count the return to one of several rooms as a query; what was missed may be long.

        A join that leaves other rooms is none: it would let a program tell rooms of its coming and going very often.
        """
        return 5 if self.after is not None and self.stay else 0


row(
    Join,
    "join a room, which is made if there is none, and see its last messages",
    "join|j",
    ROOM,
    MESSAGES,
    bare="join",
    topic="room",
    examples=[{"room": "lobby", "after": 120}, {"room": "work", "stay": True}],
)
row(Join, "join a room that exists", "", ROOM, upper="JOIN_ROOM", fixed={"create": False}, topic="room")


class Create(Command, frozen=True, gc=False):
    """Make a new room and join it. Unless ``stay`` is true, the rooms that you are in are left."""

    room: Word
    stay: bool = False


row(Create, "make a room and join it", "create", ROOM, upper="CREATE_ROOM", topic="room", examples=[{"room": "lobby"}])


class Leave(RoomCommand, frozen=True, gc=False):
    """Leave the room."""


row(Leave, "leave the room", "leave|part", upper="LEAVE_ROOM", bare="leave", in_room=True, topic="room", examples=[{}])


class ListRooms(Command, frozen=True, gc=False, tag="rooms"):
    """List the rooms."""


row(ListRooms, "list the rooms", "rooms|list", upper="LIST_ROOMS", bare="rooms", long=True, topic="room", examples=[{}])


class ListMembers(RoomCommand, frozen=True, gc=False, tag="names"):
    """List the members of the room."""


row(ListMembers, "see who is in the room", "names", in_room=True, long=True, topic="room", examples=[{}])


class SetTopic(RoomCommand, frozen=True, gc=False, tag="topic"):
    """Set the topic of the room. An empty text clears it; without a text, show it."""

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
    """List the users who are online, and their rooms."""


row(Who, "see who is online, and where", "who", bare="who", long=True, topic="people", examples=[{}])


class Whois(Command, frozen=True, gc=False):
    """Show whether a user has an account, in which rooms the user is, and whether the user is away."""

    user: Word


row(Whois, "see who somebody is, and where", "whois", USER, topic="people", examples=[{"user": "bob"}])


class SetIgnore(Command, frozen=True, gc=False, tag="ignore"):
    """Hide the messages of a user, or show them again. Without ``user``, list the users you ignore."""

    user: Word = ""
    on: bool = True


row(
    SetIgnore,
    "hide somebody's messages; off shows them again; alone, it lists the users you ignore",
    "ignore",
    USER_PERHAPS,
    ON_PERHAPS,
    topic="people",
    examples=[{"user": "mallory"}],
)


class Hello(Secretive, frozen=True, gc=False):
    """Say which version of the protocol a program speaks, in its first record. A person just says hello.

    ``resume`` is the secret of an earlier connection. That connection is ended if the server still has it, and you are
    the same guest again. The secret comes from the ``welcome`` of the earlier connection. A program can also choose a
    random secret of at least 16 characters itself, so that it can end even a connection whose ``welcome`` was lost.

    ``device`` names the device that the program runs on, and ``tab`` tells apart the programs there. Both count once
    you log in: an account may be in use on several devices, and a session with a known device and tab ends the earlier
    one. Without a device, an account usually has one session.
    """

    version: Annotated[int, Meta(ge=0, le=2**53)] = 0
    client: Annotated[str, Meta(max_length=100)] = ""
    name: Word = ""
    resume: Word = ""
    device: DeviceWord = ""
    tab: DeviceWord = ""


row(
    Hello,
    "make the server say hello",
    "hello",
    bare="hello|hi",
    topic="people",
    examples=[{"version": 1, "client": "example 1.0", "name": "bot", "device": "laptop-4f21", "tab": "a7"}],
)
