"""Events as plain lines of text, as on telnet. A line of a message holds LF if the message has several lines; who
writes it passes it through ``marked`` in ``chatroom.model.text``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from chatroom.client.opened import kind_of
from chatroom.model import events as e
from chatroom.model.timestamps import spell_moment
from chatroom.model.wording import ANSWERS, LINES, is_untold, what_became, with_deletion_shown


def lines_of(event: e.Event, me: str = "") -> list[str]:
    """Return the lines of text for an event; an empty list if the event is only for programs.

    Args:
        event: An event or an answer.
        me: The user's name: a file that was sent to this user is shown with its number.
    """
    if is_untold(event):
        return []
    kind = kind_of(event)
    if isinstance(event, e.Private) and event.late:
        return [recalled("", event, me)]
    if kind in LINES:
        return [_spelled("", event, me)]
    words = ANSWERS.get(kind)
    return words(partial(recalled, me=me), event) if words is not None else []


def recalled(room: str, event: Any, me: str = "") -> str:
    """Return the line for an earlier message, with its time; a deleted message is shown as deleted.

    Args:
        room: The room of the message; empty if the event names it.
        event: The message.
        me: See ``lines_of``.
    """
    return f"[{spell_moment(event.at)}] {_spelled(room, with_deletion_shown(event), me)}{what_became(event)}"


def _spelled(room: str, event: Any, me: str) -> str:
    """Return the line of an event; a file that was sent to this user is shown with its number."""
    if isinstance(event, e.Shared) and event.name and event.to and event.to == me:
        return ANSWERS[e.Shared](recalled, event)[0]
    return LINES[kind_of(event)](room or getattr(event, "room", ""), event)
