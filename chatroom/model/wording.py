"""The words in which people are told of events: on telnet, in a pipe, and on the screen of the client.

``LINES`` has the line for each message and for each event that everybody in a room sees; ``ANSWERS`` has the lines for
each answer, and for each event that only one person is told. Importing this module raises ``TypeError`` if an event has
no words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device_keys import DeviceChange
from chatroom.model.durations import spell
from chatroom.model.errors import ALREADY_LOGGED_IN, TOO_MANY_DEVICES, TOO_MANY_TABS
from chatroom.model.help_wording import help_lines
from chatroom.model.shared_files import file_called, is_opaque, spell_size
from chatroom.model.timestamps import DAY, DAY_AND_TIME, TIME, spell_moment

M = TypeVar("M", bound=e.Event)

# What is said after a login was refused because of the account's other sessions, by the code of the refusal.
TAKEOVERS = {
    ALREADY_LOGGED_IN.code: "Type /takeover to end that session and log in here.",
    TOO_MANY_DEVICES.code: "Type /takeover to log out the device that logged in first, and log in here.",
    TOO_MANY_TABS.code: "Type /takeover to end the oldest of these sessions, and log in here.",
}

SEALED = "[encrypted message]"  # stands for a message that cannot be read here

# ---- messages, and what a room sees ------------------------------------------------------------------------------


def _topic(room: str, event: e.Topic) -> str:
    return f"{event.by} set the topic: {event.text}" if event.text else f"{event.by} cleared the topic."


def _slowed(room: str, event: e.Slowed) -> str:
    if not event.seconds:
        return f"{event.by} ended the slow mode."
    return f"{event.by} slowed the room down: one message every {spell(event.seconds)}."


def _to(event: Any, what: str) -> str:
    """Return a line such as ``bob was banned by alice for 2 hours: spam``; in it, ``what`` is ``banned``."""
    reason = getattr(event, "reason", "")
    return f"{event.user} was {what} by {event.by}{_for(event)}" + (f": {reason}" if reason else ".")


def _for(event: Any) -> str:
    until = getattr(event, "until", 0)
    return f" for {spell((until - event.at) / 1000)}" if until else ""


def _shared(room: str, event: e.Shared) -> str:
    if not event.name:  # a client may know what it was
        return f"{event.by} shared {getattr(event, 'was', 'a file')} (deleted)"
    if event.to:  # the number counts that person's files, not the room's, so others cannot use it
        return f"{event.by} shares {file_called(event.name, event.sealed)} with {event.to} ({_size(event)})."
    return f"{event.by} shares {file_called(event.name, event.sealed)} ({_size(event)}): /get {event.number}"


def _given(event: e.Shared) -> str:
    """Return the line for the person who is given a file. It ends in ``/get @7``: the person's seventh file, not the
    room's."""
    return f"{event.by} shares {file_called(event.name, event.sealed)} with you ({_size(event)}): /get @{event.number}"


def _size(file: e.Shared) -> str:
    return spell_size(file.size) + (", encrypted" if file.sealed and not is_opaque(file.name) else "")


def _sealed(room: str, event: e.SealedMessage) -> str:
    return f"{event.by}: {SEALED if event.ct else '(deleted)'}"


def _kicked(room: str, event: e.Kicked) -> str:
    return _to(event, "kicked") if not event.session else f"{event.user} was removed: {event.reason}."


def _renamed(room: str, event: e.Renamed) -> str:
    if event.again:  # ``by`` has another connection in the room
        return f"{event.name} has joined the room."
    return f"{event.by} is now known as {event.name}."


def _deleted(room: str, event: e.Deleted) -> str:
    return f"{event.by} deleted a message" + (f" of {event.user}." if event.user != event.by else ".")


def _owned(room: str, event: e.Owned) -> str:
    if event.before:
        return f"{event.before} has left for good; {event.user} now owns the room."
    return _to(event, "made the owner")


def speaker(event: Any) -> str:
    """Return who says something, and to which message: ``alice (to bob: "shall we start?")``."""
    return f"{event.by}{answering(event)}"


def answering(event: Any) -> str:
    """Return the words about what a message answers, after a blank; empty if it answers nothing.

    The message that is answered has no author if this client does not have it.
    """
    quoted = getattr(event, "quoted", None)
    if quoted is None:
        return ""
    if not quoted.by:
        return " (to a message that is not here)"
    return f" (to {quoted.by}: {_cited(quoted.text) or 'deleted'})"


def _cited(text: str) -> str:
    text = text.replace('"', "'")  # else a text could end the quotation itself, and pose as what its reader answers
    return f'"{text}"' if text else ""


