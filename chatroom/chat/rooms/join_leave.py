"""What moves a session: its name, into a room, out of it, out of the server. Each is awaited before its next line."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace
from twisted.internet.defer import DeferredList

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import CATCH_UP, HISTORY, HISTORY_BYTES, INBOX_MESSAGES
from chatroom.chat.messaging import may_speak
from chatroom.chat.people.guest_mail import Mailbox
from chatroom.chat.people.nicknames import parse_chosen_name
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import Create, Join, Leave, Quit, SetName
from chatroom.model.errors import ALREADY_THERE, LOG_OUT_FIRST, NAME_IN_USE, NO_ROOM, Refused
from chatroom.model.events import Event, Joined, Left, Private, Renamed, placed
from chatroom.model.log import Page, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import Name
from chatroom.model.replies import Entered, Ok

_log = logger(__name__)


@handles(SetName)
async def set_name(chat: Chat, session: Session, command: SetName) -> None:
    """Take a name as a guest, and be given what was written to it meanwhile."""
    event = await take_name(chat, session, command.name)
    session.answer(event, command.ref)
    await give_mail(chat, session)


async def take_name(chat: Chat, session: Session, text: str) -> Event:
    """Take a name as a guest; the room sees it.

    Raises:
        Refused: It is none, or somebody's, or banned; or one is not a guest.
    """
    user = session.user
    if user.account is not None:
        raise LOG_OUT_FIRST(user=user.name)
    name = parse_chosen_name(text, chat.rules.name)
    room = session.room
    if room is not None and room.guarded:
        may_speak(session, room)  # a new name is something that the room is told
    old, before = session.name, user.handle
    chat.names.claim(user, name)
    event = Renamed(session.next_id(), chat.now(), old, user.id, session=session.id, name=name.shown)
    try:
        if await chat.accounts.owns(name) or await chat.checkers.keep(name) or not chat.names.holds(user, name):
            raise NAME_IN_USE()
        chat.bans.check((name_key(name.folded),))
        session.check_name(name)
        if room is not None and name.shown != old:
            session.renaming = True
            entry = await session.happen(room.log, event)
            event = placed(entry.event, entry.seq, room.name)
        if not chat.names.holds(user, name) or user.handle is not before:
            _take_back(chat, session, name)
            raise NAME_IN_USE()
        if not session.over:
            chat.connections.rename(session, name)
            chat.guests.seen(name, user.id, chat.shares.via(session))
    finally:
        if user.handle is not name:
            chat.names.release(user, name)
        if session.renaming:
            session.renaming = False
            if session.over:
                chat.connections.depart(session)
    return event


def _take_back(chat: Chat, session: Session, name: Name) -> None:
    """The name, or the one before, became an account's while the room was told of it: the room is told again."""
    user = session.user
    session.name = user.name
    room = session.room
    if room is not None:
        id, now = session.next_id(), chat.now()
        chat.owe(room.log, Renamed(id, now, name.shown, user.id, session=session.id, name=user.name))


async def take_back(chat: Chat, session: Session, text: str) -> None:
    """Take the name that one had before; who may not have it any more goes on under that of the server's making."""
    with suppress(Refused):
        await take_name(chat, session, text)


async def give_mail(chat: Chat, session: Session) -> None:
    """Give whoever takes a guest's name what was written to it meanwhile, once.

    A program that has not acknowledged what it was given before gets no more: the mail waits on.
    """
    name = session.user.handle
    inbox = session.user.inbox  # one that nobody has needed yet is not made here: it would outlive the connection
    if session.over or (session.user.resumable and inbox is not None and inbox.unread_total >= INBOX_MESSAGES):
        return
    box = await chat.guests.take(name, session.user_id)
    if box is None:
        return
    chat.guests.seen(name, session.user_id, chat.shares.via(session))
    try:
        page = await chat.engine.read(box.log, limit=INBOX_MESSAGES, messages=True)
    except Unavailable as error:
        _log.warn("the mail for {name} could not be read: {why}", name=name.shown, why=str(error))
        await chat.guests.put_back(box, session.user_id)
        return
    if session.user.resumable:
        await _forward(chat, session, box, page)
    elif session.over:
        await chat.guests.put_back(box, session.user_id)
    elif page.entries:
        chat.inboxes.of(session.user).give(page.entries)


async def _forward(chat: Chat, session: Session, box: Mailbox, page: Page) -> None:
    """Who may come back after a cut has it in the own inbox, where it waits until it is acknowledged."""
    inbox = chat.inboxes.of(session.user)
    mail = [replace(entry.event, late=True) for entry in page.entries if isinstance(entry.event, Private)]
    stored = await DeferredList([chat.append_and_wait(inbox.log, event) for event in mail], consumeErrors=True)
    if not all(done for done, _ in stored):
        _log.warn("the mail for {name} could not be stored", name=box.name)
        await chat.guests.put_back(box, session.user_id)
    if not session.over:
        await chat.inboxes.open(session.user)


