"""Which messages count as unread: the server and the client count by the same rule.

Unread are the messages of others after the user's read mark that are living, which means not deleted.
"""

from __future__ import annotations

from typing import Any

from chatroom.model.events import MESSAGES, Event

MOST_COUNTED = 1000  # of the newest messages after the read mark


def counts(event: Event, own_id: str) -> bool:
    """Return whether an event counts as unread if it comes after the read mark.

    Args:
        event: Any event.
        own_id: The id of the user who has or has not read it.
    """
    if not isinstance(event, MESSAGES):
        return False
    message: Any = event
    return bool(message.text) and message.by_id != own_id
