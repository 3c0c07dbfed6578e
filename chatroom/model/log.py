"""A log's entries, and the two ways in which storing can fail. Engines make them, the chat reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from chatroom.model.events import LogEvent


class Conflict(Exception):
    """Somebody else changed the record first: read it again and decide anew."""


class Unavailable(Exception):
    """The outcome is unknown: it may or may not be stored. Never acknowledge it."""


class TooBroad(Exception):
    """So many messages could match a search that its time was not enough to look at any of them."""


class TooManySearches(Exception):
    """So many searches are under way that another one would take too long; it is for later."""


class Withdrawn(Unavailable):
    """The log has the message behind an event that took away its author's right to speak: nobody is shown it."""


class Entry(Struct, gc=False, eq=False):
    """One event with its place in a log.

    Args:
        log: The log's name, ``room/<id>`` or ``inbox/<id>``.
        event: What happened.
        body: The event as JSON, as it is stored.
        seq: Grows within a log; 0 until stored.
        done: Called once, when the entry is durable and delivered or when that failed; None when nobody asks.
        key: Makes the entry idempotent: a second one with the same key is not stored. None: it never comes twice.
        repeated: The key was there before; ``event``, ``body``, ``log`` and ``seq`` are those of the first.
        error: Why it could not be stored.
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
    """One change of a record; ``Engine.change`` makes several at once, or none of them.

    Args:
        bucket: Where the record is.
        key: Its key there.
        value: What the record becomes; None removes it.
        rev: The revision that it must have now, 0 for none. None: whichever it has, for another record of the same
            change is compared and guards this one.
    """

    bucket: str
    key: str
    value: bytes | None
    rev: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in their order. ``complete``: nothing is missing of what was asked for."""

    entries: list[Entry]
    complete: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found, the newest last.

    Args:
        entries: Messages that match.
        before: Only messages from this seq on were searched: search again ``before`` it for older ones. 0: all were.
        at: When the message with that seq was said, in ms.
    """

    entries: list[Entry]
    before: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """What ``follow`` gives: ``stop()`` ends it."""

    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody is online: under which name, in which room (its shown name, or empty), away with which words."""

    name: str
    room: str = ""
    away: str = ""
    id: str = ""
