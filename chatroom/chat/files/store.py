"""All shared files of the server: room for another, their numbers, and their end. What is sent is no business of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import DeferredLock

from chatroom.account import BUCKET as ACCOUNTS
from chatroom.account import decode as decode_account
from chatroom.chat.files.record import FileRecord
from chatroom.chat.limits import FILE_DAYS, FILES, PART_DAYS, PART_OF_ONE
from chatroom.chat.refusals import EMPTY_FILE, FILE_TOO_BIG, NO_FILE, STORE_FULL, TOO_MANY_FILES, WRONG_HASH, Refused
from chatroom.chat.rooms.record import RoomRecord
from chatroom.log import Conflict, Entry, Unavailable
from chatroom.logger import logger
from chatroom.shared_files import CHUNK, chunks_of, spell_apart

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.files.transfers import Transfers

BUCKET = "file"
NUMBERS = "next-file"  # the number of the next file given to somebody, by the inbox
_DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)
_decode = msgspec.json.Decoder(FileRecord).decode


class FileStore:
    """See the module.

    Args:
        chat: The chat.

    Attributes:
        receiving: By a file's id, who is sending it.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._engine = chat.engine
        self._reserving = DeferredLock()
        self._begun: Counter[str] = Counter()  # for whom room was made, and who are about to be sent
        self._finishing: dict[str, DeferredLock] = {}
        self.receiving: dict[str, Transfers] = {}

    # ---- finding -----------------------------------------------------------------------------------------------

    async def get(self, id: str) -> FileRecord:
        """Return a file that can be fetched.

        Raises:
            Refused: There is none.
        """
        held = await self._engine.get(BUCKET, id)
        record = _decode(held[0]) if held is not None else None
        if record is None or not record.number:
            raise NO_FILE()
        return record

    async def all(self) -> list[FileRecord]:
        """Return the files there are, and those that are still being sent."""
        return [_decode(value) for _, value in await self._engine.all(BUCKET)]

    async def of(self, log: str) -> list[FileRecord]:
        """Return the files of a room or an inbox that can be fetched, the newest last."""
        there = [record for record in await self.all() if record.log == log and record.number]
        return sorted(there, key=lambda record: record.number)

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
        most = self._chat.rules.max_file
        if not wanted.size:
            raise EMPTY_FILE(name=wanted.name)
        if most and wanted.size > most:
            size, limit = spell_apart(wanted.size, most)
            raise FILE_TOO_BIG(name=wanted.name, size=size, most=limit)
        async with _holding(self._reserving):  # nobody else takes the same room meanwhile
            record = await self._reserve(wanted)
            self._begun[record.id] += 1
        try:
            yield record
        finally:
            self._begun -= Counter([record.id])

    async def _reserve(self, wanted: FileRecord) -> FileRecord:
        held = await self.all()
        same = next((record for record in held if record.is_same(wanted)), None)
        if same is not None:
            return same if same.number else await self._change(replace(same, at=wanted.at))
        try:
            self._check_room(held, wanted)
        except Refused:
            self._check_room(await self._without_empty(held), wanted)
        await self._engine.put(BUCKET, wanted.id, msgspec.json.encode(wanted), 0)
        return wanted

    async def _without_empty(self, held: list[FileRecord]) -> list[FileRecord]:
        """Give up what was announced, and of which nothing came; whoever announced it is not there any more."""
        blobs = await self._engine.blobs.all()
        empty = [one for one in held if not one.number and one.id not in blobs and not self.is_coming(one.id)]
        for record in empty:
            await self.give_up(record.id)
        return [record for record in held if record not in empty]

    def is_coming(self, id: str) -> bool:
        """Return whether somebody is sending it, or is about to."""
        return id in self.receiving or id in self._begun

    def _check_room(self, held: list[FileRecord], wanted: FileRecord) -> None:
        """Everybody may have one file, of whatever size there is room for; and more up to their part of it all."""
        store = self._chat.rules.store
        mine = [record for record in held if record.payer == wanted.payer]
        if mine and len(mine) >= FILES // PART_OF_ONE:
            raise TOO_MANY_FILES()
        if mine and store and sum(record.size for record in mine) + wanted.size > store // PART_OF_ONE:
            raise TOO_MANY_FILES()
        if len(held) >= FILES or (store and sum(record.size for record in held) + wanted.size > store):
            raise STORE_FULL(name=wanted.name)

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
            async with _holding(lock):
                yield
        finally:
            if not lock.locked and self._finishing.get(id) is lock:
                del self._finishing[id]

    async def _finish(self, record: FileRecord, room: RoomRecord | None) -> Entry:
        held = await self._engine.get(BUCKET, record.id)
        if held is None:  # it was removed meanwhile, but what came since is there
            await self._engine.blobs.drop(record.id)
            raise NO_FILE()
        by, by_id = record.by, record.by_id
        record = _decode(held[0])
        if not await self._engine.blobs.seal(record.id, record.sha256):
            await self.remove(record.id)
            raise WRONG_HASH(name=record.name)
        if not record.number:
            number = await self._next_number(record, room)
            record = await self._change(replace(record, number=number, at=self._chat.now(), by=by, by_id=by_id))
            _log.info("{name} shares {file} ({size} bytes)", name=record.by, file=record.name, size=record.size)
        user = self._chat.users.get(record.to_id)
        if user is not None:
            await self._chat.inbox(user).open()
        return await self._chat.append_and_wait(record.log, record.event(), once=True)

    async def _next_number(self, record: FileRecord, room: RoomRecord | None) -> int:
        if room is not None:
            amended = await self._chat.directory.amend(room, lambda now: replace(now, next_file=now.next_file + 1))
            return amended.next_file - 1
        while True:
            held = await self._engine.get(NUMBERS, record.log)
            number, rev = (int(held[0]), held[1]) if held is not None else (1, 0)
            try:
                await self._engine.put(NUMBERS, record.log, b"%d" % (number + 1), rev)
            except Conflict:
                continue
            return number

    async def _change(self, record: FileRecord) -> FileRecord:
        held = await self._engine.get(BUCKET, record.id)
        if held is None:
            raise NO_FILE()
        try:
            await self._engine.put(BUCKET, record.id, msgspec.json.encode(record), held[1])
        except Conflict as error:
            raise Unavailable(str(error)) from error
        return record

    # ---- going -------------------------------------------------------------------------------------------------

    async def remove(self, id: str) -> None:
        """Remove a file, if it is there: first what is known of it, so that nobody begins to fetch it."""
        held = await self._engine.get(BUCKET, id)
        if held is not None:
            try:
                await self._engine.put(BUCKET, id, None, held[1])
            except Conflict as error:
                raise Unavailable(str(error)) from error
        await self._engine.blobs.drop(id)

    async def give_up(self, id: str) -> None:
        """Remove a file that will not come any more; one that is all there stays."""
        async with self._alone(id):
            held = await self._engine.get(BUCKET, id)
            if held is not None and not _decode(held[0]).number and not self.is_coming(id):
                await self.remove(id)

    async def remove_of(self, log: str) -> None:
        """Remove all files of a room that has ended, or of somebody who is no more."""
        for record in await self.all():
            if record.log == log:
                await self.remove(record.id)
        held = await self._engine.get(NUMBERS, log)
        if held is not None:
            await self._engine.put(NUMBERS, log, None, held[1])

    async def sweep(self) -> None:
        """Remove what is too old, what is nobody's any more, and bytes or records that a crash left alone."""
        blobs = await self._engine.blobs.all()  # before the records, for a record is there before its bytes
        known = set()
        records = await self.all()
        logs = await self._logs()  # after them, for a room is there before its files
        for record in records:
            if not self.is_coming(record.id) and await self._is_over(record, logs, blobs):
                await self.remove(record.id)
                _log.info("the file {file} of {name} expired", file=record.name, name=record.by)
            known.add(record.id)
        for id in blobs - known:
            await self._engine.blobs.drop(id)

    async def _is_over(self, record: FileRecord, logs: set[str], blobs: set[str]) -> bool:
        days = FILE_DAYS if record.number else PART_DAYS
        if record.log not in logs or record.at < self._chat.now() - days * _DAY:
            return True
        # Restored from a backup, perhaps, which has no files.
        return bool(record.number) and record.id not in blobs and not await self._engine.blobs.size(record.id)

    async def _logs(self) -> set[str]:
        rooms = {f"room/{record.id}" for record in await self._chat.directory.all()}
        inboxes = {f"inbox/{decode_account(value).id}" for _, value in await self._engine.all(ACCOUNTS)}
        guests = {log for log in await self._engine.logs() if log.startswith("guest/")}  # who may come back
        return rooms | inboxes | guests | {user.inbox_log for user in self._chat.users.values()}


@asynccontextmanager
async def _holding(lock: DeferredLock) -> AsyncIterator[None]:
    await lock.acquire()
    try:
        yield
    finally:
        lock.release()
