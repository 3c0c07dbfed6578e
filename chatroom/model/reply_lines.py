"""Parts of the records in ``chatroom.model.replies``: most are one line of a list."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Limits(Struct, frozen=True, gc=False):
    """The limits that a program must keep.

    ``record`` is in bytes, ``text``, ``name`` and ``room`` are in characters, and ``rate`` is in lines per second.
    ``file`` is the size of a shared file in bytes; 0 means no limit. ``rooms`` is the number of rooms that a session
    can be in at the same time.
    """

    record: int
    text: int
    name: int
    room: int
    rate: float
    file: int = 0
    rooms: int = 1


class RoomLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """A room in the list of rooms. ``users`` is the number of its members; ``encrypted``, whether it is encrypted."""

    room: str
    users: int
    topic: str
    encrypted: bool = False


class UserLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """A user who is online, with the user's away message.

    ``room`` is the room that the user joined last. ``rooms`` lists all rooms of a user who is in several.
    """

    name: str
    room: str = ""
    away: str = ""
    rooms: list[str] = []


class MemberId(NamedTuple):
    """A member of a room: the user's id and name, and the revision of the user's device list (0 for none)."""

    user_id: str
    name: str
    list_rev: int


class SessionLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """A place where you are logged in or can log in without the password. Times are in milliseconds since 1970.

    ``device`` is the name of the device that is logged in there, and ``connections`` how many are.
    """

    client: str
    made: int
    used: int
    online: bool = False
    this: bool = False
    device: str = ""
    connections: int = 0


class HelpLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """A command: how it is used, what it does, and how it is spelled."""

    usage: str
    help: str
    spellings: list[str] = []


class FileLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """A shared file. ``at`` is in milliseconds since 1970. ``sealed`` is true if the file is encrypted end to end."""

    file: str
    number: int
    name: str
    size: int
    by: str
    at: int
    by_id: str = ""
    sealed: bool = False


class HelpTopic(Struct, frozen=True, gc=False):
    """Something that people may want to do, and the commands for it, such as ``/join``."""

    name: str
    title: str
    commands: list[str]


class ConversationLine(Struct, frozen=True, gc=False, omit_defaults=True):
    """Your private messages with one person.

    ``seq`` and ``at`` are those of the newest message. ``unread`` is the number of messages of that person after your
    read mark ``read``. ``user_id`` is empty if it is not known.
    """

    user: str
    user_id: str
    seq: int
    at: int
    unread: int = 0
    read: int = 0
