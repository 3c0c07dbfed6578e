"""Limiting how many rooms one account, one address or one guest may make.

Each of them has a small record that lists its rooms. The engine keeps these lists, so all daemons count alike and a
restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import GUEST_ROOMS, OWNED, Rules
from chatroom.chat.people.throttles import Window
from chatroom.chat.records import retried_on_conflict
from chatroom.chat.session import User
from chatroom.model.errors import TOO_MANY_GUEST_ROOMS, TOO_MANY_OWNED
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.network import network

OF_ACCOUNTS = "rooms-of-account"
OF_GUESTS = "rooms-of-guest"
STALE = 60.0  # seconds after which a listing without a room must be left over from a crash

_ACCOUNT = "account:"

_log = logger(__name__)


class RoomListing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One room on the list of an account, an address or a guest.

    Args:
        id: The room's id.
        name: The room's folded name.
        owner_id: The id of the user who made or was given the room.
        at: When the room was listed, in milliseconds since 1970.
    """

    id: str
    name: str
    owner_id: str
    at: int


Exists = Callable[[RoomListing], Awaitable[bool]]
_Lists = tuple[RoomListing, ...]
_decode = msgspec.json.Decoder(_Lists).decode


class RoomQuotas:
    """Counts the rooms of accounts, addresses and guests.

    Args:
        engine: Keeps the lists.
        rules: The server's rules, which tell whether the rooms of guests are counted by address.
        now: Returns milliseconds since 1970.
        exists: Returns whether the room of a listing exists and has the owner that it is listed for.
    """

    def __init__(self, engine: Engine, rules: Rules, now: Callable[[], int], exists: Exists) -> None:
        self._engine = engine
        self._rules = rules
        self._now = now
        self._exists = exists
        self._checked = Window(1, STALE, lambda: now() / 1000)  # when full lists were last searched for ended rooms

    async def enter(self, user: User, address: str, id: str, name: str) -> str:
        """List a room that a user is about to make or to be given; the rooms of operators are not listed.

        Args:
            user: The user.
            address: The address of the user's connection.
            id: The room's id.
            name: The room's folded name.

        Returns:
            The key of the list, for ``leave``.

        Raises:
            Refused: The user, or the guests of that address, have too many rooms.
        """
        key = self._key(user, address)
        if not user.operator:
            await self._add(key, RoomListing(id, name, user.id, self._now()), user)
        return key

    async def made_by(self, user: User, address: str) -> list[str]:
        """Return the folded names of the rooms that a user made, as far as they are listed.

        Args:
            user: The user.
            address: The address of the user's connection.
        """
        key = self._key(user, address)
        listed, _ = await self._read(key)
        return [one.name for one in listed if one.owner_id == user.id]

    async def leave(self, key: str, id: str) -> None:
        """Take a room off its list. If the store fails, it stays there until ``enter`` finds the list full."""
        try:
            await self._take_off(key, id)
        except Unavailable as error:
            _log.warn("the room {id} stays on the list {key} for now: {why}", id=id, key=key, why=str(error))

    @retried_on_conflict
    async def _add(self, key: str, listing: RoomListing, user: User) -> None:
        """Add a listing to a list. If that is full, take ended rooms off first, at most once in ``STALE`` seconds."""
        listed, rev = await self._read(key)
        try:
            self._check(key, listed, user)
        except Exception:
            if self._checked.wait((key,)):
                raise
            self._checked.count((key,))
            listed = await self._those_that_exist(listed)
            self._check(key, listed, user)
        await self._put(key, (*listed, listing), rev)

    @retried_on_conflict
    async def _take_off(self, key: str, id: str) -> None:
        """Take a room off its list, if it is there."""
        listed, rev = await self._read(key)
        left = tuple(one for one in listed if one.id != id)
        if left != listed:
            await self._put(key, left, rev)

    async def _read(self, key: str) -> tuple[_Lists, int]:
        """Return the list with that key and its revision; an empty list and 0 if none is stored."""
        held = await self._engine.get(_bucket(key), key)
        return (_decode(held[0]), held[1]) if held is not None else ((), 0)

    async def _put(self, key: str, listed: _Lists, rev: int) -> None:
        """Store a list in place of the one that had the revision ``rev``.

        Raises:
            Conflict: The list has been changed since then.
        """
        await self._engine.put(_bucket(key), key, msgspec.json.encode(listed) if listed else None, rev)

    def _key(self, user: User, address: str) -> str:
        """Return the key of the list that a user's rooms are counted on."""
        if user.account is not None:
            return _ACCOUNT + user.id
        return f"address:{network(address)}" if self._rules.throttle else f"guest:{user.id}"

    def _check(self, key: str, listed: _Lists, user: User) -> None:
        """Check that the user may have one more room on a list.

        Raises:
            Refused: The user has too many rooms on the list, or the list is full.
        """
        if sum(one.owner_id == user.id for one in listed) >= OWNED:
            raise TOO_MANY_OWNED(most=OWNED)
        if len(listed) >= GUEST_ROOMS:
            raise TOO_MANY_GUEST_ROOMS(most=GUEST_ROOMS)

    async def _those_that_exist(self, listed: _Lists) -> _Lists:
        """Return the listings whose rooms exist or are so new that they may still be made.

        The others are left over from a crash or a failure of the store.
        """
        old = self._now() - STALE * 1000
        return tuple([one for one in listed if one.at > old or await self._exists(one)])


def of_an_account(key: str) -> bool:
    """Return whether the list with that key is an account's."""
    return key.startswith(_ACCOUNT)


def read(value: bytes) -> tuple[RoomListing, ...]:
    """Return the listings of a stored list."""
    return _decode(value)


def _bucket(key: str) -> str:
    return OF_ACCOUNTS if of_an_account(key) else OF_GUESTS
