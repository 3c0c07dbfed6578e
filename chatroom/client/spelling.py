"""Events as plain lines, as somebody on telnet sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chatroom import events as e
from chatroom.moments import spell_moment
from chatroom.words import ANSWERS, ROOM

_FORMS: dict[type, Callable[[str, Any], str]] = {
    e.Said: lambda room, event: f"{event.by}: {event.text}",
    e.Acted: lambda room, event: f"* {event.by} {event.text}",
    e.Private: lambda room, event: f"{event.by} (private): {event.text}",
    **ROOM,
}


def lines_of(event: e.Event) -> list[str]:
    """Return the lines that tell of an event; none if it is for programs."""
    kind = type(event)
    if isinstance(event, e.Private) and event.late:
        return [recalled("", event)]
    if kind in _FORMS:
        return [_FORMS[kind](getattr(event, "room", ""), event)]
    words = ANSWERS.get(kind)
    return words(recalled, event) if words is not None else []


def recalled(room: str, event: Any) -> str:
    """Return a message of before, with its time; a deleted one says so."""
    if not isinstance(event, e.Shared) and not event.text:
        event = msgspec.structs.replace(event, text="(deleted)")
    return f"[{spell_moment(event.at)}] {_FORMS[type(event)](room, event)}"
