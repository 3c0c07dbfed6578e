"""Removing files that are too old, that nobody can fetch any more, or that a crash left incomplete."""

from __future__ import annotations

from chatroom.chat.files import record_storage
from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.store import FileStore
from chatroom.chat.limits import FILE_DAYS, PART_DAYS
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.records import pages
from chatroom.chat.rooms.room_records import RoomRecords
from chatroom.chat.state import ChatState
from chatroom.model.logger import logger

_DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)


class FileExpiry:
    """Removes shared files that are too old, cannot be fetched any more, or are incomplete.

    Args:
        state: What the parts of the chat share.
        store: The shared files.
        rooms: Reads the records of rooms.
        accounts: The accounts.
    """

    def __init__(self, state: ChatState, store: FileStore, rooms: RoomRecords, accounts: Accounts) -> None:
        self._state = state
        self._store = store
        self._rooms = rooms
        self._accounts = accounts
        self._engine = state.engine

    async def sweep(self) -> None:
        """Remove expired files, files that nobody can fetch, records without bytes, and bytes without a record."""
        blobs = await self._engine.blobs.all()  # read before the records, because a record is stored before its bytes
        logs: dict[str, bool] = {}
        known: set[str] = set()
        async for page in pages(self._engine, record_storage.FILES):
            for id, value in page:
                known.add(id)
                record = record_storage.decode(value)
                if not self._store.is_coming(id) and await self._is_over(record, logs, blobs):
                    await self._store.remove(id)
                    _log.info("the file {file} of {name} expired", file=record.name, name=record.by)
        for id in blobs - known:
            await self._engine.blobs.drop(id)

    async def _is_over(self, record: FileRecord, logs: dict[str, bool], blobs: set[str]) -> bool:
        """Return whether a file is to be removed.

        Args:
            record: The file.
            logs: For each log checked in this sweep, whether anybody can still fetch its files. The record's log is
                added.
            blobs: The ids of all files whose bytes were stored, wholly or in part, when the sweep began.
        """
        days = FILE_DAYS if record.number else PART_DAYS
        if record.at < self._state.now() - days * _DAY:
            return True
        if record.log not in logs:
            logs[record.log] = await self._is_there(record.log)
        # A database restored from a backup may have records without their bytes.
        lost = bool(record.number) and record.id not in blobs and not await self._engine.blobs.size(record.id)
        return lost or not logs[record.log]

    async def _is_there(self, log: str) -> bool:
        """Return whether anybody can still fetch the files of a room or an inbox."""
        kind, _, id = log.partition("/")
        if kind == "room":
            return await self._rooms.is_there(id)
        if id in self._state.users or (await self._engine.read(log, limit=1)).entries:
            return True
        return kind == "inbox" and any(account.id == id for account in await self._accounts.all())
