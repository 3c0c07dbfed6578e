"""All files that are under way over one link, in the order in which they were asked for; so many at once as may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from chatroom.client.client import Client
from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.client.files.download import FileDownload
from chatroom.client.files.transfer import Transfer
from chatroom.client.files.upload import FileUpload
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.shared_files import TRANSFERS
from chatroom.model.text import shortened

MOST = 100  # under way, or waiting for their turn
NAME_SHOWN = 40  # characters of a name, in a line

T = TypeVar("T")


class Transfers:
    """See the module.

    Args:
        client: What carries them; not started.
        server: Host and port, as they are known.
        clock: The time.
        work: Calls something that takes its time, in a thread.

    Attributes:
        online: There is a connection, and all is as it was.
    """

    def __init__(
        self, client: Client, server: str, clock: Any, work: Callable[..., Deferred[Any]] = deferToThread
    ) -> None:
        self.client = client
        self.server = server
        self.clock = clock
        self.work = work
        self.online = False
        self._under_way: list[Transfer[Any]] = []
        self._ended: Rejected | None = None
        client.carry(self)

    async def send(self, path: Path, user: str = "") -> e.Shared:
        """Share a file with the room, or give it to somebody; returns when it can be fetched.

        Args:
            path: The file.
            user: Whom it is given to; empty: the room.

        Raises:
            Rejected: Why not.
        """
        return await self._run(FileUpload(self, path, user))

    async def get(self, number: int, wanted: Path, *, folder: bool = False, given: bool = False) -> Path:
        """Fetch a file; nothing is ever overwritten. Asked for again after an end, it goes on where it was.

        Args:
            number: The file's number in the room; or among those given to this user.
            wanted: Where it is to stand: a folder, or a name that nothing has.
            folder: It is a folder, which is made if it is missing.
            given: The file was given to this user; it is fetched wherever the user is.

        Returns:
            Where it stands.

        Raises:
            Rejected: Why not.
        """
        return await self._run(FileDownload(self, number, wanted, folder=folder, given=given))

    def cancel(self, which: str) -> None:
        """End one: by its name, the number of what is fetched, or the path of what is sent; empty: the only one.

        Raises:
            Rejected: It is not clear which.
        """
        found = [one for one in self._under_way if not which or one.is_called(which)]
        if not self._under_way:
            raise Rejected("no-transfer", "no file is being sent or fetched.")
        if len(found) != 1:
            known = "; ".join(self.lines())
            raise Rejected("no-transfer", f"which file? Give its number, name or path: {known}.")
        found[0].cancel()

    def lines(self) -> list[str]:
        """Return a line about each: ``sending notes.txt 42%, 1.2 MB/s, 12 s left``."""
        return [self._line(one) for one in self._under_way]

    def _line(self, one: Transfer[Any]) -> str:
        name = shortened(one.name, NAME_SHOWN)
        if not self.may(one):
            return f"{one.doing} {name} waits"
        return f"{one.doing} {name} {one.progress.spell(self.clock.seconds()) if one.progress else ''}".rstrip()

    async def _run(self, one: Transfer[T]) -> T:
        if self._ended is not None:
            raise self._ended
        if len(self._under_way) >= MOST:
            raise Rejected("busy", f"{MOST} files are being sent or fetched already; wait until some are done.")
        self._under_way.append(one)
        try:
            return await one.run()
        finally:
            self._under_way.remove(one)
            self._stir()

    # ---- for them, and for the link --------------------------------------------------------------------------------

    def may(self, one: Transfer[Any]) -> bool:
        """Return whether it is its turn, and there is a connection."""
        return self.online and one in self._under_way[:TRANSFERS]

    def has(self, file: str, *, but: Transfer[Any]) -> bool:
        """Return whether another one is that file."""
        return any(one.file == file for one in self._under_way if file and one is not but)

    def sends(self, same: Transfer[Any]) -> bool:
        """Return whether the same is being sent already."""
        return any(isinstance(one, FileUpload) and one.is_like(same) for one in self._under_way if one is not same)

    def take(self, event: e.Event | Piece) -> bool:
        """See ``chatroom.client.file_carrier.Carrier``; so all others."""
        if not isinstance(event, Piece | a.Chunk | a.Error):
            return False
        one = self._carrying(event.file) if self.online else None  # before, nothing has been asked for
        if one is not None and isinstance(event, a.Error):
            one.end(Rejected(event.code, _of(one, event.text)))
        elif one is not None:
            one.heard(event)
        return bool(event.file) or not isinstance(event, a.Error)

    def awaits(self, event: e.Event) -> bool:
        return isinstance(event, e.Shared) and isinstance(self._carrying(event.file), FileUpload)

    def shared(self, event: e.Shared) -> None:
        one = self._carrying(event.file)
        if one is not None:
            one.heard(event)

    def _carrying(self, file: str) -> Transfer[Any] | None:
        return next((one for one in self._under_way if file and one.file == file), None)

    def ready(self) -> None:
        self.online = True
        self._stir()

    def lost(self) -> None:
        self.online = False
        for one in list(self._under_way):
            one.lose()

    def drop(self, why: Rejected) -> None:
        for one in list(self._under_way):
            one.end(why)

    def end(self, why: Rejected) -> None:
        self._ended = why
        self.drop(why)

    def _stir(self) -> None:
        for one in list(self._under_way):
            one.stir()


def _of(one: Transfer[Any], why: str) -> str:
    """Return why it has ended; several are under way, so its name is said."""
    return why if one.name in why else f"{one.doing} {one.name} has ended: {why}"
