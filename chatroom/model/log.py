"""What engines and the chat exchange: entries of logs, changes of records, pages, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from chatroom.model.events import LogEvent


class Conflict(Exception):
    """The record has changed since it was read. Read it again and decide again."""


class Unavailable(Exception):
    """It is unknown whether the entry was stored. Never acknowledge it."""


class TooBroad(Exception):
    """So many messages could match a search that there was no time to look at any of them."""


class TooManySearches(Exception):
    """Too many searches are running. Try again later."""


class Withdrawn(Unavailable):
    """The message comes after an event that took away its author's right to write, so it is shown to nobody."""


class Entry(Struct, gc=False, eq=False):
    """One event with its place in a log.

    Args:
        log: The log's name, ``room/<id>`` or ``inbox/<id>``.
        event: What happened.
        body: The event as JSON, as it is stored.
        seq: The place in the log; it grows. 0 until the entry is stored.
        done: Called once, when the entry is durable and delivered, or when that failed. None if nobody waits for it.
        key: A second entry with the same key is not stored. None if the entry cannot come twice.
        repeated: Whether the key was there before; then ``event``, ``body``, ``log`` and ``seq`` are those of the first
            entry.
        error: Why the entry could not be stored.
    """

    log: str
    event: LogEvent
    body: bytes
    seq: int = 0
    done: Callable[[Entry, Unavailable | None], None] | None = None
    key: str | None = None
    repeated: bool = False
    error: Unavailable | None = None


Done = Callable[[Entry, Unavailable | None], None]
Deliver = Callable[[list[Entry]], None]


class Change(Struct, frozen=True, gc=False):
    """A change of a record. ``Engine.change`` makes several changes at once, or none of them.

    Args:
        bucket: The bucket that holds the record.
        key: The key of the record in its bucket.
        value: The new value of the record; None removes the record.
        rev: The revision that the record must have now; 0 if there must be no record. None accepts any revision, if
            another record of the same change guards this one.
    """

    bucket: str
    key: str
    value: bytes | None
    rev: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the order of their seq. ``complete`` is true if they are all the entries that were asked for."""

    entries: list[Entry]
    complete: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """The result of a search.

    Args:
        entries: The messages that match, the newest last.
        before: The seq from which on messages were searched; search again ``before`` it for older ones. 0 if all
            messages were searched.
        at: When the message with that seq was stored, in milliseconds since 1970.
    """

    entries: list[Entry]
    before: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """The result of ``follow``; ``stop()`` ends it."""

    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Presence:
    """A user who is online.

    Args:
        name: The name of the user.
        room: The shown name of the user's room; empty if the user is in no room.
        away: The user's away message; empty if the user is not away.
        id: The id of the user.
    """

    name: str
    room: str = ""
    away: str = ""
    id: str = ""
