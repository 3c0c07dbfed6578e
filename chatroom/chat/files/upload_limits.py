"""The limits of uploads: the size of a file, the space in the store, and the part of it that one user may fill.

Space is reserved before an upload begins, and released when the upload has ended or stalled. While a file is being
uploaded, it counts with its full size. When its upload ends early, it counts only with the bytes that are stored. When
the store is full, the unfinished uploads are checked for space to release, at most once in ``RECLAIM_EVERY`` seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock

from chatroom.chat.files import record_storage
from chatroom.chat.files.quotas import address_of
from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.store import FileStore
from chatroom.chat.limits import FILES, PART_OF_ADDRESS, PART_OF_ONE
from chatroom.chat.records import pages
from chatroom.chat.state import ChatState
from chatroom.model.errors import EMPTY_FILE, FILE_TOO_BIG, STORE_FULL, TOO_MANY_ADDRESS_FILES, TOO_MANY_FILES
from chatroom.model.logger import logger
from chatroom.model.shared_files import spell_apart

RECLAIM_EVERY = 5.0  # seconds from one check of the unfinished uploads of a full store to the next

_log = logger(__name__)


class FileSpace:
    """Reserves space in the store for uploads.

    Args:
        state: What the parts of the chat share.
        store: The shared files.
    """

    def __init__(self, state: ChatState, store: FileStore) -> None:
        self._state = state
        self._store = store
        self._ledger = store.ledger
        self._engine = state.engine
        self._reserving = DeferredLock()
        self._unweighed: set[str] = set()  # ids of ended uploads whose stored bytes are not measured yet
        self._reclaiming = DeferredLock()
        self._reclaimed = -RECLAIM_EVERY  # when ``_reclaim`` last released space, in seconds of the scheduler's clock

    async def start(self) -> None:
        """Count all files of the store in its ledger, which knows how much space each user and address takes up."""
        async for page in pages(self._engine, record_storage.FILES):
            for _, value in page:
                record = record_storage.decode(value)
                size = record.size if record.number else await self._store.received(record)
                self._ledger.charge(record, size, finished=bool(record.number))

    # ---- reserving ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def space_for(self, wanted: FileRecord) -> AsyncIterator[FileRecord]:
        """Reserve space for a file while the context lasts, in which the caller begins the upload.

        Yields:
            The record to upload to: the earlier record if the owner has shared the same file in the same log before,
            else ``wanted``. The file is not removed for want of an upload while the context lasts.

        Raises:
            Refused: The file is empty or too big, or there is no space for it.
        """
        self._check_size(wanted)
        record = await self._begin(wanted)
        if record is None and await self._reclaim():
            record = await self._begin(wanted)
        if record is None:
            raise STORE_FULL(name=wanted.name)
        try:
            yield record
        finally:
            self._store.begun -= Counter([record.id])
            self.ended(record)

    def _check_size(self, wanted: FileRecord) -> None:
        most = self._state.rules.max_file
        if not wanted.size:
            raise EMPTY_FILE(name=wanted.name)
        if most and wanted.size > most:
            size, limit = spell_apart(wanted.size, most)
            raise FILE_TOO_BIG(name=wanted.name, size=size, most=limit)

    async def _begin(self, wanted: FileRecord) -> FileRecord | None:
        """Reserve space for a file; return the record to upload to, or None if the store is full.

        Raises:
            Refused: The files of the sender, or of the sender's address, would take up too much of the store.
        """
        async with self._reserving:  # so that two files never get the same space
            record = await self._reserve(wanted)
            if record is not None:
                self._store.begun[record.id] += 1
                if not record.number:
                    self._ledger.charge(record, record.size, finished=False)
            return record

    async def _reserve(self, wanted: FileRecord) -> FileRecord | None:
        """Find or add the record for a file, after checking that there is space; see ``_begin``."""
        same = await self._store.same(wanted)
        if same is not None and same.number:
            return same
        record = replace(same, at=wanted.at, node=wanted.node) if same is not None else wanted
        self._check_part(record)
        if not self._has_space(record):
            return None
        if same is not None:
            again = {"at": wanted.at, "node": wanted.node}
            return await self._store.change(same.id, lambda now: now if now.number else replace(now, **again))
        await self._store.add(record)
        return record

    def _check_part(self, wanted: FileRecord) -> None:
        """Check that the sender's files, and the files of the sender's address, take up no more than their part.

        If the sender or the address has no other file, the file may take up the whole store.

        Raises:
            Refused: With the wanted file, the part would be too big.
        """
        if self._is_more(wanted, wanted.payer, PART_OF_ONE):
            raise TOO_MANY_FILES()
        if wanted.place and self._state.rules.throttle and self._is_more(wanted, address_of(wanted), PART_OF_ADDRESS):
            raise TOO_MANY_ADDRESS_FILES()

    def _is_more(self, wanted: FileRecord, key: str, part: int) -> bool:
        """Return whether a payer (the account or address that a file counts for) would have too much with a file.

        Args:
            wanted: The file.
            key: The payer or the address, as the ledger knows it.
            part: The limit, as a divisor: 10 for a tenth of the files and bytes of the store.
        """
        store, ledger = self._state.rules.store, self._ledger
        files, size = ledger.of(key)
        others = files - ledger.counts(wanted.id)
        more = wanted.size - ledger.charged(wanted.id)  # a resumed upload is charged already
        return bool(others) and (others >= FILES // part or (store > 0 and size + more > store // part))

    def _has_space(self, wanted: FileRecord) -> bool:
        """Return whether the whole store has space for a file, regardless of the sender's part."""
        store, ledger = self._state.rules.store, self._ledger
        if len(ledger) - (wanted.id in ledger.unfinished) >= FILES:
            return False
        return not store or ledger.total + wanted.size - ledger.charged(wanted.id) <= store

    # ---- taking back -------------------------------------------------------------------------------------------

    def ended(self, record: FileRecord) -> None:
        """Release the space reserved for an upload that has ended, except for the bytes that are stored.

        Nothing happens if a session is uploading the file or about to do so, or if the file is complete.
        """
        if not self._store.is_coming(record.id) and record.id in self._ledger.unfinished:
            self._unweighed.add(record.id)
            Deferred.fromCoroutine(self._weigh(record.id)).addErrback(_not_weighed)

    async def _weigh(self, id: str) -> None:
        """Count an ended upload with the bytes that are stored; remove the file if none are."""
        record = await self._store.record(id)
        size = await self._store.received(record) if record is not None else 0
        self._unweighed.discard(id)
        if record is None or id not in self._ledger.unfinished or self._store.is_coming(id):
            return  # the upload is finished or removed, or a session has begun to upload the file again
        if self._store.is_elsewhere(record):
            return
        self._ledger.charge(record, size, finished=False)
        if not size:
            await self._give_up(id)

    async def _give_up(self, id: str) -> None:
        """Remove an incomplete file unless a session is uploading it.

        The lock, held for this one file only, keeps sessions from beginning to upload the file meanwhile.
        """
        async with self._reserving:
            await self._store.give_up(id)

    async def _reclaim(self) -> bool:
        """End uploads that have stalled, release their space, and remove files of which nothing is stored.

        This is done at most once in ``RECLAIM_EVERY`` seconds. Callers that find it under way wait until it is done.

        Returns:
            True if it was done by this call or while this call waited, so that there may be space now.
        """
        waited = self._reclaiming.locked
        async with self._reclaiming:
            now = self._state.scheduler.seconds()
            if now - self._reclaimed < RECLAIM_EVERY:
                return bool(waited)
            self._reclaimed = now
            for uploads in {*self._store.receiving.values()}:
                uploads.end_stalled()
            blobs = await self._engine.blobs.all()
            for id in tuple(self._ledger.unfinished):
                if id in self._unweighed:
                    await self._weigh(id)
                elif id not in blobs and not self._store.is_coming(id):
                    await self._give_up(id)
            return True


def _not_weighed(failure: Any) -> None:
    _log.warn("what has come of a file could not be measured: {why}", why=failure.getErrorMessage())
