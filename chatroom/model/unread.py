"""Which messages count as unread, and which of them mention the user: the server and the client share this rule.

Unread are the messages of others after the user's read mark that are living, which means not deleted.
"""

from __future__ import annotations

from typing import Any

from chatroom.model.events import MESSAGES, Event, SealedMessage
from chatroom.model.mentions import is_mentioned

MOST_COUNTED = 1000  # of the newest messages after the read mark


def living_text(event: Event) -> str:
    """Return the text of a message, or the name of a file.

    It is empty if the message was deleted or is sealed, or if the event is no message.
    """
    message: Any = event
    return str(message.text) if isinstance(event, MESSAGES) else ""


def is_living(event: Event) -> bool:
    """Return whether an event is a message that was not deleted; a sealed one has no text, and lives as well."""
    return bool(event.ct) if isinstance(event, SealedMessage) else bool(living_text(event))


def is_mention(text: str, name: str) -> bool:
    """Return whether the text of an unread message mentions the user with a name."""
    return is_mentioned(text, name)
