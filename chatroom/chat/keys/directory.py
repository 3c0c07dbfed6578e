"""The published keys of devices and the device lists of users, as records of the engine.

Each change reads a record, decides, and writes it back only if nobody has changed it in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chatroom.chat.interfaces import Engine
from chatroom.chat.keys.known_people import BUCKET as WRITTEN
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.commands import KeysPublish
from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey
from chatroom.model.errors import BAD_KEYS, STALE_DEVICES, STALE_VAULT
from chatroom.model.log import Change

DEVICES = "device-keys"  # a record for each device, by ``<user id>/<device>``
LISTS = "device-lists"  # a record for each user, by id
BACKUPS = "key-backups"  # the sealed user key of each user, by id
TOUCH = 24 * 3600 * 1000  # milliseconds after which the time of a device's record is brought up to date


class DeviceRecord(Struct, frozen=True, gc=False, kw_only=True):
    """What is kept of a device.

    Args:
        keys: Its long-term keys.
        fallback: Its fallback key, if it has published one.
        generation: The highest generation of its program's key store.
        at: When it was last here, to the day, in milliseconds since 1970.
    """

    keys: DeviceKeys
    fallback: SignedKey | None = None
    generation: int = 0
    at: int = 0


class ListRecord(Struct, frozen=True, gc=False, kw_only=True):
    """The device list of a user, and the name that the user had when it was stored."""

    name: str
    list: DeviceList


class _Numbered(Struct, frozen=True, gc=False):
    rev: int


class _ListNumber(Struct, frozen=True, gc=False):
    """A ``ListRecord`` of which only the number is read."""

    list: _Numbered


encode = msgspec.json.Encoder().encode
_device = msgspec.json.Decoder(DeviceRecord).decode
_list = msgspec.json.Decoder(ListRecord).decode
_rev = msgspec.json.Decoder(_ListNumber).decode


def record_key(user_id: str, device: str = "") -> str:
    """Return the key of a device's record, or what the keys of all records of a user's devices begin with."""
    return f"{user_id}/{device}"


MOST_AHEAD = 10_000  # numbers by which a list may be ahead of the one before


class KeyDirectory:
    """The keys and the device lists of all users.

    Args:
        engine: Keeps the records.
        now: Returns the time in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    # ---- devices -----------------------------------------------------------------------------------------------

    async def device(self, user_id: str, device: str) -> DeviceRecord | None:
        """Return what is kept of a device; None if it has published no keys."""
        held = await self._engine.get(DEVICES, record_key(user_id, device))
        return _device(held[0]) if held is not None else None

    async def devices(self, user_id: str) -> list[DeviceRecord]:
        """Return what is kept of all devices of a user."""
        found = pages(self._engine, DEVICES, record_key(user_id))
        return [_device(value) async for page in found for _, value in page]

    @retried_on_conflict
    async def publish(self, user_id: str, command: KeysPublish) -> DeviceRecord | None:
        """Keep the keys of a device.

        Returns:
            What was kept of the device before; None if it was not known.

        Raises:
            Refused: The device has other keys already, or the program's key store is an old copy.
        """
        key = record_key(user_id, command.device.device)
        held = await self._engine.get(DEVICES, key)
        old = _device(held[0]) if held is not None else None
        if old is not None and old.keys.ed25519 != command.device.ed25519:
            raise BAD_KEYS()
        if old is not None and command.generation < old.generation:
            raise STALE_VAULT()
        fallback = command.fallback or (old.fallback if old is not None else None)
        at = old.at if old is not None and self._now() - old.at < TOUCH else self._now()
        new = DeviceRecord(keys=command.device, fallback=fallback, generation=command.generation, at=at)
        if new != old:
            await self._engine.put(DEVICES, key, encode(new), held[1] if held is not None else 0)
        return old

    async def crowded_out(self, user_id: str, most: int, here: Callable[[str], bool]) -> str:
        """Return the device of a user that must go because there are too many; empty if there are not.

        It is the one that was here longest ago, of those in no list that are not here.

        Args:
            user_id: The user.
            most: How many devices the user may have.
            here: Returns whether a device is here.
        """
        if await self._engine.count(DEVICES, record_key(user_id)) <= most:
            return ""
        present = await self.list_of(user_id)
        listed = {keys.device for keys in present.devices} if present is not None else set()
        pending = [each for each in await self.devices(user_id) if each.keys.device not in listed]
        away = [each for each in pending if not here(each.keys.device)]
        oldest = min(away, key=lambda each: each.at, default=None)
        return oldest.keys.device if oldest is not None else ""

    @retried_on_conflict
    async def touch(self, user_id: str, device: str) -> None:
        """Note that a device is here, if the last note is old."""
        held = await self._engine.get(DEVICES, record_key(user_id, device))
        if held is not None and self._now() - (old := _device(held[0])).at >= TOUCH:
            await self._engine.put(DEVICES, record_key(user_id, device), encode(replace(old, at=self._now())), held[1])

    # ---- lists -------------------------------------------------------------------------------------------------

    async def list_of(self, user_id: str) -> DeviceList | None:
        """Return the device list of a user; None if there is none."""
        held = await self.listed(user_id)
        return held.list if held is not None else None

    async def listed(self, user_id: str) -> ListRecord | None:
        """Return the record of a user's device list; None if there is none."""
        return (await self.measured(user_id))[0]

    async def measured(self, user_id: str) -> tuple[ListRecord | None, int]:
        """Return the record of a user's device list, and how many bytes it takes; None and 0 if there is none."""
        held = await self._engine.get(LISTS, user_id)
        return (_list(held[0]), len(held[0])) if held is not None else (None, 0)

    async def revs(self, user_ids: Iterable[str]) -> dict[str, int]:
        """Return the numbers of the device lists of users, by their ids. Users without a list are left out."""
        held = [(user_id, await self._engine.get(LISTS, user_id)) for user_id in user_ids]
        return {user_id: _rev(record[0]).list.rev for user_id, record in held if record is not None}

    @retried_on_conflict
    async def replace_list(self, name: str, new: DeviceList, *, reset: bool) -> set[str]:
        """Replace the device list of a user, and remove the keys of the devices that are not in it any more.

        Both is done at once: such a device must not look like one that waits to be put into the list.
        The list's number must be greater than that of the present list. It may leave out numbers, because a backup of
        this server's database, when it is restored, has a list that its user had replaced already.

        Args:
            name: The user's name.
            new: The list.
            reset: Whether it may be signed by another user key.

        Returns:
            The devices that are not in the list any more.

        Raises:
            Refused: The list is not newer, another user key signed it, or it adds a device that has no keys.
        """
        held = await self._engine.get(LISTS, new.user_id)
        old = _list(held[0]).list if held is not None else None
        if old == new:  # it is sent again, because the answer was lost
            return set()
        await self.check_next(name, old, new, reset=reset)
        record = encode(ListRecord(name=name, list=new))
        removed = {keys.device for keys in (old.devices if old is not None else ())} - {k.device for k in new.devices}
        changes = [Change(DEVICES, record_key(new.user_id, device), None) for device in sorted(removed)]
        await self._engine.change([Change(LISTS, new.user_id, record, held[1] if held is not None else 0), *changes])
        return removed

    async def check_next(self, name: str, old: DeviceList | None, new: DeviceList, *, reset: bool) -> None:
        """Check that a list may follow the present one, which is another one; see ``replace_list``.

        Raises:
            Refused: The list is not newer, another user key signed it, or it adds a device that has no keys.
        """
        before = old.rev if old is not None else 0
        # It may be some numbers ahead, after a restored backup; but nobody may use up all numbers that there are.
        if not before < new.rev <= before + MOST_AHEAD or (
            old is not None and new.user_key != old.user_key and not reset
        ):
            raise STALE_DEVICES(user=name)
        for keys in new.devices:
            if old is None or old.keys_of(keys.device) != keys:
                published = await self.device(new.user_id, keys.device)
                if published is None or published.keys.ed25519 != keys.ed25519:
                    raise BAD_KEYS()

    async def forget_device(self, user_id: str, device: str) -> None:
        """Remove what is kept of a device."""
        await self._engine.change([Change(DEVICES, record_key(user_id, device), None)])

    async def forget_list(self, user_id: str) -> None:
        """Remove a user's device list and sealed user key, and to whom the user has written."""
        await self._engine.change([Change(bucket, user_id, None) for bucket in (LISTS, BACKUPS, WRITTEN)])

    # ---- the sealed user key -----------------------------------------------------------------------------------

    async def backup(self, user_id: str) -> str:
        """Return the sealed user key of a user; empty if none is kept."""
        held = await self._engine.get(BACKUPS, user_id)
        return held[0].decode() if held is not None else ""

    async def keep_backup(self, user_id: str, sealed: str) -> None:
        """Keep the sealed user key of a user, in place of an earlier one; an empty text removes it."""
        await self._engine.change([Change(BACKUPS, user_id, sealed.encode() or None)])


def last_seen(value: bytes) -> int:
    """Return the time in a stored record of a device, in milliseconds since 1970."""
    return _device(value).at


def same_owner(keys: Any, server: str, user_id: str, device: str = "") -> bool:
    """Return whether a signed record is of this server and user and, if it is given, of the device."""
    return keys.server == server and keys.user_id == user_id and (not device or keys.device == device)
