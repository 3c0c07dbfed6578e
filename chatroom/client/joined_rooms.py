"""The rooms that the client is in, and which of them has the focus: that is the room for commands that name no room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatroom.client.room_commands import is_about_room, lacks_room
from chatroom.client.room_state import RoomState
from chatroom.client.status import Denied
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold

MOST_ROOMS = 64  # that are followed; servers allow 50 at most
_ONE = "you are not in room {room}: this server lets you be in one room at a time."


class JoinedRooms:
    """Follows all rooms that we are in.

    Args:
        first: The names of the rooms to join first, in this order.
        several: Whether to stay in the other rooms when another is joined, if the server allows that.

    Attributes:
        rooms: The rooms by folded name, in the order of joining.
        first: The names of the rooms that are still to be joined first.
        several: As the argument.
        named: Whether the server knows several rooms, so that commands about a room name it.
        may_stay: Whether the server lets us be in several rooms.
    """

    def __init__(self, first: Sequence[str], *, several: bool) -> None:
        self.named = self.may_stay = False
        self.several = several
        self.rooms: dict[str, RoomState] = {}
        self.first = list({fold(room): room for room in first if room}.values())
        self._focus = fold(self.first[-1]) if self.first else ""
        self._nowhere = RoomState()

    @property
    def here(self) -> RoomState:
        """The room in focus; outside every room, a state that says so."""
        return self.rooms.get(self._focus, self._nowhere)

    @property
    def target(self) -> str:
        """The name of the room for a command given now: the room in focus, even if it is still to be joined."""
        first = (room for room in self.first if fold(room) == self._focus)
        return self.here.room or next(first, "")

    @property
    def names(self) -> list[str]:
        """The names of the rooms that we are in, and of those that are still to be joined first."""
        names = [room.room for room in self.rooms.values()]
        return [*names, *(room for room in self.first if fold(room) not in self.rooms)]

    def focus(self, room: str) -> None:
        """Give the focus to a room that we are in or are about to join; to none, if the name is empty.

        Raises:
            KeyError: We are not in that room.
        """
        key = fold(room)
        if key and key not in self.rooms and key not in map(fold, self.first):
            raise KeyError(room)
        self._focus = key

    def find(self, room: str) -> RoomState | None:
        """Return the room of a name; None if we are not in it."""
        return self.rooms.get(fold(room))

    def of(self, event: e.Event) -> RoomState | None:
        """Return the room of an event; None if the event is of no room that we are in."""
        return self.rooms.get(fold(event.room)) if isinstance(event, e.RoomEvent) and not e.of_inbox(event) else None

    # ---- joining and leaving ---------------------------------------------------------------------------------------

    def entered(self, event: a.Entered, *, again: bool, stay: bool) -> bool:
        """Follow a room that we joined; it gets the focus if we were not in it, and it is none of the first rooms.

        Args:
            event: The answer to our ``join``.
            again: Whether we have returned to the room on a new connection.
            stay: Whether we have asked to stay in the other rooms.

        Returns:
            Whether events that came while we were cut off from the room are lost.
        """
        key = fold(event.room)
        known = self.rooms.get(key)
        if again and known is not None:
            return known.rejoin(event)
        if not (stay and self.may_stay):
            self._keep_only("")
        self.rooms.pop(key, None)
        if len(self.rooms) >= MOST_ROOMS:
            self.leave(next(iter(self.rooms)))
        self.rooms[key] = room = RoomState()
        room.enter(event)
        if key not in map(fold, self.first):
            self._focus = key
        return False

    def welcomed(self, event: a.Welcome, *, new: bool) -> None:
        """Note what the server lets us do.

        Args:
            event: The server's welcome.
            new: Whether it is the first one. Then we go back into the rooms that our session of an earlier run was in,
                unless we were told which rooms to join.
        """
        self.named = "rooms" in event.features
        self.may_stay = self.named and event.limits.rooms > 1
        if new and self.several and not self.names and event.rooms:
            self.first = event.rooms[:MOST_ROOMS]
            self._focus = fold(event.rooms[-1])

    def answered(self, room: str) -> None:
        """Note that the server has answered our ``join`` of a first room."""
        self.first = [name for name in self.first if fold(name) != fold(room)]

    def leave(self, room: str) -> None:
        """Note that we are not in a room any more. If it had the focus, no room has it now."""
        left = self.rooms.pop(fold(room), None)
        if left is not None:
            left.leave()

    def surplus(self) -> list[Denied]:
        """Keep only the room for commands given now, if the server allows one room. Returns the notices to tell."""
        names = self.names
        if self.may_stay or len(names) < 2:
            return []
        kept = fold(self.target or names[-1])
        self._keep_only(kept)
        self.first = [name for name in self.first if fold(name) == kept]
        others = [name for name in names if fold(name) != kept]
        return [Denied("room", name, "too-many-joined", _ONE.format(room=name)) for name in others]

    def joins(self, messages: int) -> list[dict[str, Any]]:
        """Return the fields of the ``join`` of each room on a new connection: of our rooms, then of the first rooms.

        Args:
            messages: How many earlier messages of a first room to ask for.
        """
        back = [{"room": room.room, "after": room.seen} for room in self.rooms.values() if room.room]
        first = [{"room": name, "messages": messages} for name in self.first if fold(name) not in self.rooms]
        stay = {"stay": True} if len(self.rooms) > 1 else {}
        return [self.staying({**stay, **fields}) for fields in [*back, *first]]

    def staying(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a command that joins a room, with ``stay`` if we stay in the other rooms."""
        return {"stay": True, **fields} if self.several and self.may_stay else fields

    def caught_up(self) -> None:
        """Note that everything stored before we joined was shown."""
        for room in self.rooms.values():
            room.caught_up()

    # ---- commands --------------------------------------------------------------------------------------------------

    def lacks_room(self, do: str, fields: dict[str, Any]) -> bool:
        """Return whether a command must name a room and does not, so that the server might choose another than meant.

        Args:
            do: The command's name.
            fields: Its fields, complete.
        """
        return bool(self.rooms) and lacks_room(do, fields)

    def misses(self, do: str, fields: dict[str, Any], target: str) -> bool:
        """Return whether an old server, to which the names of rooms say nothing, would take a command for another room.

        Args:
            do: The command's name.
            fields: Its fields.
            target: The name of the room in which we are when the server gets the command.
        """
        room = fields.get("room", "")
        return bool(room) and not self.named and is_about_room(do, fields) and fold(room) != fold(target)

    # ---- events ----------------------------------------------------------------------------------------------------

    def fresh(self, event: e.RoomEvent) -> bool:
        """Return whether an event was not shown before; from now on the event counts as shown."""
        room = self.of(event)
        return room is None or room.fresh(event)

    def replayed(self, event: e.Event) -> bool:
        """Return whether an event is from a room's history before we first joined, and so is no news."""
        room = self.of(event)
        return room is not None and isinstance(event, e.RoomEvent) and room.replayed(event)

    def apply(self, event: e.Event, me: str) -> None:
        """Update the room of an event, and leave the room if the event puts us out of it.

        Args:
            event: Any event that was not shown before.
            me: Our name.
        """
        room = self.of(event)
        if room is not None and isinstance(event, e.RoomEvent):
            room.apply(event, me)
            if not room.room:
                self.leave(event.room)

    def rename(self, old: str, new: str) -> None:
        """Give us a new name in all rooms."""
        for room in self.rooms.values():
            room.rename(old, new)

    def _keep_only(self, kept: str) -> None:
        """Leave all rooms but the one with this folded name."""
        for key in [key for key in self.rooms if key != kept]:
            self.leave(key)
