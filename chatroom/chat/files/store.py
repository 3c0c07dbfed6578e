"""The shared files of the server: finding them, changing their records, and removing them with their bytes.

A record is in the store from the moment an upload begins; its number is 0 until the file is complete. Who may share
and fetch is decided in ``sharing``, ``upload_limits`` reserves space, and ``finishing`` publishes complete files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
from twisted.internet.defer import DeferredLock

from chatroom.chat.files import record_storage
from chatroom.chat.files.quotas import FileQuotas
from chatroom.chat.files.record import FileRecord
from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.errors import NO_FILE
from chatroom.model.log import Change
from chatroom.model.replies import FileLine
from chatroom.model.shared_files import CHUNK, chunks_of

NUMBERS = "next-file"  # bucket: the number of the next file given to a user, by the log of the user's inbox

_decode_line = msgspec.json.Decoder(FileLine).decode


class Receiver(Protocol):
    """The uploads of a session (``chatroom.chat.files.uploads``)."""

    def end_stalled(self) -> None:
        """End the uploads for which no chunk has arrived for a while."""

    def give_way(self, file: str, other: object) -> None:
        """End an upload, because another connection goes on with it."""


class FileStore:
    """Finds, changes and removes shared files.

    Args:
        engine: Keeps the records and the bytes.

    Attributes:
        ledger: Counts how much of the store is taken.
        receiving: The uploads of the session that is sending a file, by the file's id.
        begun: For each file's id, how many shares have reserved space for the file and not yet begun to upload it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks: dict[str, DeferredLock] = {}  # by file id
        self.ledger = FileQuotas()
        self.receiving: dict[str, Receiver] = {}
        self.begun: Counter[str] = Counter()

    def is_coming(self, id: str) -> bool:
        """Return whether a session is uploading the file, or is about to."""
        return id in self.receiving or id in self.begun

    def is_elsewhere(self, record: FileRecord) -> bool:
        """Return whether a file may be uploaded on another daemon, which has not ended."""
        return record.node != self._engine.node and record.node in self._engine.nodes()

    # ---- finding -----------------------------------------------------------------------------------------------

    async def record(self, id: str) -> FileRecord | None:
        """Return the record of a file, complete or not; None if there is none."""
        held = await self._engine.get(record_storage.FILES, id)
        return record_storage.decode(held[0]) if held is not None else None

    async def get(self, id: str) -> FileRecord:
        """Return the record of a complete file.

        Raises:
            Refused: There is no such file, or it is not complete.
        """
        record = await self.record(id)
        if record is None or not record.number:
            raise NO_FILE()
        return record

    async def numbered(self, log: str, number: int) -> FileRecord | None:
        """Return the record of the file with that number in a room or an inbox; None if there is none.

        Raises:
            Refused: The file was removed meanwhile.
        """
        found = await self._engine.page(record_storage.IN_LOG, record_storage.in_log(log, number))
        return await self.get(found[0][0].rpartition("/")[2]) if number > 0 and found else None

    async def lines(self, log: str, most: int) -> tuple[list[FileLine], int]:
        """List the newest complete files of a room or an inbox.

        Args:
            log: The log of the room or inbox.
            most: The most files to list.

        Returns:
            The lines of the list, the newest last, and the number of all complete files.
        """
        newest = await self._engine.last(record_storage.IN_LOG, record_storage.in_log(log), most)
        unsent = record_storage.in_log(log, 0)
        number = await self._engine.count(record_storage.IN_LOG, record_storage.in_log(log))
        number -= await self._engine.count(record_storage.IN_LOG, unsent)
        return [_decode_line(value) for key, value in newest if not key.startswith(unsent)], number

    async def named(self, user_id: str, name: str) -> AsyncIterator[FileRecord]:
        """Yield the files of that name that a user has shared, newest first; files being uploaded are left out."""
        found: dict[str, int] = {}  # when the file was shared, by its id
        async for page in pages(self._engine, record_storage.BY_USER, f"{user_id}/"):
            for key, value in page:
                called, at = record_storage.decode_name(value)
                id = key.rpartition("/")[2]
                if called == name and not self.is_coming(id):
                    found[id] = at
        for id in sorted(found, key=lambda id: found[id], reverse=True):
            record = await self.record(id)
            if record is not None:
                yield record

    async def same(self, wanted: FileRecord) -> FileRecord | None:
        """Return the stored record of the same file, owner and log, complete or not; None if there is none."""
        id = await self._engine.get(record_storage.SAME, record_storage.same_key(wanted))
        return await self.record(id[0].decode()) if id is not None else None

    async def have(self, record: FileRecord) -> int:
        """Return how many chunks of a file are stored."""
        size = await self._engine.blobs.size(record.id)
        return chunks_of(size) if size >= record.size else size // CHUNK

    async def received(self, record: FileRecord) -> int:
        """Return how many bytes of a file are stored."""
        return min(record.size, await self._engine.blobs.size(record.id))

    # ---- changing ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def alone(self, id: str) -> AsyncIterator[None]:
        """Hold the lock of one file, so that finishing it and giving it up never overlap."""
        lock = self._locks.setdefault(id, DeferredLock())
        try:
            async with lock:
                yield
        finally:
            if not lock.locked and self._locks.get(id) is lock:
                del self._locks[id]

    async def add(self, record: FileRecord) -> None:
        """Store a new record."""
        await self._engine.change(record_storage.changes(None, record, 0))

    @retried_on_conflict
    async def change(self, id: str, change: Callable[[FileRecord], FileRecord]) -> FileRecord:
        """Change a record by compare-and-set; try again if the record was changed in between.

        Args:
            id: The file's id.
            change: Returns the new record for the current one.

        Returns:
            The new record.

        Raises:
            Refused: The file has been removed.
        """
        held = await self._engine.get(record_storage.FILES, id)
        if held is None:
            raise NO_FILE()
        now = record_storage.decode(held[0])
        changed = change(now)
        await self._engine.change(record_storage.changes(now, changed, held[1]))
        return changed

    # ---- removing ----------------------------------------------------------------------------------------------

    async def remove(self, id: str) -> None:
        """Remove a file if it exists: the record first, so that no session begins to fetch it, and then the bytes."""
        await self._remove_record(id)
        self.ledger.drop(id)
        await self._engine.blobs.drop(id)

    @retried_on_conflict
    async def _remove_record(self, id: str) -> None:
        held = await self._engine.get(record_storage.FILES, id)
        if held is not None:
            await self._engine.change(record_storage.changes(record_storage.decode(held[0]), None, held[1]))

    async def give_up(self, id: str) -> None:
        """Remove a file that is not complete, unless a session is uploading it."""
        async with self.alone(id):
            record = await self.record(id)
            if record is None or record.number or self.is_coming(id) or self.is_elsewhere(record):
                return
            await self.remove(id)

    async def remove_of(self, log: str) -> None:
        """Remove all files of a room that has ended, or of an inbox whose account was deleted."""
        async for page in pages(self._engine, record_storage.IN_LOG, record_storage.in_log(log)):
            for key, _ in page:
                await self.remove(key.rpartition("/")[2])
        # Removed whatever its revision: a file that is being finished at this moment may have changed it.
        await self._engine.change([Change(NUMBERS, log, None)])
