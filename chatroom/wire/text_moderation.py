"""The words in which a room is told what its moderators do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom import events as e
from chatroom.durations import spell


def _topic(room: str, event: e.Topic) -> str:
    return f"{event.by} set the topic: {event.text}" if event.text else f"{event.by} cleared the topic."


def _slowed(room: str, event: e.Slowed) -> str:
    if not event.seconds:
        return f"{event.by} ended the slow mode."
    return f"{event.by} slowed the room down: one message every {spell(event.seconds)}."


def _to(event: Any, what: str) -> str:
    """Return ``bob was kicked by alice: reason``."""
    reason = getattr(event, "reason", "")
    return f"{event.user} was {what} by {event.by}{_for(event)}" + (f": {reason}" if reason else ".")


def _for(event: Any) -> str:
    until = getattr(event, "until", 0)
    return f" for {spell((until - event.at) / 1000)}" if until else ""


MODERATION: dict[type, Callable[[str, Any], str]] = {
    e.Topic: _topic,
    e.Kicked: lambda room, event: _to(event, "kicked"),
    e.Banned: lambda room, event: _to(event, "banned"),
    e.Unbanned: lambda room, event: _to(event, "unbanned"),
    e.Muted: lambda room, event: _to(event, "muted"),
    e.Unmuted: lambda room, event: _to(event, "unmuted"),
    e.Opped: lambda room, event: _to(event, "made a moderator"),
    e.Deopped: lambda room, event: _to(event, "removed as a moderator"),
    e.Invited: lambda room, event: _to(event, "invited"),
    e.Locked: lambda room, event: f"{event.by} locked the room: only the invited may join.",
    e.Unlocked: lambda room, event: f"{event.by} unlocked the room.",
    e.Slowed: _slowed,
    e.Closed: lambda room, event: f"{event.by} closed the room" + (f": {event.reason}" if event.reason else "."),
    e.Deleted: lambda room, event: f"{event.by} deleted a message of {event.user}.",
}
