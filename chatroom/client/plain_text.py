"""Events as plain lines, as somebody on telnet sees them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chatroom.model import events as e
from chatroom.model.timestamps import spell_moment
from chatroom.model.wording import ANSWERS, ROOM

_FORMS: dict[type, Callable[[str, Any], str]] = {
    e.Said: lambda room, event: f"{event.by}: {event.text}",
    e.Acted: lambda room, event: f"* {event.by} {event.text}",
    e.Private: lambda room, event: f"{event.by} (private): {event.text}",
    **ROOM,
}


def lines_of(event: e.Event, me: str = "") -> list[str]:
    """Return the lines that tell of an event; none if it is for programs.

    Args:
        event: What happened, or an answer.
        me: The user's name: only that user is told the number of a file that was given to the user.
    """
    kind = type(event)
    if isinstance(event, e.Private) and event.late:
        return [recalled("", event, me)]
    if kind in _FORMS:
        return [_spelled("", event, me)]
    words = ANSWERS.get(kind)
    return words(partial(recalled, me=me), event) if words is not None else []


def recalled(room: str, event: Any, me: str = "") -> str:
    """Return a message of before, with its time; a deleted one says so. See ``lines_of``."""
    if not isinstance(event, e.Shared) and not event.text:
        event = msgspec.structs.replace(event, text="(deleted)")
    return f"[{spell_moment(event.at)}] {_spelled(room, event, me)}"


def _spelled(room: str, event: Any, me: str) -> str:
    if isinstance(event, e.Shared) and event.name and event.to and event.to == me:
        return ANSWERS[e.Shared](recalled, event)[0]
    return _FORMS[type(event)](room or getattr(event, "room", ""), event)
