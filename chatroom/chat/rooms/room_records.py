"""Reading the records of rooms: one room by name or by log, or all of them, loaded or not.

A list of rooms reads *heads* alone: records without the people that they name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages
from chatroom.chat.rooms import record_storage
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.record_storage import ROOMS as BUCKET
from chatroom.chat.rooms.record_storage import decode_head
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.room_quotas import RoomListing
from chatroom.model.errors import BAD_ROOM, NO_ROOM
from chatroom.model.log_names import id_in
from chatroom.model.names import BadName, Name, room_name


class RoomRecords:
    """Reads the records of rooms.

    Args:
        engine: Keeps the records.
        loaded: The loaded rooms, whose records are in memory.
    """

    def __init__(self, engine: Engine, loaded: LoadedRooms) -> None:
        self._engine = engine
        self._loaded = loaded

    # ---- one room ----------------------------------------------------------------------------------------------

    async def lookup(self, text: str) -> RoomRecord:
        """Return the record of the room with that name.

        Raises:
            Refused: The name is invalid, or there is no such room.
        """
        name = parse_room(text)
        record, _ = await self.read(name.folded)
        if record is None:
            raise NO_ROOM(room=name.shown)
        return record

    async def read(self, folded: str, loaded: Room | None = None) -> tuple[RoomRecord | None, int]:
        """Read a room's record. The record of a loaded room is taken from memory unless it has changed.

        Args:
            folded: The room's folded name.
            loaded: The room object, if the caller has just made it, so that it is not among the loaded rooms yet.

        Returns:
            The record and its revision; None and 0 if there is no such room.
        """
        held = await self._engine.get(BUCKET, folded)
        if held is None:
            return None, 0
        value, rev = held
        loaded = loaded or self._loaded.get(folded)
        if loaded is not None and loaded.rev == rev:
            return loaded.record, rev
        head = decode_head(value)
        rows = [row async for page in pages(self._engine, record_storage.PEOPLE, f"{head.id}/") for row in page]
        return record_storage.assemble(head, rows), rev

    async def head(self, name: str) -> RoomRecord | None:
        """Return the head of a room, or the whole record if the room is loaded; None if there is no such room.

        Raises:
            Refused: The name is invalid.
        """
        folded = parse_room(name).folded
        room = self._loaded.get(folded)
        return room.record if room is not None else await self._head(folded)

    async def name_of(self, log: str) -> str:
        """Return a room's name as shown, by its log; empty if there is no such room any more."""
        head = await self._by_id(id_in(log))
        return head.name if head is not None else ""

    async def is_there(self, id: str) -> bool:
        """Return whether there is a room with that id."""
        return await self._by_id(id) is not None

    async def is_owned(self, listing: RoomListing) -> bool:
        """Return whether the room of a listing exists and has the owner that it is listed for."""
        head = await self._head(listing.name)
        return head is not None and (head.id, head.owner_id) == (listing.id, listing.owner_id)

    async def _by_id(self, id: str) -> RoomRecord | None:
        """Return the head of the room with that id; None if there is no such room."""
        folded = await self._engine.get(record_storage.NAMES, id)
        head = await self._head(folded[0].decode()) if folded is not None else None
        return head if head is not None and head.id == id else None

    async def _head(self, folded: str) -> RoomRecord | None:
        """Return the stored head of the room with that folded name; None if there is no such room."""
        held = await self._engine.get(BUCKET, folded)
        return decode_head(held[0]) if held is not None else None

    # ---- all rooms ---------------------------------------------------------------------------------------------

    async def heads(self, most: int = 0) -> AsyncIterator[list[RoomRecord]]:
        """Yield the heads of all rooms, a page at a time, in the order of their folded names.

        Args:
            most: Rooms on a page; 0 for as many as one turn of the reactor can handle.
        """
        async for page in pages(self._engine, BUCKET, most=most):
            yield [decode_head(value) for _, value in page]

    async def all(self) -> list[RoomRecord]:
        """Return the heads of all rooms."""
        return [head async for heads in self.heads() for head in heads]

    def count(self) -> Deferred[int]:
        """Return the number of rooms."""
        return self._engine.count(BUCKET)


def parse_room(text: str) -> Name:
    """Return a text as the name of a room.

    Raises:
        Refused: The text is not a valid name for a room.
    """
    try:
        return room_name(text)
    except BadName as error:
        raise BAD_ROOM(why=error) from None
