"""The commands to make, join and leave a room, and to quit. Each is done before the session's next line is read."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import CATCH_UP, HISTORY, HISTORY_BYTES
from chatroom.chat.people.marking import unread_at_join
from chatroom.chat.rooms.admission import check_admitted
from chatroom.chat.rooms.further_sessions import has_another
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import Create, Join, Leave, Quit
from chatroom.model.errors import ALREADY_THERE, NO_ROOM, TOO_MANY_JOINED
from chatroom.model.events import Event, Joined, Kicked, Left, MemberGone, placed
from chatroom.model.log import Entry, Page, Unavailable
from chatroom.model.logger import logger
from chatroom.model.replies import Entered, Ok

_log = logger(__name__)


@handles(Create)
async def create(chat: Chat, session: Session, command: Create) -> None:
    """Make a room and join it."""
    room = await chat.directory.create(command.room, session)
    join = Join(room=room.name, messages=0, ref=command.ref, stay=command.stay)
    await _enter(chat, session, room, join, made=True, created=True)


@handles(Join)
async def join(chat: Chat, session: Session, command: Join) -> None:
    """Join a room, and leave the rooms that the session is in, unless it wants to stay there."""
    room, made = await chat.directory.find(command.room, session, create=command.create)
    await _enter(chat, session, room, command, made=made)


@handles(Leave)
async def leave(chat: Chat, session: Session, command: Leave, room: Room) -> Event | None:
    """Leave the room."""
    return await _leave(chat, session, room)


@handles(Quit)
def quit(chat: Chat, session: Session, command: Quit) -> None:
    """Say goodbye and close the connection; the members of its rooms see that the connection has ended."""
    session.answer(Ok("Goodbye!"), command.ref)
    chat.connections.hang_up(session)


async def _leave(chat: Chat, session: Session, room: Room) -> Event | None:
    """Leave a room; return the ``left`` event, or None if the session has been removed from the room meanwhile."""
    if room not in session.rooms:
        return None
    about = session.next_id(), session.host.now(), session.name, session.user_id
    event = Left(*about, session=session.id, again=has_another(room, session))
    entry = await session.happen(room.log, event)
    chat.terminals.left(session, room)
    session.host.announce(session)
    _log.info("{name} left room {room}", name=session.name, room=room.name)
    left: Event = placed(entry.event, entry.seq, room.name)
    return left


async def _enter(chat: Chat, session: Session, room: Room, command: Join, *, made: bool, created: bool = False) -> None:
    """Join a room, after leaving the present ones unless the command says to stay, and welcome the session there.

    Args:
        chat: The chat.
        session: The session that joins.
        room: The room to join, as the directory returned it; passed to ``Directory.let_go`` at the end.
        command: Says how much of the history the session wants.
        made: Whether the command has made the room.
        created: Whether the command that the session sent was ``create``.

    Raises:
        Refused: The session is in that room already, may not be there, or the room has ended.
        Unavailable: The event that the session leaves or joins may not be stored.
    """
    try:
        _check_number(chat, session, room, stay=command.stay)
        check_admitted(session, room)
        await chat.encrypted_joins.wait(session, room)
        if not command.stay or chat.rules.rooms == 1:
            await _leave_all(chat, session)
        if session.over:
            return
        check_admitted(session, room)  # again, for bans made meanwhile; later ones come after `Joined`
        session.heading = room
        about = session.next_id(), chat.now(), session.name, session.user_id
        await session.happen(room.log, Joined(*about, session=session.id, again=has_another(room, session)))
        if room.closed and session.arrival is None:
            raise NO_ROOM(room=room.name)
    finally:
        session.heading = None
        chat.directory.let_go(room)
    await _welcome(chat, session, room, command, made, created)


def _check_number(chat: Chat, session: Session, room: Room, *, stay: bool) -> None:
    """Check that the session is not in the room, and may be in one more room if it wants to stay in the others.

    Raises:
        Refused: It is there already, or in too many rooms.
    """
    if room in session.rooms:
        raise ALREADY_THERE(room=room.name)
    if stay and len(session.rooms) >= chat.rules.rooms > 1:
        raise TOO_MANY_JOINED(most=chat.rules.rooms)


async def _leave_all(chat: Chat, session: Session) -> None:
    """Leave all rooms, and tell the client so."""
    for room in session.rooms:
        left = await _leave(chat, session, room)
        if left is not None and not session.over:
            session.answer(left)


async def _welcome(chat: Chat, session: Session, room: Room, command: Join, made: bool, created: bool) -> None:
    """Send the welcome and the missed history, then what the room has shown the session since it joined."""
    arrival = session.arrival
    if arrival is None:  # the connection ended before its `Joined` was applied
        return
    session.arrival = None
    session.host.announce(session)
    _log.info("{name} joined room {room}", name=session.name, room=room.name)
    first = b""
    try:
        read, unread = await unread_at_join(chat, session, room, arrival.seq)
        page = await _missed(session, room, arrival.seq, command, unread.span if unread.messages else 0)
        entered = Entered(
            room=room.name,
            room_id=room.id,
            topic=room.record.topic,
            users=arrival.users,
            more=arrival.total - len(arrival.users),
            seq=arrival.seq,
            complete=page.complete,
            gone=not page.complete and await _gone(session, room, command),
            created=created,
            made=made,
            read=read,
            unread=unread.messages,
            mentions=unread.mentions,
            encrypted=room.record.encrypted,
            members_rev=arrival.members_rev if room.record.encrypted else 0,
        )
        first = session.dialect.answer(entered, command.ref) + _replay(session, room, page.entries)
    finally:
        session.out.uncork(first)


def _replay(session: Session, room: Room, entries: list[Entry]) -> bytes:
    """Return earlier entries of a room as the session is shown them."""
    if session.hides_reactions:
        entries = [Entry(entry.log, session.as_shown(entry.event), entry.body, entry.seq) for entry in entries]
    return session.dialect.replay(room.name, entries)


async def _missed(session: Session, room: Room, seq: int, command: Join, unread: int) -> Page:
    """Return the part of the room's history that the command asks for; an empty, incomplete page if the store fails.

    Args:
        session: The session that has joined.
        room: The room.
        seq: The place of the session's ``Joined`` in the log; only entries before it are returned.
        command: Says how much the session wants.
        unread: How many messages there are after the user's read mark; a session that wants any is given all of these.
    """
    try:
        if command.after is not None:
            page = await session.host.engine.read(room.log, after=command.after, before=seq, limit=CATCH_UP)
            return bounded(Page([entry for entry in page.entries if not _untold(entry)], page.complete))
        wanted = command.messages
        if wanted is None:
            wanted = session.host.rules.replay if session.person else 0
        if wanted == 0:
            return Page([], True)
        page = await session.host.engine.read(
            room.log, before=seq, limit=min(max(wanted, unread), HISTORY), messages=True
        )
        return Page(bounded(page).entries, True)
    except Unavailable as error:
        _log.warn("the history of {room} could not be read: {why}", room=room.name, why=str(error))
        return Page([], False)


def _untold(entry: Entry) -> bool:
    """Return whether members were not told of an entry: a further connection of a person came, went or was removed."""
    return isinstance(entry.event, Joined | MemberGone | Kicked) and entry.event.again


async def _gone(session: Session, room: Room, command: Join) -> bool:
    """Return True if some entries that the session missed are no longer in the log, or if the log cannot be read."""
    try:
        # There is no seq in this range, so the page is incomplete only if the log has removed entries after ``after``.
        after = command.after or 0
        nothing = await session.host.engine.read(room.log, after=after, before=after + 1, limit=1)
    except Unavailable:
        return True
    return not nothing.complete


def bounded(page: Page, *, oldest: bool = False) -> Page:
    """Return a page with as many of the entries as fit into one answer; the page itself if all fit.

    Args:
        page: The entries, oldest first.
        oldest: Keep the oldest entries instead of the newest.
    """
    room = HISTORY_BYTES
    entries = page.entries if oldest else page.entries[::-1]
    for i, entry in enumerate(entries):
        room -= len(entry.body)
        if room < 0:
            return Page(entries[:i] if oldest else entries[:i][::-1], False)
    return page
