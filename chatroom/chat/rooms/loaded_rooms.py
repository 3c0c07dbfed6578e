"""The rooms that are loaded: each has a member on this daemon, or is about to have one."""

from __future__ import annotations

from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room


class LoadedRooms:
    """Keeps the loaded rooms by name.

    Attributes:
        by_name: The rooms by folded name.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Room] = {}
        self._names: dict[str, str] = {}  # folded names by log

    def __len__(self) -> int:
        return len(self.by_name)

    def rooms(self) -> list[Room]:
        """Return all loaded rooms."""
        return list(self.by_name.values())

    def get(self, folded: str) -> Room | None:
        """Return the loaded room with that folded name; None if no such room is loaded."""
        return self.by_name.get(folded)

    def room_of(self, record: RoomRecord) -> Room | None:
        """Return the loaded room that a record belongs to; None if that room is not loaded."""
        room = self.by_name.get(record.folded)
        return room if room is not None and room.id == record.id else None

    def add(self, folded: str, room: Room) -> None:
        """Add a room under its folded name."""
        self.by_name[folded] = room
        self._names[room.log] = folded

    def remove(self, room: Room) -> str:
        """Remove a room, and return its folded name; empty if the room was removed before.

        Another loaded room that has the name by now stays: sessions may still be about to join the old, closed room.
        """
        folded = self._names.pop(room.log, "")
        if self.by_name.get(folded) is room:
            del self.by_name[folded]
        return folded
