"""Chunks of files in the stream of lines. A chunk is a record that says how many raw bytes follow, then those bytes."""

from __future__ import annotations

import re

from twisted.internet.defer import Deferred

from chatroom.chat.session import Session
from chatroom.model.commands import PutChunk
from chatroom.model.errors import CHUNK_TOO_LONG
from chatroom.model.raw_bytes import RawBytes
from chatroom.model.shared_files import CHUNK

_CHUNK_RECORD = re.compile(rb'"do"\s*:\s*"chunk"')


def check_chunk_size(command: PutChunk) -> None:
    """Check that the size which a chunk announces is within the limit.

    Raises:
        Refused: The chunk is too large. The connection must end, because its bytes would otherwise be read as lines.
    """
    if command.bytes > CHUNK:
        refused = CHUNK_TOO_LONG(most=CHUNK)
        refused.final = True
        raise refused


def begin(number: int, session: Session) -> RawBytes:
    """Return what gathers the raw bytes that follow a chunk's record, whether the record was refused or not.

    Args:
        number: How many bytes follow.
        session: The session that sends the bytes. If it has no upload that expects them, they are only counted.
    """
    transfers = session.transfers
    return RawBytes(number, transfers is not None and transfers.expects)


def finish(raw: RawBytes, session: Session) -> Deferred[None] | None:
    """Give the bytes of a chunk, which have all come, to the session's upload, which stores them.

    Returns:
        A Deferred that fires when the next line may be read; None if it may be read at once.
    """
    transfers = session.transfers
    return transfers.take(raw.take()) if transfers is not None else None


def count_lines(waiting: bytes, raw: RawBytes | None) -> int:
    """Return how many lines wait to be handled, up to the record of the next chunk of a file.

    Args:
        waiting: The bytes that have come and were not handled yet.
        raw: The chunk whose missing bytes come first in ``waiting``; None if ``waiting`` begins with a line.
    """
    begins = raw.missing if raw is not None else 0
    chunk = _CHUNK_RECORD.search(waiting, begins)
    return waiting.count(b"\n", begins, chunk.start() if chunk else len(waiting))
