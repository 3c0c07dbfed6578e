"""Whether a session may be in a room, and under which name. It is checked at a join, a login and a change of name.

A login is not refused because of an encrypted room: whoever becomes another user has no keys of that user's, and is
removed from the encrypted rooms (``Connections.become``).
"""

from __future__ import annotations

from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session, User
from chatroom.model.names import Name


def check_admitted(session: Session, room: Room) -> None:
    """Check that a session may be in a room.

    Raises:
        Refused: The user, or the address, is banned; or the room is locked and the user is not invited; or the room is
            encrypted and the session has no keys.
    """
    _check(session, room, session.user, keyed=session.keyed)


def check_everywhere(session: Session, user: User) -> None:
    """Check that a session may be in all its rooms as a user, before it logs in.

    Raises:
        Refused: The user is banned from one of them.
    """
    for room in session.rooms:
        _check(session, room, user, keyed=True)


def _check(session: Session, room: Room, user: User, *, keyed: bool) -> None:
    keys = (*user.keys, *session.keys)
    room.record.admit(user, keys, session.host.now(), inside=room in session.rooms, keyed=keyed)


def check_name(session: Session, name: Name) -> None:
    """Check that a session may have a name in all its rooms.

    Raises:
        Refused: The name is banned.
    """
    for room in session.rooms:
        room.record.check_name(session.user, name, session.host.now())