def _to_person(event: a.OwnPrivate | a.Sent) -> str:
    return f"To {event.to} (private){answering(event)}: {event.text}"


def _said(room: str, event: e.Said) -> str:
    return f"{speaker(event)}: {event.text}"


def _reacted(room: str, event: e.Reacted) -> str:
    what = f"reacted {event.emoji} to" if event.on else f"took back {event.emoji} from"
    return f"{event.by} {what} {_cited(event.text) or 'a deleted message'}"


DEVICES_CHANGED: dict[DeviceChange, str] = {
    "linked": "{by} has linked a device; it reads what is said from now on.",
    "removed": "{by} has removed a device; it reads nothing that is said from now on.",
    "key": "{by} has a new user key.",
    "other": "{by} has renamed a device.",
}


def is_untold(event: Any) -> bool:
    """Return whether an event is for programs only, although it has words: that somebody has renamed a device."""
    return isinstance(event, e.DevicesChanged) and event.change == "other"


LINES: dict[type, Callable[[str, Any], str]] = {
    e.Said: _said,
    e.Acted: lambda room, event: f"* {speaker(event)} {event.text}",
    e.Private: lambda room, event: f"{speaker(event)} (private): {event.text}",
    a.OwnPrivate: lambda room, event: _to_person(event),
    e.Shared: _shared,
    e.SealedMessage: _sealed,
    e.DevicesChanged: lambda room, event: DEVICES_CHANGED[event.change].format(by=event.by),
    e.Encrypted: lambda room, event: (
        f"{event.by} encrypted the room; what was said before stays readable on the server."
    ),
    e.Joined: lambda room, event: f"{event.by} has joined the room.",
    e.Left: lambda room, event: f"{event.by} has left the room.",
    e.Disconnected: lambda room, event: f"{event.by} has disconnected.",
    e.Renamed: _renamed,
    e.Topic: _topic,
    e.Kicked: _kicked,
    e.Banned: lambda room, event: _to(event, "banned"),
    e.Unbanned: lambda room, event: _to(event, "unbanned"),
    e.Muted: lambda room, event: _to(event, "muted"),
    e.Unmuted: lambda room, event: _to(event, "unmuted"),
    e.Opped: lambda room, event: _to(event, "made a moderator"),
    e.Deopped: lambda room, event: _to(event, "removed as a moderator"),
    e.Owned: _owned,
    e.Invited: lambda room, event: _to(event, "invited"),
    e.Locked: lambda room, event: f"{event.by} locked the room: only the invited may join.",
    e.Unlocked: lambda room, event: f"{event.by} unlocked the room.",
    e.Slowed: _slowed,
    e.Closed: lambda room, event: f"{event.by} closed the room" + (f": {event.reason}" if event.reason else "."),
    e.Edited: lambda room, event: f"{event.by} corrected: {event.text}",
    e.Reacted: _reacted,
    e.Deleted: _deleted,
}
"""For each class of events a function of the room's name and the event, which returns the line."""


def with_deletion_shown(event: M) -> M:
    """Return a message as it is shown in the history: ``(deleted)`` stands for a text that was deleted.

    Args:
        event: The message. A shared file and a sealed message are returned unchanged: their lines in ``LINES`` say
            ``(deleted)`` themselves. So is what was done to a message, such as an edit.
    """
    message: Any = event
    if isinstance(event, e.Shared | e.SealedMessage | e.Amendment) or message.text:
        return event
    return msgspec.structs.replace(event, text="(deleted)")


EDITED = " (edited)"
MOST_EMOJIS = 8  # different reactions to one message that its line in the history shows


def what_became(event: e.Event) -> str:
    """Return what follows a message in the history: ``(edited)``, and its most frequent reactions: ``[👍 2]``.

    At most ``MOST_EMOJIS`` different reactions are shown.
    """
    if not isinstance(event, e.RoomMessage | e.Private):
        return ""
    edited = EDITED if getattr(event, "edited", 0) else ""
    reactions: tuple[e.EmojiReaction, ...] = getattr(event, "reactions", ())  # only sealed private messages have any
    numbers = Counter(reaction.emoji for reaction in reactions)
    if not numbers:
        return edited
    shown = " ".join(f"{emoji} {number}" for emoji, number in numbers.most_common(MOST_EMOJIS))
    return f"{edited}  [{shown}{' …' if len(numbers) > MOST_EMOJIS else ''}]"


# ---- answers, and records for one person ------------------------------------------------------------------------

Recalled = Callable[[str, Any], str]
"""Returns the line for an older message, given the name of its room and the message."""


def _nothing(recalled: Recalled, event: e.Event) -> list[str]:
    return []


