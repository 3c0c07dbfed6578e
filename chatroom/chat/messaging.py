"""Messages to a room and to one person. The author of a message, too, sees it only when it is stored in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import TEXT_BYTES
from chatroom.chat.people.guest_mail import Mailbox
from chatroom.chat.people.nicknames import no_user
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session, User
from chatroom.model.commands import Act, Reply, Say, Tell
from chatroom.model.durations import spell
from chatroom.model.errors import (
    MUTED,
    NOBODY_TO_REPLY,
    NOT_CONFIRMED,
    NOT_SAID,
    NOTHING_SAID,
    TOO_LONG,
    TOO_MANY_LINES,
    TOO_SOON,
    WRITER_GONE,
)
from chatroom.model.events import Acted, Private, Said
from chatroom.model.log import Entry, Unavailable
from chatroom.model.log_names import guest_log, inbox_log
from chatroom.model.names import BadName, user_name
from chatroom.model.replies import Away, Sent
from chatroom.model.text import MOST_LINES, clean, clean_lines, is_blank


@handles(Say)
def say(chat: Chat, session: Session, command: Say, room: Room) -> None:
    """Say something to the room. The answer to the author is the stored message itself, or ``ok`` with echo off."""
    speak(session, command, room, Said)


@handles(Act)
def act(chat: Chat, session: Session, command: Act, room: Room) -> None:
    """Tell the room what the user does, as in ``* alice waves``; answered as ``say`` is."""
    speak(session, command, room, Acted)


def speak(
    session: Session, command: Say | Act, room: Room, kind: type[Said] | type[Acted], *, ok: bool = False
) -> None:
    """Check the text and the right to speak, then append the message to the room's log.

    If it answers another message, the engine looks that up when it stores the message. ``ok`` is that of
    ``Session.say``.
    """
    own = command.id
    text = checked(command.text)
    if room.guarded:
        may_speak(session, room)
    event = kind(own or session.next_id(), session.host.now(), session.name, session.user_id, text=text)
    if command.quote:
        event = replace(event, quote=command.quote)
    session.say(room, event, command.ref, once=own is not None, ok=ok)


def may_speak(session: Session, room: Room) -> None:
    """Check that the session is not muted, and has waited long enough in a slow room. If so, note that it speaks now.

    Raises:
        Refused: The session may not speak now.
    """
    check_not_silenced(session, room)
    check_not_muted(session, room)
    record, now = room.record, session.host.now()
    if record.moderated_by(session.user):
        return
    known = (session.user_id, session.guest_id, name_key(session.user.handle.folded), *session.was)
    wait = max(room.spoke.get(key, 0) for key in known) + record.slow * 1000 - now
    if 0 < wait <= record.slow * 1000:
        raise TOO_SOON(room=room.name, seconds=record.slow, wait=spell(wait / 1000))
    if record.slow:
        room.note_speaking(known[0], now)
        room.note_speaking(known[2], now)


def check_not_silenced(session: Session, room: Room) -> None:
    """Check that no event on its way to the log, such as a mute, takes away the session's right to speak.

    Raises:
        Refused: There is such an event.
    """
    if session.id in room.silenced:
        raise NOT_SAID()


def check_not_muted(session: Session, room: Room) -> None:
    """Check that the session is not muted.

    Raises:
        Refused: The session is muted in the room.
    """
    now = session.host.now()
    mute = room.record.mute_of(session.user, session.keys, now)
    if mute is not None:
        raise MUTED(room=room.name, more=mute.more(now))


# ---- to one person -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """Where a private message goes.

    Args:
        name: The reader's name.
        id: The reader's id; empty if the message waits for the next guest of that name.
        log: The log of the reader's inbox, or of the mailbox of a guest's name.
        user: The reader, if online on this daemon.
        waits: If the reader is not online, what the message waits for: the owner of an ``account``, or the next
            ``guest`` with the name. (``return``, for a guest who may come back, is only used in the answer.)
        box: The mailbox of the guest's name, if the message goes there.
    """

    name: str
    id: str
    log: str
    user: User | None = None
    waits: Literal["", "account", "guest", "return"] = ""
    box: Mailbox | None = None

    @property
    def is_remote_guest(self) -> bool:
        """Whether the reader is a guest on another daemon."""
        return self.user is None and not self.waits and self.log == guest_log(self.id)


@handles(Tell)
async def tell(chat: Chat, session: Session, command: Tell) -> None:
    """Write to a user who is online or has an account, or to a guest who was here lately."""
    text = checked(command.text)
    await _deliver(chat, session, await address_of(chat, command.user), text, command)


@handles(Reply)
async def reply(chat: Chat, session: Session, command: Reply) -> None:
    """Write to the user who last wrote a private message to this one, or to the user whose id the command gives."""
    name, id = session.user.last_writer or ("", command.to)
    if not id:
        raise NOBODY_TO_REPLY()
    if command.to and command.to != id:
        name, id = "", command.to
    text = checked(command.text)
    user = chat.users.get(id)  # by the id, because somebody else may have the name by now
    if user is None and not name:
        raise WRITER_GONE()
    address = _at(user) if user is not None else await address_of(chat, name)
    if user is None and address.log != inbox_log(id):
        raise no_user(name)
    await _deliver(chat, session, address, text, command)


def _at(user: User) -> Address:
    return Address(user.name, user.id, user.inbox_log, user)


async def address_of(chat: Chat, name: str) -> Address:
    """Return where private messages for a name go.

    Raises:
        Refused: No user and no account has the name, and no guest had it lately.
    """
    user = chat.names.get(name)
    if user is not None:
        return _at(user)
    try:
        account = await chat.accounts.get(user_name(name))
    except BadName:
        raise no_user(name) from None
    user = chat.users.get(account.id) if account is not None else chat.names.get(name)
    if user is not None:  # the reader has come online meanwhile
        return _at(user)
    if account is not None:
        elsewhere = bool(chat.engine.elsewhere(account.id))
        return Address(account.name, account.id, inbox_log(account.id), waits="" if elsewhere else "account")
    guest = await chat.shared_names.find(name)
    if guest is not None:
        return Address(guest.name, guest.user_id, guest_log(guest.user_id))
    box = chat.guests.find(name)
    if box is None:
        raise no_user(name)
    return Address(box.name, "", box.log, waits="guest", box=box)


async def _deliver(chat: Chat, session: Session, address: Address, text: str, command: Tell | Reply) -> None:
    """Append a message to the reader's inbox and its copy to the writer's log; tell the writer when both are stored."""
    user, via = address.user, chat.shares.via(session)
    over = await chat.shares.claim(session.user_id, via, user, address.log, address.name)
    try:
        now = await _where_now(chat, session, address, via)
    except BaseException:
        over()
        raise
    if now is not address:
        over()
        await _deliver(chat, session, now, text, command)
        return
    own, writer = command.id, session.user
    id, to = own or session.next_id(), address.name
    event = Private(id, chat.now(), session.name, writer.id, to=to, to_id=address.id, text=text, via=via)

    def done(entry: Entry, error: Unavailable | None) -> None:
        over()
        if writer.sent is not None:
            writer.sent.settled(id, session)
        if error is not None:
            session.refuse(NOT_CONFIRMED(), command.ref)
        elif entry.repeated:
            session.repeat(entry, command.ref)
            return
        elif _has_left(chat, address):
            session.refuse(no_user(event.to), command.ref)
        else:
            _sent(chat, session, event, address, command.ref)
        session.settled()

    if writer.sent is not None:
        writer.sent.sending(id, session)
    copy = "" if address.log == writer.inbox_log else writer.sent_log  # who writes to oneself has the message already
    session.append(address.log, event, done, once=own is not None, copy=copy)


def _has_left(chat: Chat, address: Address) -> bool:
    """Return whether the reader is a guest who has left and cannot come back."""
    if address.user is not None:
        return not address.user.online and not address.user.lasting
    return address.is_remote_guest and not chat.engine.elsewhere(address.id)


async def _where_now(chat: Chat, session: Session, address: Address, via: str) -> Address:
    """Return the address where messages for the reader go now. It is ``address`` itself if nothing has changed.

    Raises:
        Refused: The reader has left for good.
    """
    user = address.user
    if user is not None:
        await chat.inboxes.of(user).open()
        if not user.online and user.account is None:
            again = chat.users.get(user.id)
            if again is None:
                raise no_user(user.name)
            return _at(again)  # the connection was lost, and the guest is back
    if address.box is not None and not await _keep_box(chat, session, address, via):
        return await address_of(chat, address.name)  # the name has another mailbox, or a user, by now
    return address


async def _keep_box(chat: Chat, session: Session, address: Address, via: str) -> bool:
    """Store that mail will wait in the address's mailbox; return False if the name has no or another mailbox by now."""
    guests, box = chat.guests, address.box
    if box is None or guests.find(address.name) is not box:
        return False
    return await guests.mailed(box, session.name, session.user_id, via) and guests.find(address.name) is box


