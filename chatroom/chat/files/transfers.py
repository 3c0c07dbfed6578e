"""The file transfers of one session, in both directions: what they share, and what the connection asks of them."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatroom.chat.files.downloads import Downloads
from chatroom.chat.files.uploads import Uploads
from chatroom.model.commands import PutChunk
from chatroom.model.errors import NO_TRANSFER, TOO_MANY_TRANSFERS, Refused
from chatroom.model.shared_files import TRANSFERS


class SessionTransfers:
    """The uploads and downloads of one session.

    Args:
        uploads: The session's uploads.
        downloads: The session's downloads.
    """

    def __init__(self, uploads: Uploads, downloads: Downloads) -> None:
        self.uploads = uploads
        self.downloads = downloads
        self._excused = False

    def check_number(self) -> None:
        """Check that another transfer may begin.

        Raises:
            Refused: The session has too many transfers already.
        """
        if self.uploads.incomplete + len(self.downloads) >= TRANSFERS:
            raise TOO_MANY_TRANSFERS(most=TRANSFERS)

    def expect(self, command: PutChunk) -> None:
        """Prepare for the bytes of a chunk, which follow the command.

        Raises:
            Refused: The session is not uploading the file, or the command does not announce the file's next chunk.
        """
        if command.file not in self.uploads:
            self.uploads.expect_nothing()
            raise _no_transfer(command.file)
        if self.uploads.expect(command):
            self._excused = True

    def acknowledge(self, file: str, index: int) -> None:
        """Note that the client has received a chunk of a file that it downloads.

        Args:
            file: The file's id.
            index: The index of the chunk.

        Raises:
            Refused: The session is not downloading the file, or the chunk was not sent.
        """
        if file not in self.downloads:
            raise _no_transfer(file)
        self.downloads.acknowledge(file, index)
        self._excused = True

    def cancel(self, file: str) -> bool:
        """End the transfers of a file in both directions; return whether it was being uploaded.

        Raises:
            Refused: The session has no transfer of the file.
        """
        coming = file in self.uploads
        if not coming and file not in self.downloads:
            raise NO_TRANSFER()
        self.uploads.forget(file)
        self.downloads.forget(file)
        return coming

    # ---- what the connection asks ------------------------------------------------------------------------------

    def excused(self) -> bool:
        """Return whether flood control should ignore the last command: a transfer's window limits its commands.

        Returns:
            True once after a chunk was expected or acknowledged; then False.
        """
        excused, self._excused = self._excused, False
        return excused

    @property
    def expects(self) -> bool:
        """Whether the bytes that the client sends next are a chunk to be stored."""
        return self.uploads.expects

    def take(self, data: bytes) -> Deferred[None] | None:
        """Store the bytes of the expected chunk; see ``Uploads.take``."""
        return self.uploads.take(data)

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all chunks received are stored and all complete files are shared."""
        return self.uploads.idle()

    def close(self) -> None:
        """End all transfers, because the connection has ended; the client can resume uploads on another one."""
        self.downloads.close()
        self.uploads.close()


def _no_transfer(file: str) -> Refused:
    refused = NO_TRANSFER()
    refused.file = file
    return refused
