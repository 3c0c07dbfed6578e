"""The uploads of one session: its chunks are stored as they arrive, and a complete file is published.

While two chunks are being written to the store, nothing more is read from the connection. So only a little of a file is
in memory at any time, and other sessions are served between two chunks.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.files.finishing import FileFinisher
from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.store import FileStore
from chatroom.chat.files.upload_limits import FileSpace
from chatroom.chat.messaging import check_not_muted, check_not_silenced
from chatroom.chat.people.inbox_quotas import Claim
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.session import Session
from chatroom.model.commands import PutChunk
from chatroom.model.errors import INTERNAL, NOT_IN_ROOM, NOT_STORED, STALLED, TAKEN_OVER, WRONG_CHUNK, Refused
from chatroom.model.events import placed
from chatroom.model.log import Entry, Unavailable
from chatroom.model.logger import logger
from chatroom.model.replies import Chunk
from chatroom.model.shared_files import bytes_of, chunks_of

UNWRITTEN = 2  # chunks that are being written when reading from the connection stops
STALLED_AFTER = 60.0  # seconds without a chunk, after which an upload may lose its reserved space to others

_log = logger(__name__)


class _Upload:
    """The progress of one upload.

    Args:
        record: The file.
        room: The room that the file is for; None if it is for a user.
        have: How many chunks are stored already.
        now: The time, in seconds of the scheduler's clock.
        release: Releases the place that is reserved for the file's message in the receiver's inbox.

    Attributes:
        moved: When the last chunk arrived or the upload began, in seconds of the scheduler's clock.
        next: The index of the next chunk to arrive.
        stored: How many chunks are stored.
    """

    __slots__ = ("moved", "next", "record", "release", "room", "stored")

    def __init__(self, record: FileRecord, room: RoomRecord | None, have: int, now: float, release: Claim) -> None:
        self.record = record
        self.room = room
        self.next = self.stored = have
        self.moved = now
        self.release = release

    @property
    def complete(self) -> bool:
        """Whether all chunks are stored."""
        return self.stored == chunks_of(self.record.size)


class Uploads:
    """Receives the files that one session sends.

    Args:
        session: The session.
        store: The shared files.
        space: Told when an upload has ended.
        finisher: Publishes complete files.
        scheduler: Gives ``seconds``.
    """

    def __init__(
        self, session: Session, store: FileStore, space: FileSpace, finisher: FileFinisher, scheduler: Any
    ) -> None:
        self._session = session
        self._receiving = store.receiving
        self._space = space
        self._finisher = finisher
        self._scheduler = scheduler
        self._blobs = session.host.engine.blobs
        self._uploads: dict[str, _Upload] = {}
        self._expected: _Upload | None = None
        self._unwritten = 0
        self._waiting: Deferred[None] | None = None
        self._idle: Deferred[None] | None = None

    def __contains__(self, file: str) -> bool:
        return file in self._uploads

    @property
    def incomplete(self) -> int:
        """The number of uploads with missing chunks. Uploads that only wait to be published are not counted."""
        return sum(not upload.complete for upload in self._uploads.values())

    # ---- beginning and ending ----------------------------------------------------------------------------------

    def receive(self, record: FileRecord, room: RoomRecord | None, have: int, release: Claim) -> None:
        """Begin to receive a file.

        Args:
            record: The file.
            room: The room that the file is for; None if it is for a user.
            have: How many chunks are stored already.
            release: Releases the place reserved for the file's message in the receiver's inbox; called when the upload
                ends.
        """
        upload = self._uploads[record.id] = _Upload(record, room, have, self._scheduler.seconds(), release)
        self._receiving[record.id] = self
        self._finish_if_complete(upload)

    def forget(self, file: str) -> None:
        """Receive no more chunks of a file. The chunks that are stored stay."""
        upload = self._uploads.pop(file, None)
        if upload is not None and not upload.complete:
            upload.release()
        if upload is not None and self._receiving.get(file) is self:
            del self._receiving[file]
            self._space.ended(upload.record)
        self._settle()

    def close(self) -> None:
        """Forget all uploads, because the connection has ended. The client can resume them on another one."""
        for file in tuple(self._uploads):
            self.forget(file)

    def end_stalled(self) -> None:
        """End the uploads that got no chunk for ``STALLED_AFTER`` seconds, because other users need their space."""
        now = self._scheduler.seconds()
        for upload in tuple(self._uploads.values()):
            if not upload.complete and now - upload.moved > STALLED_AFTER:
                self._fail(upload, STALLED(name=upload.record.name))

    def take_over(self, file: str) -> None:
        """End an upload of the file, on this or another connection, so that a new upload of it can begin here."""
        before = self._receiving.get(file)
        if before is not None:
            before.give_way(file, self)

    def give_way(self, file: str, other: object) -> None:
        """End one of these uploads, because a new upload of the same file begins.

        Args:
            file: The file's id.
            other: The ``Uploads`` that will receive the file. If they are these, the upload ends silently. If they are
                another connection's, an upload whose chunks are all stored goes on here, and otherwise this client is
                told that its upload has ended.
        """
        upload = self._uploads[file]
        if other is self:
            self.forget(file)
        elif not upload.complete:
            self._fail(upload, TAKEN_OVER(name=upload.record.name))

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all chunks received are stored and all complete files are published."""
        idle: Deferred[None] = Deferred()
        self._idle = idle
        self._settle()
        return idle

    def _settle(self) -> None:
        """Fire the Deferred of ``idle`` unless a chunk is being written or a complete file is being published."""
        busy = self._unwritten or any(upload.complete for upload in self._uploads.values())
        if self._idle is not None and not busy:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def _fail(self, upload: _Upload, refused: Refused) -> None:
        """End an upload and tell the client why, unless the upload has ended already."""
        if self._uploads.get(upload.record.id) is upload:
            self.forget(upload.record.id)
            self._session.refuse_file(refused, upload.record.id)

    # ---- chunks ------------------------------------------------------------------------------------------------

    def expect(self, command: PutChunk) -> bool:
        """Prepare for the bytes of a chunk.

        Args:
            command: The command that precedes the bytes; its file must be one of these uploads.

        Returns:
            True if the chunk will be stored; False if the user may no longer share the file, so the upload was ended.

        Raises:
            Refused: The command does not announce the file's next chunk with its right size.
        """
        self._expected = None
        upload = self._uploads[command.file]
        due = bytes_of(upload.record.size, upload.next)
        if command.index != upload.next or command.bytes != due or not due:
            raise WRONG_CHUNK(name=upload.record.name, index=upload.next, bytes=due)
        refused = self._forbidden(upload)
        if refused is not None:
            self._fail(upload, refused)
            return False
        upload.moved = self._scheduler.seconds()
        self._expected = upload
        return True

    def expect_nothing(self) -> None:
        """Do not store the bytes that the client sends next."""
        self._expected = None

    @property
    def expects(self) -> bool:
        """Whether the bytes that the client sends next are a chunk to be stored."""
        return self._expected is not None

    def take(self, data: bytes) -> Deferred[None] | None:
        """Store the bytes of the expected chunk.

        Returns:
            None if the connection may go on reading; otherwise a Deferred that fires, never with an error, when reading
            may go on.
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
        """Let reading go on, because the store has finished with a chunk; return the result for the next callback."""
        self._unwritten -= 1
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
        return result

    def _stored(self, upload: _Upload, index: int) -> None:
        if self._uploads.get(upload.record.id) is upload:
            upload.stored = index + 1
            self._session.answer(Chunk(upload.record.id, index))
            self._finish_if_complete(upload)

    def _not_stored(self, failure: Any, upload: _Upload) -> None:
        _log.warn("the file {file} could not be stored: {why}", file=upload.record.name, why=failure.getErrorMessage())
        self._fail(upload, NOT_STORED(name=upload.record.name))

    def _forbidden(self, upload: _Upload) -> Refused | None:
        """Return why the user may no longer share the file: not in its room any more, silenced or muted; else None."""
        if upload.room is None:
            return None
        room = self._session.room_with(upload.record.log)
        if room is None:
            return NOT_IN_ROOM()
        try:
            check_not_silenced(self._session, room)
            check_not_muted(self._session, room)
        except Refused as refused:
            return refused
        return None

    # ---- finishing ---------------------------------------------------------------------------------------------

    def _finish_if_complete(self, upload: _Upload) -> None:
        if upload.complete:
            Deferred.fromCoroutine(self._finish(upload)).addErrback(_broken)

    async def _finish(self, upload: _Upload) -> None:
        """Publish a complete file, or tell the client why the file cannot be published. Then end the upload."""
        try:
            entry = await self._publish(upload)
        except Refused as error:
            self._fail(upload, error)
        except Unavailable:
            self._fail(upload, NOT_STORED(name=upload.record.name))
        except Exception:
            _log.failure("a file of {name} could not be finished", name=self._session.name)
            self._fail(upload, INTERNAL())
        else:
            self._acknowledge(upload, entry)
            self.forget(upload.record.id)
        finally:
            upload.release()

    async def _publish(self, upload: _Upload) -> Entry:
        """Publish a complete file under the user's present name; return the entry that shows the file to the others.

        Raises:
            Refused: The user may no longer share the file; or the receiver's inbox is full; or the hash is wrong; or
                the file or the room is gone.
            Unavailable: The store has failed.
        """
        refused = self._forbidden(upload)
        if refused is not None:
            raise refused
        # A user who was renamed during the upload shares under the new name: another user may have the old one.
        named = replace(upload.record, by=self._session.name, by_id=self._session.user_id)
        upload.release = await self._finisher.claim(named, upload.release)
        return await self._finisher.finish(named, upload.room)

    def _acknowledge(self, upload: _Upload, entry: Entry) -> None:
        """Tell the client that its file is shared, unless the client has seen the file appear in its room."""
        session, room = self._session, upload.room
        heard = room is not None and session.room_with(upload.record.log) is not None
        if self._uploads.get(upload.record.id) is upload and (entry.repeated or not heard):
            # The seq in another user's inbox means nothing to the sender.
            session.answer(placed(entry.event, *((entry.seq, room.name) if room is not None else (0,))))


def _broken(failure: Any) -> None:
    _log.failure("an upload failed", failure=failure)
