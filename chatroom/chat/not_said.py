"""Why a message, an edit or a reaction is not stored, or not shown: as a refusal."""

from __future__ import annotations

from chatroom.model.amendments import REACTIONS, REACTIONS_OF_ONE
from chatroom.model.errors import (
    NO_MESSAGE,
    NOT_CONFIRMED,
    NOT_SAID,
    NOT_YOUR_TEXT,
    TOO_MANY_REACTIONS,
    Refused,
)
from chatroom.model.log import MessageGone, NotTheAuthor, TooManyReactions, Unavailable, Withdrawn


def why_not_said(error: Unavailable, room: str) -> Refused:
    """Return the refusal for an error of the engine.

    Args:
        error: The error of an entry.
        room: The name of the room.
    """
    if isinstance(error, Withdrawn):
        return NOT_SAID()
    if isinstance(error, MessageGone):
        return NO_MESSAGE(room=room)
    if isinstance(error, NotTheAuthor):
        return NOT_YOUR_TEXT()
    if isinstance(error, TooManyReactions):
        return TOO_MANY_REACTIONS(own=REACTIONS_OF_ONE, most=REACTIONS)
    return NOT_CONFIRMED()
