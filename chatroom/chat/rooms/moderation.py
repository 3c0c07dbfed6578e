"""Keeping order in a room. Each act is decided against the room's record as it is at that moment, seen by the room as
an event, and written down in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction, lasting, listed
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import MODERATORS, REASON_CHARACTERS, RECENT, SANCTION_BYTES, SANCTIONS, TOPIC_CHARACTERS
from chatroom.chat.messaging import seen
from chatroom.chat.operators import commands
from chatroom.chat.people.nicknames import no_user
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.ownership import account_named, give
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.durations import spell
from chatroom.model.errors import (
    NO_MESSAGE,
    NO_SUCH_BAN,
    NOT_IN_ROOM,
    NOT_MODERATOR,
    NOT_OPERATOR,
    NOT_OWNER,
    NOT_YOURS,
    SANCTIONS_FULL,
    TOO_MANY_SANCTIONS,
)
from chatroom.model.events import (
    MESSAGES,
    Banned,
    Closed,
    Deleted,
    Deopped,
    Event,
    Invited,
    Kicked,
    Locked,
    LogEvent,
    MemberRemoved,
    Muted,
    Opped,
    RoomEvent,
    Shared,
    Slowed,
    Topic,
    Unbanned,
    Unlocked,
    Unmuted,
)
from chatroom.model.log import Unavailable
from chatroom.model.names import fold
from chatroom.model.replies import Ok
from chatroom.model.text import clean, is_blank

Change = Callable[[RoomRecord], RoomRecord | None]


# ---- the room ----------------------------------------------------------------------------------------------------


@handles(c.SetTopic)
async def topic(chat: Chat, session: Session, command: c.SetTopic) -> Event:
    """Show the topic, or set it."""
    room = _room(session)
    if command.text is None:
        return Ok(f"Topic: {room.record.topic}" if room.record.topic else "There is no topic.")
    text = clean(command.text).strip()[:TOPIC_CHARACTERS]
    text = "" if text == "-" else seen(text)
    return await _act(chat, session, lambda now: replace(now, topic=text), Topic, text=text)


@handles(c.Lock)
async def lock(chat: Chat, session: Session, command: c.Lock) -> Event:
    """Let in only the invited."""
    return await _act(chat, session, lambda now: replace(now, locked=True), Locked)


@handles(c.Unlock)
async def unlock(chat: Chat, session: Session, command: c.Unlock) -> Event:
    """Let everybody in."""
    return await _act(chat, session, lambda now: replace(now, locked=False), Unlocked)


@handles(c.Slow)
async def slow(chat: Chat, session: Session, command: c.Slow) -> Event:
    """One message per member in so many seconds."""
    seconds = command.seconds
    return await _act(chat, session, lambda now: replace(now, slow=seconds), Slowed, seconds=seconds)


@handles(c.Close)
async def close(chat: Chat, session: Session, command: c.Close) -> Event:
    """End the room."""
    if command.room:
        return await commands.close(chat, session, command)
    room = _room(session)
    if not room.record.owned_by(session.user):
        raise (NOT_OWNER if room.record.moderated_by(session.user) else NOT_MODERATOR)(room=room.name)
    answer = await _act(chat, session, lambda now: None, Closed, owner=True, reason=reason_of(command.reason))
    await chat.files.remove_of(room.log)
    return answer


@handles(c.Delete)
async def delete(chat: Chat, session: Session, command: c.Delete) -> Event:
    """Blank a message: one's own, or as a moderator anybody's."""
    room = _room(session)
    engine = chat.engine
    if command.seq is None:
        page = await engine.read(room.log, limit=RECENT, messages=True)
    else:
        page = await engine.read(room.log, after=command.seq - 1, before=command.seq + 1, limit=1, messages=True)
    wanted = fold(command.user)

    def meant(event: LogEvent) -> bool:
        if command.seq is None and (fold(event.by) != wanted if wanted else event.by_id != session.user_id):
            return False
        return isinstance(event, MESSAGES) and bool(event.text)

    found = [entry for entry in page.entries if meant(entry.event)]
    if not found:
        raise NO_MESSAGE(room=room.name)
    entry = found[-1]
    if entry.event.by_id != session.user_id and not room.record.moderated_by(session.user):
        raise NOT_YOURS(room=room.name)
    file = entry.event.name if isinstance(entry.event, Shared) else ""
    if isinstance(entry.event, Shared):  # first: what is blank cannot be deleted again, should this fail
        await chat.files.remove(entry.event.file)
    if not await engine.erase(room.log, entry.seq):
        raise NO_MESSAGE(room=room.name)
    event = _event(session, Deleted, message=entry.seq, user=entry.event.by)
    await _happen(chat, session, room, event, f"deleted a message of {entry.event.by}")
    return Ok(f"The file {file} has been deleted." if file else "")


# ---- its members -------------------------------------------------------------------------------------------------


@handles(c.Kick)
async def kick(chat: Chat, session: Session, command: c.Kick) -> Event:
    """Put somebody out."""
    if _everywhere(session, command.everywhere):
        return await commands.kick(chat, session, command)
    target = targets.member(_moderated(session), command.user)
    targets.check(session, target)
    return await _act(chat, session, _unchanged, Kicked, target, reason=reason_of(command.reason))


@handles(c.Ban)
async def ban(chat: Chat, session: Session, command: c.Ban) -> Event:
    """Put somebody out, and keep out."""
    if _everywhere(session, command.everywhere):
        return await commands.ban(chat, session, command)
    room = _moderated(session)
    if not command.user:
        return _listed(session, room.record.bans, "banned")
    target = await targets.anybody(chat, room, command.user)
    targets.check(session, target)
    made = sanctions(session, target, command.seconds, command.reason)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, bans=_with(now.bans, made, session, now))

    until, why = made[0].until, made[0].reason
    answer = await _act(chat, session, change, Banned, target, until=until, reason=why)
    for user_id, name in targets.at(room, target.keys):
        if user_id != target.user_id and user_id != session.user_id:
            with room.silence({user_id}):
                await session.happen(room.log, _event(session, Kicked, user=name, user_id=user_id, reason=why))
    return answer


@handles(c.Unban)
async def unban(chat: Chat, session: Session, command: c.Unban) -> Event:
    """Let somebody in again."""
    if _everywhere(session, command.everywhere):
        return await commands.unban(chat, session, command)
    _moderated(session)
    target = await targets.anybody(chat, _room(session), command.user)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, bans=_without(now.bans, target, f"banned from {now.name}", "/ban"))

    return await _act(chat, session, change, Unbanned, target)


@handles(c.Mute)
async def mute(chat: Chat, session: Session, command: c.Mute) -> Event:
    """Let somebody say nothing."""
    room = _moderated(session)
    if not command.user:
        return _listed(session, room.record.mutes, "muted")
    target = await targets.anybody(chat, room, command.user)
    targets.check(session, target)
    made = sanctions(session, target, command.seconds, command.reason)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, mutes=_with(now.mutes, made, session, now))

    return await _act(chat, session, change, Muted, target, until=made[0].until, reason=made[0].reason)


@handles(c.Unmute)
async def unmute(chat: Chat, session: Session, command: c.Unmute) -> Event:
    """Let somebody speak again."""
    target = await targets.anybody(chat, _room(session), command.user)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, mutes=_without(now.mutes, target, f"muted in {now.name}", "/mute"))

    return await _act(chat, session, change, Unmuted, target)


@handles(c.Op)
async def op(chat: Chat, session: Session, command: c.Op) -> Event:
    """Make somebody a moderator."""
    target = await _somebody(chat, session, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        if len(now.moderators) >= MODERATORS:
            raise TOO_MANY_SANCTIONS(room=now.name, most=MODERATORS)
        return replace(now, moderators={**now.moderators, target.user_id: target.name})

    return await _act(chat, session, change, Opped, target)


@handles(c.Deop)
async def deop(chat: Chat, session: Session, command: c.Deop) -> Event:
    """Make somebody a moderator no more: the owner's to do, or one's own to give up."""
    room = _room(session)
    wanted = fold(command.user)
    target = next(
        (Target(name, id) for id, name in room.record.moderators.items() if fold(name) == wanted), None
    ) or await _somebody(chat, session, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        if target.user_id not in now.moderators:
            raise NO_SUCH_BAN(user=target.name, how=f"a moderator of {now.name}", see="/who")
        if target.user_id != session.user_id and not now.owned_by(session.user):
            raise NOT_OWNER(room=now.name)
        return replace(now, moderators={id: name for id, name in now.moderators.items() if id != target.user_id})

    if target.user_id == room.record.owner_id:
        targets.check(session, target)
    return await _act(chat, session, change, Deopped, target)


@handles(c.Owner)
async def owner(chat: Chat, session: Session, command: c.Owner) -> Event:
    """Give the room to somebody with an account."""
    user, room = session.user, _room(session)
    account = await account_named(chat.accounts, command.user)

    def allowed(now: RoomRecord) -> None:
        if not now.owned_by(user):
            raise (NOT_OWNER if now.moderated_by(user) else NOT_MODERATOR)(room=now.name)

    def write_down(now: RoomRecord) -> None:
        chat.members_audit.act(session, f"made {account.name} the owner", now.name)

    await give(chat, chat.room_changes, room.record, account, allowed, write_down, by=(session.name, session.user_id))
    return Ok()


@handles(c.Invite)
async def invite(chat: Chat, session: Session, command: c.Invite) -> Event:
    """Let somebody in while the room is locked; that somebody is told."""
    room = _room(session)
    target = await _somebody(chat, session, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        invited = {**now.invited, target.user_id: target.name}
        return replace(now, invited=dict(list(invited.items())[-MODERATORS:]))

    shares, user = chat.shares, chat.users.get(target.user_id)
    if user is not None:
        await chat.inboxes.of(user).open()
    via = shares.via(session)
    release = await shares.claim(session.user_id, via, user, target.inbox_log, target.name)
    try:
        answer = await _act(chat, session, change, Invited, target)
        about = {"user": target.name, "user_id": target.user_id, "room": room.name, "to": target.name}
        await session.happen(target.inbox_log, _event(session, Invited, **about, via=via))
    finally:
        release()
    return answer


# ---- how an act is done ------------------------------------------------------------------------------------------


async def _act(
    chat: Chat,
    session: Session,
    change: Change,
    kind: type[RoomEvent],
    target: Target | None = None,
    owner: bool = False,
    **more: object,
) -> Event:
    """Change the record if whoever asks may still do so, let the room see it, write it down.

    Raises:
        Refused: Somebody else was first, and it may not be done any more.
    """
    room, user = _room(session), session.user

    def checked(now: RoomRecord) -> RoomRecord | None:
        if not (now.owned_by(user) if owner else now.moderated_by(user)):
            raise NOT_MODERATOR(room=now.name)
        return change(now)

    await chat.room_changes.amend(room.record, checked)
    about = {}
    if target is not None:
        name, user_id = target.now
        about = {"user": name, "user_id": user_id}
    event = _event(session, kind, **about, **more)
    with room.silence(_silenced(room, event)):
        await _happen(chat, session, room, event, _described(event, target))
    return Ok()


def _silenced(room: Room, event: RoomEvent) -> set[str]:
    """Return the ids of the users who may say nothing any more once an event has happened."""
    if isinstance(event, Closed):
        return {member.user_id for member in room.members.values()}
    return {event.user_id} if isinstance(event, MemberRemoved) else set()


async def _happen(chat: Chat, session: Session, room: Room, event: Any, what: str) -> None:
    """Write down what is done, and let the room see it; in this order, so that nothing seen is missing there."""
    acts = chat.members_audit
    acts.act(session, what, room.name)
    try:
        await chat.append_surely(room.log, event)  # the record says so already
    except Unavailable:
        acts.act(session, f"was not told whether this was stored: {what}", room.name)
        raise


def _described(event: Any, target: Target | None) -> str:
    """Return an act for the audit log: ``banned 192.0.2.7 for 10 minutes: spam``."""
    words = [type(event).__name__.lower()]
    if target is not None:
        words.append(target.typed or target.name)
    until = getattr(event, "until", 0)
    if until:
        words.append(f"for {spell((until - event.at) / 1000)}")
    if isinstance(event, Slowed):
        words.append(f"to one message every {spell(event.seconds)}" if event.seconds else "no more")
    said = getattr(event, "reason", "") or getattr(event, "text", "")
    return " ".join(words) + (f": {said}" if said else "")


def _event(session: Session, kind: type[RoomEvent], **more: object) -> Any:
    return kind(session.next_id(), session.host.now(), session.name, session.user_id, **more)  # type: ignore[arg-type]


def _unchanged(now: RoomRecord) -> RoomRecord:
    return now


def _room(session: Session) -> Room:
    if session.room is None:
        raise NOT_IN_ROOM()
    return session.room


def _moderated(session: Session) -> Room:
    room = _room(session)
    if not room.record.moderated_by(session.user):
        raise NOT_MODERATOR(room=room.name)
    return room


def _everywhere(session: Session, wanted: bool) -> bool:
    """Whether it is for the whole server: an operator's who says so, or who is in no room."""
    if wanted and not session.user.operator:
        raise NOT_OPERATOR()
    return wanted or (session.room is None and session.user.operator)


