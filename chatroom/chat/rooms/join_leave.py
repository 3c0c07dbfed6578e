"""The commands that name a guest, join and leave rooms, and quit. Each ends before the session's next line is read."""

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
    """Give a guest a name, and the mail that waits for that name."""
    event = await take_name(chat, session, command.name)
    session.answer(event, command.ref)
    await give_mail(chat, session)


async def take_name(chat: Chat, session: Session, text: str) -> Event:
    """Give a guest a name, and show that to the room.

    Raises:
        Refused: The name is invalid, in use or banned; or the user has an account.
    """
    user = session.user
    if user.account is not None:
        raise LOG_OUT_FIRST(user=user.name)
    name = parse_chosen_name(text, chat.rules.name)
    room = session.room
    if room is not None and room.guarded:
        may_speak(session, room)  # a name is text that the room sees
    old, before = session.name, user.handle
    chat.names.claim(user, name)
    event = Renamed(session.next_id(), chat.now(), old, user.id, session=session.id, name=name.shown)
    try:
        await _check_free(chat, session, name)
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


async def _check_free(chat: Chat, session: Session, name: Name) -> None:
    """Check that a guest may have a name that it has claimed.

    Raises:
        Refused: The name is an account's, or is banned.
    """
    user = session.user
    if await chat.accounts.owns(name) or await chat.checkers.keep(name) or not chat.names.holds(user, name):
        raise NAME_IN_USE()
    chat.bans.check((name_key(name.folded),))
    session.check_name(name)


def _take_back(chat: Chat, session: Session, name: Name) -> None:
    """Show the room the guest's present name again: the new or the old one became an account's during the change."""
    user = session.user
    session.name = user.name
    room = session.room
    if room is not None:
        id, now = session.next_id(), chat.now()
        chat.owe(room.log, Renamed(id, now, name.shown, user.id, session=session.id, name=user.name))


async def take_back(chat: Chat, session: Session, text: str) -> None:
    """Give a guest the name from before, if it is free; otherwise the guest keeps the name that the server made up."""
    with suppress(Refused):
        await take_name(chat, session, text)


async def give_mail(chat: Chat, session: Session) -> None:
    """Give a guest who takes a name the mail that was written to that name, once.

    A program that has not acknowledged its earlier mail gets no more, so the mail stays where it is.
    """
    name = session.user.handle
    inbox = session.user.inbox  # not made here if there is none: it would outlive the connection
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
    """Move the mail to the inbox of a guest who can resume, where it waits until the program acknowledges it."""
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
    """Join a room, and leave the room that the session is in."""
    room, made = await chat.directory.find(command.room, session, create=command.create)
    await _enter(chat, session, room, command, made=made)


@handles(Leave)
async def leave(chat: Chat, session: Session, command: Leave) -> Event | None:
    """Leave the room."""
    return await _leave(session)


@handles(Quit)
def quit(chat: Chat, session: Session, command: Quit) -> None:
    """Say goodbye and close the connection; the room sees that it has ended."""
    session.answer(Ok("Goodbye!"), command.ref)
    chat.connections.hang_up(session)


async def _leave(session: Session) -> Event | None:
    """Leave the session's room; return the ``left`` event, or None if the session is in no room."""
    room = session.room
    if room is None:  # it was removed from the room meanwhile
        return None
    event = Left(session.next_id(), session.host.now(), session.name, session.user_id, session=session.id)
    entry = await session.happen(room.log, event)
    session.host.announce(session)
    _log.info("{name} left room {room}", name=session.name, room=room.name)
    left: Event = placed(entry.event, entry.seq, room.name)
    return left


async def _enter(chat: Chat, session: Session, room: Room, command: Join, *, made: bool, created: bool = False) -> None:
    """Leave the present room, join another one, and welcome the session there.

    Args:
        chat: The chat.
        session: The session that joins.
        room: The room to join, which is let go of at the end.
        command: Says how much of the history the session wants.
        made: Whether the command has made the room.
        created: Whether the command was ``create``.

    Raises:
        Refused: The session is in that room already, may not be there, or the room has ended.
        Unavailable: The ``joined`` event may not be stored.
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
        session.check_admitted(room, session.user)  # again: a later ban finds the `Joined` in the log
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
    """Send the welcome and the missed history. What the room has shown the session since it joined comes after them."""
    arrival = session.arrival
    if arrival is None:  # the connection ended before its `Joined` was applied
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
    """Read the history that the command asks for, from before the session joined; empty if it cannot be read."""
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
    """Return whether some entries that the session missed are no longer in the log, or whether that is unknown."""
    try:
        # This range is empty: the page is incomplete only if the log has removed entries that are newer.
        after = command.after or 0
        nothing = await session.host.engine.read(room.log, after=after, before=after + 1, limit=1)
    except Unavailable:
        return True
    return not nothing.complete


def bounded(page: Page, *, oldest: bool = False) -> Page:
    """Return as many entries as fit into one answer.

    Args:
        page: The entries, oldest first.
        oldest: Keep the oldest instead of the newest.
    """
    room = HISTORY_BYTES
    entries = page.entries if oldest else page.entries[::-1]
    for i, entry in enumerate(entries):
        room -= len(entry.body)
        if room < 0:
            return Page(entries[:i] if oldest else entries[:i][::-1], False)
    return page
