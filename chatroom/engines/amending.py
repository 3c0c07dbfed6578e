"""What engines do with events that are about a message of the same log: amendments, and messages that quote another.

What an event makes of the message that it is about is said in ``chatroom.model.amendments``. Here is which rows (stored
entries) change because of that; each engine reads and writes them in its own way (``MessageRows``), in the transaction
that stores the event. So nothing can happen to a message between the look at it and the change.

A row is a message, an amendment, or something else. An amendment stays as long as its message, unless a newer one
supersedes it: then it is removed. If its author chose its id, a *spent* row without the text stays, which no reader
gets: so the event is not stored again if the author, who may not know that it was stored, sends it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from chatroom.model import events
from chatroom.model.amendments import amended, informed, supersedes
from chatroom.model.events import MESSAGES, STORED, Amendment, Deleted, Edited, LogEvent, Reacted, blanked
from chatroom.model.log import Entry, MessageGone

OTHER, MESSAGE, AMENDMENT, SPENT = range(4)  # the kinds of rows

KINDS: dict[type[LogEvent], int] = {
    kind: MESSAGE if kind in MESSAGES else AMENDMENT if issubclass(kind, Amendment) else OTHER for kind in STORED
}

MOST_AMENDMENTS = 500  # to one message that are looked at: more than there may be reactions, an edit and deletions
MOST_TAKEN_BACK = 100  # reactions to one message that were taken back, whose entries are kept ...
MOST_SPENT = 100  # ... and superseded amendments to one message whose ids are remembered
MOST_QUOTES = 200  # of one message that show its new text when it is edited; older ones show what they answered
ERASE_STEP = 500  # quotes of an erased message that one call of ``erase`` changes


def kinds_of(*, messages: bool, amendments: bool) -> tuple[int, ...]:
    """Return the kinds of rows that ``Engine.read`` gives; ``chatroom.chat.interfaces`` describes the arguments."""
    if amendments:
        return MESSAGE, AMENDMENT
    return (MESSAGE,) if messages else (OTHER, MESSAGE, AMENDMENT)


@dataclass(frozen=True, slots=True)
class AboutRow:
    """A row that is about a message: its seq, its ``Entry.key``, and its body."""

    seq: int
    key: str | None
    body: bytes


class MessageRows(Protocol):
    """The rows of one log. All methods are called inside one transaction."""

    def message(self, seq: int) -> bytes | None:
        """Return the body of the message at a seq; None if there is no message."""

    def about(self, seq: int, kind: int, most: int) -> list[AboutRow]:
        """Return the newest rows of a kind that are about the message at a seq, at most ``most``, the newest first."""

    def write(self, seq: int, old: bytes, new: bytes) -> None:
        """Replace the body of a row, and what the search finds it by."""

    def spend(self, row: AboutRow, body: bytes) -> None:
        """Make an amendment a spent row with another body."""

    def part(self, seq: int, rows: list[AboutRow]) -> None:
        """Note that these rows are no longer about the message at a seq."""

    def remove(self, seq: int, rows: list[AboutRow]) -> None:
        """Remove rows, which are no messages, and are about the message at a seq."""


def relate(rows: MessageRows, entry: Entry) -> int:
    """Before an entry is stored, change the message that it is about; put into it what it shows of that message.

    Args:
        rows: The rows of the entry's log.
        entry: The entry, whose event is about a message.

    Returns:
        The kind of the row that the entry becomes. It is ``OTHER`` for a deletion of a message that is there no more:
        then the entry is stored as if it were about none.

    Raises:
        NotAmended: The event is not to be stored.
    """
    event: Any = entry.event
    body = rows.message(event.about)
    if isinstance(event, Deleted):
        return OTHER if body is None else AMENDMENT
    if body is None:
        raise MessageGone("there is no such message")
    message = events.decode(body)
    if isinstance(event, Amendment):
        after = amended(message, event)
        rows.write(event.about, body, events.encode(after))
        _supersede(rows, event)
        if isinstance(event, Edited):
            _show_new_text(rows, event.about, after)
    entry.event = informed(event, message)
    entry.body = events.encode(entry.event)
    return KINDS[type(event)]


def _supersede(rows: MessageRows, event: Amendment) -> None:
    """Remove the amendments that nobody needs after a new one, and the oldest of those of which too many are kept."""
    taken_back = 0
    for row in rows.about(event.about, AMENDMENT, MOST_AMENDMENTS):
        old = events.decode(row.body)
        taken_back += isinstance(old, Reacted) and not old.on
        if supersedes(event, old) or (taken_back > MOST_TAKEN_BACK and isinstance(old, Reacted) and not old.on):
            if row.key is None:
                rows.remove(event.about, [row])
            else:
                rows.spend(row, events.encode(msgspec.structs.replace(old, text="")))
    rows.remove(event.about, rows.about(event.about, SPENT, MOST_SPENT + MOST_AMENDMENTS)[MOST_SPENT:])


def _show_new_text(rows: MessageRows, seq: int, message: Any) -> None:
    """Let quotes of a message and reactions to it show its new text."""
    about = rows.about(seq, AMENDMENT, MOST_AMENDMENTS) + rows.about(seq, MESSAGE, MOST_QUOTES)
    for row in about:
        _show(rows, row, message)


def _show(rows: MessageRows, row: AboutRow, message: Any) -> None:
    """Let a row show the first words of the message that it is about."""
    body = events.encode(informed(events.decode(row.body), message))
    if body != row.body:
        rows.write(row.seq, row.body, body)


def sent_again(rows: MessageRows, event: Edited) -> Edited:
    """Return an edit, whose author sends it again, with the text that the message has by now: there may be newer edits.

    Args:
        rows: The rows of the log that the edit was stored in.
        event: The edit as it is stored.
    """
    body = rows.message(event.about)
    message: Any = events.decode(body) if body is not None else event
    return msgspec.structs.replace(event, text=message.text)


def erase(rows: MessageRows, seq: int) -> bool | None:
    """Erase a message: its text, all that was done to it, and what quotes show of it.

    At most ``ERASE_STEP`` quotes change in one call; the message itself changes with the last of them.

    Args:
        rows: The rows of the message's log.
        seq: The seq of the message.

    Returns:
        True if the message is erased; None if the function must be called again; False if there is no such message.
    """
    body = rows.message(seq)
    if body is None:
        return False
    message = blanked(events.decode(body))
    quotes = rows.about(seq, MESSAGE, ERASE_STEP)
    for row in quotes:
        _show(rows, row, message)
    rows.part(seq, quotes)
    if len(quotes) == ERASE_STEP:
        return None
    done_to_it = rows.about(seq, AMENDMENT, MOST_AMENDMENTS) + rows.about(seq, SPENT, MOST_AMENDMENTS)
    rows.remove(seq, [row for row in done_to_it if not isinstance(events.decode(row.body), Deleted)])
    rows.write(seq, body, events.encode(message))
    return True
