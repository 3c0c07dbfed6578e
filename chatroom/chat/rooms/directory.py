"""The rooms by name: found, made once whoever else tries at the same time, loaded while somebody is in them.

A room's record lasts in the engine under its folded name; the room itself, with its members, is there only while it has
any.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import ROOMS, Rules
from chatroom.chat.records import pages
from chatroom.chat.reserved_names import check_new
from chatroom.chat.rooms import lookalikes, record_storage
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.record_storage import ROOMS as BUCKET
from chatroom.chat.rooms.record_storage import decode_head
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.room_quotas import RoomListing, RoomQuotas, of_an_account
from chatroom.chat.session import Session, User
from chatroom.model.errors import BAD_ROOM, NO_ROOM, ROOM_EXISTS, TOO_MANY_ROOMS, Refused
from chatroom.model.log import Change, Conflict, Entry, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import BadName, Name, room_name

T = TypeVar("T")

_log = logger(__name__)


class Directory:
    """The rooms of this daemon, and the records of all there are.

    Args:
        engine: Keeps the records.
        sessions: This node's sessions by id, for the rooms.
        mint: Makes ids.
        rules: Say whether rooms are counted by address.
        now: Returns milliseconds since 1970.

    Attributes:
        on_empty: Called with the id and the folded name of a room that nobody on this daemon is in any more.
        quotas: Counts the rooms of accounts, addresses and guests.
    """

    def __init__(
        self, engine: Engine, sessions: dict[str, Session], mint: Mint, rules: Rules, now: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._mint = mint
        self._now = now
        self._rooms: dict[str, Room] = {}  # by folded name
        self._names: dict[str, str] = {}  # folded names by log
        self._opening: dict[str, list[Deferred[Exception | None]]] = {}  # who waits for a room that is being loaded
        self.on_withdrawn: Callable[[Entry], None] = lambda entry: None
        self.on_empty: Callable[[str, str], None] = lambda id, folded: None
        self.quotas = RoomQuotas(engine, rules, now, self._exists)

    async def start(self) -> None:
        """Complete what rooms of an older chatroom lack."""
        await lookalikes.complete(self._engine)

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

    async def find(self, text: str, session: Session, *, create: bool) -> tuple[Room, bool]:
        """Return the room, and whether this call has made it; it stays loaded until ``let_go``.

        Args:
            text: The room's name, as it was given.
            session: The session that wants to join.
            create: Make the room if there is none.

        Raises:
            Refused: The name is none, there is no such room, or too many to make another.
        """
        return await self._open(text, session, create=create)

    def let_go(self, room: Room) -> None:
        """Whoever was given the room is in it by now, or will not be."""
        room.expected -= 1
        self._unload(room)

    def room_of(self, record: RoomRecord) -> Room | None:
        """Return the room of a record if somebody on this daemon is in it, or about to be."""
        room = self._rooms.get(self.folded(record))
        return room if room is not None and room.id == record.id else None

    def rooms(self) -> list[Room]:
        """Return the rooms that somebody on this daemon is in, or about to be."""
        return list(self._rooms.values())

    def loaded(self) -> int:
        """Return how many rooms somebody is in, or about to be."""
        return len(self._rooms)

    async def name_of(self, log: str) -> str:
        """Return a room's shown name by its log; empty when there is no such room any more."""
        head = await self._by_id(log.removeprefix("room/"))
        return head.name if head is not None else ""

    async def is_there(self, id: str) -> bool:
        """Return whether there is a room of that id, loaded or not."""
        return await self._by_id(id) is not None

    async def _by_id(self, id: str) -> RoomRecord | None:
        folded = await self._engine.get(record_storage.NAMES, id)
        held = await self._engine.get(BUCKET, folded[0].decode()) if folded is not None else None
        head = decode_head(held[0]) if held is not None else None
        return head if head is not None and head.id == id else None

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
        (record, rev), created = await self._read(name.folded), False
        if record is None:
            if not create:
                raise NO_ROOM(room=name.shown)
            record, rev, created = await self._make(name, session)
        room = Room(record, rev, self._sessions, self._engine.counters, self._unload, self._moderated, self._withdraw)
        room.expected = 1
        room.sub = await self._engine.follow(room.log, room.apply)
        now, rev = await self._read(name.folded, room)  # nobody has told us what changed before we followed
        if now is None or now.id != record.id:
            room.sub.stop()
            return await self._load(name, session, create)
        room.take(now, rev)
        self._rooms[name.folded] = room
        self._names[room.log] = name.folded
        return room, created

    async def _make(self, name: Name, session: Session) -> tuple[RoomRecord, int, bool]:
        if await self._engine.count(BUCKET) >= ROOMS:
            raise TOO_MANY_ROOMS(most=ROOMS)
        try:
            check_new(name)
        except BadName as error:
            raise BAD_ROOM(why=error) from None
        claims = await lookalikes.claims(self._engine, name)
        user, id = session.user, self._mint(12)
        counted = await self.quotas.enter(user, session.address, id, name.folded)
        record = RoomRecord(id, name.shown, self._now(), user.name, user.id, counted=counted)
        try:
            rev = await self._engine.change([*record_storage.creation(name.folded, record), *claims])
        except Conflict:  # it was made just now by another daemon, or a room that looks like it was made
            await self.quotas.leave(counted, id)
            there, rev = await self._read(name.folded)
            return (there, rev, False) if there is not None else await self._make(name, session)
        _log.info("room {room} ({id}) made by {name}", room=record.name, id=record.id, name=user.name)
        return record, rev, True

    async def _exists(self, listing: RoomListing) -> bool:
        """Return whether there is such a room, and the user whose list it is on owns it."""
        held = await self._engine.get(BUCKET, listing.name)
        head = decode_head(held[0]) if held is not None else None
        return head is not None and (head.id, head.owner_id) == (listing.id, listing.owner_id)

    async def _read(self, folded: str, loaded: Room | None = None) -> tuple[RoomRecord | None, int]:
        """Return a room's record and its revision. What a loaded room knows is not read again unless it has changed."""
        held = await self._engine.get(BUCKET, folded)
        if held is None:
            return None, 0
        value, rev = held
        loaded = loaded or self._rooms.get(folded)
        if loaded is not None and loaded.rev == rev:
            return loaded.record, rev
        head = decode_head(value)
        rows = [row async for page in pages(self._engine, record_storage.PEOPLE, f"{head.id}/") for row in page]
        return record_storage.assemble(head, rows), rev

    async def head(self, name: str) -> RoomRecord | None:
        """Return what the list of rooms needs of one room: its record without the people whom it names."""
        folded = _parse(name).folded
        if folded in self._rooms:
            return self._rooms[folded].record
        held = await self._engine.get(BUCKET, folded)
        return decode_head(held[0]) if held is not None else None

    async def heads(self, most: int = 0) -> AsyncIterator[list[RoomRecord]]:
        """Return all rooms, some at a time, by name; the records come without the people whom they name.

        Args:
            most: Rooms at a time; 0 for as many as one turn of the reactor can handle.
        """
        async for page in pages(self._engine, BUCKET, most=most):
            yield [decode_head(value) for _, value in page]

    async def all(self) -> list[RoomRecord]:
        """Return all rooms there are, loaded or not; the records come without the people whom they name."""
        return [head async for heads in self.heads() for head in heads]

    def count(self) -> Deferred[int]:
        """Return how many rooms there are."""
        return self._engine.count(BUCKET)

    def folded(self, record: RoomRecord) -> str:
        """Return the folded name of a room, under which its record is kept."""
        return room_name(record.name).folded

    async def forget(self, id: str, folded: str, unused: Callable[[RoomRecord], Awaitable[bool]]) -> bool:
        """Remove the record of a room that nobody on this daemon is in; its name is free again.

        Args:
            id: The room's id.
            folded: Its folded name.
            unused: Asked, while nobody on this daemon can come in, whether the room is to go.

        Returns:
            Whether the room has gone.
        """
        if folded in self._rooms or folded in self._opening:
            return False
        return await self._alone(folded, lambda: self._forget(id, folded, unused))

    async def _forget(self, id: str, folded: str, unused: Callable[[RoomRecord], Awaitable[bool]]) -> bool:
        record, rev = await self._read(folded)
        if record is None or record.id != id or not await unused(record):
            return False
        try:
            await self._engine.change(await self._removal(folded, rev, record))
        except Conflict:  # another daemon has changed it just now
            return False
        await self.quotas.leave(record.counted, id)
        return True

    async def _removal(self, folded: str, rev: int, record: RoomRecord) -> list[Change]:
        freed = await lookalikes.releases(self._engine, room_name(record.name))
        return [*record_storage.removal(folded, rev, record), *freed]

    # ---- what changes in a record ------------------------------------------------------------------------------

    async def lookup(self, text: str) -> RoomRecord:
        """Return the record of a room, loaded or not.

        Raises:
            Refused: The name is none, or there is no such room.
        """
        name = _parse(text)
        record, _ = await self._read(name.folded)
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
            now, rev = await self._read(folded)
            if now is None or now.id != record.id:
                raise NO_ROOM(room=record.name)
            changed = change(now)
            if changed is now:
                return now
            if changed is not None:
                changed = replace(changed, changes=now.changes + 1)
            try:
                if changed is None:
                    changes = await self._removal(folded, rev, now)
                else:
                    changes = record_storage.update(folded, rev, now, changed)
                rev = await self._engine.change(changes)
            except Conflict:
                continue
            self._take(folded, changed, rev)
            if changed is None or changed.counted != now.counted:
                await self.quotas.leave(now.counted, now.id)
            return changed or now

    async def hand_over(self, record: RoomRecord, guest: User, user: User) -> None:
        """Give the user of an account the rights in a room that the same person had as a guest.

        Raises:
            Refused: The room has ended.
        """
        counted = None
        if record.owner_id == guest.id:
            with suppress(Refused):
                counted = await self.quotas.enter(user, "", record.id, self.folded(record))
        changed = None
        try:
            changed = await self.amend(record, lambda now: now.handed_over(guest, user, counted))
        finally:
            if counted is not None and (changed is None or changed.counted != counted):
                await self.quotas.leave(counted, record.id)

    async def give(self, record: RoomRecord, user: User, check: Callable[[RoomRecord], None]) -> RoomRecord:
        """Make a user with an account the owner of a room.

        Args:
            record: The room.
            user: The new owner.
            check: Given the record as it is at that moment; raises Refused if that may not be done.

        Raises:
            Refused: By ``check``; or the user has made too many rooms, or the room has ended.
        """
        check(record)
        counted = await self.quotas.enter(user, "", record.id, self.folded(record))

        def change(now: RoomRecord) -> RoomRecord:
            check(now)
            return now.given_to(user, counted)

        try:
            return await self.amend(record, change)
        except Refused:
            await self.quotas.leave(counted, record.id)
            raise

    def _take(self, folded: str, record: RoomRecord | None, rev: int) -> None:
        """A record has changed; its room, if loaded, knows at once."""
        room = self._rooms.get(folded)
        if room is not None and record is not None and room.id == record.id:
            room.take(record, rev)

    def _withdraw(self, entry: Entry) -> None:
        self.on_withdrawn(entry)

    def _moderated(self, room: Room) -> None:
        """A log tells that a record has changed, perhaps on another node: look at it again."""
        if room.closed:
            self._drop(room)
        else:
            Deferred.fromCoroutine(self._refresh(room)).addErrback(_not_refreshed)

    async def _refresh(self, room: Room) -> None:
        record, rev = await self._read(room_name(room.name).folded, room)
        if record is not None and record.id == room.id:
            room.take(record, rev)

    # ---- unloading ---------------------------------------------------------------------------------------------

    def _unload(self, room: Room) -> None:
        if room.members or room.expected or room.sub is None:
            return
        room.sub.stop()
        room.sub = None
        folded = self._names.get(room.log, "")
        self._drop(room)
        if folded and not room.closed and not of_an_account(room.record.counted):
            self.on_empty(room.id, folded)

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
