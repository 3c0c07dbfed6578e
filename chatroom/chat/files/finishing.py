"""Publishing a complete file: check its hash, number it, and append its ``shared`` event to the room or inbox."""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.store import NUMBERS, FileStore
from chatroom.chat.people.inbox import Inboxes
from chatroom.chat.people.inbox_quotas import Claim, InboxQuotas
from chatroom.chat.records import retried_on_conflict
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room_changes import RoomChanges
from chatroom.chat.state import ChatState
from chatroom.model.errors import NO_FILE, WRONG_HASH, Refused
from chatroom.model.events import Shared
from chatroom.model.log import Entry
from chatroom.model.logger import logger

_log = logger(__name__)


class FileFinisher:
    """Publishes files whose bytes are all stored.

    Args:
        state: What the parts of the chat share.
        store: The shared files.
        rooms: Changes the records of rooms.
        inboxes: The inboxes of all users online.
        quotas: Limits how much one sender may write to an inbox.
    """

    def __init__(
        self, state: ChatState, store: FileStore, rooms: RoomChanges, inboxes: Inboxes, quotas: InboxQuotas
    ) -> None:
        self._state = state
        self._store = store
        self._rooms = rooms
        self._inboxes = inboxes
        self._quotas = quotas
        self._engine = state.engine

    async def claim(self, record: FileRecord, before: Claim | None = None) -> Claim:
        """Reserve a place for a file's ``shared`` event in the inbox that the file is for. For a room, reserve nothing.

        Args:
            record: The file, with the ``by_id`` that its ``shared`` event will have.
            before: An earlier claim for the same file, which this one replaces.

        Returns:
            The function that releases the place, to be called when the event is stored or will not be.

        Raises:
            Refused: The inbox, or the sender's share of it, is full.
        """
        if not record.to_id:
            return _nothing
        told, user = self._told(record), self._state.users.get(record.to_id)
        return await self._quotas.claim(told.by_id, told.via, user, record.log, record.to, before)

    async def finish(self, record: FileRecord, room: RoomRecord | None) -> Entry:
        """Check a file whose chunks are all stored, publish it, and return the log entry. A second call does no harm.

        Args:
            record: The file; ``by`` is the current name of the user whose session sent the last chunk.
            room: The room that the file is for; None if it is for a user.

        Raises:
            Refused: The bytes have another hash, so the file was removed; or the file or the room is gone.
            Unavailable: It is not known whether the event was stored.
        """
        async with self._store.alone(record.id):
            return await self._finish(record, room)

    async def _finish(self, uploaded: FileRecord, room: RoomRecord | None) -> Entry:
        """Do what ``finish`` says, while the file's lock is held."""
        record = await self._store.record(uploaded.id)
        if record is None:  # the file was removed during the upload, and later chunks were stored all the same
            await self._engine.blobs.drop(uploaded.id)
            raise NO_FILE()
        if not await self._engine.blobs.seal(record.id, record.sha256):
            await self._store.remove(record.id)
            raise WRONG_HASH(name=record.name)
        if room is not None and not record.sealed:
            await self._check_plain(record, room)
        if not record.number:
            record = await self._number(record, uploaded, room)
        user = self._state.users.get(record.to_id)
        if user is not None:
            await self._inboxes.of(user).open()
        told = self._told(record)
        return await self._state.append_and_wait(record.log, told, once=True, copy=self._copy(record))

    async def _check_plain(self, record: FileRecord, room: RoomRecord) -> None:
        """Remove a file that is not encrypted, if its room was encrypted while the file was on its way.

        If that happens after this look at the record, the room withdraws the file (``BarredAuthors``).

        Raises:
            Refused: The room is encrypted, or gone.
        """

        def check(now: RoomRecord) -> RoomRecord:
            now.check_plain(keyed=True)
            return now

        try:
            await self._rooms.amend(room, check)
        except Refused:
            await self._store.remove(record.id)
            raise

    async def _number(self, record: FileRecord, uploaded: FileRecord, room: RoomRecord | None) -> FileRecord:
        """Give a file its number and the name of its sender; return the new record."""
        number = await self._next_number(record, room)
        told = {"number": number, "at": self._state.now(), "by": uploaded.by, "by_id": uploaded.by_id}
        record = await self._store.change(record.id, lambda now: replace(now, **told))
        self._store.ledger.charge(record, record.size, finished=True)
        _log.info("{name} shares {file} ({size} bytes)", name=record.by, file=record.name, size=record.size)
        return record

    def _copy(self, record: FileRecord) -> str:
        """Return the log in which the giver of a file finds what was given; empty for a file of a room."""
        giver = self._state.users.get(record.by_id)
        return giver.sent_log if giver is not None and record.to_id not in ("", giver.id) else ""

    def _told(self, record: FileRecord) -> Shared:
        """Return the ``shared`` event of a file; for an inbox, with a mark that stands for the sender's address."""
        if not record.to_id or not record.place:
            return record.event()
        via = self._quotas.via_of(record.place.partition(":")[2], guest=record.payer == record.place)
        return replace(record.event(), via=via)

    async def _next_number(self, record: FileRecord, room: RoomRecord | None) -> int:
        """Return the next unused file number of a room or an inbox, and store that it is used."""
        if room is not None:
            amended = await self._rooms.amend(room, lambda now: replace(now, next_file=now.next_file + 1))
            return amended.next_file - 1
        return await self._next_in_inbox(record.log)

    @retried_on_conflict
    async def _next_in_inbox(self, log: str) -> int:
        """Return the next unused file number of an inbox, and store that it is used."""
        held = await self._engine.get(NUMBERS, log)
        number, rev = (int(held[0]), held[1]) if held is not None else (1, 0)
        await self._engine.put(NUMBERS, log, b"%d" % (number + 1), rev)
        return number


def _nothing() -> None:
    """Release nothing: nothing is reserved for a file in a room."""
