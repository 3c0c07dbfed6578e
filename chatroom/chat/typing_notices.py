"""``typing``: telling others that somebody is typing. Nothing is stored, and what comes too often is dropped silently.

Only programs on this daemon are told. A notice is worthless after some seconds, so it is not appended to a log.
"""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.messaging import check_not_muted, check_not_silenced
from chatroom.chat.people.throttles import Window
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import SayTyping
from chatroom.model.errors import NOT_IN_ROOM, Refused
from chatroom.model.events import Event
from chatroom.model.replies import Ok, Typing


@handles(SayTyping)
def typing(chat: Chat, session: Session, command: SayTyping, room: Room | None) -> Event:
    """Tell the other members of the room, or one user, that the session's user is typing."""
    if command.user:
        _tell_user(chat, session, command.user)
    elif room is None:
        raise NOT_IN_ROOM()
    else:
        _tell_room(chat, session, room)
    return Ok()


def _tell_room(chat: Chat, session: Session, room: Room) -> None:
    """Tell the members, unless the user is muted, or too much was told to the room."""
    try:
        check_not_silenced(session, room)
        check_not_muted(session, room)
    except Refused:
        return
    if _allowed(chat.typing, session.id, room.id) and _allowed(chat.typing_in_rooms, room.id):
        room.tell_programs(Typing(by=session.name, by_id=session.user_id, room=room.name), session)


def _tell_user(chat: Chat, session: Session, name: str) -> None:
    """Tell the programs of a user who is online and does not ignore the session's user."""
    user = chat.names.get(name)
    if user is None or user is session.user or not _allowed(chat.typing, session.id, user.id):
        return
    event = Typing(by=session.name, by_id=session.user_id)
    for other in user.sessions:
        if not other.ignores_user(session.name, session.user_id):
            other.answer(event)


def _allowed(window: Window, *key: str) -> bool:
    """Return whether one more notice of the key is passed on now; if so, count it."""
    if window.wait(key):
        return False
    window.count(key)
    return True
