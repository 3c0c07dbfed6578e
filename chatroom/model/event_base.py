"""The base class of all records that the server sends or stores. Each subclass describes itself by class attributes.

The definition of a class that lacks one of these attributes raises TypeError.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, ClassVar

from msgspec import Struct


def tag(name: str) -> str:
    """Return the name that a class has on the wire: ``keys-low`` for ``KeysLow``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Audience(Enum):
    """Which sessions are told of an event."""

    ROOM = "the members of a room"
    PERSON = "one user, or every user"
    ASKER = "the session whose command it answers"
    TRANSFER = "the session that sends or fetches a file"
    CONNECTION = "every session, about its connection"
    NOBODY = "no session: it is for the daemons"


class Event(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event", tag=tag):
    """A record that the server sends or stores.

    Attributes:
        abstract: Whether the class is only a base of others. Not inherited.
        audience: Which sessions are told of the event.
        is_message: Whether somebody says something by the event, so that it can be searched for, ignored and deleted.
        is_mail: Whether the event can be in the inbox of the person ``to``, until that person has seen it.
        has_lines: Whether the field ``text`` may have several lines; all other texts are one line each.
        changes_members: Whether the event changes the members of a room, or the name of a member.
        changes_record: Whether the event changes the record of a room, so that copies of the record must be read again.
    """

    abstract: ClassVar[bool] = True
    audience: ClassVar[Audience]
    is_message: ClassVar[bool]
    is_mail: ClassVar[bool]
    has_lines: ClassVar[bool] = False
    changes_members: ClassVar[bool]
    changes_record: ClassVar[bool]

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the class to ``EVENTS``, unless it is abstract.

        Raises:
            TypeError: The class lacks one of ``ATTRIBUTES``.
        """
        if cls.__dict__.get("abstract", False):
            return
        missing = [name for name in ATTRIBUTES if not hasattr(cls, name)]
        if missing:
            raise TypeError(f"the event {cls.__name__} does not say its {', '.join(missing)}")
        EVENTS.append(cls)


ATTRIBUTES = ("audience", "is_message", "is_mail", "changes_members", "changes_record")
EVENTS: list[type[Event]] = []
"""Every class of events and responses, in the order of definition."""


class LogEvent(Event, frozen=True, gc=False):
    """An event that is stored in a log.

    ``at`` is in milliseconds since 1970, by the server's clock. ``by`` is the name of the user who caused the event,
    and ``by_id`` the user's id.

    Attributes:
        once_a_log: Whether the same id of the same author may be in several logs, once in each.
        ends_stay: Whether somebody who could read a room until now may not be able to any more, by the event.
    """

    abstract = True
    once_a_log: ClassVar[bool] = False
    ends_stay: ClassVar[bool] = False

    id: str
    at: int
    by: str
    by_id: str

    @property
    def about(self) -> int:
        """The seq of the message in the same log that the event changes or answers; 0 if there is none."""
        return 0


class RoomEvent(LogEvent, frozen=True, gc=False):
    """An event in a room."""

    abstract = True
    audience = Audience.ROOM
    is_mail = False

    room: str = ""
    seq: int = 0


def told_to(audience: Audience) -> tuple[type[Event], ...]:
    """Return the classes of events that this audience is told of, without subclasses of a class in ``EVENTS``."""
    return tuple(kind for kind in EVENTS if kind.audience is audience and kind.__base__ not in EVENTS)
