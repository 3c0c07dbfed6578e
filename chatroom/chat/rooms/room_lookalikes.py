"""Reserving the looks of room names, so that no room can be made whose name looks like another room's.

A *look* of a name is a text that is equal for all names that a reader cannot tell apart (``chatroom.model.names``).
Each room has one record for each look of its name, made and removed by the same change as the room itself. Rooms of an
older chatroom get these records when the daemon starts.
"""

from __future__ import annotations

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.chat.rooms import record_storage
from chatroom.model.errors import ROOM_LOOKS_ALIKE
from chatroom.model.log import Change
from chatroom.model.names import Name, room_looks, room_name

BUCKET = "room-look"  # folded room names, by look
_ALL_MADE = " all"  # key of the mark that all rooms have look records; no look contains a space


async def claims(engine: Engine, name: Name) -> list[Change]:
    """Return the changes that reserve the looks of a new room; they conflict if another room gets a look meanwhile.

    Raises:
        Refused: Another room that exists has one of the looks.
    """
    changes = []
    for look in room_looks(name):
        held = await engine.get(BUCKET, look)
        owner = held[0].decode() if held is not None else name.folded
        there = await engine.get(record_storage.ROOMS, owner) if owner != name.folded else None
        if there is not None:
            raise ROOM_LOOKS_ALIKE(name=name.shown, room=record_storage.decode_head(there[0]).name)
        changes.append(Change(BUCKET, look, name.folded.encode(), held[1] if held is not None else 0))
    return changes


async def releases(engine: Engine, name: Name) -> list[Change]:
    """Return the changes that release the looks of a room that ends; they conflict if a record changes meanwhile."""
    held = [(look, await engine.get(BUCKET, look)) for look in room_looks(name)]
    return [Change(BUCKET, look, None, it[1]) for look, it in held if it is not None and it[0].decode() == name.folded]


async def complete(engine: Engine) -> None:
    """Make the look records that rooms of an older chatroom lack, once for all daemons.

    Of two rooms that look alike, the first in the order of their folded names gets the look.
    """
    if await engine.get(BUCKET, _ALL_MADE) is not None:
        return
    async for page in pages(engine, record_storage.ROOMS):
        names = [room_name(record_storage.decode_head(value).name) for _, value in page]
        await _complete(engine, names)
    await engine.change([Change(BUCKET, _ALL_MADE, b"")])


@retried_on_conflict
async def _complete(engine: Engine, names: list[Name]) -> None:
    """Make the look records that the rooms with these names lack."""
    await engine.change(await _missing(engine, names))


async def _missing(engine: Engine, names: list[Name]) -> list[Change]:
    """Return the changes that make the look records that the rooms with these names lack."""
    wanted: dict[str, bytes] = {}
    for name in names:
        for look in room_looks(name):
            if look not in wanted and await engine.get(BUCKET, look) is None:
                wanted[look] = name.folded.encode()
    return [Change(BUCKET, look, folded, 0) for look, folded in wanted.items()]
