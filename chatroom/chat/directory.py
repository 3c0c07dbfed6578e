"""The rooms by name: found, made once whoever else tries at the same time, loaded while somebody is in them.

A room's record lasts in the engine under its folded name; the room itself, with its members, is there only while it has
any.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import ROOMS
from chatroom.chat.refusals import BAD_ROOM, NO_ROOM, ROOM_EXISTS, TOO_MANY_ROOMS, Refused
from chatroom.chat.room import Room
from chatroom.log import Conflict, Unavailable
from chatroom.logger import logger
from chatroom.names import BadName, Name, room_name

if TYPE_CHECKING:
    from chatroom.chat.session import Session

BUCKET = "room"

T = TypeVar("T")

_log = logger(__name__)


class RoomRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What lasts of a room beside its log. ``made`` is in milliseconds."""

    id: str
    name: str
    made: int
    owner: str
    owner_id: str
    topic: str = ""


class Directory:
    """See the module.

    Args:
        engine: Keeps the records.
        sessions: This node's sessions by id, for the rooms.
        mint: Makes ids.
    """

    def __init__(self, engine: Engine, sessions: dict[str, Session], mint: Mint) -> None:
        self._engine = engine
        self._sessions = sessions
        self._mint = mint
        self._rooms: dict[str, Room] = {}  # by folded name
        self._names: dict[str, str] = {}  # folded names by log
        self._opening: dict[str, list[Deferred[Exception | None]]] = {}  # who waits for a room that is being loaded

    async def create(self, text: str, session: Session) -> Room:
        """Make a room that was not there; it stays loaded until ``let_go``.

        Raises:
            Refused: The name is none, it exists, there are too many.
        """
        room, created = await self._open(text, session, create=True)
        if not created:
            self.let_go(room)
            raise ROOM_EXISTS(room=room.name)
        return room

    async def find(self, text: str, session: Session, *, create: bool) -> Room:
        """Return the room, made if need be and allowed; it stays loaded until ``let_go``.

        Raises:
            Refused: The name is none, there is no such room, or too many to make another.
        """
        return (await self._open(text, session, create=create))[0]

    def let_go(self, room: Room) -> None:
        """Whoever was given the room is in it by now, or will not be."""
        room.expected -= 1
        self._unload(room)

    def loaded(self) -> int:
        """Return how many rooms somebody is in, or about to be."""
        return len(self._rooms)

    async def name_of(self, log: str) -> str:
        """Return a room's shown name by its log; empty when there is no such room any more."""
        room = self._rooms.get(self._names.get(log, ""))
        if room is not None:
            return room.name
        return next((record.name for record in await self.all() if log == f"room/{record.id}"), "")

    async def _open(self, text: str, session: Session, *, create: bool) -> tuple[Room, bool]:
        """A room must not be loaded twice: who comes while it is being loaded waits, and looks again."""
        name = _parse(text)
        while (room := self._rooms.get(name.folded)) is None and (
            waiting := self._opening.get(name.folded)
        ) is not None:
            turn: Deferred[Exception | None] = Deferred()
            waiting.append(turn)
            failed = await turn
            if failed is not None and not (create and isinstance(failed, Refused) and failed.code == NO_ROOM.code):
                raise _again(failed)
        if room is not None:
            room.expected += 1
            return room, False
        return await self._alone(name.folded, lambda: self._load(name, session, create))

    async def _alone(self, folded: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something while nobody else loads or forgets the room; those who waited are told how it ended."""
        self._opening[folded] = []
        failed: Exception | None = None
        try:
            return await work()
        except Exception as error:
            failed = error
            raise
        finally:
            for turn in self._opening.pop(folded):
                turn.callback(failed)

    async def _load(self, name: Name, session: Session, create: bool) -> tuple[Room, bool]:
        record, created = await self._record(name), False
        if record is None:
            if not create:
                raise NO_ROOM(room=name.shown)
            record, created = await self._make(name, session)
        room = Room(record.id, record.name, self._sessions, self._unload, self._engine.counters)
        room.expected = 1
        room.sub = await self._engine.follow(room.log, room.apply)
        self._rooms[name.folded] = room
        self._names[room.log] = name.folded
        return room, created

    async def _make(self, name: Name, session: Session) -> tuple[RoomRecord, bool]:
        if await self._engine.count(BUCKET) >= ROOMS:
            raise TOO_MANY_ROOMS(most=ROOMS)
        record = RoomRecord(self._mint(12), name.shown, session.chat.now(), session.name, session.id)
        try:
            await self._engine.put(BUCKET, name.folded, msgspec.json.encode(record), 0)
        except Conflict:  # another node made it just now
            there = await self._record(name)
            return (there, False) if there is not None else await self._make(name, session)
        _log.info("room {room} ({id}) made by {name}", room=record.name, id=record.id, name=session.name)
        return record, True

    async def _record(self, name: Name) -> RoomRecord | None:
        held = await self._engine.get(BUCKET, name.folded)
        return msgspec.json.decode(held[0], type=RoomRecord) if held is not None else None

    async def all(self) -> list[RoomRecord]:
        """Return all rooms there are, loaded or not."""
        decode = msgspec.json.Decoder(RoomRecord).decode
        return [decode(value) for _, value in await self._engine.all(BUCKET)]

    async def forget(self, record: RoomRecord) -> None:
        """Remove the record of a room that nobody is in and of which nothing is left; its name is free again."""
        folded = room_name(record.name).folded
        if folded not in self._rooms and folded not in self._opening:
            await self._alone(folded, lambda: self._forget(folded, record))

    async def _forget(self, folded: str, record: RoomRecord) -> None:
        held = await self._engine.get(BUCKET, folded)
        left = (await self._engine.read(f"room/{record.id}", limit=1)).entries
        if held is not None and not left and msgspec.json.decode(held[0], type=RoomRecord).id == record.id:
            await self._engine.put(BUCKET, folded, None, held[1])
            _log.info("room {room} ({id}) forgotten: nothing is left of it", room=record.name, id=record.id)

    def _unload(self, room: Room) -> None:
        if room.members or room.expected or room.sub is None:
            return
        room.sub.stop()
        room.sub = None
        folded = self._names.pop(room.log)
        del self._rooms[folded]


def _again(failed: Exception) -> Exception:
    """Return the failure anew, for an exception that is raised twice gathers tracebacks."""
    return Refused(failed.code, failed.text) if isinstance(failed, Refused) else Unavailable(str(failed))


def _parse(text: str) -> Name:
    try:
        return room_name(text)
    except BadName as error:
        raise BAD_ROOM(why=error) from None