@handles(Create)
async def create(chat: Chat, session: Session, command: Create) -> None:
    """Make a room and join it."""
    room = await chat.directory.create(command.room, session)
    await _enter(chat, session, room, Join(room=room.name, messages=0, ref=command.ref), made=True, created=True)


@handles(Join)
async def join(chat: Chat, session: Session, command: Join) -> None:
    """Join a room, leaving the one before."""
    room, made = await chat.directory.find(command.room, session, create=command.create)
    await _enter(chat, session, room, command, made=made)


@handles(Leave)
async def leave(chat: Chat, session: Session, command: Leave) -> Event | None:
    """Leave the room."""
    return await _leave(session)


@handles(Quit)
def quit(chat: Chat, session: Session, command: Quit) -> None:
    """Say goodbye and close; the room sees that the connection has ended."""
    session.answer(Ok("Goodbye!"), command.ref)
    chat.connections.hang_up(session)


async def _leave(session: Session) -> Event | None:
    room = session.room
    if room is None:  # it has been put out while it was on its way
        return None
    event = Left(session.next_id(), session.host.now(), session.name, session.user_id, session=session.id)
    entry = await session.happen(room.log, event)
    session.host.announce(session)
    _log.info("{name} left room {room}", name=session.name, room=room.name)
    left: Event = placed(entry.event, entry.seq, room.name)
    return left


async def _enter(chat: Chat, session: Session, room: Room, command: Join, *, made: bool, created: bool = False) -> None:
    """Leave the room before, join this one, and tell the session what there is to see.

    Args:
        session: The session that joins.
        room: Where to.
        command: How much of the history it wants.
        made: The session's command has made the room.
        created: That was a ``create``.
    """
    try:
        if session.room is room:
            raise ALREADY_THERE(room=room.name)
        session.check_admitted(room, session.user)
        left = await _leave(session)
        if left is not None and not session.over:
            session.answer(left)
        if session.over:
            return
        session.check_admitted(room, session.user)  # again: what is decided from here on finds the joining in the log
        session.heading = room
        event = Joined(session.next_id(), chat.now(), session.name, session.user_id, session=session.id)
        await session.happen(room.log, event)
        if room.closed and session.arrival is None:
            raise NO_ROOM(room=room.name)
    finally:
        session.heading = None
        chat.directory.let_go(room)
    await _welcome(session, room, command, made, created)


async def _welcome(session: Session, room: Room, command: Join, made: bool, created: bool) -> None:
    """What it is told first, and what was said before; its room's news has been held back since it is in."""
    arrival = session.arrival
    if arrival is None:  # it went again before its own joining was applied
        return
    session.arrival = None
    session.host.announce(session)
    _log.info("{name} joined room {room}", name=session.name, room=room.name)
    first = b""
    try:
        page = await _missed(session, room, arrival.seq, command)
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
        )
        first = session.dialect.answer(entered, command.ref) + session.dialect.replay(room.name, page.entries)
    finally:
        session.out.uncork(first)


async def _missed(session: Session, room: Room, seq: int, command: Join) -> Page:
    """Read what the joiner asked for of the time before; a history that cannot be read keeps nobody out."""
    try:
        if command.after is not None:
            return bounded(await session.host.engine.read(room.log, after=command.after, before=seq, limit=CATCH_UP))
        wanted = command.messages
        if wanted is None:
            wanted = session.host.rules.replay if session.person else 0
        if wanted == 0:
            return Page([], True)
        page = await session.host.engine.read(room.log, before=seq, limit=min(wanted, HISTORY), messages=True)
        return Page(bounded(page).entries, True)
    except Unavailable as error:
        _log.warn("the history of {room} could not be read: {why}", room=room.name, why=str(error))
        return Page([], False)


async def _gone(session: Session, room: Room, command: Join) -> bool:
    """Return whether some of what was missed is not in the log any more, or the log cannot say."""
    try:
        # Of nothing at all only what the log has let go of can be missing.
        after = command.after or 0
        nothing = await session.host.engine.read(room.log, after=after, before=after + 1, limit=1)
    except Unavailable:
        return True
    return not nothing.complete


def bounded(page: Page, *, oldest: bool = False) -> Page:
    """Return the newest (or the oldest) of the entries that fit into one answer."""
    room = HISTORY_BYTES
    entries = page.entries if oldest else page.entries[::-1]
    for i, entry in enumerate(entries):
        room -= len(entry.body)
        if room < 0:
            return Page(entries[:i] if oldest else entries[:i][::-1], False)
    return page