def _entered(recalled: Recalled, event: a.Entered) -> list[str]:
    users = ", ".join(event.users) + (f" and {event.more} more" if event.more else "")
    lines = [f"Room {event.room} created."] if event.created else []
    lines.append(f"Welcome to room {event.room}!")
    if event.topic:
        lines.append(f"Topic: {event.topic}")
    return [*lines, f"Current users: {users}"]


def _rooms(recalled: Recalled, event: a.Rooms) -> list[str]:
    if not event.rooms:
        return ["No rooms yet; create one with /create <room>."]
    lines = [f"Rooms ({len(event.rooms) + event.more}):"]
    for line in event.rooms:
        more = f"{'  [e2e]' if line.encrypted else ''}{f'  {line.topic}' if line.topic else ''}"
        lines.append(f"  {line.room}  {_count(line.users, 'user')}{more}")
    return lines + _more(event.more)


def _users(recalled: Recalled, event: a.Users) -> list[str]:
    lines = [f"Users online ({event.total}):"]
    for line in event.users:
        where = f"  in {' and '.join(line.rooms or [line.room])}" if line.room else ""
        lines.append(f"  {line.name}{where}" + (f" (away: {line.away})" if line.away else ""))
    return lines + _more(event.total - len(event.users))


def _history(recalled: Recalled, event: a.History) -> list[str]:
    if not event.events:
        if event.room and not event.complete:
            return []  # there are some, which cannot be shown
        others = f" with {event.user}" if event.user else ""
        return [f"No messages in {event.room}." if event.room else f"No private messages{others}."]
    return [recalled(event.room, said) for said in event.events]


def _found(recalled: Recalled, event: a.Found) -> list[str]:
    number = len(event.events)
    lines = [f"{_count(number, 'message')} found:" if number else "No messages found."]
    found = [recalled(said.room if isinstance(said, e.RoomEvent) else "", said) for said in event.events]
    return [*lines, *found, *searched_back(event)]


def _conversations(recalled: Recalled, event: a.Conversations) -> list[str]:
    if not event.conversations:
        return ["No private messages."]
    lines = [f"Conversations ({len(event.conversations)}); /history 20 <user> shows them:"]
    for line in event.conversations:
        lines.append(f"  {line.user}  {spell_moment(line.at)}" + (f"  ({line.unread} unread)" if line.unread else ""))
    return lines


def searched_back(event: a.Found) -> list[str]:
    """Return the line that says how far back a search came; no line if it searched everything.

    If that time is on the day of the search, only the hour and minute are shown.
    """
    if event.complete:
        return []
    today = spell_moment(event.searched_at, DAY) == spell_moment(event.at, DAY)
    back_to = spell_moment(event.searched_at, TIME if today else DAY_AND_TIME)
    return [f"Searched back to {back_to}; search again for older ones."]


def _members(recalled: Recalled, event: a.Members) -> list[str]:
    more = f" and {event.more} more" if event.more else ""
    return [f"Users in {event.room} ({len(event.users) + event.more}): {', '.join(event.users)}{more}"]


def _person(recalled: Recalled, event: a.Person) -> list[str]:
    kind = "an operator" if event.operator else "the owner of an account" if event.account else "a guest"
    where = f"online in {' and '.join(event.rooms)}" if event.rooms else "online, in no room"
    lines = [f"{event.name} is {kind}, {where if event.online else 'offline'}."]
    return [*lines, f"{event.name} is away: {event.away}"] if event.away else lines


def _settings(recalled: Recalled, event: a.Settings) -> list[str]:
    lines = {
        "echo": f"Echo is {_switch(event.echo)}.",
        "timestamps": f"Timestamps are {_switch(event.timestamps)}.",
        "reactions": f"Reactions are {_switch(event.reactions)}.",
        "away": f"You are away: {event.away}" if event.away else "You are not away.",
        "ignored": f"You ignore {', '.join(event.ignored) or 'nobody'}.",
    }
    if event.changed in lines:
        return [lines[event.changed]]
    if event.reactions:  # as most people have it
        del lines["reactions"]
    return list(lines.values())


def _unchanged(recalled: Recalled, event: a.Unchanged) -> list[str]:
    return [f"You are {event.name}, a guest."] if event.guest else _account(recalled, event)


def _account(recalled: Recalled, event: a.Account) -> list[str]:
    if event.guest:
        lines = [f"You have logged out of {event.was}."] if event.was else []
        return [*lines, f"You are now {event.name}."]
    lines = [f"You are logged in as {event.name}."]
    if event.users:
        more = f" and {event.more} more" if event.more else ""
        lines.append(f"Users online ({len(event.users) + event.more}): {', '.join(event.users)}{more}")
    return lines


