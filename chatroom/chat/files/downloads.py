"""The downloads of one session: chunks are read and sent one at a time, in turn, as the other side acknowledges them.

A chunk is read when the connection has sent the one before. At most ``WINDOW`` chunks of a file may be sent and not
acknowledged.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from chatroom.chat.files.record import FileRecord
from chatroom.chat.session import Session
from chatroom.model.errors import NO_FILE, NO_TRANSFER
from chatroom.model.logger import logger
from chatroom.model.replies import Chunk
from chatroom.model.shared_files import CHUNK, WINDOW, chunks_of

HELD = 2 * CHUNK  # bytes that the connection may hold beyond its limit: a chunk that is being sent, and a copy of it

_log = logger(__name__)


class _Progress:
    """The progress of one download.

    Args:
        record: The file.
        start: The index of the first chunk to send.

    Attributes:
        next: The index of the next chunk to send.
        wanted: The index of the first chunk that is not acknowledged.
    """

    __slots__ = ("next", "record", "wanted")

    def __init__(self, record: FileRecord, start: int) -> None:
        self.record = record
        self.next = self.wanted = start

    @property
    def ready(self) -> bool:
        """Whether the next chunk may be sent."""
        return self.next < chunks_of(self.record.size) and self.next - self.wanted < WINDOW


class Downloads:
    """Sends the files that one session fetches.

    Args:
        session: The session.
        scheduler: Gives ``callLater``.
    """

    def __init__(self, session: Session, scheduler: Any) -> None:
        self._session = session
        self._scheduler = scheduler
        self._blobs = session.host.engine.blobs
        self._downloads: dict[str, _Progress] = {}  # in the order of their turns
        self._reading = False
        self._widened = False
        self._closed = False

    def __contains__(self, file: str) -> bool:
        return file in self._downloads

    def __len__(self) -> int:
        return len(self._downloads)

    def send(self, record: FileRecord, start: int) -> None:
        """Send the chunks of a file, beginning with the one at index ``start``."""
        if not self._widened:
            self._widened = True
            self._session.out.widen(HELD)
        self._downloads[record.id] = _Progress(record, start)
        self._go_on()

    def forget(self, file: str) -> None:
        """Send no more chunks of a file."""
        self._downloads.pop(file, None)

    def close(self) -> None:
        """Forget all downloads, because the connection has ended."""
        self._closed = True
        self._downloads.clear()

    def acknowledge(self, file: str, index: int) -> None:
        """Note that the other side has received a chunk, and all chunks before it.

        Args:
            file: The id of one of these downloads.
            index: The index of the chunk.

        Raises:
            Refused: The chunk was not sent, or is acknowledged already.
        """
        download = self._downloads[file]
        if not download.wanted <= index < download.next:
            raise NO_TRANSFER()
        download.wanted = index + 1
        if download.wanted == chunks_of(download.record.size):
            del self._downloads[file]
        self._go_on()

    def _go_on(self) -> None:
        """Read the next chunk that may be sent, unless one is being read; wait while the connection holds output."""
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
        """Go on in the next turn of the reactor, so that other connections are served first."""
        self._scheduler.callLater(0, self._go_on_now)

    def _go_on_now(self) -> None:
        self._reading = False
        self._go_on()

    def _read(self, download: _Progress, data: bytes) -> None:
        """Send a chunk that was read. End the download if the file is gone or may not be fetched any more."""
        record, session = download.record, self._session
        if self._downloads.get(record.id) is download:
            if not data or not record.is_for(session):
                self._stop(download)
            else:
                session.out.write(session.dialect.answer(Chunk(record.id, download.next, len(data))) + data)
                download.next += 1
                self._downloads[record.id] = self._downloads.pop(record.id)  # the next turn is another download's
        self._next_turn()

    def _not_read(self, download: _Progress, failure: Any) -> None:
        _log.warn("the file {file} cannot be read: {why}", file=download.record.name, why=failure.getErrorMessage())
        self._stop(download)
        self._next_turn()

    def _stop(self, download: _Progress) -> None:
        """End a download, and tell the client that there is no such file."""
        if self._downloads.get(download.record.id) is download:
            del self._downloads[download.record.id]
            self._session.refuse_file(NO_FILE(), download.record.id)


def _broken(failure: Any) -> None:
    _log.failure("a download failed", failure=failure)