async def _somebody(chat: Chat, session: Session, name: str) -> Target:
    """Return somebody who is online, or has an account: rights are nobody else's."""
    target = await targets.anybody(chat, _room(session), name)
    if not target.user_id:
        raise no_user(name)
    return target


def reason_of(text: str) -> str:
    """Return a reason as it may be shown; one that nobody can see is none."""
    text = clean(text).strip()[:REASON_CHARACTERS]
    return "" if is_blank(text) else text


def sanctions(session: Session, target: Target, seconds: int, reason: str) -> tuple[Sanction, ...]:
    """Return what keeps somebody out, or silent: one for each thing that somebody is known by."""
    now = session.host.now()
    until = now + seconds * 1000 if seconds else 0
    return tuple(
        Sanction(key, target.typed or target.name, session.name, now, until, reason_of(reason)) for key in target.keys
    )


def _with(
    held: tuple[Sanction, ...], made: tuple[Sanction, ...], session: Session, record: RoomRecord
) -> tuple[Sanction, ...]:
    keys = {one.key for one in made}
    kept = tuple(one for one in lasting(held, session.host.now()) if one.key not in keys)
    if len(kept) + len(made) > SANCTIONS:
        raise TOO_MANY_SANCTIONS(room=record.name, most=SANCTIONS)
    others = lasting(record.bans if held is record.mutes else record.mutes, session.host.now())
    if sum(one.size for one in (*kept, *others, *made)) > SANCTION_BYTES:
        raise SANCTIONS_FULL(room=record.name)
    return kept + made


def _without(held: tuple[Sanction, ...], target: Target, how: str, see: str) -> tuple[Sanction, ...]:
    """Return what is held but for the target's.

    Raises:
        Refused: Nothing of it is; ``how`` is what the target is not, ``see`` lists who is.
    """
    shown = fold(target.typed or target.name)
    kept = tuple(one for one in held if fold(one.shown) != shown and one.key not in target.keys)
    if len(kept) == len(held):
        raise NO_SUCH_BAN(user=target.name, how=how, see=see)
    return kept


def _listed(session: Session, held: tuple[Sanction, ...], how: str) -> Event:
    now = session.host.now()
    return Ok(listed(f"{how.capitalize()} here:", held, now) or f"Nobody is {how} here.")
