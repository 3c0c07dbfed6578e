"""Changing and removing the records of rooms, by compare-and-set, and keeping the lists of each owner's rooms right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import retried_on_conflict
from chatroom.chat.rooms import record_storage, room_lookalikes
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room_quotas import RoomQuotas
from chatroom.chat.rooms.room_records import RoomRecords
from chatroom.chat.session import User
from chatroom.model.errors import NO_ROOM, Refused
from chatroom.model.log import Change, Conflict
from chatroom.model.names import room_name


class RoomChanges:
    """Changes the records of rooms. A loaded room is given its new record at once.

    Args:
        engine: Keeps the records.
        loaded: The loaded rooms.
        records: Reads the records.
        quotas: Counts the rooms of each account, address and guest.
    """

    def __init__(self, engine: Engine, loaded: LoadedRooms, records: RoomRecords, quotas: RoomQuotas) -> None:
        self._engine = engine
        self._loaded = loaded
        self._records = records
        self._quotas = quotas

    async def amend(self, record: RoomRecord, change: Callable[[RoomRecord], RoomRecord | None]) -> RoomRecord:
        """Change a room's record by compare-and-set. If another change comes in between, call ``change`` again.

        Args:
            record: The room.
            change: Returns the new record for the current one, or None to end the room; may raise Refused.

        Returns:
            The new record, or the last one of a room that has ended.

        Raises:
            Refused: ``change`` raised it; or the room has ended.
        """
        before, after = await self._store(record, change)
        if after is None or after.counted != before.counted:
            await self._quotas.leave(before.counted, before.id)
        return after or before

    @retried_on_conflict
    async def _store(
        self, record: RoomRecord, change: Callable[[RoomRecord], RoomRecord | None]
    ) -> tuple[RoomRecord, RoomRecord | None]:
        """Store what ``change`` makes of a room's record. Return the former record, and the new one or None."""
        folded = record.folded
        now, rev = await self._records.read(folded)
        if now is None or now.id != record.id:
            raise NO_ROOM(room=record.name)
        changed = change(now)
        if changed is now:
            return now, now
        if changed is None:
            changes = await self._removal(folded, rev, now)
        else:
            # Nothing makes an encrypted room plain again.
            changed = replace(changed, changes=now.changes + 1, encrypted=now.encrypted or changed.encrypted)
            changes = record_storage.update(folded, rev, now, changed)
        self._take(folded, changed, await self._engine.change(changes))
        return now, changed

    async def remove(self, id: str, folded: str, unused: Callable[[RoomRecord], Awaitable[bool]]) -> bool:
        """Remove the record of a room that is not loaded and cannot be loaded meanwhile (``Directory.forget``).

        Args:
            id: The room's id.
            folded: The room's folded name.
            unused: Called with the current record; returns whether the room is to be removed.

        Returns:
            Whether the record was removed.
        """
        record, rev = await self._records.read(folded)
        if record is None or record.id != id or not await unused(record):
            return False
        try:
            await self._engine.change(await self._removal(folded, rev, record))
        except Conflict:  # another daemon has just changed the record
            return False
        await self._quotas.leave(record.counted, id)
        return True

    async def hand_over(self, record: RoomRecord, guest: User, user: User) -> None:
        """Give the rights that a guest has in a room to the same person's account.

        Args:
            record: The room.
            guest: The guest.
            user: The owner of the account.

        Raises:
            Refused: The room has ended.
        """
        counted = None
        if record.owner_id == guest.id:
            with suppress(Refused):
                counted = await self._quotas.enter(user, "", record.id, record.folded)
        changed = None
        try:
            changed = await self.amend(record, lambda now: now.handed_over(guest, user, counted))
        finally:
            if counted is not None and (changed is None or changed.counted != counted):
                await self._quotas.leave(counted, record.id)

    async def hand_over_all(self, guest: User, address: str, user: User) -> None:
        """Give a guest's rights in all rooms that the guest made to the same person's account.

        Args:
            guest: The guest.
            address: The address of the guest's connection.
            user: The owner of the account.

        Raises:
            Refused: A room has ended meanwhile.
        """
        for folded in await self._quotas.made_by(guest, address):
            record, _ = await self._records.read(folded)
            if record is not None and record.owner_id == guest.id:
                await self.hand_over(record, guest, user)

    async def give(self, record: RoomRecord, user: User, check: Callable[[RoomRecord], None]) -> RoomRecord:
        """Make a user with an account the owner of a room.

        Args:
            record: The room.
            user: The new owner.
            check: Given the current record, raises Refused if the room may not be given away.

        Returns:
            The new record.

        Raises:
            Refused: ``check`` raised it; or the user owns too many rooms, or the room has ended.
        """
        check(record)
        counted = await self._quotas.enter(user, "", record.id, record.folded)

        def change(now: RoomRecord) -> RoomRecord:
            check(now)
            return now.given_to(user, counted)

        try:
            return await self.amend(record, change)
        except Refused:
            await self._quotas.leave(counted, record.id)
            raise

    async def _removal(self, folded: str, rev: int, record: RoomRecord) -> list[Change]:
        """Return the changes that remove a room's record, and free the names that look like its name."""
        freed = await room_lookalikes.releases(self._engine, room_name(record.name))
        return [*record_storage.removal(folded, rev, record), *freed]

    def _take(self, folded: str, record: RoomRecord | None, rev: int) -> None:
        """Give a room its new record, if the room is loaded and has not ended."""
        room = self._loaded.get(folded)
        if room is not None and record is not None and room.id == record.id:
            room.take(record, rev)
