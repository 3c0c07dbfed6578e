"""``hello``: a program says which version it speaks, which guest it was before, and which name it wants."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import RECORD_BYTES, ROOM_CHARACTERS, TEXT_BYTES, USER_CHARACTERS
from chatroom.chat.people.guest_names import give_mail, take_back, take_name
from chatroom.chat.people.guest_resume import PartedGuest
from chatroom.chat.session import Session, User
from chatroom.model.commands import Hello
from chatroom.model.device import Device
from chatroom.model.errors import LOG_OUT_FIRST, SESSION_TAKEN_OVER, VERSION
from chatroom.model.events import PROTOCOL_VERSION, Event
from chatroom.model.logger import logger
from chatroom.model.names import is_guest_name
from chatroom.model.replies import FEATURES, Limits, Ok, Welcome
from chatroom.model.server_events import GuestResumed

_log = logger(__name__)


@handles(Hello)
async def hello(chat: Chat, session: Session, command: Hello) -> Event | None:
    """Answer a program with ``welcome``, and give it the name that it wants. Greet a person, who gives no version."""
    if not command.version:
        return Ok(f"Hello, {session.name}!")
    if command.version != PROTOCOL_VERSION:
        raise VERSION(version=PROTOCOL_VERSION)
    _note_device(session, command)
    await _end_elsewhere(chat, session, command.resume)
    former, rooms = resume(chat, session, command.resume)
    if not session.seated and not chat.seats.within_reach(session):
        return None  # the session has been told that the chat is full
    if command.name:
        await take_name(chat, session, command.name)
    elif former:
        await take_back(chat, session, former)
    session.answer(welcome(chat, session, rooms), command.ref)
    if command.name or former:
        await give_mail(chat, session)
    if session.user.resumable and command.resume:
        await chat.inboxes.open(session.user)
    return None


async def _end_elsewhere(chat: Chat, session: Session, secret: str) -> None:
    """End the connection that the guest with a secret has on another daemon, if any.

    Raises:
        Unavailable: The other daemons cannot be told.
    """
    if not chat.engine.node:
        return
    id = chat.returning.guest_of(secret)
    if id and id != session.guest_id and chat.engine.elsewhere(id):
        about = chat.next_id(), chat.now(), session.name, id
        await chat.tell_all_and_wait(GuestResumed(*about, node=chat.engine.node))


def _note_device(session: Session, command: Hello) -> None:
    """Remember the device and the tab that a program names; they count when it logs in.

    Raises:
        Refused: The session is logged in already, as a session of another device or tab.
    """
    if not command.device:
        return
    device = Device(command.device, command.tab)
    if session.user.account is not None and device != session.device:
        raise LOG_OUT_FIRST(user=session.user.account.name)
    session.device = device


def welcome(chat: Chat, session: Session, rooms: Sequence[str]) -> Welcome:
    """Return what the server tells a program about itself, and in which ``rooms`` the resumed session was."""
    rules = chat.rules
    limits = Limits(RECORD_BYTES, TEXT_BYTES, USER_CHARACTERS, ROOM_CHARACTERS, rules.rate, rules.max_file, rules.rooms)
    guest = session.user.account is None
    secret = chat.returning.promise(session)
    you = session.name, guest, limits
    ids = chat.server_id, session.user_id, chat.keys.nonces.of(session)
    return Welcome(rules.name, PROTOCOL_VERSION, *you, list(FEATURES), secret, rules.replay, list(rooms), *ids)


def resume(chat: Chat, session: Session, secret: str) -> tuple[str, tuple[str, ...]]:
    """Make the session a session of the guest that a secret belongs to; end the guest's old connection, if any.

    Args:
        chat: The chat.
        session: The session that gave the secret. Only a new session, which nobody has seen yet, can become that guest.
        secret: The secret of an earlier ``welcome``, or one that the program chose; a secret that is too short changes
            nothing.

    Returns:
        The name that the guest had chosen before and may take again, empty if the guest chose none or is unknown; and
        the rooms that the old connection was in.

    Raises:
        Refused: The name that the guest had is banned.
    """
    returning = chat.returning
    id = returning.guest_of(secret)
    ghost, parted = returning.ghost_of(id), returning.parted(id)
    if not id or ghost is session:
        return "", ()
    if session.place is not None and (ghost is not None or parted is not None or secret.startswith(f"{id}.")):
        session.place.recognise()
    if ghost is not None:
        _replace(chat, ghost, session)
        parted = returning.parted(id)
    if parted is not None and parted.handle is not None:
        chat.bans.check((name_key(parted.handle.folded),))
    if not _is_new(chat, session):
        return "", ()
    parted = parted or PartedGuest(None, (), None)
    _become(chat, session, id, parted)
    chosen = parted.handle
    return "" if chosen is None or is_guest_name(chosen) else chosen.shown, parted.rooms


def _replace(chat: Chat, ghost: Session, session: Session) -> None:
    """End the guest's old connection. If the new session has no seat, it gets the one that becomes free.

    If the old connection is another program's, which has the same secret because its files were copied, it is told so
    and does not come back by itself: otherwise the two would end each other for ever.
    """
    _log.info("{name} is back and ends its former connection", name=ghost.name)
    chat.counters.drops["resumed"] += 1
    if ghost.device.name and ghost.device != session.device:
        ghost.refuse(SESSION_TAKEN_OVER(user=ghost.name))
    chat.connections.hang_up(ghost)
    chat.seats.offer(session)
    chat.announce(session)


def _is_new(chat: Chat, session: Session) -> bool:
    """Return whether the session is a guest's that no other user has seen, so that nobody is told of a new user."""
    here = bool(session.told) or chat.returning.knows(session)
    return session.user.account is None and not here


def _become(chat: Chat, session: Session, id: str, parted: PartedGuest) -> None:
    """Make the session a session of a former guest, under the former name if the server made that up and it is free."""
    nobody, former = session.user, parted.handle
    mine = former is not None and is_guest_name(former) and not chat.names.others(None, former)
    guest = User(id, former if former is not None and mine else nobody.handle)
    guest.resumable = True
    guest.last_writer, guest.marks = parted.last_writer, parted.marks
    guest.sessions = (session,)
    session.was_also(session.guest_id, *parted.was)
    session.guest_id = id
    session.sit(guest)
    chat.connections.take_leave(session, nobody)
    chat.users[id] = guest
    chat.names.claim(guest, guest.handle)
    chat.announce(session)
    chat.returning.came_back(id, session)
