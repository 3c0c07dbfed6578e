"""Whether a person has a further session in a room, so that members need not be told that this one comes or goes."""

from __future__ import annotations

from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session


def has_another(room: Room, session: Session) -> bool:
    """Return whether the session's user has, or is about to have, another session in a room.

    Events that are still being stored count already: several sessions of one person may come, or end, at the same
    moment, and only the first that comes and the last that goes may be told.
    """
    others = (other for other in session.user.sessions if other is not session)
    return any(room in other.told for other in others) or room.has_remote(session)
