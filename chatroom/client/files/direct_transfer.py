"""One sealed file over a direct link: the sender's half, the receiver's half, and the frames between them.

A frame is the id of the file (16 bytes), what the frame is (8 bits), the index of a piece (32 bits), and the sealed
piece, if it has one. The receiver asks for the file from a piece on, so nothing is sent unasked, and a transfer goes on
after a cut where the receiver is. Each half works over any ``FilePath``, and tells by ``PathLost`` that its path has
gone; it can then go on over another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.crypto.file_cipher import pieces_of
from chatroom.client.errors import Rejected
from chatroom.client.files.sealed_file import SealedFile
from chatroom.client.files.sealed_part import SealedPart
from chatroom.model.shared_files import WINDOW

_HEAD = Struct("!16sBI")

Work = Callable[..., Deferred[Any]]


class FilePath(Protocol):
    """A way to the device at the other end of a direct link."""

    def send(self, frame: bytes) -> Deferred[None]:
        """Send a frame. The Deferred fires when the other side has handled it, and fails if the path is lost."""
        ...


class PathLost(Exception):
    """The path has gone before the file was complete."""


class FrameKind(IntEnum):
    """What a frame is.

    ``PIECE``: a sealed piece. ``WANT``: the receiver wants the pieces from this index on. ``DONE``: the receiver has
    the whole file, and its hash is right. ``STOP``: the side that sends this stops the transfer.
    """

    PIECE = 0
    WANT = 1
    DONE = 2
    STOP = 3


_KINDS = frozenset(FrameKind)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Args:
        file: The id in the file's header, in hexadecimal.
        kind: What it is.
        index: The index of a piece.
        data: The sealed piece.
    """

    file: str
    kind: FrameKind
    index: int = 0
    data: bytes = b""


def pack(frame: Frame) -> bytes:
    """Return the bytes of a frame."""
    return _HEAD.pack(bytes.fromhex(frame.file), frame.kind, frame.index) + frame.data


def unpack(raw: bytes) -> Frame | None:
    """Return the frame that bytes are; None if they are none that we know."""
    if len(raw) < _HEAD.size:
        return None
    file, kind, index = _HEAD.unpack_from(raw)
    return Frame(file.hex(), FrameKind(kind), index, raw[_HEAD.size :]) if kind in _KINDS else None


