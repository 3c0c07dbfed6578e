"""The commands of moderators and owners about the room, its messages, and who moderates, owns or may join it.

Kicks, bans and mutes are in ``sanctions``.
"""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import MODERATORS, RECENT, TOPIC_CHARACTERS
from chatroom.chat.messaging import seen
from chatroom.chat.operators import commands
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.acts import act, event_by, happen, reason_of, user_named
from chatroom.chat.rooms.ownership import account_named, give
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.errors import (
    NO_MESSAGE,
    NO_SUCH_BAN,
    NOT_IN_ROOM,
    NOT_OWNER,
    NOT_YOURS,
    TOO_MANY_SANCTIONS,
)
from chatroom.model.events import (
    Closed,
    Deleted,
    Deopped,
    Event,
    Invited,
    Locked,
    LogEvent,
    Opped,
    Shared,
    Slowed,
    Topic,
    Unlocked,
)
from chatroom.model.log import Entry
from chatroom.model.names import fold
from chatroom.model.replies import Ok
from chatroom.model.text import clean
from chatroom.model.unread import is_living


@handles(c.SetTopic)
async def topic(chat: Chat, session: Session, command: c.SetTopic, room: Room) -> Event:
    """Show the topic, or set it."""
    if command.text is None:
        return Ok(f"Topic: {room.record.topic}" if room.record.topic else "There is no topic.")
    text = clean(command.text).strip()[:TOPIC_CHARACTERS]
    text = "" if text == "-" else seen(text)
    return await act(chat, session, room, lambda now: replace(now, topic=text), Topic, text=text)


@handles(c.Lock)
async def lock(chat: Chat, session: Session, command: c.Lock, room: Room) -> Event:
    """Lock the room: only invited users may join."""
    return await act(chat, session, room, lambda now: replace(now, locked=True), Locked)


@handles(c.Unlock)
async def unlock(chat: Chat, session: Session, command: c.Unlock, room: Room) -> Event:
    """Unlock the room: everybody may join."""
    return await act(chat, session, room, lambda now: replace(now, locked=False), Unlocked)


@handles(c.Slow)
async def slow(chat: Chat, session: Session, command: c.Slow, room: Room) -> Event:
    """Limit each member to one message in a number of seconds, or lift the limit."""
    seconds = command.seconds
    return await act(chat, session, room, lambda now: replace(now, slow=seconds), Slowed, seconds=seconds)


@handles(c.Close)
async def close(chat: Chat, session: Session, command: c.Close, room: Room | None) -> Event:
    """Close the room, or as an operator any room."""
    if command.room and room is None:
        return await commands.close(chat, session, command)
    if room is None:
        raise NOT_IN_ROOM()
    if not room.record.owned_by(session.user):
        raise NOT_OWNER(room=room.name)
    answer = await act(chat, session, room, lambda now: None, Closed, owner=True, reason=reason_of(command.reason))
    await chat.files.remove_of(room.log)
    return answer


@handles(c.Delete)
async def delete(chat: Chat, session: Session, command: c.Delete, room: Room) -> Event:
    """Blank a message: one of the user's own, or for moderators any message."""
    entry = await _message_meant(chat, session, room, command)
    if entry.event.by_id != session.user_id and not room.record.moderated_by(session.user):
        raise NOT_YOURS(room=room.name)
    file = entry.event.name if isinstance(entry.event, Shared) else ""
    if isinstance(entry.event, Shared):  # first, so that the user can try again if this fails
        await chat.files.remove(entry.event.file)
    if not await chat.engine.erase(room.log, entry.seq):
        raise NO_MESSAGE(room=room.name)
    event = event_by(session, Deleted, message=entry.seq, user=entry.event.by)
    await happen(chat, session, room, event, f"deleted a message of {entry.event.by}")
    return Ok(f"The file {file} has been deleted." if file else "")


