"""The commands about encrypted rooms: to encrypt a room, to send a sealed message, and to list the members' ids."""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import CATCH_UP, LISTED, STALE_REFUSALS, STALE_REMEMBERED
from chatroom.chat.messaging import may_speak
from chatroom.chat.rooms.acts import act
from chatroom.chat.rooms.encrypted import keyless_in
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import Encrypt, MemberIds, SaySealed
from chatroom.model.errors import (
    ALREADY_ENCRYPTED,
    CANNOT_READ,
    ENCRYPTED_ROOM,
    NOT_ENCRYPTED,
    STALE_MEMBERS,
)
from chatroom.model.events import (
    Disconnected,
    Encrypted,
    Event,
    Joined,
    Left,
    MemberRemoved,
    Renamed,
    SealedMessage,
)
from chatroom.model.log import Unavailable
from chatroom.model.replies import MemberId, MemberIdPage, Ok

NAMED = 20  # members who cannot follow that are named; the others are counted


@handles(Encrypt)
async def encrypt(chat: Chat, session: Session, command: Encrypt, room: Room) -> Event:
    """Encrypt the room for ever; without ``yes``, say who would have to leave it.

    The members who cannot follow are removed when the room applies the event (``Directory.on_changed``).
    """
    if room.record.encrypted:
        raise ALREADY_ENCRYPTED(room=room.name)
    if not command.yes:
        keyless = keyless_in(chat, room)
        own = [await _place(chat, each) for each in keyless if each.user is session.user and each is not session]
        return Ok("\n".join(_consequences(session, room, keyless, own)))
    return await act(chat, session, room, _encrypted, Encrypted, owner=True)


def _encrypted(now: RoomRecord) -> RoomRecord:
    if now.encrypted:  # another owner's command, or an operator's, came first
        raise ALREADY_ENCRYPTED(room=now.name)
    return replace(now, encrypted=True)


async def _place(chat: Chat, session: Session) -> str:
    """Return where a session is: the name of its device if it has keys, or else its address."""
    record = await chat.keys.directory.device(session.user_id, session.keys_device) if session.keys_device else None
    return f'"{record.keys.label}"' if record is not None else f"the one from {session.address}, which has no keys"


def _consequences(session: Session, room: Room, keyless: list[Session], own: list[str]) -> list[str]:
    """Return the lines that say what it means to encrypt a room, and who would have to leave it.

    Args:
        session: The session of the owner.
        room: The room.
        keyless: The sessions in the room that cannot follow.
        own: Where the owner's other sessions among them are.
    """
    lines = [f"The room {room.name} would be encrypted for ever, and only chatroom-client can be in it then."]
    lines.append("What was said before stays readable on the server.")
    if not session.keyed:
        lines.append("You would be removed yourself: only chatroom-client on a linked device can follow.")
    if own:
        lines.append(f"Your other sessions that are not linked would be removed: {', '.join(own[:NAMED])}.")
    names = list(dict.fromkeys(each.name for each in keyless if each.user is not session.user))
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines.append(f"There are members who cannot follow, and would be removed: {', '.join(names[:NAMED])}{more}.")
    return [*lines, "To do it, type /encrypt yes."]


@handles(SaySealed)
def say_sealed(chat: Chat, session: Session, command: SaySealed, room: Room) -> None:
    """Send a message to an encrypted room. The answer to the author is the stored message itself, as of ``say``.

    Raises:
        Refused: The room is not encrypted, or the session may not be in it or not speak there; or the message was
            sealed for other members than the room has, or a member is about to leave.
    """
    if not room.record.encrypted:
        raise NOT_ENCRYPTED(room=room.name)
    if not session.keyed:
        raise ENCRYPTED_ROOM(room=room.name, next=CANNOT_READ)
    if chat.engine.is_ending(room.log) or _is_stale(session, room, command):
        raise STALE_MEMBERS(room=room.name)
    if room.guarded:
        may_speak(session, room)
    who = command.id, session.host.now(), session.name, session.user_id
    event = SealedMessage(*who, device=session.keys_device, sid=command.sid, ct=command.ct)
    session.say(room, event, command.ref, once=True)


def _is_stale(session: Session, room: Room, command: SaySealed) -> bool:
    """Return whether a message was sealed for other members than the room has.

    It is refused at first if anybody has come, too, so that it is sealed for that person. After so many refusals it is
    said without: people who come and go all the time must not keep a member silent.

    Args:
        session: The author's session.
        room: The room.
        command: The message. Of several that are under way, each counts by itself: they must keep their order.
    """
    stale, id = session.stale, command.id
    if command.members == room.members_rev or (
        stale.get(id, 0) >= STALE_REFUSALS and room.revisions.spares(command.members)
    ):
        stale.pop(id, None)
        return False
    stale[id] = stale.pop(id, 0) + 1
    if len(stale) > STALE_REMEMBERED:
        del stale[next(iter(stale))]
    return True


@handles(MemberIds)
async def member_ids(chat: Chat, session: Session, command: MemberIds, room: Room) -> Event:
    """List the members with their ids and the revisions of their device lists, a page at a time.

    Whoever is about to leave is waited for, because nothing that is sealed for such a member is taken any more.
    """
    await chat.engine.ended(room.log)
    rev, users = room.members_rev, room.users(command.after, LISTED)
    more = max(0, len(room.people) - command.after - len(users))
    async with chat.lists:
        revs = await chat.keys.directory.revs(id for id, _ in users)
    members = [MemberId(id, name, revs.get(id, 0)) for id, name in users]
    left = await _left_since(chat, room, command.since) if command.since else None
    return MemberIdPage(room=room.name, rev=rev, members=members, more=more, left=left)


async def _left_since(chat: Chat, room: Room, since: int) -> list[str] | None:
    """Return the ids of the users who have left a room after a seq, or were put out, and have not come again.

    A user whose connection was lost has not left. Returns None if too much has happened since, or if the log cannot be
    read.
    """
    try:
        page = await chat.engine.read(room.log, after=since, limit=CATCH_UP)
    except Unavailable:
        return None
    left: dict[str, None] = {}
    for event in (entry.event for entry in page.entries):
        if isinstance(event, Joined | Disconnected):
            left.pop(event.by_id, None)
        elif isinstance(event, Left) or (isinstance(event, Renamed) and event.user_id):
            left[event.by_id] = None
        elif isinstance(event, MemberRemoved):
            left[event.user_id] = None
    return [user for user in left if user not in room.people] if page.complete else None
