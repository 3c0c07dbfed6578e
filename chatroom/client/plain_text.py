"""Events as plain lines, as somebody on telnet sees them."""

from __future__ import annotations

from functools import partial
from typing import Any

from chatroom.model import events as e
from chatroom.model.timestamps import spell_moment
from chatroom.model.wording import ANSWERS, LINES, with_deletion_shown


def lines_of(event: e.Event, me: str = "") -> list[str]:
    """Return the lines that tell of an event; none if it is for programs.

    Args:
        event: What happened, or an answer.
        me: The user's name: only that user is told the number of a file that was given to the user.
    """
    kind = type(event)
    if isinstance(event, e.Private) and event.late:
        return [recalled("", event, me)]
    if kind in LINES:
        return [_spelled("", event, me)]
    words = ANSWERS.get(kind)
    return words(partial(recalled, me=me), event) if words is not None else []


def recalled(room: str, event: Any, me: str = "") -> str:
    """Return a message of before, with its time; a deleted one says so. See ``lines_of``."""
    return f"[{spell_moment(event.at)}] {_spelled(room, with_deletion_shown(event), me)}"


def _spelled(room: str, event: Any, me: str) -> str:
    if isinstance(event, e.Shared) and event.name and event.to and event.to == me:
        return ANSWERS[e.Shared](recalled, event)[0]
    return LINES[type(event)](room or getattr(event, "room", ""), event)
