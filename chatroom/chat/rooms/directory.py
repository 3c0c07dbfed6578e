"""Loading rooms: a room is loaded, and made if need be, when a session joins, and unloaded when nobody is in it.

The record of a room lasts in the engine, under the room's folded name. A loaded room follows its log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from chatroom.chat.limits import ROOMS
from chatroom.chat.reserved_names import check_new
from chatroom.chat.rooms import record_storage, room_lookalikes
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room, RoomReports
from chatroom.chat.rooms.room_changes import RoomChanges
from chatroom.chat.rooms.room_quotas import RoomQuotas, of_an_account
from chatroom.chat.rooms.room_records import RoomRecords, parse_room
from chatroom.chat.rooms.rosters import Rosters
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.errors import BAD_ROOM, NO_ROOM, ROOM_EXISTS, TOO_MANY_ROOMS, Refused
from chatroom.model.log import Conflict, Entry, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import BadName, Name

T = TypeVar("T")

_log = logger(__name__)


class Directory:
    """Finds, makes, loads and unloads rooms by name.

    Args:
        state: What the parts of the chat share.
        loaded: The loaded rooms.
        records: Reads the records of rooms.
        changes: Changes the records of rooms.
        quotas: Counts the rooms of each account, address and guest.
        rosters: Know the members on other daemons.

    Attributes:
        on_withdrawn: Called with a message that must not be shown: its author had been silenced before it was stored.
        on_changed: Called with a loaded room whose record was read again, because an event has changed it.
        on_empty: Called with the id and the folded name of a guest's room when the last session on this daemon leaves.
    """

    def __init__(
        self,
        state: ChatState,
        loaded: LoadedRooms,
        records: RoomRecords,
        changes: RoomChanges,
        quotas: RoomQuotas,
        rosters: Rosters,
    ) -> None:
        self._state = state
        self._engine = state.engine
        self._loaded = loaded
        self._records = records
        self._changes = changes
        self._quotas = quotas
        self._rosters = rosters
        self._opening: dict[str, list[Deferred[Exception | None]]] = {}  # joins waiting for a room that is being loaded
        self.on_withdrawn: Callable[[Entry], None] = lambda entry: None
        self.on_changed: Callable[[Room], None] = lambda room: None
        self.on_empty: Callable[[str, str], None] = lambda id, folded: None

    async def start(self) -> None:
        """Reserve the names of the rooms of an older chatroom against rooms that look alike (``room_lookalikes``)."""
        await room_lookalikes.complete(self._engine)

    # ---- finding and making ------------------------------------------------------------------------------------

    async def create(self, text: str, session: Session) -> Room:
        """Make a room. The room stays loaded until the caller passes it to ``let_go``.

        Raises:
            Refused: The name is invalid, the room exists, or there are too many rooms.
        """
        room, created = await self.find(text, session, create=True)
        if not created:
            self.let_go(room)
            raise ROOM_EXISTS(room=room.name)
        return room

    async def find(self, text: str, session: Session, *, create: bool) -> tuple[Room, bool]:
        """Return a room, and load it if need be. The room stays loaded until the caller passes it to ``let_go``.

        If the room is being loaded for another session, this call waits for that instead of loading the room twice.

        Args:
            text: The room's name, as it was given.
            session: The session that wants to join.
            create: Make the room if there is none.

        Returns:
            The room, and whether this call has made it.

        Raises:
            Refused: The name is invalid, there is no such room, or there are too many rooms to make another.
        """
        name = parse_room(text)
        while (room := self._loaded.get(name.folded)) is None and (
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

    def let_go(self, room: Room) -> None:
        """Take back a room that ``find`` or ``create`` returned: unload it if nobody has joined it or is about to."""
        room.expected -= 1
        self._unload(room)

    async def _alone(self, folded: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do some work on a room while other calls for it wait; then wake them, with the error if the work failed.

        Args:
            folded: The room's folded name.
            work: Loads or forgets the room.
        """
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
        """Load a room and follow its log. If there is none and ``create`` is true, make it first; see ``find``."""
        (record, rev), created = await self._records.read(name.folded), False
        if record is None:
            if not create:
                raise NO_ROOM(room=name.shown)
            record, rev, created = await self._make(name, session)
        sessions, counters = self._state.sessions, self._state.counters
        reports = RoomReports(self._unload, self._moderated, self._withdraw, self._rosters.changed)
        room = Room(record, rev, sessions, counters, reports)
        room.expected = 1
        await self._rosters.fill(room)
        assert room.sub is not None
        now, rev = await self._records.read(name.folded, room)  # read again: it may have changed before ``follow``
        if now is None or now.id != record.id:
            room.sub.stop()
            self._rosters.unloaded(room)
            return await self._load(name, session, create)
        room.take(now, rev)
        self._loaded.add(name.folded, room)
        return room, created

    async def _make(self, name: Name, session: Session) -> tuple[RoomRecord, int, bool]:
        """Make a room's record, unless another daemon makes it at the same time.

        Returns:
            The record, its revision, and whether this call has made it.
        """
        if await self._records.count() >= ROOMS:
            raise TOO_MANY_ROOMS(most=ROOMS)
        try:
            check_new(name)
        except BadName as error:
            raise BAD_ROOM(why=error) from None
        claims = await room_lookalikes.claims(self._engine, name)
        user, id = session.user, self._state.mint(12)
        counted = await self._quotas.enter(user, session.address, id, name.folded)
        record = RoomRecord(id, name.shown, self._state.now(), user.name, user.id, counted=counted)
        try:
            rev = await self._engine.change([*record_storage.creation(name.folded, record), *claims])
        except Conflict:  # another daemon has just made the room, or a room that looks like it
            await self._quotas.leave(counted, id)
            there, rev = await self._records.read(name.folded)
            return (there, rev, False) if there is not None else await self._make(name, session)
        _log.info("room {room} ({id}) made by {name}", room=record.name, id=record.id, name=user.name)
        return record, rev, True

    # ---- what a loaded room reports ----------------------------------------------------------------------------

    def _withdraw(self, entry: Entry) -> None:
        self.on_withdrawn(entry)

    def _moderated(self, room: Room) -> None:
        """Read a room's record again after an event, perhaps of another daemon, that changed it; drop a closed room."""
        if room.closed:
            self._loaded.remove(room)
        else:
            Deferred.fromCoroutine(self._refresh(room)).addErrback(_not_refreshed)

    async def _refresh(self, room: Room) -> None:
        """Read the record of a loaded room, and give it to the room."""
        record, rev = await self._records.read(room.record.folded, room)
        if record is not None and record.id == room.id:
            room.take(record, rev)
            self.on_changed(room)

    # ---- unloading and forgetting ------------------------------------------------------------------------------

    def _unload(self, room: Room) -> None:
        """Unload a room if nobody is in it or about to join it."""
        if room.here or room.expected or room.sub is None:
            return
        room.sub.stop()
        room.sub = None
        self._rosters.unloaded(room)
        folded = self._loaded.remove(room)
        if folded and not room.closed and not of_an_account(room.record.counted):
            self.on_empty(room.id, folded)

    async def forget(self, id: str, folded: str, unused: Callable[[RoomRecord], Awaitable[bool]]) -> bool:
        """Remove the record of a room that is not loaded, so that its name is free again.

        Args:
            id: The room's id.
            folded: The room's folded name.
            unused: Called with the record, while nobody on this daemon can join; returns whether to remove the room.

        Returns:
            Whether the record was removed.
        """
        if self._loaded.get(folded) is not None or folded in self._opening:
            return False
        return await self._alone(folded, lambda: self._changes.remove(id, folded, unused))


def _not_refreshed(failure: Any) -> None:
    _log.warn("a room's record could not be read again: {why}", why=failure.getErrorMessage())


def _again(failed: Exception) -> Exception:
    """Return a copy of an exception, because an exception that is raised again and again gathers tracebacks."""
    return Refused(failed.code, failed.text) if isinstance(failed, Refused) else Unavailable(str(failed))
