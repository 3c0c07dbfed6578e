"""Who owns a room: a room is given to an account, by its owner or an operator, or by the server when its owner has left
for good.

A guest who has been away for ten minutes has left for good, and so has an account that was removed. The room then goes
to a member who has an account: a moderator first, else the member who has been there longest. The former owner goes on
as a moderator, for a program may still come back as the same guest.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import filterfalse, islice
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from chatroom.chat.bans_and_mutes import account_key, keys_of, matching
from chatroom.chat.limits import LEFT_FOR_GOOD
from chatroom.chat.people.nicknames import parse_user_name
from chatroom.chat.people.user import User
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.chat.rooms.empty_rooms import owned_by_account
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Member, Room
from chatroom.model import commands as c
from chatroom.model.account import AccountRecord
from chatroom.model.errors import NO_ACCOUNT, NOT_IN_ROOM, NOT_MODERATOR, NOT_OWNER, OWNS_IT, Refused
from chatroom.model.events import Event, Owned
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import BadName, user_name
from chatroom.model.replies import Ok
from chatroom.model.text import clean

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.session import Session

EVERY = 60.0  # seconds from one look at all rooms to the next
AT_ONCE = 20  # rooms that are looked at in one turn of the reactor, and members to whom one of them may go

Allowed = Callable[[RoomRecord], object]

_log = logger(__name__)


async def owner(session: Session, command: c.Owner) -> Event:
    """Give the room to somebody with an account."""
    chat, user, room = session.chat, session.user, session.room
    if room is None:
        raise NOT_IN_ROOM()
    account = await account_named(chat, command.user)

    def allowed(now: RoomRecord) -> None:
        if not now.owned_by(user):
            raise (NOT_OWNER if now.moderated_by(user) else NOT_MODERATOR)(room=now.name)

    def write_down(now: RoomRecord) -> None:
        chat.members_audit.act(session, f"made {account.name} the owner", now.name)

    await give(chat, room.record, account, allowed, write_down, by=(session.name, session.user_id))
    return Ok()


async def account_named(chat: Chat, name: str) -> AccountRecord:
    """Return an account by its name.

    Raises:
        Refused: There is none; a room is given to accounts alone.
    """
    account = await chat.accounts.get(parse_user_name(name))
    if account is None:
        raise NO_ACCOUNT(user=clean(name)[:32])
    return account


async def give(
    chat: Chat,
    record: RoomRecord,
    account: AccountRecord,
    allowed: Allowed,
    write_down: Callable[[RoomRecord], None],
    by: tuple[str, str] = ("", ""),
) -> None:
    """Make an account the owner of a room, and let the room see it.

    Args:
        chat: The chat.
        record: The room.
        account: The new owner.
        allowed: Given the record as it is at that moment; raises Refused if the room may not be given away.
        write_down: Called before anybody sees it.
        by: Name and id of the user who gives the room; empty when the owner has left for good.

    Raises:
        Refused: By ``allowed``; or the account owns it, or as many rooms as it may; or the room has ended.
        Unavailable: It is done, but the room sees it only later.
    """
    user = User(account.id, user_name(account.name), account)
    former = ""

    def check(now: RoomRecord) -> None:
        nonlocal former
        allowed(now)
        if now.owner_id == account.id:
            raise OWNS_IT(user=account.name, room=now.name)
        former = now.owner

    changed = await chat.directory.give(record, user, check)
    write_down(changed)
    before = "" if by[0] else former
    event = Owned(chat.next_id(), chat.now(), *by, user=account.name, user_id=account.id, before=before)
    await chat.append_surely(f"room/{record.id}", event)


class OwnerSuccession:
    """Gives rooms away whose owner has left for good; looks at all rooms with members once a minute.

    Args:
        chat: The chat.

    Attributes:
        rounds: The looks, one each minute.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._gone: dict[str, float] = {}  # since when the owner is away, by room
        self.rounds = PeriodicWork("looking for owners who have left", self.go_round, EVERY, chat.scheduler)

    async def go_round(self) -> None:
        """Look at all rooms with members once."""
        chat, now = self._chat, self._chat.scheduler.seconds()
        here = {presence.id for presence in chat.who()} | {session.guest_id for session in chat.sessions.values()}
        rooms = chat.directory.rooms()
        away = [room for room in rooms if room.members and not self._is_here(room, here)]
        self._gone = {room.id: self._gone.get(room.id, now) for room in away}
        due = [room for room in away if self._gone[room.id] + LEFT_FOR_GOOD <= now]
        for number, room in enumerate(due, 1):
            if self.rounds.stopping:
                return
            await self._look(room)
            if not number % AT_ONCE:
                await self._next_turn()

    def _is_here(self, room: Room, here: set[str]) -> bool:
        owner_id = room.record.owner_id
        return owner_id in here or any(member.user_id == owner_id for member in room.members.values())

    async def _look(self, room: Room) -> None:
        """Give a room away whose owner has been away long enough, if the owner has no account to come back to."""
        if await owned_by_account(self._chat, room.record):
            self._gone[room.id] = self._chat.scheduler.seconds()  # looked up again after ten minutes, not each minute
            return
        owner_id = room.record.owner_id

        def allowed(now: RoomRecord) -> None:
            if now.owner_id != owner_id:
                raise NOT_OWNER(room=now.name)

        for member in self._heirs(room):
            try:
                account = await self._account_of(member)
                if account is not None:
                    await give(self._chat, room.record, account, allowed, _log_gift(account))
                    return
            except Refused:  # the account owns too many rooms, or another daemon was first
                continue
            except Unavailable as error:
                _log.warn("room {room} is given away later: {why}", room=room.name, why=str(error))
                return

    def _heirs(self, room: Room) -> list[Member]:
        """Return some members whom the room may go to: moderators first, else in the order of joining."""
        record, now = room.record, self._chat.now()

        def silent(member: Member) -> bool:
            keys = keys_of(member.session) if member.session is not None else ()
            return matching(record.mutes, (account_key(member.user_id), *keys), now) is not None

        # Whether a member on another daemon has an account is looked up later.
        heirs = [m for m in room.members.values() if m.session is None or m.session.user.account is not None]
        heirs.sort(key=lambda member: member.user_id not in record.moderators)
        return list(islice(filterfalse(silent, heirs), AT_ONCE))

    async def _account_of(self, member: Member) -> AccountRecord | None:
        try:
            account = await self._chat.accounts.get(user_name(member.name))
        except BadName:
            return None
        return account if account is not None and account.id == member.user_id else None

    async def _next_turn(self) -> None:
        turn: Deferred[None] = Deferred()
        self._chat.scheduler.callLater(0, turn.callback, None)
        await turn


def _log_gift(account: AccountRecord) -> Callable[[RoomRecord], None]:
    def write_down(record: RoomRecord) -> None:
        _log.info("room {room} is {name}'s now: its owner has left for good", room=record.name, name=account.name)

    return write_down
