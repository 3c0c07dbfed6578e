"""Removing from an encrypted room the sessions that cannot follow it, and telling members of changed devices.

A session can follow an encrypted room if it is ``keyed``: it has the keys of a device in its user's device list. All
this happens by events of the room's log, so that every member sees it in the same order as the messages. That only
keyed sessions come in is checked at the door (``RoomRecord.admit``), and that nothing plain is said there by
``Session.say``.
"""

from __future__ import annotations

from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.events import DevicesChanged, Kicked
from chatroom.model.key_events import DevicesListed

NOW_ENCRYPTED = "the room is encrypted now; join with chatroom-client"
KEYS_LOST = "the room is encrypted, and this session has no linked device any more"


def put_out_keyless(state: ChatState, room: Room) -> None:
    """Remove the sessions that cannot follow a room from it, also those that are about to join, if it is encrypted."""
    if not room.record.encrypted:
        return
    for session in keyless_in(state, room):
        _put_out(state, session, room, NOW_ENCRYPTED)


def put_out_of_encrypted(state: ChatState, session: Session) -> None:
    """Remove a session that has lost its keys from all encrypted rooms, also from one that it is about to join."""
    if session.keyed:
        return
    for room in session.told:
        if room.record.encrypted:
            _put_out(state, session, room, KEYS_LOST)


def devices_changed(state: ChatState, event: DevicesListed) -> None:
    """Tell a user's encrypted rooms that the user has a new device list.

    Sessions whose device is not in it are removed by ``put_out_of_encrypted``.

    Args:
        state: What the parts of the chat share.
        event: Says whose list it is, and what has changed.
    """
    user = state.users.get(event.by_id)
    if user is None:
        return
    rooms = dict.fromkeys(room for session in user.sessions for room in session.told if room.record.encrypted)
    for room in rooms:
        who = state.next_id(), state.now(), user.name, user.id
        state.owe(room.log, DevicesChanged(*who, rev=event.rev, change=event.change))


def keyless_in(state: ChatState, room: Room) -> list[Session]:
    """Return the sessions on this daemon that are in a room, or about to join it, and could not follow it encrypted."""
    there = (state.sessions.get(id) for id in room.members)
    coming = (session for session in state.sessions.values() if session.heading is room) if room.expected else ()
    sessions = dict.fromkeys(session for session in (*there, *coming) if session is not None)
    return [session for session in sessions if not session.keyed]


def _put_out(state: ChatState, session: Session, room: Room, reason: str) -> None:
    """Remove a session from a room, and tell it why. Other members are told if the user has no other session there.

    Do nothing if the session's removal is on its way already.
    """
    if session.id in room.going:
        return
    room.going.add(session.id)
    others = (other for other in session.user.sessions if other is not session)
    again = any(other.keyed and room in other.told for other in others) or room.has_remote(session)
    whom = {"user": session.name, "user_id": session.user_id, "session": session.id, "again": again}
    state.owe(room.log, Kicked(state.next_id(), state.now(), "", "", reason=reason, **whom))  # type: ignore[arg-type]