def _sent(chat: Chat, session: Session, event: Private, address: Address, ref: int | str | None) -> None:
    """Tell the writer that the message is stored, what it waits for if the reader is offline, or that they are away."""
    user = address.user
    waits = address.waits
    if user is not None and user.id not in chat.users:
        waits = "account" if user.account is not None else "return"
    session.answer(Sent(event.id, event.to, event.text, waits), ref)
    if user is not None and user.online:
        away = user.away
    else:
        away = next((there.away for there in chat.engine.elsewhere(event.to_id) if there.away), "")
    if away:
        session.answer(Away(event.to, away))


def checked(text: str, cleaned: Callable[[str], str] = clean_lines) -> str:
    """Return a message's text without the characters that must not be shown.

    Args:
        text: The text, as it was given.
        cleaned: ``clean_lines``; or ``clean``, if the text must be one line.

    Raises:
        Refused: The text is too long or has too many lines, or nothing of it is visible.
    """
    if len(text) > TEXT_BYTES // 4 and len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise TOO_LONG(limit=TEXT_BYTES)
    text = cleaned(text) if "\n" in text else clean(text)
    if is_blank(text):
        raise NOTHING_SAID()
    if "\n" in text and text.count("\n") >= MOST_LINES:
        raise TOO_MANY_LINES(limit=MOST_LINES)
    return text


def seen(text: str) -> str:
    """Check a text that may be empty, but may not consist of invisible characters only; return it unchanged.

    Raises:
        Refused: Nothing of the text is visible.
    """
    if text and is_blank(text):
        raise NOTHING_SAID()
    return text
