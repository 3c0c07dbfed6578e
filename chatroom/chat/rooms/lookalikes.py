"""Which rooms look alike: each room keeps a record under each of its looks, so that no other can be made that has one.

The records are made and removed by the same change as the room itself. A room that was made before there were such
records gets its own when the daemon starts.
"""

from __future__ import annotations

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages
from chatroom.chat.rooms import record_storage
from chatroom.model.errors import ROOM_LOOKS_ALIKE
from chatroom.model.log import Change, Conflict
from chatroom.model.names import Name, room_looks, room_name

BUCKET = "room-look"  # the folded name of the room that has a look, by the look
_ALL_MADE = " all"  # no look has a space: there are the records of all rooms


async def claims(engine: Engine, name: Name) -> list[Change]:
    """Return the changes that keep the looks of a new room for it; they fail if another room has one meanwhile.

    Raises:
        Refused: Another room has one of the looks.
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
    """Return the changes that free the looks of a room that ends; they fail if one changes hands meanwhile."""
    held = [(look, await engine.get(BUCKET, look)) for look in room_looks(name)]
    return [Change(BUCKET, look, None, it[1]) for look, it in held if it is not None and it[0].decode() == name.folded]


async def complete(engine: Engine) -> None:
    """Make the records of the rooms that have none yet; of two rooms that look alike, the first by name has it."""
    if await engine.get(BUCKET, _ALL_MADE) is not None:
        return
    async for page in pages(engine, record_storage.ROOMS):
        names = [room_name(record_storage.decode_head(value).name) for _, value in page]
        while True:
            try:
                await engine.change(await _missing(engine, names))
                break
            except Conflict:  # another daemon has started at the same time
                continue
    await engine.change([Change(BUCKET, _ALL_MADE, b"")])


async def _missing(engine: Engine, names: list[Name]) -> list[Change]:
    """Return the changes that make the records which these rooms lack: one change for many rooms is stored at once."""
    wanted: dict[str, bytes] = {}
    for name in names:
        for look in room_looks(name):
            if look not in wanted and await engine.get(BUCKET, look) is None:
                wanted[look] = name.folded.encode()
    return [Change(BUCKET, look, folded, 0) for look, folded in wanted.items()]
