"""Giving rooms to accounts: by the owner, by an operator, or by the server when the owner has left for good.

A guest who has been away for ten minutes has left for good; so has the owner of a deleted account. The room then goes
to a member with an account: to a moderator if there is one, or else to the member who has been there longest. The
former owner becomes a moderator, because a program may still come back as the same guest.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import filterfalse, islice

from twisted.internet.defer import Deferred

from chatroom.chat.bans_and_mutes import account_key, matching
from chatroom.chat.limits import LEFT_FOR_GOOD
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.nicknames import parse_user_name
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.chat.rooms.empty_rooms import owned_by_account
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.members import Member
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.room_changes import RoomChanges
from chatroom.chat.session import User
from chatroom.chat.state import ChatState
from chatroom.model.account import AccountRecord
from chatroom.model.errors import NO_ACCOUNT, NOT_OWNER, OWNS_IT, Refused
from chatroom.model.events import Owned
from chatroom.model.log import Unavailable
from chatroom.model.log_names import room_log
from chatroom.model.logger import logger
from chatroom.model.names import BadName, user_name
from chatroom.model.text import clean

EVERY = 60.0  # seconds between two checks of all rooms
AT_ONCE = 20  # rooms given away in one turn of the reactor, and members tried as the new owner of one room

Allowed = Callable[[RoomRecord], object]
"""Given the current record of a room, raises Refused if the room may not be given away."""

_log = logger(__name__)


async def account_named(accounts: Accounts, name: str) -> AccountRecord:
    """Return the account with that name.

    Raises:
        Refused: The name is invalid, or there is no such account.
    """
    account = await accounts.get(parse_user_name(name))
    if account is None:
        raise NO_ACCOUNT(user=clean(name)[:32])
    return account


async def give(
    state: ChatState,
    rooms: RoomChanges,
    record: RoomRecord,
    account: AccountRecord,
    allowed: Allowed,
    write_down: Callable[[RoomRecord], None],
    by: tuple[str, str] = ("", ""),
) -> None:
    """Make an account the owner of a room, and show that to the room.

    Args:
        state: What the parts of the chat share.
        rooms: Changes the records of rooms.
        record: The room.
        account: The new owner.
        allowed: Raises Refused if the room may not be given away.
        write_down: Called with the new record before the room sees the change.
        by: The name and the id of the user who gives the room away; empty when its owner has left for good.

    Raises:
        Refused: ``allowed`` raised it; or the account owns the room, or too many rooms; or the room has ended.
        Unavailable: The room has its new owner, but its members see that only later.
    """
    user = User(account.id, user_name(account.name), account)
    former = ""

    def check(now: RoomRecord) -> None:
        nonlocal former
        allowed(now)
        if now.owner_id == account.id:
            raise OWNS_IT(user=account.name, room=now.name)
        former = now.owner

    changed = await rooms.give(record, user, check)
    write_down(changed)
    before = "" if by[0] else former
    event = Owned(state.next_id(), state.now(), *by, user=account.name, user_id=account.id, before=before)
    await state.append_surely(room_log(record.id), event)


class OwnerSuccession:
    """Gives away the rooms whose owners have left for good. Checks all rooms with members once a minute.

    Args:
        state: What the parts of the chat share.
        loaded: The loaded rooms.
        rooms: Changes the records of rooms.
        accounts: The accounts.

    Attributes:
        rounds: Calls ``go_round`` once a minute.
    """

    def __init__(self, state: ChatState, loaded: LoadedRooms, rooms: RoomChanges, accounts: Accounts) -> None:
        self._state = state
        self._loaded = loaded
        self._rooms = rooms
        self._accounts = accounts
        self._gone: dict[str, float] = {}  # by room id: since when the owner is away, in seconds of the scheduler
        self.rounds = PeriodicWork("looking for owners who have left", self.go_round, EVERY, state.scheduler)

    async def go_round(self) -> None:
        """Check all rooms with members, and give away those whose owners have left for good."""
        state, now = self._state, self._state.scheduler.seconds()
        here = {presence.id for presence in state.who()} | {session.guest_id for session in state.sessions.values()}
        rooms = self._loaded.rooms()
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
        """Return whether the owner of a room is online, or in the room.

        Args:
            room: The room.
            here: The ids of all users online, on all daemons.
        """
        owner_id = room.record.owner_id
        return owner_id in here or any(member.user_id == owner_id for member in room.members.values())

    async def _look(self, room: Room) -> None:
        """Give a room to the first heir that may own it. Do nothing if its present owner has an account."""
        if await owned_by_account(self._accounts, room.record):
            # The ten minutes begin again, so that the account is not looked up every minute.
            self._gone[room.id] = self._state.scheduler.seconds()
            return
        owner_id = room.record.owner_id

        def allowed(now: RoomRecord) -> None:
            if now.owner_id != owner_id:
                raise NOT_OWNER(room=now.name)

        for member in self._heirs(room):
            try:
                account = await self._account_of(member)
                if account is not None:
                    await give(self._state, self._rooms, room.record, account, allowed, _log_gift(account))
                    return
            except Refused:  # the heir owns too many rooms, or another daemon has given the room away
                continue
            except Unavailable as error:
                _log.warn("room {room} is given away later: {why}", room=room.name, why=str(error))
                return

    def _heirs(self, room: Room) -> list[Member]:
        """Return some members, not muted, who may become the owner: moderators first, then in the order of joining."""
        record, now = room.record, self._state.now()

        def silent(member: Member) -> bool:
            keys = member.session.keys if member.session is not None else ()
            return matching(record.mutes, (account_key(member.user_id), *keys), now) is not None

        # Members on other daemons are included, because only ``_account_of`` finds out whether they have an account.
        heirs = [m for m in room.members.values() if m.session is None or m.session.user.account is not None]
        heirs.sort(key=lambda member: member.user_id not in record.moderators)
        return list(islice(filterfalse(silent, heirs), AT_ONCE))

    async def _account_of(self, member: Member) -> AccountRecord | None:
        """Return the account of a member; None for a guest."""
        try:
            account = await self._accounts.get(user_name(member.name))
        except BadName:
            return None
        return account if account is not None and account.id == member.user_id else None

    async def _next_turn(self) -> None:
        """Wait until the next turn of the reactor, so that others are served in between."""
        turn: Deferred[None] = Deferred()
        self._state.scheduler.callLater(0, turn.callback, None)
        await turn


def _log_gift(account: AccountRecord) -> Callable[[RoomRecord], None]:
    """Return a function that is called with a room's record and logs that the room now belongs to the account."""

    def write_down(record: RoomRecord) -> None:
        _log.info("room {room} is {name}'s now: its owner has left for good", room=record.name, name=account.name)

    return write_down
