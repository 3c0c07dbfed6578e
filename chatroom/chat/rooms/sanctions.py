"""The commands that keep users out of a room or silent: kick, ban and mute."""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction, lasting, listed
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import SANCTION_BYTES, SANCTIONS
from chatroom.chat.operators import commands
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.acts import act, event_by, moderated, reason_of
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.errors import NO_SUCH_BAN, NOT_OPERATOR, NOT_TO_YOURSELF, SANCTIONS_FULL, TOO_MANY_SANCTIONS
from chatroom.model.events import Banned, Event, Kicked, Muted, Unbanned, Unmuted
from chatroom.model.names import fold
from chatroom.model.replies import Ok


@handles(c.Kick)
async def kick(chat: Chat, session: Session, command: c.Kick, room: Room | None) -> Event:
    """Remove a member from the room, or as an operator from the server."""
    if _everywhere(session, command.everywhere, room):
        return await commands.kick(chat, session, command)
    room = moderated(session, room)
    target = targets.member(room, command.user)
    targets.check(session, target, room)
    return await act(chat, session, room, _unchanged, Kicked, target, reason=reason_of(command.reason))


@handles(c.Ban)
async def ban(chat: Chat, session: Session, command: c.Ban, room: Room | None) -> Event:
    """Ban a user, name or address from the room, or as an operator from the server; without a target, list the bans."""
    if _everywhere(session, command.everywhere, room):
        return await commands.ban(chat, session, command)
    room = moderated(session, room)
    if not command.user:
        return _listed(session, room.record.bans, "banned")
    target = await targets.anybody(chat, command.user)
    targets.check(session, target, room)
    made = sanctions(session, target, command.seconds, command.reason)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, bans=_with(now.bans, made, session, now))

    until, why = made[0].until, made[0].reason
    answer = await act(chat, session, room, change, Banned, target, until=until, reason=why)
    # Kick the other members that the ban applies to as well, such as other users at the banned address. Of several
    # daemons, each does so with its own members (``put_out_banned``).
    for user_id, name in targets.at(room, target.keys) if not chat.engine.node else ():
        if user_id != target.user_id and user_id != session.user_id:
            with room.silence({user_id}):
                await session.happen(room.log, event_by(session, Kicked, user=name, user_id=user_id, reason=why))
    return answer


@handles(c.Unban)
async def unban(chat: Chat, session: Session, command: c.Unban, room: Room | None) -> Event:
    """Lift a ban from the room, or as an operator from the server."""
    if _everywhere(session, command.everywhere, room):
        return await commands.unban(chat, session, command)
    room = moderated(session, room)
    target = await targets.anybody(chat, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, bans=_without(now.bans, target, f"banned from {now.name}", "/ban"))

    return await act(chat, session, room, change, Unbanned, target)


@handles(c.Mute)
async def mute(chat: Chat, session: Session, command: c.Mute, room: Room) -> Event:
    """Mute a user, name or address in the room; without a target, list the mutes."""
    if not command.user:
        return _listed(session, room.record.mutes, "muted")
    target = await targets.anybody(chat, command.user)
    targets.check(session, target, room)
    made = sanctions(session, target, command.seconds, command.reason)

    def change(now: RoomRecord) -> RoomRecord:
        return replace(now, mutes=_with(now.mutes, made, session, now))

    return await act(chat, session, room, change, Muted, target, until=made[0].until, reason=made[0].reason)


@handles(c.Unmute)
async def unmute(chat: Chat, session: Session, command: c.Unmute, room: Room) -> Event:
    """Lift a mute. Moderators cannot lift mutes against themselves; operators can."""
    target = await targets.anybody(chat, command.user)

    def change(now: RoomRecord) -> RoomRecord:
        mutes = _without(now.mutes, target, f"muted in {now.name}", "/mute")
        if target.user_id == session.user_id and not session.user.operator:
            raise NOT_TO_YOURSELF()
        return replace(now, mutes=mutes)

    return await act(chat, session, room, change, Unmuted, target)


def _unchanged(now: RoomRecord) -> RoomRecord:
    """Return the record as it is, because a kick changes nothing in it."""
    return now


def _everywhere(session: Session, wanted: bool, room: Room | None) -> bool:
    """Return whether a command is for the whole server: an operator asked for that, or an operator is in no room.

    Args:
        session: The session that gives the command.
        wanted: Whether the command asks to be for the whole server.
        room: The room that the command is about; None if the session is in no room.

    Raises:
        Refused: The command asks for that, and the user is no operator.
    """
    if wanted and not session.user.operator:
        raise NOT_OPERATOR()
    return wanted or (room is None and session.user.operator)


def sanctions(session: Session, target: Target, seconds: int, reason: str) -> tuple[Sanction, ...]:
    """Return bans or mutes of a target, one for each of its keys.

    Args:
        session: The session of the moderator.
        target: The user, name or address.
        seconds: How long the bans or mutes last; 0 for good.
        reason: The reason, which is shown.
    """
    now = session.host.now()
    until = now + seconds * 1000 if seconds else 0
    return tuple(
        Sanction(key, target.typed or target.name, session.name, now, until, reason_of(reason)) for key in target.keys
    )


def _with(
    held: tuple[Sanction, ...], made: tuple[Sanction, ...], session: Session, record: RoomRecord
) -> tuple[Sanction, ...]:
    """Return the bans or mutes of a room with new ones added, without those that have expired or are replaced.

    Args:
        held: The bans, or the mutes, of the record.
        made: The new bans or mutes.
        session: The session of the moderator, which gives the time.
        record: The room's record.

    Raises:
        Refused: The room would have too many, or its bans and mutes would take too many bytes.
    """
    keys = {one.key for one in made}
    kept = tuple(one for one in lasting(held, session.host.now()) if one.key not in keys)
    if len(kept) + len(made) > SANCTIONS:
        raise TOO_MANY_SANCTIONS(room=record.name, most=SANCTIONS)
    others = lasting(record.bans if held is record.mutes else record.mutes, session.host.now())
    if sum(one.size for one in (*kept, *others, *made)) > SANCTION_BYTES:
        raise SANCTIONS_FULL(room=record.name)
    return kept + made


def _without(held: tuple[Sanction, ...], target: Target, how: str, see: str) -> tuple[Sanction, ...]:
    """Return the bans or mutes without those of the target.

    Args:
        held: The bans, or the mutes, of the record.
        target: The user, name or address.
        how: What the target is, for the refusal: ``banned from lobby``.
        see: The command that lists all bans or mutes, for the refusal.

    Raises:
        Refused: No ban or mute is for the target.
    """
    shown = fold(target.typed or target.name)
    kept = tuple(one for one in held if fold(one.shown) != shown and one.key not in target.keys)
    if len(kept) == len(held):
        raise NO_SUCH_BAN(user=target.name, how=how, see=see)
    return kept


def _listed(session: Session, held: tuple[Sanction, ...], how: str) -> Event:
    """Return a reply that lists the bans or mutes of a room; ``how`` is ``banned`` or ``muted``."""
    now = session.host.now()
    return Ok(listed(f"{how.capitalize()} here:", held, now) or f"Nobody is {how} here.")
