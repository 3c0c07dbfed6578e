"""The files that one connection sends and fetches at the moment. Chunks come and go one at a time, so that little of a
file is ever in memory and others' talk goes on in between.

*Up*: a chunk that came is written by the engine; while two are being written no more is read from the connection.
*Down*: the next chunk is read when the connection has taken the last, and all but eight are acknowledged.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.store import FileStore
from chatroom.chat.messaging import check_not_muted, check_not_silenced
from chatroom.chat.people.inbox_quotas import Claim
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.session import Session
from chatroom.model.commands import PutChunk
from chatroom.model.errors import (
    INTERNAL,
    NO_FILE,
    NO_TRANSFER,
    NOT_IN_ROOM,
    NOT_STORED,
    STALLED,
    TAKEN_OVER,
    TOO_MANY_TRANSFERS,
    WRONG_CHUNK,
    Refused,
)
from chatroom.model.events import placed
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.replies import Chunk
from chatroom.model.shared_files import CHUNK, TRANSFERS, WINDOW, bytes_of, chunks_of

UNWRITTEN = 2  # chunks that are being written, before no more is read
STALLED_AFTER = 60.0  # seconds without a chunk, after which others may have the room that is kept for an upload
HELD = 2 * CHUNK  # bytes that a connection may hold beyond its bound: a chunk on its way, and its copy

_log = logger(__name__)


class _Upload:
    """A file that comes: which chunk is next, and how many are stored."""

    __slots__ = ("moved", "next", "record", "release", "room", "stored")

    def __init__(self, record: FileRecord, room: RoomRecord | None, have: int, now: float, release: Claim) -> None:
        self.release = release  # gives back the place that is reserved in an inbox
        self.moved = now  # when its last chunk came, or it began; by the scheduler's clock
        self.record = record
        self.room = room
        self.next = self.stored = have

    @property
    def complete(self) -> bool:
        """Whether all chunks are stored."""
        return self.stored == chunks_of(self.record.size)


class _Download:
    """A file that goes: which chunk is next, and which the other side has not yet acknowledged."""

    __slots__ = ("next", "record", "wanted")

    def __init__(self, record: FileRecord, start: int) -> None:
        self.record = record
        self.next = self.wanted = start

    @property
    def ready(self) -> bool:
        """Whether the next chunk may go."""
        return self.next < chunks_of(self.record.size) and self.next - self.wanted < WINDOW


class SessionTransfers:
    """See the module.

    Args:
        session: Whose they are.
        files: All shared files.
        scheduler: Gives ``seconds`` and ``callLater``.

    Attributes:
        expects: The raw bytes that follow are a chunk that ``take`` wants.
    """

    def __init__(self, session: Session, files: FileStore, scheduler: Any) -> None:
        self._session = session
        self._files = files
        self._scheduler = scheduler
        self._blobs = session.host.engine.blobs
        self._uploads: dict[str, _Upload] = {}
        self._downloads: dict[str, _Download] = {}  # the one whose turn it is comes first
        self._expected: _Upload | None = None
        self._excused = False
        self._unwritten = 0
        self._waiting: Deferred[None] | None = None
        self._idle: Deferred[None] | None = None
        self._reading = False
        self._widened = False
        self._closed = False

    def check_number(self) -> None:
        """See that one more may begin.

        Raises:
            Refused: There are too many.
        """
        coming = sum(
            not upload.complete for upload in self._uploads.values()
        )  # what is complete is perhaps seen already
        if coming + len(self._downloads) >= TRANSFERS:
            raise TOO_MANY_TRANSFERS(most=TRANSFERS)

    def cancel(self, file: str) -> bool:
        """Go on no more with a file, in either direction. Returns whether it was being sent to us.

        Raises:
            Refused: It is not under way.
        """
        coming = file in self._uploads
        if not coming and file not in self._downloads:
            raise NO_TRANSFER()
        self.forget(file)
        self._downloads.pop(file, None)
        return coming

    def close(self) -> None:
        """The connection has ended; what came of an upload can be gone on with."""
        self._closed = True
        for file in tuple(self._uploads):
            self.forget(file)
        self._downloads.clear()

    def excused(self) -> bool:
        """Return, once, whether what was just said belongs to a transfer, and is bounded by its window alone."""
        excused, self._excused = self._excused, False
        return excused

    # ---- up ----------------------------------------------------------------------------------------------------

    def receive(self, record: FileRecord, room: RoomRecord | None, have: int, release: Claim) -> None:
        """Expect a file's chunks.

        Args:
            record: The file.
            room: The room that it is for; None for a person.
            have: The first chunk that is missing.
            release: Gives back the place that is reserved in an inbox; called when the upload ends.
        """
        now = self._scheduler.seconds()
        upload = self._uploads[record.id] = _Upload(record, room, have, now, release)
        self._files.receiving[record.id] = self
        self._finish_if_all(upload)

    def forget(self, file: str) -> None:
        """Expect no more of a file."""
        upload = self._uploads.pop(file, None)
        if upload is not None and not upload.complete:
            upload.release()
        if upload is not None and self._files.receiving.get(file) is self:
            del self._files.receiving[file]
            self._files.ended(upload.record)
        self._settle()

    def end_stalled(self) -> None:
        """End uploads of which no chunk has come for a while: somebody else needs the room that is kept for them."""
        now = self._scheduler.seconds()
        for upload in tuple(self._uploads.values()):
            if not upload.complete and now - upload.moved > STALLED_AFTER:
                self._fail(upload, STALLED(name=upload.record.name))

    def idle(self) -> Deferred[None]:
        """Fires when all that has come is stored, and a file that is all there has been shared."""
        idle: Deferred[None] = Deferred()
        self._idle = idle
        self._settle()
        return idle

    def _settle(self) -> None:
        busy = self._unwritten or any(upload.complete for upload in self._uploads.values())
        if self._idle is not None and not busy:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def take_over(self, file: str) -> None:
        """Whoever is sending a file gives way to us: a connection that seems to be there still, or this one."""
        before = self._files.receiving.get(file)
        if before is not None:
            before.give_way(file, self)

    def give_way(self, file: str, other: object) -> None:
        """Another connection goes on with a file; one that is all there ends here all the same.

        Args:
            file: The file.
            other: Of the connection that goes on with it; on the same one nobody has to be told.
        """
        upload = self._uploads[file]
        if other is self:
            self.forget(file)
        elif not upload.complete:
            self._fail(upload, TAKEN_OVER(name=upload.record.name))

    def expect(self, command: PutChunk) -> None:
        """A chunk is about to come.

        Raises:
            Refused: It is not the one that is due.
        """
        self._expected = None
        upload = self._uploads.get(command.file)
        if upload is None:
            raise _no_transfer(command.file)
        due = bytes_of(upload.record.size, upload.next)
        if command.index != upload.next or command.bytes != due or not due:
            raise WRONG_CHUNK(name=upload.record.name, index=upload.next, bytes=due)
        refused = self._forbidden(upload)
        if refused is not None:
            self._fail(upload, refused)
            return
        upload.moved = self._scheduler.seconds()
        self._expected = upload
        self._excused = True

    @property
    def expects(self) -> bool:
        """See the class."""
        return self._expected is not None

    def take(self, data: bytes) -> Deferred[None] | None:
        """Store the chunk that was expected.

        Returns:
            None when more may be read at once; else a Deferred that fires, never with an error, when it may.
        """
        upload, self._expected = self._expected, None
        if upload is None or self._uploads.get(upload.record.id) is not upload:
            return None
        index = upload.next
        upload.next += 1
        self._unwritten += 1
        storing = self._blobs.write(upload.record.id, index, data)
        storing.addBoth(self._written)
        storing.addCallbacks(lambda _: self._stored(upload, index), lambda failure: self._not_stored(failure, upload))
        storing.addErrback(_broken).addCallback(lambda _: self._settle())
        if self._unwritten < UNWRITTEN:
            return None
        self._waiting = Deferred()
        return self._waiting

    def _written(self, result: Any) -> Any:
        self._unwritten -= 1
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
        return result

    def _stored(self, upload: _Upload, index: int) -> None:
        if self._uploads.get(upload.record.id) is upload:
            upload.stored = index + 1
            self._session.answer(Chunk(upload.record.id, index))
            self._finish_if_all(upload)

    def _not_stored(self, failure: Any, upload: _Upload) -> None:
        _log.warn("the file {file} could not be stored: {why}", file=upload.record.name, why=failure.getErrorMessage())
        self._fail(upload, NOT_STORED(name=upload.record.name))

    def _fail(self, upload: _Upload, refused: Refused) -> None:
        if self._uploads.get(upload.record.id) is upload:
            self.forget(upload.record.id)
            self._session.refuse_file(refused, upload.record.id)

    def _forbidden(self, upload: _Upload) -> Refused | None:
        """Return why the file may not be shared any more: its owner has been put out, or silenced."""
        room = self._session.room
        if upload.room is None:
            return None
        if room is None or room.log != upload.record.log:
            return NOT_IN_ROOM()
        try:
            check_not_silenced(self._session, room)
            check_not_muted(self._session, room)
        except Refused as refused:
            return refused
        return None

    def _finish_if_all(self, upload: _Upload) -> None:
        if upload.complete:
            Deferred.fromCoroutine(self._finish(upload)).addErrback(_broken)

    async def _finish(self, upload: _Upload) -> None:
        session, record = self._session, upload.record
        try:
            refused = self._forbidden(upload)
            if refused is not None:
                raise refused
            # Whoever has another name by now shares it under that one: the former may be somebody else's.
            named = replace(record, by=session.name, by_id=session.user_id)
            upload.release = await self._files.claim(named, upload.release)
            entry = await self._files.finish(named, upload.room)
        except Refused as error:
            self._fail(upload, error)
        except Unavailable:
            self._fail(upload, NOT_STORED(name=record.name))
        except Exception:
            _log.failure("a file of {name} could not be finished", name=session.name)
            self._fail(upload, INTERNAL())
        else:
            room = upload.room
            heard = room is not None and session.room is not None and session.room.log == record.log
            if self._uploads.get(record.id) is upload and (entry.repeated or not heard):
                # Its place in somebody else's inbox is nothing to whoever gave it.
                session.answer(placed(entry.event, *((entry.seq, room.name) if room is not None else (0,))))
            self.forget(record.id)
        finally:
            upload.release()

    # ---- down --------------------------------------------------------------------------------------------------

    def send(self, record: FileRecord, start: int) -> None:
        """Send a file's chunks, from that one on."""
        if not self._widened:
            self._widened = True
            self._session.out.widen(HELD)
        self._downloads[record.id] = _Download(record, start)
        self._go_on()

    def got(self, file: str, index: int) -> None:
        """The other side has that chunk.

        Raises:
            Refused: It was not sent.
        """
        download = self._downloads.get(file)
        if download is None:
            raise _no_transfer(file)
        if not download.wanted <= index < download.next:
            raise NO_TRANSFER()
        self._excused = True
        download.wanted = index + 1
        if download.wanted == chunks_of(download.record.size):
            del self._downloads[file]
        self._go_on()

    def _go_on(self) -> None:
        """Read the next chunk of whose turn it is, unless one is being read or has not been taken."""
        if self._reading or self._closed:
            return
        download = next((one for one in self._downloads.values() if one.ready), None)
        if download is None:
            return
        self._reading = True
        if self._session.out.holds:
            self._session.out.when_free(self._next_turn)
            return
        reading = self._blobs.read(download.record.id, download.next)
        reading.addCallbacks(partial(self._read, download), partial(self._not_read, download)).addErrback(_broken)

    def _next_turn(self) -> None:
        """Others first."""
        self._scheduler.callLater(0, self._go_on_now)

    def _go_on_now(self) -> None:
        self._reading = False
        self._go_on()

    def _read(self, download: _Download, data: bytes) -> None:
        record, session = download.record, self._session
        if self._downloads.get(record.id) is download:
            if not data or not record.is_for(session):
                self._stop(download)
            else:
                session.out.write(session.dialect.answer(Chunk(record.id, download.next, len(data))) + data)
                download.next += 1
                self._downloads[record.id] = self._downloads.pop(record.id)  # the others' turn
        self._next_turn()

    def _not_read(self, download: _Download, failure: Any) -> None:
        _log.warn("the file {file} cannot be read: {why}", file=download.record.name, why=failure.getErrorMessage())
        self._stop(download)
        self._next_turn()

    def _stop(self, download: _Download) -> None:
        if self._downloads.get(download.record.id) is download:
            del self._downloads[download.record.id]
            self._session.refuse_file(NO_FILE(), download.record.id)


def _no_transfer(file: str) -> Refused:
    refused = NO_TRANSFER()
    refused.file = file
    return refused


def _broken(failure: Any) -> None:
    _log.failure("a transfer failed", failure=failure)
