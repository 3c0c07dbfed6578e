"""Sends one file to the server, which shares it with the room or gives it to a user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.client.files import local_file, sealed_file
from chatroom.client.files.local_file import PlainFile
from chatroom.client.files.sealed_file import SealedFile
from chatroom.client.files.transfer import AllTransfers, Transfer
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold
from chatroom.model.shared_files import CHUNK, WINDOW, chunks_of, safe_name

AWAY_WITHIN = (
    600.0  # seconds that a transfer which has begun waits for a guest who was cut off; then the guest has left
)
AWAY_EVERY = 2.0  # seconds between two looks whether the guest is back
AWAY = frozenset({"no-longer-encrypted", "no-inbox", "no-user"})  # why nothing can be given to a guest who is away
ANEW = 3  # times that a sealed file is read and sealed again, because it has changed meanwhile


class FileUpload(Transfer[e.Shared]):
    """A file that is being sent.

    Args:
        transfers: All transfers of the client.
        path: The file.
        user: The name of the user to give it to; empty for the room.
        sealed: The file, if it was sealed and partly sent over a direct link before.
        user_id: The id of the user, if a part was sent before: nobody else of that name gets the rest.
    """

    doing = "sending"

    def __init__(
        self, transfers: AllTransfers, path: Path, user: str, sealed: SealedFile | None = None, user_id: str = ""
    ) -> None:
        super().__init__(transfers, safe_name(path.name))
        self._path = path
        self._user = user
        self._user_id = user_id
        self._begun = sealed is not None  # whether some of the file was taken already
        self._away_until = 0.0  # when a guest who is away has left for good; 0: nobody is away
        self._found: PlainFile | SealedFile | None = sealed
        self._anew = 0  # how often the file was read again because it had changed
        self._replaces = ""
        self._stored = 0
        self._shared: e.Shared | None = None

    @property
    def size(self) -> int:
        """The size of the file itself in bytes; 0 before it was read."""
        return self._found.content[0] if self._found is not None else 0

    def is_called(self, name: str) -> bool:
        return super().is_called(name) or name == str(self._path)

    def is_like(self, other: object) -> bool:
        """Return whether another transfer sends the same name and content to the same room or user."""
        return isinstance(other, FileUpload) and self._found is not None and self._what() == other._what()

    def _what(self) -> tuple[object, ...]:
        content = self._found.content if self._found is not None else None
        return self.name, content, fold(self._user), "" if self._user else self._room

    def _check_place(self) -> None:
        """Check our room as ``Transfer`` does, but not for a file that is given to a user: any room will do."""
        if not self._user:
            super()._check_place()

    async def _carry(self) -> e.Shared:
        """Send the chunks that are missing, and return the event that shares the file.

        A sealed file that has changed is sent anew, with a new key and as another file of the server. If a guest who is
        to get the rest was cut off, this waits until the guest is back.
        """
        while True:
            try:
                return await self._send_all()
            except Rejected as refused:
                if self._may_come_back(refused):
                    await self._pause(AWAY_EVERY)
                    continue
                if refused.code != "file-changed" or not isinstance(self._found, SealedFile) or self._anew >= ANEW:
                    raise
                self._anew += 1
                self._begin_anew()

    def _may_come_back(self, refused: Rejected) -> bool:
        """Return whether the transfer has begun, and was refused because its reader has gone, not too long ago."""
        if not self._user or not self._begun or refused.code not in AWAY:
            return False
        now = self._transfers.clock.seconds()
        self._away_until = self._away_until or now + AWAY_WITHIN
        return bool(now < self._away_until)

    async def _send_all(self) -> e.Shared:
        """Send the chunks that are missing of the file as it was when it was first read."""
        if self._shared is None:
            found = await self._look()
            for index in range(await self._offer(found), chunks_of(found.size)):
                await self._send(found, index)
            await self._until(lambda: self._shared is not None)
        assert self._shared is not None
        if isinstance(self._found, SealedFile):
            await self._hand_over(self._found, self._shared)
        return self._shared

    async def _look(self) -> PlainFile | SealedFile:
        """Return the file as it is sent, after reading it if that was not done yet.

        Whether it is to be sealed is asked after reading, too: of a file that has to be sealed by then, the server must
        not even learn the name.
        """
        while True:
            self._check_place()
            sealed = await self._seals()
            self._check()
            if sealed and isinstance(self._found, PlainFile):
                self._begin_anew()
            if self._found is not None:
                return self._found
            self._found = await self._read_all(sealed)
            if self._transfers.sends(self):
                raise self._under_way()

    async def _read_all(self, sealed: bool) -> PlainFile | SealedFile:
        """Read the whole file once, and seal it if it has to be sealed."""
        most = self._client.limits.file
        if sealed:
            random = self._transfers.sealing.random
            how = self._path, most, self._wanted, random, self._replaces
            found: SealedFile = await self._read(sealed_file.seal, *how)
            return found
        return PlainFile(self._path, await self._read(local_file.look, self._path, most, self._wanted))

    async def _seals(self) -> bool:
        """Return whether the file has to be sealed."""
        asked = self._transfers.sealing.seals(self._room, self._user)
        sealed = bool(await self._outlast(Deferred.fromCoroutine(asked)))
        self._check_reader()
        return sealed

    def _check_reader(self) -> None:
        """Check that the name of the reader means the same person as when the transfer began.

        Raises:
            Rejected: Another person has that name now, and must not get the file.
        """
        now = self._transfers.sealing.user_id(self._user) if self._user else ""
        self._user_id = self._user_id or now
        if now != self._user_id:
            why = f"{self.name} was meant for another {self._user} than the one who is there now"
            raise Rejected("other-person", f"{why}, so it was not sent; send it again if this one is to get it.")

    def _begin_anew(self) -> None:
        """Forget what was sent, so that the file is read again."""
        self._tell_the_server()
        self._replaces = self._found.name if isinstance(self._found, SealedFile) else ""
        self.file, self.progress, self._found, self._stored = "", None, None, 0

    def _wanted(self) -> bool:
        """Return whether the file is still to be sent; `local_file.look` asks this between chunks."""
        return self._over is None

    async def _offer(self, found: PlainFile | SealedFile) -> int:
        """Announce the file to the server. Returns how many of its chunks the server has already."""
        whom: dict[str, Any] = {"user": self._user} if self._user else self._where
        if isinstance(found, SealedFile):
            whom = {**whom, "sealed": True}
        answer = await self._do("share", name=found.name, size=found.size, sha256=found.sha256, **whom)
        if isinstance(answer, a.Upload):
            self._claim(answer.file)
        if not isinstance(answer, a.Upload) or not answer.file or answer.chunk != CHUNK:
            raise Rejected("version", f"{self.name} cannot be sent: this client is too old for the server, or too new.")
        self._check_place()
        self._begun, self._away_until = True, 0.0
        self._stored = answer.have
        self._reach(min(answer.have * CHUNK, found.size), found.size)
        return answer.have

    async def _send(self, found: PlainFile | SealedFile, index: int) -> None:
        """Send a chunk as soon as the transfer's window and the network allow it."""
        await self._until(lambda: index - self._stored < WINDOW)
        await self._until_free()
        data = await self._read(found.chunk, index)
        self._check()
        self._client.write({"do": "chunk", "file": self.file, "index": index, "bytes": len(data)}, data)

    async def _hand_over(self, found: SealedFile, shared: e.Shared) -> None:
        """Send the offer of a sealed file, which has its key, to those whom the file is for."""
        offer = found.offer(shared.file, self.name)
        await self._outlast(Deferred.fromCoroutine(self._transfers.sealing.offer(self._room, self._user, offer)))

    async def _read(self, read: Callable[..., Any], *args: Any) -> Any:
        """Call a function that reads from the file in a thread; see ``_outlast``.

        Raises:
            Rejected: The file cannot be read, or the transfer was ended.
        """
        return await self._outlast(self._transfers.work(read, *args))

    def heard(self, event: e.Event | Piece) -> None:
        """Note that the server has stored a chunk, or has shared the file."""
        if isinstance(event, a.Chunk) and event.index >= self._stored and self._found is not None:
            self._stored = event.index + 1
            self._reach(min(self._stored * CHUNK, self._found.size), self._found.size)
        elif isinstance(event, e.Shared):
            self._shared = event
            if isinstance(self._found, SealedFile):
                self._transfers.sealing.note(event.by_id, self._found.offer(event.file, self.name))
        self.stir()
