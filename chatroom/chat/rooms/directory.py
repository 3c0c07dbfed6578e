"""The rooms by name: found, made once whoever else tries at the same time, loaded while somebody is in them.

A room's record lasts in the engine under its folded name; the room itself, with its members, is there only while it has
any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import OWNED, ROOMS
from chatroom.chat.refusals import BAD_ROOM, NO_ROOM, ROOM_EXISTS, TOO_MANY_OWNED, TOO_MANY_ROOMS, Refused
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.log import Conflict, Unavailable
from chatroom.logger import logger
from chatroom.names import BadName, Name, room_name

if TYPE_CHECKING:
    from chatroom.chat.session import Session

BUCKET = "room"

T = TypeVar("T")

_log = logger(__name__)


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
        self._owned: Counter[str] = Counter()  # rooms by their owner's id

    async def start(self) -> None:
        """Learn who owns how many rooms."""
        self._owned.update(record.owner_id for record in await self.all())

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
        room = Room(record, self._sessions, self._engine.counters, self._unload, self._moderated)
        room.expected = 1
        room.sub = await self._engine.follow(room.log, room.apply)
        now = await self._record(name)  # what changed before we followed, nobody has told us
        if now is None or now.id != record.id:
            room.sub.stop()
            return await self._load(name, session, create)
        room.take(now)
        self._rooms[name.folded] = room
        self._names[room.log] = name.folded
        return room, created

    async def _make(self, name: Name, session: Session) -> tuple[RoomRecord, bool]:
        if await self._engine.count(BUCKET) >= ROOMS:
            raise TOO_MANY_ROOMS(most=ROOMS)
        if self._owned[session.user_id] >= OWNED and not session.user.operator:
            raise TOO_MANY_OWNED(most=OWNED)
        record = RoomRecord(self._mint(12), name.shown, session.chat.now(), session.name, session.user_id)
        try:
            await self._engine.put(BUCKET, name.folded, msgspec.json.encode(record), 0)
        except Conflict:  # another node made it just now
            there = await self._record(name)
            return (there, False) if there is not None else await self._make(name, session)
        self._owned[record.owner_id] += 1
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
            self._disowned(record.owner_id)
            _log.info("room {room} ({id}) forgotten: nothing is left of it", room=record.name, id=record.id)

    # ---- what changes in a record ------------------------------------------------------------------------------

    async def lookup(self, text: str) -> RoomRecord:
        """Return the record of a room, loaded or not.

        Raises:
            Refused: The name is none, or there is no such room.
        """
        name = _parse(text)
        record = await self._record(name)
        if record is None:
            raise NO_ROOM(room=name.shown)
        return record

    async def amend(self, record: RoomRecord, change: Callable[[RoomRecord], RoomRecord | None]) -> RoomRecord:
        """Change a room's record by compare-and-set: when somebody else was first, it is decided anew.

        Args:
            record: Which room.
            change: Given the record as it is now, returns what it becomes, or None to end the room; may refuse.

        Returns:
            The new record, or the last one of a room that has ended.

        Raises:
            Refused: By ``change``; or the room has ended.
        """
        folded = room_name(record.name).folded
        while True:
            held = await self._engine.get(BUCKET, folded)
            now = msgspec.json.decode(held[0], type=RoomRecord) if held is not None else None
            if held is None or now is None or now.id != record.id:
                raise NO_ROOM(room=record.name)
            changed = change(now)
            if changed is now:
                return now
            try:
                await self._engine.put(BUCKET, folded, msgspec.json.encode(changed) if changed else None, held[1])
            except Conflict:
                continue
            self._take(folded, now, changed)
            return changed or now

    def _take(self, folded: str, before: RoomRecord, record: RoomRecord | None) -> None:
        """A record has changed; its room, if loaded, knows at once."""
        if record is None or record.owner_id != before.owner_id:
            self._disowned(before.owner_id)
            if record is not None:
                self._owned[record.owner_id] += 1
        room = self._rooms.get(folded)
        if room is not None and record is not None and room.id == record.id:
            room.take(record)

    def _disowned(self, owner_id: str) -> None:
        self._owned[owner_id] -= 1
        if self._owned[owner_id] <= 0:
            del self._owned[owner_id]

    def _moderated(self, room: Room) -> None:
        """A log tells that a record has changed, perhaps on another node: look at it again."""
        if room.closed:
            self._drop(room)
        else:
            Deferred.fromCoroutine(self._refresh(room)).addErrback(_not_refreshed)

    async def _refresh(self, room: Room) -> None:
        record = await self._record(room_name(room.name))
        if record is not None and record.id == room.id:
            room.take(record)

    # ---- unloading ---------------------------------------------------------------------------------------------

    def _unload(self, room: Room) -> None:
        if room.members or room.expected or room.sub is None:
            return
        room.sub.stop()
        room.sub = None
        self._drop(room)

    def _drop(self, room: Room) -> None:
        """It is not found any more; a closed room may still have somebody on the way in."""
        folded = self._names.pop(room.log, "")
        if self._rooms.get(folded) is room:
            del self._rooms[folded]


def _not_refreshed(failure: Any) -> None:
    _log.warn("a room's record could not be read again: {why}", why=failure.getErrorMessage())


def _again(failed: Exception) -> Exception:
    """Return the failure anew, for an exception that is raised twice gathers tracebacks."""
    return Refused(failed.code, failed.text) if isinstance(failed, Refused) else Unavailable(str(failed))


def _parse(text: str) -> Name:
    try:
        return room_name(text)
    except BadName as error:
        raise BAD_ROOM(why=error) from None
