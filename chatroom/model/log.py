"""What engines and the chat exchange: entries of logs, changes of records, pages, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from chatroom.model.events import LogEvent


class Conflict(Exception):
    """A record was not changed, because it is not the same as when it was read. Read it again and decide again."""


class Unavailable(Exception):
    """The engine could not do what was asked. An entry may or may not have been stored: never acknowledge it."""


class TooBroad(Exception):
    """So many messages could match a search that there was no time to look at any of them."""


class TooManySearches(Exception):
    """Too many searches are running. Try again later."""


class Withdrawn(Unavailable):
    """The message is stored after an event that took away its author's right to write, so it is shown to nobody."""


class NotAmended(Unavailable):
    """The event is about a message, and was not stored: it may not change, or not answer, that message."""


class MessageGone(NotAmended):
    """There is no such message, or it was deleted."""


class NotTheAuthor(NotAmended):
    """Only the author may change a message's text."""


class TooManyReactions(NotAmended):
    """The message has as many reactions, of this user or in all, as it may have."""


class NothingToChange(NotAmended):
    """The message is already as it would become."""


class Entry(Struct, gc=False, eq=False):
    """One event with its place in a log.

    Args:
        log: The log's name, such as ``room/<id>`` or ``inbox/<id>`` (``chatroom.model.log_names``).
        event: What happened.
        body: The event as JSON, as it is stored.
        seq: The place in the log; it grows. 0 until the entry is stored.
        done: Called once with the entry and its ``error``, after the entry was stored and delivered or that failed.
            None if nobody waits for that.
        key: Of entries with the same key only the first is stored. None if the entry cannot come twice.
        repeated: Whether an entry with the same key was stored earlier; then ``event``, ``body``, ``log`` and ``seq``
            are those of that first entry.
        error: Why the entry was not stored, or ``Withdrawn`` if it is stored but not shown; None if all is well. If it
            is ``NotAmended``, the other entries of the batch are stored.
        copy: The entry with the same event in a second log, which is stored together with this one; None if there is
            none. It is not stored if this entry is a repetition.
    """

    log: str
    event: LogEvent
    body: bytes
    seq: int = 0
    done: Callable[[Entry, Unavailable | None], None] | None = None
    key: str | None = None
    repeated: bool = False
    error: Unavailable | None = None
    copy: Entry | None = None


Done = Callable[[Entry, Unavailable | None], None]
Deliver = Callable[[list[Entry]], None]


class Change(Struct, frozen=True, gc=False):
    """A change of a record. ``Engine.change`` makes several changes at once, or none of them.

    Args:
        bucket: The bucket that holds the record.
        key: The key of the record in its bucket.
        value: The new value of the record; None removes the record.
        rev: The revision that the record must have now; 0 if there must be no record. None accepts any revision: use
            it where another change, made together with this one, checks a revision.
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
        before: Messages with this seq or a greater one were searched; give it as ``before`` to search older ones. 0
            if all messages were searched.
        at: When the message with that seq was stored, in milliseconds since 1970.
    """

    entries: list[Entry]
    before: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """The result of an engine's ``follow``; ``stop()`` ends the delivery of entries."""

    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Presence:
    """A user who is online.

    Args:
        name: The name of the user.
        rooms: The shown names of the rooms that the session is in, in the order of joining.
        away: The user's away message; empty if the user is not away.
        id: The id of the user.
    """

    name: str
    rooms: tuple[str, ...] = ()
    away: str = ""
    id: str = ""
