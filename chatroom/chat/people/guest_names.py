"""How a guest takes a name: checking that the name is free, and giving the guest the mail that waits for it."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace
from twisted.internet.defer import DeferredList

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import INBOX_MESSAGES
from chatroom.chat.messaging import may_speak
from chatroom.chat.people.guest_mail import Mailbox
from chatroom.chat.people.nicknames import parse_chosen_name
from chatroom.chat.rooms.admission import check_name
from chatroom.chat.session import Session
from chatroom.chat.state import ids_in
from chatroom.model.commands import SetName
from chatroom.model.errors import LOG_OUT_FIRST, NAME_IN_USE, Refused
from chatroom.model.events import Event, Private, Renamed, placed
from chatroom.model.log import Entry, Page, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import Name

_log = logger(__name__)


@handles(SetName)
async def set_name(chat: Chat, session: Session, command: SetName) -> None:
    """Give a guest a name, and the mail that waits for that name."""
    event = await take_name(chat, session, command.name)
    session.answer(event, command.ref)
    await give_mail(chat, session)


async def take_name(chat: Chat, session: Session, text: str) -> Event:
    """Give a guest a name, and show the change to the guest's rooms. Return the ``renamed`` event.

    Raises:
        Refused: The name is invalid, in use or banned; or the user is logged in, or may not speak in a room now.
        Unavailable: The change may not be stored.
    """
    user = session.user
    if user.account is not None:
        raise LOG_OUT_FIRST(user=user.name)
    name = parse_chosen_name(text, chat.rules.name)
    for room in session.rooms:
        if room.guarded:
            may_speak(session, room)  # a name is text that the room sees
    old, before = session.name, user.handle
    chat.names.claim(user, name)
    event = Renamed(session.next_id(), chat.now(), old, user.id, session=session.id, name=name.shown)
    try:
        await _check_free(chat, session, name)
        if session.rooms and name.shown != old:
            session.renaming = True
            event = await _tell_rooms(chat, session, event)
        if not chat.names.holds(user, name) or user.handle is not before:
            _take_back(chat, session, name)
            raise NAME_IN_USE()
        if not session.over:
            chat.connections.rename(session, name)
            if chat.engine.node:  # messages may come from other daemons at any time
                await chat.inboxes.of(user).open()
            chat.guests.seen(name, user.id, chat.shares.via(session))
    finally:
        if user.handle is not name:
            chat.names.release(user, name)
            chat.shared_names.release(user.id, name)
        if session.renaming:
            session.renaming = False
            if session.over:
                chat.connections.depart(session)
    return event


async def _tell_rooms(chat: Chat, session: Session, event: Renamed) -> Renamed:
    """Append a change of name to the logs of all rooms of the session; return the event as the last room shows it.

    Raises:
        Unavailable: The change may not be stored in one of the rooms. Those that have stored it are told of the name
            before again.
    """
    rooms = session.rooms
    storing = [session.happen(room.log, replace(event, id=id)) for room, id in ids_in(rooms, session)]
    stored = await DeferredList(storing, consumeErrors=True)
    if not all(done for done, _ in stored):
        before = replace(event, by=event.name, name=event.by)
        for (done, _), (room, id) in zip(stored, ids_in(rooms, session), strict=True):
            if done:
                chat.owe(room.log, replace(before, id=id))
        raise Unavailable("a room was not told of the new name")
    entry: Entry = stored[-1][1]
    shown: Renamed = placed(entry.event, entry.seq, rooms[-1].name)
    return shown


async def _check_free(chat: Chat, session: Session, name: Name) -> None:
    """Check that the session's guest, who has claimed a name, may have it.

    Raises:
        Refused: The name, or one that looks like it, is an account's or known to a checker; or the name is banned.
    """
    user = session.user
    await chat.shared_names.claim(user.id, name)
    if await chat.accounts.owns(name) or await chat.checkers.keep(name) or not chat.names.holds(user, name):
        raise NAME_IN_USE()
    chat.bans.check((name_key(name.folded),))
    check_name(session, name)


def _take_back(chat: Chat, session: Session, name: Name) -> None:
    """Show the rooms the guest's present name again: an account got the new or the old name during the change."""
    user = session.user
    session.name = user.name
    about = chat.now(), name.shown, user.id
    for room, id in ids_in(session.rooms, session):
        chat.owe(room.log, Renamed(id, *about, session=session.id, name=user.name))


async def take_back(chat: Chat, session: Session, text: str) -> None:
    """Give a guest who has come back the earlier name if it is free. Otherwise the guest keeps the present name."""
    with suppress(Refused):
        await take_name(chat, session, text)


async def give_mail(chat: Chat, session: Session) -> None:
    """Give a guest the mail that waits for the guest's name. The next guest with the name does not get it again.

    If a program has a full inbox, because it has not acknowledged earlier mail, the mail goes on waiting for the name.
    """
    name = session.user.handle
    inbox = session.user.inbox  # not ``inboxes.of``, which would make an inbox that outlives the connection
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
    told = {"late": True, "to_id": session.user_id}
    mail = [replace(entry.event, **told) for entry in page.entries if isinstance(entry.event, Private)]
    stored = await DeferredList([chat.append_and_wait(inbox.log, event) for event in mail], consumeErrors=True)
    if not all(done for done, _ in stored):
        _log.warn("the mail for {name} could not be stored", name=box.name)
        await chat.guests.put_back(box, session.user_id)
    if not session.over:
        await chat.inboxes.open(session.user)
