"""Moving read marks: by the command ``read``, and when a room is joined. The user's other sessions are told."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import INBOX_MESSAGES
from chatroom.chat.marks import place_of_peer
from chatroom.chat.people.mark_store import tell_marked
from chatroom.chat.people.private_messages import Peer, newest_of_both, peer_in, peer_of
from chatroom.chat.people.unread_in_rooms import UnreadInRoom, is_unread
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import MarkRead
from chatroom.model.errors import NOT_IN_ROOM
from chatroom.model.events import Event
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.replies import Marked, Ok

_log = logger(__name__)


@handles(MarkRead)
async def mark_read(chat: Chat, session: Session, command: MarkRead, room: Room | None) -> Event:
    """Move the session's read mark in a room, or in a conversation, but not beyond the last message.

    Raises:
        Refused: There is no such person; or the command names nobody, and the session is in no room.
        Unavailable: The marks, or the messages, cannot be read.
    """
    if command.user:
        peer = await peer_of(chat, session, command.user)
        newest = await newest_of_both(chat.engine, session.user, 1)
        await _mark_conversation(chat, session, peer, _clamped(command.seq, newest[-1].seq if newest else 0))
    elif room is None:
        raise NOT_IN_ROOM()
    else:
        await _mark_room(chat, session, room, _clamped(command.seq, room.seq))
    return Ok()


def _clamped(seq: int | None, last: int) -> int:
    """Return the seq that a command gives, or the last one if that is less or the command gives none."""
    return last if seq is None else min(seq, last)


async def _mark_room(chat: Chat, session: Session, room: Room, seq: int) -> None:
    """Move the mark in a room; tell the user's other sessions."""
    user = session.user
    marks = await chat.read_marks.of(user)
    if not chat.read_marks.move(user, room.id, seq) or _is_alone(session):
        return
    unread = await chat.unread.count(room.log, session, seq) if seq < room.seq else UnreadInRoom()
    if marks.of(room.id) == seq:  # else somebody has moved it further meanwhile, and tells that
        tell_marked(user, Marked(room=room.name, seq=seq, unread=unread.messages, mentions=unread.mentions), session)


async def _mark_conversation(chat: Chat, session: Session, peer: Peer, seq: int) -> None:
    """Move the mark in the conversation with a person; tell the user's other sessions."""
    user, place = session.user, place_of_peer(peer.key)
    marks = await chat.read_marks.of(user)
    if seq <= marks.before or not chat.read_marks.move(user, place, seq) or _is_alone(session):
        return
    unread = await _unread_of(chat, session, peer, seq)
    if marks.of(place) == seq:
        tell_marked(user, Marked(user=peer.name, user_id=peer.id, seq=seq, unread=unread), session)


async def _unread_of(chat: Chat, session: Session, peer: Peer, after: int) -> int:
    """Return how many messages of a person the session's user has not read."""
    user = session.user
    page = await chat.engine.read(user.inbox_log, after=after, limit=INBOX_MESSAGES, messages=True)
    return sum(is_unread(entry, session) and peer_in(entry, user).is_same(peer) for entry in page.entries)


def _is_alone(session: Session) -> bool:
    """Return whether the session's user has no other program to tell of a mark."""
    return all(other is session or other.person for other in session.user.sessions)


async def begin_marks(chat: Chat, session: Session) -> None:
    """Set the read marks of a user who has just logged in, in those rooms of the session where there are none yet.

    Otherwise the user's next join would be the first one, and what came after this moment would not be unread.
    """
    try:
        marks = await chat.read_marks.of(session.user)
    except Unavailable as error:
        _log.warn("the read marks of {name} cannot be read: {why}", name=session.name, why=str(error))
        return
    for room in session.rooms:
        if marks.of(room.id) is None:
            chat.read_marks.move(session.user, room.id, room.seq)


# ---- joining -----------------------------------------------------------------------------------------------------


async def unread_at_join(chat: Chat, session: Session, room: Room, seq: int) -> tuple[int, UnreadInRoom]:
    """Return the read mark of a session that has just joined a room, and what is unread.

    At the first join there is no mark: it is set to the place of the join, so that nothing earlier is unread. A person
    on a terminal is shown the room, and reads it: the mark is set there at each join.

    Args:
        chat: The chat.
        session: The session.
        room: The room.
        seq: The place of the session's ``Joined`` in the log.
    """
    user = session.user
    if not user.lasting or (session.person and user.account is None):
        return 0, UnreadInRoom()  # nobody could ever come back to a mark
    try:
        mark = (await chat.read_marks.of(user)).of(room.id)
        if mark is None or session.person:
            if chat.read_marks.move(user, room.id, seq) and mark is not None:
                tell_marked(user, Marked(room=room.name, seq=seq), session)
            return seq, UnreadInRoom()
        return mark, await chat.unread.count(room.log, session, mark, before=seq)
    except Unavailable as error:
        _log.warn("what {name} has not read cannot be counted: {why}", name=session.name, why=str(error))
        return 0, UnreadInRoom()
