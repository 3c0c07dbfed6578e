"""Events as plain lines, as somebody on telnet sees them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chatroom import events as e
from chatroom.words import ANSWERS, ROOM

_MESSAGES: dict[type, Callable[[Any], str]] = {
    e.Said: lambda event: f"{event.by}: {event.text}",
    e.Acted: lambda event: f"* {event.by} {event.text}",
    e.Private: lambda event: f"{event.by} (private): {event.text}",
}


def lines_of(event: e.Event) -> list[str]:
    """Return the lines that tell of an event; none if it is for programs."""
    kind = type(event)
    if isinstance(event, e.Private) and event.late:
        return [_recalled("", event)]
    if kind in _MESSAGES:
        return [_MESSAGES[kind](event)]
    if kind in ROOM:
        return [ROOM[kind](getattr(event, "room", ""), event)]
    words = ANSWERS.get(kind)
    return words(_recalled, event) if words is not None else []


def _recalled(room: str, event: Any) -> str:
    """Return a message of before, with its time."""
    if not event.text:
        event = msgspec.structs.replace(event, text="(deleted)")
    return f"[{datetime.fromtimestamp(event.at / 1000):%Y-%m-%d %H:%M}] {_MESSAGES[type(event)](event)}"
