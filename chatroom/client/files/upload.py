"""Sends one file to the server, which shares it with the room or gives it to a user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.client.files import local_file
from chatroom.client.files.transfer import AllTransfers, Transfer, raised
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold
from chatroom.model.shared_files import CHUNK, WINDOW, chunks_of, safe_name


class FileUpload(Transfer[e.Shared]):
    """A file that is being sent.

    Args:
        transfers: All transfers of the client.
        path: The file.
        user: The name of the user to give it to; empty for the room.
    """

    doing = "sending"

    def __init__(self, transfers: AllTransfers, path: Path, user: str) -> None:
        super().__init__(transfers, safe_name(path.name))
        self._path = path
        self._user = user
        self._found: local_file.LocalFile | None = None
        self._stored = 0
        self._shared: e.Shared | None = None

    def is_called(self, name: str) -> bool:
        return super().is_called(name) or name == str(self._path)

    def is_like(self, other: object) -> bool:
        """Return whether another transfer sends the same name and content to the same room or user."""
        return isinstance(other, FileUpload) and self._found is not None and self._what() == other._what()

    def _what(self) -> tuple[object, ...]:
        return self.name, self._found, fold(self._user), "" if self._user else self._room

    def _check_place(self) -> None:
        """Check our room as ``Transfer`` does, but not for a file that is given to a user: any room will do."""
        if not self._user:
            super()._check_place()

    async def _carry(self) -> e.Shared:
        """Return whether the file is still to be sent; `local_file.look` asks this between chunks."""
        found = self._found
        if found is None:
            found = self._found = await self._read(local_file.look, self._path, self._client.limits.file, self._wanted)
            if self._transfers.sends(self):
                raise self._under_way()
        self._check()
        have = await self._offer(found)
        for index in range(have, chunks_of(found.size)):
            await self._send(found, index)
        await self._until(lambda: self._shared is not None)
        assert self._shared is not None
        return self._shared

    def _wanted(self) -> bool:
        """Return whether the file is still to be sent; `local_file.look` asks this between chunks."""
        return self._over is None

    async def _offer(self, found: local_file.LocalFile) -> int:
        """Announce the file to the server. Returns how many of its chunks the server has already."""
        self._check_place()
        whom = {"user": self._user} if self._user else self._where
        answer = await self._do("share", name=self.name, size=found.size, sha256=found.sha256, **whom)
        if isinstance(answer, a.Upload):
            self._claim(answer.file)
        if not isinstance(answer, a.Upload) or not answer.file or answer.chunk != CHUNK:
            raise Rejected("version", f"{self.name} cannot be sent: this client is too old for the server, or too new.")
        self._check_place()
        self._stored = answer.have
        self._reach(min(answer.have * CHUNK, found.size), found.size)
        return answer.have

    async def _send(self, found: local_file.LocalFile, index: int) -> None:
        """Send a chunk as soon as the transfer's window and the network allow it."""
        await self._until(lambda: index - self._stored < WINDOW)
        await self._until_free()
        data = await self._read(local_file.chunk_of, self._path, found.size, index)
        self._check()
        self._client.write({"do": "chunk", "file": self.file, "index": index, "bytes": len(data)}, data)

    async def _read(self, read: Callable[..., Any], *args: Any) -> Any:
        """Read from the file in a thread; if the disk hangs, the transfer can still be ended.

        Args:
            read: The function that reads.
            args: Its arguments.

        Raises:
            Rejected: The file cannot be read, or the transfer was ended.
        """
        box = self._box_of(self._transfers.work(read, *args))
        while not box and self._over is None:
            await self._stirred()
        if self._over is not None:
            raise self._over
        return raised(box[0])

    def heard(self, event: e.Event | Piece) -> None:
        """Note that the server has stored a chunk, or has shared the file."""
        if isinstance(event, a.Chunk) and event.index >= self._stored and self._found is not None:
            self._stored = event.index + 1
            self._reach(min(self._stored * CHUNK, self._found.size), self._found.size)
        elif isinstance(event, e.Shared):
            self._shared = event
        self.stir()