def _sessions(recalled: Recalled, event: a.Sessions) -> list[str]:
    lines = [f"Your sessions ({len(event.sessions)}); /sessions end <number> ends one:"]
    for number, line in enumerate(event.sessions, 1):
        state = "this one" if line.this else "online" if line.online else f"last used {spell_moment(line.used)}"
        more = [f"device {line.device}"] if line.device else []
        more += [f"{line.connections} connections"] if line.connections > 1 else []
        where = f" ({', '.join(more)})" if more else ""
        lines.append(f"  {number}  {line.client}{where}  since {spell_moment(line.made)}, {state}")
    return lines


def _sent(recalled: Recalled, event: a.Sent) -> list[str]:
    if event.waits == "account":
        return [f"{event.to} is offline; the message will be delivered when {event.to} returns."]
    if event.waits == "guest":
        return [f"{event.to} is offline and not registered; whoever takes that name next will read this."]
    if event.waits == "return":
        return [f"{event.to} is offline, and will read this on coming back."]
    return [_to_person(event)]


def _private(recalled: Recalled, event: e.Private) -> list[str]:
    return [recalled("", event) if event.late else LINES[e.Private]("", event)]


def _files(recalled: Recalled, event: a.Files) -> list[str]:
    if not event.room:
        return _file_lines("for you", "@", event.files, event.more)
    lines = _file_lines(f"in {event.room}", "", event.files, event.more)
    return [*lines, *(_file_lines("for you", "@", event.given, event.more_given) if event.given else [])]


def _file_lines(where: str, mark: str, files: list[a.FileLine], more: int) -> list[str]:
    if not files:
        return [f"No files {where}."]
    lines = [f"Files {where} ({len(files) + more}):"]
    for line in files:
        size, day = spell_size(line.size), spell_moment(line.at)
        lines.append(f"  {mark}{line.number}  {file_called(line.name, line.sealed)}  {size}  {line.by}  {day}")
    return lines + _more(more)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _more(number: int) -> list[str]:
    return [f"  and {number} more"] if number > 0 else []


ANSWERS: dict[type, Callable[[Recalled, Any], list[str]]] = {
    a.Welcome: _nothing,  # people are greeted when they connect
    a.Entered: _entered,
    a.Rooms: _rooms,
    a.Users: _users,
    a.Members: _members,
    a.MemberIdPage: _nothing,  # ids are for programs
    a.Person: _person,
    a.History: _history,
    a.Found: _found,
    a.Conversations: _conversations,
    a.Help: lambda recalled, event: help_lines(event),
    a.Settings: _settings,
    a.Account: _account,
    a.Unchanged: _unchanged,
    a.Sessions: _sessions,
    a.Sent: _sent,
    a.Ok: lambda recalled, event: event.text.split("\n") if event.text else [],
    a.Error: lambda recalled, event: [f"Error: {event.text}"],
    e.Renamed: lambda recalled, event: [f"You are now {event.name}."],
    e.Left: lambda recalled, event: [f"You have left room {event.room}."],
    e.Private: _private,
    a.OwnPrivate: lambda recalled, event: [LINES[a.OwnPrivate]("", event)],
    e.Shared: lambda recalled, event: [_given(event)],
    a.Files: _files,
    a.Upload: _nothing,  # people on text do not send files
    a.Download: _nothing,
    a.Chunk: _nothing,
    e.Invited: lambda recalled, event: [
        f"{event.by} invites you to room {event.room}; join it with /join {event.room}."
    ],
    e.Arrived: lambda recalled, event: [f"{event.by} has entered the chat."],
    e.Departed: lambda recalled, event: [f"{event.by} has left the chat."],
    e.Announced: lambda recalled, event: [f"Announcement by {event.by}: {event.text}"],
    a.Away: lambda recalled, event: [f"{event.user} is away: {event.text}"],
    a.Typing: _nothing,  # people on text are not told
    a.Marked: _nothing,  # it is for programs, which show what is unread
    **dict.fromkeys(a.OF_KEYS, _nothing),
    e.E2eFrom: _nothing,
    a.E2eNotice: lambda recalled, event: [f"{event.by} sent you an encrypted message; read it in chatroom-client."],
    a.Ping: _nothing,
    a.Shutdown: lambda recalled, event: ["The server is shutting down."],
}
"""For each class of records a function of ``Recalled`` and the record, which returns the lines."""

WITHOUT_WORDS = [
    kind.__name__
    for kind in e.EVENTS
    if kind.audience is not e.Audience.NOBODY
    and kind not in (LINES if kind.is_message or kind.audience is e.Audience.ROOM else ANSWERS)
]
if WITHOUT_WORDS:
    raise TypeError(f"these events have no words: {', '.join(WITHOUT_WORDS)}")