async def _message_meant(chat: Chat, session: Session, room: Room, command: c.Delete) -> Entry:
    """Return the message that is to be deleted.

    This is the message with the command's seq. Without a seq, it is the last message of the user that the command
    names, or else of the session's user; or one before that, if the command counts back.

    Raises:
        Refused: There is no such message, or it has been deleted.
    """
    if command.seq is None:
        page = await chat.engine.read(room.log, limit=RECENT, messages=True)
    else:
        page = await chat.engine.read(room.log, after=command.seq - 1, before=command.seq + 1, limit=1, messages=True)
    wanted = fold(command.user)

    def meant(event: LogEvent) -> bool:
        if command.seq is None and (fold(event.by) != wanted if wanted else event.by_id != session.user_id):
            return False
        return is_living(event)

    found = [entry for entry in page.entries if meant(entry.event)]
    last = command.last if command.seq is None else 1
    if last > len(found):
        raise NO_MESSAGE(room=room.name)
    return found[-last]


@handles(c.Op)
async def op(chat: Chat, session: Session, command: c.Op, room: Room) -> Event:
    """Make a user a moderator of the room."""
    target = await user_named(chat, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        if len(now.moderators) >= MODERATORS:
            raise TOO_MANY_SANCTIONS(room=now.name, most=MODERATORS)
        mutes = tuple(mute for mute in now.mutes if mute.key not in target.keys)
        return replace(now, moderators={**now.moderators, target.user_id: target.name}, mutes=mutes)

    return await act(chat, session, room, change, Opped, target)


@handles(c.Deop)
async def deop(chat: Chat, session: Session, command: c.Deop, room: Room) -> Event:
    """Take a moderator's rights away. Only the owner may do so, except for the user's own rights."""
    wanted = fold(command.user)
    target = next(
        (Target(name, id) for id, name in room.record.moderators.items() if fold(name) == wanted), None
    ) or await user_named(chat, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        if target.user_id not in now.moderators:
            raise NO_SUCH_BAN(user=target.name, how=f"a moderator of {now.name}", see="/who")
        if target.user_id != session.user_id and not now.owned_by(session.user):
            raise NOT_OWNER(room=now.name)
        return replace(now, moderators={id: name for id, name in now.moderators.items() if id != target.user_id})

    if target.user_id == room.record.owner_id:
        targets.check(session, target, room)
    return await act(chat, session, room, change, Deopped, target)


@handles(c.Owner)
async def owner(chat: Chat, session: Session, command: c.Owner, room: Room) -> Event:
    """Make a user with an account the owner of the room."""
    user = session.user
    account = await account_named(chat.accounts, command.user)

    def allowed(now: RoomRecord) -> None:
        if not now.owned_by(user):
            raise NOT_OWNER(room=now.name)

    def write_down(now: RoomRecord) -> None:
        chat.members_audit.act(session, f"made {account.name} the owner", now.name)

    await give(chat, chat.room_changes, room.record, account, allowed, write_down, by=(session.name, session.user_id))
    return Ok()


@handles(c.Invite)
async def invite(chat: Chat, session: Session, command: c.Invite, room: Room) -> Event:
    """Invite a user, who may then join while the room is locked, and gets the invitation in the inbox."""
    target = await user_named(chat, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        invited = {**now.invited, target.user_id: target.name}
        return replace(now, invited=dict(list(invited.items())[-MODERATORS:]))

    shares, user = chat.shares, chat.users.get(target.user_id)
    if user is not None:
        await chat.inboxes.of(user).open()
    via = shares.via(session)
    release = await shares.claim(session.user_id, via, user, target.inbox_log, target.name)
    try:
        answer = await act(chat, session, room, change, Invited, target)
        about = {"user": target.name, "user_id": target.user_id, "room": room.name, "to": target.name}
        await session.happen(target.inbox_log, event_by(session, Invited, **about, via=via))
    finally:
        release()
    return answer