class _Half:
    """What both halves share: waiting for something to happen, and the ways to end.

    Args:
        file: The id in the file's header, in hexadecimal.
        work: Calls a blocking function in a thread.
    """

    def __init__(self, file: str, work: Work) -> None:
        self.file = file
        self._work = work
        self._path: FilePath | None = None
        self._why: Exception | None = None
        self._wake: Deferred[None] | None = None

    def lost(self) -> None:
        """Note that the path has gone."""
        self._end(PathLost())

    def cancel(self, why: Rejected) -> None:
        """End the transfer, and tell the other side."""
        self._tell(FrameKind.STOP)
        self._end(why)

    def _end(self, why: Exception) -> None:
        self._why = self._why or why
        self._stir()

    def _stir(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; raise the reason if the transfer ends before."""
        while self._why is None and not condition():
            self._wake = Deferred()
            await self._wake
        if self._why is not None:
            raise self._why

    def _tell(self, kind: FrameKind, index: int = 0) -> None:
        """Send a frame without a piece; that the path has gone is noticed otherwise."""
        if self._path is not None:
            self._path.send(pack(Frame(self.file, kind, index))).addErrback(lambda failure: None)


class DirectSender(_Half):
    """Sends a file from where the receiver asks for it.

    Args:
        sealed: The file.
        work: Calls a blocking function in a thread.
        moved: Called when a piece has arrived.

    Attributes:
        arrived: How many pieces the receiver has, as far as we know.
    """

    def __init__(self, sealed: SealedFile, work: Work, moved: Callable[[], None]) -> None:
        super().__init__(sealed.sealer.head.file, work)
        self.arrived = 0
        self._sealed = sealed
        self._pieces = pieces_of(sealed.sealer.head.size)
        self._moved = moved
        self._next: int | None = None  # None: the receiver has not asked, or has stopped
        self._asked = 0  # how often the receiver has asked
        self._waiting = 0  # pieces that were sent and are not acknowledged
        self._done = False

    async def run(self, path: FilePath) -> None:
        """Send the file whenever the receiver asks for it, until the receiver has all of it.

        Raises:
            PathLost: The path has gone; ``arrived`` says from which piece on the rest is to be sent elsewhere.
            Rejected: The file cannot be read, has changed (``file-changed``), or the transfer was cancelled.
        """
        self._path, self._why, self._next = path, None, None
        try:
            while not self._done:
                await self._until(lambda: self._done or self._may_send())
                if not self._done:
                    await self._send(path)
        except Rejected:
            self._tell(FrameKind.STOP)
            raise
        finally:
            self._path = None

    def heard(self, frame: Frame) -> None:
        """Take a frame of the receiver about this file."""
        if frame.kind == FrameKind.WANT and frame.index <= self._pieces:
            self._asked += 1
            self.arrived = self._next = frame.index
            self._waiting = 0
        elif frame.kind == FrameKind.DONE:
            self._done = True
        elif frame.kind == FrameKind.STOP:  # what was acknowledged may not have been written
            self._asked += 1
            self._next, self.arrived, self._waiting = None, 0, 0
        self._stir()

    def _may_send(self) -> bool:
        return self._next is not None and self._next < self._pieces and self._waiting < WINDOW

    async def _send(self, path: FilePath) -> None:
        """Send the next piece, unless the receiver asks for another one meanwhile."""
        index, asked = self._next, self._asked
        assert index is not None
        data: bytes = await self._work(self._sealed.chunk, index)
        if (index, asked) != (self._next, self._asked):
            return
        self._next = index + 1
        self._waiting += 1
        frame = pack(Frame(self.file, FrameKind.PIECE, index, data))
        path.send(frame).addCallbacks(
            self._acknowledged, self._not_sent, callbackArgs=(index, asked), errbackArgs=(path,)
        )

    def _acknowledged(self, result: None, index: int, asked: int) -> None:
        if asked == self._asked:
            self._waiting -= 1
            self.arrived = max(self.arrived, index + 1)
            self._moved()
            self._stir()

    def _not_sent(self, failure: Failure, path: FilePath) -> None:
        if path is self._path:
            self.lost()


class DirectReceiver(_Half):
    """Fetches a file: asks for the pieces that are missing, and writes them as they come.

    Args:
        file: The id in the file's header, in hexadecimal.
        part: The part to which the file is fetched.
        work: Calls a blocking function in a thread.
        moved: Called when a piece was written.
    """

    def __init__(self, file: str, part: SealedPart, work: Work, moved: Callable[[], None]) -> None:
        super().__init__(file, work)
        self._part = part
        self._moved = moved
        self._pieces: deque[tuple[Frame, Deferred[None]]] = deque()

    async def run(self, path: FilePath) -> Path:
        """Fetch the file.

        Returns:
            Its path.

        Raises:
            PathLost: The path has gone. The part stays, and the transfer can go on over another path.
            Rejected: The file cannot be fetched.
        """
        self._path, self._why = path, None
        try:
            if not self._part.complete:
                self._tell(FrameKind.WANT, self._part.have)
            while not self._part.complete:
                await self._until(lambda: bool(self._pieces))
                await self._take()
            found: Path = await self._work(self._part.finish)
        except Rejected:
            self._tell(FrameKind.STOP)
            raise
        else:
            self._tell(FrameKind.DONE)
            return found
        finally:
            self._path = None
            self._forget()

    def heard(self, frame: Frame) -> Deferred[None]:
        """Take a frame of the sender about this file. The Deferred fires when it is handled."""
        handled: Deferred[None] = Deferred()
        if frame.kind == FrameKind.PIECE and self._path is not None and len(self._pieces) <= WINDOW:
            self._pieces.append((frame, handled))
        else:
            handled.callback(None)
        if frame.kind == FrameKind.STOP:
            self._end(Rejected("stopped", f"the sender does not send {self._part.name} any more; ask for it again."))
        self._stir()
        return handled

    async def _take(self) -> None:
        """Write the next piece that came, and acknowledge it; leave out what was written already."""
        frame, handled = self._pieces[0]
        if frame.index > self._part.have:
            raise Rejected("nonsense", f"{self._part.name} cannot be fetched: its sender left out a part of it.")
        if frame.index == self._part.have:
            await self._work(self._part.write, frame.data)
            self._moved()
        self._pieces.popleft()
        handled.callback(None)

    def _forget(self) -> None:
        """Take no more pieces; nothing waits for an acknowledgement any longer."""
        while self._pieces:
            self._pieces.popleft()[1].callback(None)
