"""Stores the bytes of shared files ("blobs"), each in a file of its own in a folder.

They are not in the database, because the database would stay as large after they were removed.

A file that is being uploaded is called ``<id>.part``. It is renamed to ``<id>`` when all of it has come, its hash is
the announced one, and it is on the disk; so a file called ``<id>`` is complete, even after a crash. One thread reads
and writes all these files, a chunk at a time: neither the reactor nor messages wait for it, and memory holds one chunk.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, succeed

from chatroom.engines.worker import Worker
from chatroom.model.log import Unavailable
from chatroom.model.shared_files import CHUNK

SYNC_EVERY = 4  # chunks; a single large sync at the end would keep the disk busy, and the database would wait for it
_PART = ".part"
_ID = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)

T = TypeVar("T")
Args = TypeVarTuple("Args")


class FolderBlobs:
    """The shared files, in a folder. ``chatroom.chat.interfaces.Blobs`` documents each method.

    Args:
        reactor: Gives ``callFromThread``.
        folder: The folder; it is made when the first file is uploaded.
    """

    def __init__(self, reactor: Any, folder: Path) -> None:
        self._reactor = reactor
        self._folder = folder
        self._worker: Worker | None = None  # the thread, started when needed: on most servers nobody ever shares a file

    def write(self, id: str, index: int, data: bytes) -> Deferred[None]:
        return self._on(self._write, self._path(id, _PART), index, data)

    def read(self, id: str, index: int) -> Deferred[bytes]:
        return self._on(self._read, self._path(id), index)

    def size(self, id: str) -> Deferred[int]:
        return self._on(self._size, self._path(id), self._path(id, _PART))

    def seal(self, id: str, sha256: str) -> Deferred[bool]:
        return Deferred.fromCoroutine(self._seal(self._path(id), self._path(id, _PART), sha256))

    def drop(self, id: str) -> Deferred[None]:
        return self._on(self._drop, self._path(id), self._path(id, _PART))

    def all(self) -> Deferred[set[str]]:
        if self._worker is None and not self._folder.exists():
            return succeed(set())
        return self._on(self._all)

    def close(self) -> Deferred[None]:
        """End the thread. The Deferred fires when all earlier calls are done; no method may be called afterwards."""
        return self._on(lambda: None).addCallback(self._stop) if self._worker is not None else succeed(None)

    def _stop(self, _: None) -> None:
        if self._worker is not None:
            self._worker.stop()

    def _path(self, id: str, suffix: str = "") -> Path:
        if not _ID.fullmatch(id):
            raise ValueError(f"{id!r} is no id of a blob")
        return self._folder / (id + suffix)

    def _on(self, job: Callable[[*Args], T], *args: *Args) -> Deferred[T]:
        """Run a job on the thread; start the thread if need be. Any error of the job becomes ``Unavailable``."""
        if self._worker is None:
            self._worker = Worker(self._reactor, "files")
            self._worker.start()

        def failed(failure: Any) -> Any:
            raise Unavailable(failure.getErrorMessage()) from failure.value

        return self._worker.run(job, *args).addErrback(failed)

    # ---- on the thread -----------------------------------------------------------------------------------------

    def _write(self, part: Path, index: int, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            offset = index * CHUNK
            view = memoryview(data)
            while view:  # a disk that is nearly full writes a part of the data before it reports an error
                written = os.pwrite(fd, view, offset)
                view, offset = view[written:], offset + written
            if index % SYNC_EVERY == SYNC_EVERY - 1:
                os.fdatasync(fd)
        finally:
            os.close(fd)

    @staticmethod
    def _read(path: Path, index: int) -> bytes:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(fd, CHUNK, index * CHUNK)
        finally:
            os.close(fd)

    @staticmethod
    def _size(path: Path, part: Path) -> int:
        for one in (path, part):
            try:
                return one.stat().st_size
            except FileNotFoundError:
                continue
        return 0

    async def _seal(self, path: Path, part: Path, sha256: str) -> bool:
        """Check the hash of a file, then rename or remove it; a chunk at a time, so that other files make progress."""
        if await self._on(path.exists):
            return True
        digest, index = hashlib.sha256(), 0
        while data := await self._on(self._read, part, index):
            await self._on(digest.update, data)
            index += 1
        right = digest.hexdigest() == sha256
        await self._on(self._finish if right else self._drop, path, part)
        return right

    def _finish(self, path: Path, part: Path) -> None:
        """Force the file to the disk, rename it, and force the new name to the disk."""
        fd = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        part.rename(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _drop(path: Path, part: Path) -> None:
        path.unlink(missing_ok=True)
        part.unlink(missing_ok=True)

    def _all(self) -> set[str]:
        try:
            return {name.removesuffix(_PART) for name in os.listdir(self._folder)}
        except FileNotFoundError:
            return set()
