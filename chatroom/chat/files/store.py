"""All shared files of the server: room for another, their numbers, and their end. What is sent is no business of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock

from chatroom.chat.files import record_storage
from chatroom.chat.files.quotas import FileQuotas, address_of
from chatroom.chat.files.record import FileRecord
from chatroom.chat.limits import FILE_DAYS, FILES, PART_DAYS, PART_OF_ADDRESS, PART_OF_ONE
from chatroom.chat.locks import holding
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.inbox import Inboxes
from chatroom.chat.people.inbox_quotas import Claim, InboxQuotas
from chatroom.chat.records import pages
from chatroom.chat.rooms.directory import Directory
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.state import ChatState
from chatroom.model.errors import (
    EMPTY_FILE,
    FILE_TOO_BIG,
    NO_FILE,
    STORE_FULL,
    TOO_MANY_ADDRESS_FILES,
    TOO_MANY_FILES,
    WRONG_HASH,
)
from chatroom.model.events import Shared
from chatroom.model.log import Change, Conflict, Entry
from chatroom.model.logger import logger
from chatroom.model.replies import FileLine
from chatroom.model.shared_files import CHUNK, chunks_of, spell_apart

NUMBERS = "next-file"  # the number of the next file given to somebody, by the inbox
RECLAIM_EVERY = 5.0  # seconds between two looks at which uploads do not go on, when the store is full
_DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)
_decode_line = msgspec.json.Decoder(FileLine).decode


class Receiver(Protocol):
    """The uploads of a session (``chatroom.chat.files.transfers``)."""

    def forget(self, file: str) -> None:
        """Expect no more of a file."""

    def end_stalled(self) -> None:
        """End uploads of which no chunk has come for a while."""

    def give_way(self, file: str, other: object) -> None:
        """End an upload that another connection goes on with."""


class FileStore:
    """See the module.

    Args:
        state: What the chat shares.
        directory: The rooms.
        accounts: The accounts.
        inboxes: The inboxes of everybody online.
        quotas: How much one sender may write to an inbox.

    Attributes:
        receiving: By a file's id, who is sending it.
    """

    def __init__(
        self, state: ChatState, directory: Directory, accounts: Accounts, inboxes: Inboxes, quotas: InboxQuotas
    ) -> None:
        self._state = state
        self._directory = directory
        self._accounts = accounts
        self._inboxes = inboxes
        self._quotas = quotas
        self._engine = state.engine
        self._reserving = DeferredLock()
        self._begun: Counter[str] = Counter()  # for whom room was made, and who are about to be sent
        self._finishing: dict[str, DeferredLock] = {}
        self._ledger = FileQuotas()
        self._unweighed: set[str] = set()  # ids of uploads that have ended, and of which it is not known what has come
        self._reclaiming = DeferredLock()
        self._reclaimed = -RECLAIM_EVERY  # when room was last taken back, by the scheduler's clock
        self.receiving: dict[str, Receiver] = {}

    async def start(self) -> None:
        """Learn how much of the store is taken."""
        async for page in pages(self._engine, record_storage.FILES):
            for _, value in page:
                record = record_storage.decode(value)
                size = record.size if record.number else await self._come(record)
                self._ledger.charge(record, size, finished=bool(record.number))

    async def _come(self, record: FileRecord) -> int:
        """Return how many bytes of an upload have come."""
        return min(record.size, await self._engine.blobs.size(record.id))

    def ended(self, record: FileRecord) -> None:
        """Note that nobody sends the file any more: what has not come of it takes no room."""
        if not self.is_coming(record.id) and record.id in self._ledger.unfinished:
            self._unweighed.add(record.id)
            Deferred.fromCoroutine(self._weigh(record.id)).addErrback(_not_weighed)

    async def _weigh(self, id: str) -> None:
        """Count an upload that has ended as what has come of it, and give it up if nothing has come."""
        held = await self._engine.get(record_storage.FILES, id)
        record = record_storage.decode(held[0]) if held is not None else None
        size = await self._come(record) if record is not None else 0
        self._unweighed.discard(id)
        if record is None or id not in self._ledger.unfinished or self.is_coming(id):
            return  # the upload is finished or removed, or somebody has begun to send the file again
        self._ledger.charge(record, size, finished=False)
        if not size:
            await self._give_up_apart(id)

    async def _give_up_apart(self, id: str) -> None:
        """Give up a file while nobody begins to send it; whoever shares something else waits for this one file only."""
        async with holding(self._reserving):
            await self.give_up(id)

    # ---- finding -----------------------------------------------------------------------------------------------

    async def get(self, id: str) -> FileRecord:
        """Return a file that can be fetched.

        Raises:
            Refused: There is none.
        """
        held = await self._engine.get(record_storage.FILES, id)
        record = record_storage.decode(held[0]) if held is not None else None
        if record is None or not record.number:
            raise NO_FILE()
        return record

    async def numbered(self, log: str, number: int) -> FileRecord | None:
        """Return the file with that number in a room or an inbox."""
        found = await self._engine.page(record_storage.IN_LOG, record_storage.in_log(log, number))
        return await self.get(found[0][0].rpartition("/")[2]) if number > 0 and found else None

    async def lines(self, log: str, most: int) -> tuple[list[FileLine], int]:
        """Return the newest files of a room or an inbox that can be fetched, the newest last, and how many there are.

        Args:
            log: Of the room, or the inbox.
            most: How many are returned.
        """
        newest = await self._engine.last(record_storage.IN_LOG, record_storage.in_log(log), most)
        unsent = record_storage.in_log(log, 0)
        number = await self._engine.count(record_storage.IN_LOG, record_storage.in_log(log))
        number -= await self._engine.count(record_storage.IN_LOG, unsent)
        return [_decode_line(value) for key, value in newest if not key.startswith(unsent)], number

    async def named(self, user_id: str, name: str) -> AsyncIterator[FileRecord]:
        """Yield the files of that name that a user has shared and that are not being sent, the newest first."""
        found: dict[str, int] = {}  # when it was shared, by the file's id
        async for page in pages(self._engine, record_storage.BY_USER, f"{user_id}/"):
            for key, value in page:
                called, at = record_storage.decode_name(value)
                id = key.rpartition("/")[2]
                if called == name and not self.is_coming(id):
                    found[id] = at
        for id in sorted(found, key=lambda id: found[id], reverse=True):
            held = await self._engine.get(record_storage.FILES, id)
            if held is not None:
                yield record_storage.decode(held[0])

    async def have(self, record: FileRecord) -> int:
        """Return how many chunks of it are there."""
        size = await self._engine.blobs.size(record.id)
        return chunks_of(size) if size >= record.size else size // CHUNK

    # ---- coming ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def room_for(self, wanted: FileRecord) -> AsyncIterator[FileRecord]:
        """Keep room for a file, or give what there is of the same one; it is not given up while somebody begins it.

        Raises:
            Refused: It is too big, or there is no room for it.
        """
        most = self._state.rules.max_file
        if not wanted.size:
            raise EMPTY_FILE(name=wanted.name)
        if most and wanted.size > most:
            size, limit = spell_apart(wanted.size, most)
            raise FILE_TOO_BIG(name=wanted.name, size=size, most=limit)
        record = await self._begin(wanted)
        if record is None and await self._reclaim():
            record = await self._begin(wanted)
        if record is None:
            raise STORE_FULL(name=wanted.name)
        try:
            yield record
        finally:
            self._begun -= Counter([record.id])
            self.ended(record)

    async def _begin(self, wanted: FileRecord) -> FileRecord | None:
        """Keep room for a file, or return None when the store is full.

        Raises:
            Refused: The files of the sender use all that one sender may have.
        """
        async with holding(self._reserving):  # nobody else takes the same room meanwhile
            record = await self._reserve(wanted)
            if record is not None:
                self._begun[record.id] += 1
                if not record.number:
                    self._ledger.charge(record, record.size, finished=False)
            return record

    async def _reserve(self, wanted: FileRecord) -> FileRecord | None:
        same = await self._same(wanted)
        if same is not None and same.number:
            return same
        record = replace(same, at=wanted.at) if same is not None else wanted
        self._check_part(record)
        if not self._has_room(record):
            return None
        if same is not None:
            return await self._change(same.id, lambda now: now if now.number else replace(now, at=wanted.at))
        await self._engine.change(record_storage.changes(None, record, 0))
        return record

    async def _same(self, wanted: FileRecord) -> FileRecord | None:
        """Return the same file of the same owner for the same people, all there or not."""
        id = await self._engine.get(record_storage.SAME, record_storage.same_key(wanted))
        held = await self._engine.get(record_storage.FILES, id[0].decode()) if id is not None else None
        return record_storage.decode(held[0]) if held is not None else None

    async def _reclaim(self) -> bool:
        """Take the room back from uploads that do not go on, and give up those of which nothing has come.

        All shares for which the store is full have this done once in a few seconds; nobody else waits for it.

        Returns:
            Whether it was done at the end of what the share waited for, so that there may be room now.
        """
        waited = self._reclaiming.locked
        async with holding(self._reclaiming):
            now = self._state.scheduler.seconds()
            if now - self._reclaimed < RECLAIM_EVERY:
                return bool(waited)
            self._reclaimed = now
            for transfers in {*self.receiving.values()}:
                transfers.end_stalled()
            blobs = await self._engine.blobs.all()
            for id in tuple(self._ledger.unfinished):
                if id in self._unweighed:
                    await self._weigh(id)
                elif id not in blobs and not self.is_coming(id):
                    await self._give_up_apart(id)
            return True

    def is_coming(self, id: str) -> bool:
        """Return whether somebody is sending it, or is about to."""
        return id in self.receiving or id in self._begun

    def _check_part(self, wanted: FileRecord) -> None:
        """See that a sender, and everybody at one address, has one file, or no more than a part of the store.

        The one file may have whatever size there is room for.

        Raises:
            Refused: It would be more.
        """
        if self._is_more(wanted, wanted.payer, PART_OF_ONE):
            raise TOO_MANY_FILES()
        if wanted.place and self._state.rules.throttle and self._is_more(wanted, address_of(wanted), PART_OF_ADDRESS):
            raise TOO_MANY_ADDRESS_FILES()

    def _is_more(self, wanted: FileRecord, key: str, part: int) -> bool:
        """Return whether a file is more than a payer or an address may have, which is one part of so many."""
        store, ledger = self._state.rules.store, self._ledger
        files, size = ledger.of(key)
        others = files - ledger.counts(wanted.id)
        more = wanted.size - ledger.charged(wanted.id)  # an upload that goes on is charged already
        return bool(others) and (others >= FILES // part or (store > 0 and size + more > store // part))

    def _has_room(self, wanted: FileRecord) -> bool:
        """Return whether there is room for a file, whoever sends it."""
        store, ledger = self._state.rules.store, self._ledger
        if len(ledger) - (wanted.id in ledger.unfinished) >= FILES:
            return False
        return not store or ledger.total + wanted.size - ledger.charged(wanted.id) <= store

    async def claim(self, record: FileRecord, before: Claim | None = None) -> Claim:
        """Reserve the place of what is told of a file in the inbox that it is for; a room needs none.

        Args:
            record: The file, with ``by_id`` as it will be told.
            before: An earlier claim for the same file, which this one replaces.

        Returns:
            What to call when the file is told, or will not be.

        Raises:
            Refused: The inbox is full, or the sender's share of it.
        """
        if not record.to_id:
            return _nothing
        told, user = self._told(record), self._state.users.get(record.to_id)
        return await self._quotas.claim(told.by_id, told.via, user, record.log, record.to, before)

    async def finish(self, record: FileRecord, room: RoomRecord | None) -> Entry:
        """All is there: look whether it is what was announced, and let those know whom it is for.

        Args:
            record: The file; ``by`` is who has sent the end of it, and is called so now.
            room: Which it is for; None: for a person.

        Raises:
            Refused: It is something else, and has been removed; or the room has ended.
            Unavailable: It may not be stored; to finish again does no harm.
        """
        async with self._alone(record.id):
            return await self._finish(record, room)

    @asynccontextmanager
    async def _alone(self, id: str) -> AsyncIterator[None]:
        """Decide what becomes of a file one after the other."""
        lock = self._finishing.setdefault(id, DeferredLock())
        try:
            async with holding(lock):
                yield
        finally:
            if not lock.locked and self._finishing.get(id) is lock:
                del self._finishing[id]

    async def _finish(self, record: FileRecord, room: RoomRecord | None) -> Entry:
        held = await self._engine.get(record_storage.FILES, record.id)
        if held is None:  # it was removed meanwhile, but what came since is there
            await self._engine.blobs.drop(record.id)
            raise NO_FILE()
        by, by_id = record.by, record.by_id
        record = record_storage.decode(held[0])
        if not await self._engine.blobs.seal(record.id, record.sha256):
            await self.remove(record.id)
            raise WRONG_HASH(name=record.name)
        if not record.number:
            number = await self._next_number(record, room)
            told = {"number": number, "at": self._state.now(), "by": by, "by_id": by_id}
            record = await self._change(record.id, lambda now: replace(now, **told))
            self._ledger.charge(record, record.size, finished=True)
            _log.info("{name} shares {file} ({size} bytes)", name=record.by, file=record.name, size=record.size)
        user = self._state.users.get(record.to_id)
        if user is not None:
            await self._inboxes.of(user).open()
        return await self._state.append_and_wait(record.log, self._told(record), once=True)

    def _told(self, record: FileRecord) -> Shared:
        """Return what is told of a file; in an inbox, with the mark of the address that the file was sent from."""
        if not record.to_id or not record.place:
            return record.event()
        via = self._quotas.via_of(record.place.partition(":")[2], guest=record.payer == record.place)
        return replace(record.event(), via=via)

    async def _next_number(self, record: FileRecord, room: RoomRecord | None) -> int:
        if room is not None:
            amended = await self._directory.amend(room, lambda now: replace(now, next_file=now.next_file + 1))
            return amended.next_file - 1
        while True:
            held = await self._engine.get(NUMBERS, record.log)
            number, rev = (int(held[0]), held[1]) if held is not None else (1, 0)
            try:
                await self._engine.put(NUMBERS, record.log, b"%d" % (number + 1), rev)
            except Conflict:
                continue
            return number

    async def _change(self, id: str, change: Callable[[FileRecord], FileRecord]) -> FileRecord:
        """Change a file's record, whatever others change in it meanwhile; return the new record.

        Raises:
            Refused: The file is there no more.
        """
        while (held := await self._engine.get(record_storage.FILES, id)) is not None:
            now = record_storage.decode(held[0])
            changed = change(now)
            try:
                await self._engine.change(record_storage.changes(now, changed, held[1]))
            except Conflict:
                continue
            return changed
        raise NO_FILE()

    # ---- going -------------------------------------------------------------------------------------------------

    async def remove(self, id: str) -> None:
        """Remove a file, if it is there: first what is known of it, so that nobody begins to fetch it."""
        while (held := await self._engine.get(record_storage.FILES, id)) is not None:
            try:
                await self._engine.change(record_storage.changes(record_storage.decode(held[0]), None, held[1]))
            except Conflict:  # the upload was finished, or begun again, just now
                continue
            break
        self._ledger.drop(id)
        await self._engine.blobs.drop(id)

    async def give_up(self, id: str) -> None:
        """Remove a file that will not come any more; one that is all there stays."""
        async with self._alone(id):
            held = await self._engine.get(record_storage.FILES, id)
            if held is not None and not record_storage.decode(held[0]).number and not self.is_coming(id):
                await self.remove(id)

    async def remove_of(self, log: str) -> None:
        """Remove all files of a room that has ended, or of somebody who is no more."""
        async for page in pages(self._engine, record_storage.IN_LOG, record_storage.in_log(log)):
            for key, _ in page:
                await self.remove(key.rpartition("/")[2])
        # Whatever the next number is by now: a file that somebody finishes at this moment may have taken one.
        await self._engine.change([Change(NUMBERS, log, None)])

    async def sweep(self) -> None:
        """Remove what is too old, what is nobody's any more, and bytes or records that a crash left alone."""
        blobs = await self._engine.blobs.all()  # before the records, for a record is there before its bytes
        logs: dict[str, bool] = {}
        known: set[str] = set()
        async for page in pages(self._engine, record_storage.FILES):
            for id, value in page:
                known.add(id)
                record = record_storage.decode(value)
                if not self.is_coming(id) and await self._is_over(record, logs, blobs):
                    await self.remove(id)
                    _log.info("the file {file} of {name} expired", file=record.name, name=record.by)
        for id in blobs - known:
            await self._engine.blobs.drop(id)

    async def _is_over(self, record: FileRecord, logs: dict[str, bool], blobs: set[str]) -> bool:
        days = FILE_DAYS if record.number else PART_DAYS
        if record.at < self._state.now() - days * _DAY:
            return True
        if record.log not in logs:
            logs[record.log] = await self._is_there(record.log)
        # Restored from a backup, perhaps, which has no files.
        lost = bool(record.number) and record.id not in blobs and not await self._engine.blobs.size(record.id)
        return lost or not logs[record.log]

    async def _is_there(self, log: str) -> bool:
        """Return whether there is still somebody who could fetch the files of a room or an inbox."""
        kind, _, id = log.partition("/")
        if kind == "room":
            return await self._directory.is_there(id)
        if id in self._state.users or (await self._engine.read(log, limit=1)).entries:
            return True
        return kind == "inbox" and any(account.id == id for account in await self._accounts.all())


def _nothing() -> None:
    """Release nothing: nothing was reserved for a file of a room."""


def _not_weighed(failure: Any) -> None:
    _log.warn("what has come of a file could not be measured: {why}", why=failure.getErrorMessage())
