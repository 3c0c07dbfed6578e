"""All transfers of a client, in the order in which they were asked for; at most ``TRANSFERS`` run at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec.structs import asdict, replace
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from chatroom.client.client import Client
from chatroom.client.connection import Piece
from chatroom.client.crypto.file_offers import FileOffer
from chatroom.client.errors import Rejected
from chatroom.client.files.download import FileDownload
from chatroom.client.files.progress import Progress
from chatroom.client.files.sealed_file import SealedFile
from chatroom.client.files.sealing import FileSealing, NoFileSealing
from chatroom.client.files.transfer import Transfer
from chatroom.client.files.upload import FileUpload
from chatroom.client.opened import WithdrawnFile
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.shared_files import SOME_FILE, TRANSFERS
from chatroom.model.text import shortened

MOST = 100  # transfers that run or wait for their turn
MOST_REMEMBERED = 200  # files that were fetched
NAME_SHOWN = 40  # characters of a name to show in a line

T = TypeVar("T")
M = TypeVar("M", bound=e.Event)


class OtherTransfer(Protocol):
    """A transfer that does not go by the server; it is listed, and can be cancelled.

    Attributes:
        name: The name of the file, for people.
        doing: ``sending`` or ``fetching``.
        progress: How far it is; None while it waits for the other side.
    """

    name: str
    doing: str
    progress: Progress | None

    def is_called(self, name: str) -> bool:
        """Return whether a name that was typed may mean this file."""
        ...

    def cancel(self) -> None:
        """End the transfer because the user wants that."""


_NOTHING_SEALED = NoFileSealing()


class Transfers:
    """Sends and fetches files over a client; it is the client's ``Carrier``.

    Args:
        client: The client, not started yet.
        server: Host and port, as the user knows them.
        clock: Tells the time, and makes delayed calls.
        work: Calls a blocking function in a thread; returns a Deferred that gives its result.

    Attributes:
        online: Whether there is a connection on which login and room are restored.
        others: The transfers over direct links.
        fetched: The paths of the files that were fetched last, by the SHA-256 of their bytes.
    """

    def __init__(
        self, client: Client, server: str, clock: Any, work: Callable[..., Deferred[Any]] = deferToThread
    ) -> None:
        self.client = client
        self.server = server
        self.clock = clock
        self.work = work
        self.online = False
        self.others: list[OtherTransfer] = []
        self.fetched: dict[str, Path] = {}
        self._under_way: list[Transfer[Any]] = []
        self._ended: Rejected | None = None
        client.carry(self)

    @property
    def sealing(self) -> FileSealing:
        """Which files are sealed, and the known offers."""
        return self.client.privacy.files or _NOTHING_SEALED

    async def send(self, path: Path, user: str = "", sealed: SealedFile | None = None, user_id: str = "") -> e.Shared:
        """Share a file with the room, or give it to a user; return when others can fetch it.

        Args:
            path: The file.
            user: The name of the user; empty for the room.
            sealed: The file, if it was sealed and partly sent over a direct link before.
            user_id: The id of the user to whom it was partly sent; nobody else gets the rest.

        Raises:
            Rejected: The file could not be sent.
        """
        return await self._run(FileUpload(self, path, user, sealed, user_id))

    async def get(
        self,
        number: int,
        wanted: Path,
        *,
        folder: bool = False,
        given: bool = False,
        offer: FileOffer | None = None,
        plain: bool = False,
    ) -> Path:
        """Fetch a file, or continue an earlier fetch of it; no file is ever overwritten.

        Args:
            number: The number of the file in the room, or among those given to this user.
            wanted: Where to put the file: a folder, or a path at which nothing exists.
            folder: Whether ``wanted`` is a folder; it is made if it is missing.
            given: Whether the file was given to this user; such a file can be fetched in any room.
            offer: The offer of a sealed file that is fetched by its id; the number does not count then.
            plain: Whether the file may be one that is not sealed although files there have to be.

        Returns:
            The path of the file.

        Raises:
            Rejected: The file could not be fetched.
        """
        download = FileDownload(self, number, wanted, folder=folder, given=given, offer=offer, plain=plain)
        path = await self._run(download)
        self.fetched.pop(download.sha256, None)
        self.fetched[download.sha256] = path
        if len(self.fetched) > MOST_REMEMBERED:
            del self.fetched[next(iter(self.fetched))]
        return path

    def cancel(self, which: str) -> None:
        """Cancel a transfer.

        Args:
            which: The name of the file, its number if it is fetched, or its path if it is sent; empty if there is only
                one transfer.

        Raises:
            Rejected: No transfer matches, or more than one does.
        """
        running: list[Transfer[Any] | OtherTransfer] = [*self._under_way, *self.others]
        found = [one for one in running if not which or one.is_called(which)]
        if not running:
            raise Rejected("no-transfer", "no file is being sent or fetched.")
        if len(found) != 1:
            known = "; ".join(self.lines())
            raise Rejected("no-transfer", f"which file? Give its number, name or path: {known}.")
        found[0].cancel()

    def lines(self) -> list[str]:
        """Return a line about each transfer: ``sending notes.txt 42%, 1.2 MB/s, 12 s left``."""
        lines = [self._line(one, waits=not self.may(one)) for one in self._under_way]
        return lines + [self._line(one, waits=one.progress is None) for one in self.others]

    def _line(self, one: Transfer[Any] | OtherTransfer, *, waits: bool) -> str:
        name = shortened(one.name, NAME_SHOWN)
        if waits:
            return f"{one.doing} {name} waits"
        return f"{one.doing} {name} {one.progress.spell(self.clock.seconds()) if one.progress else ''}".rstrip()

    async def _run(self, one: Transfer[T]) -> T:
        """Run a transfer when its turn comes; refuse it if too many wait or no connection will come."""
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

    # ---- for a transfer --------------------------------------------------------------------------------------------

    def may(self, one: Transfer[Any]) -> bool:
        """Return whether a transfer may run now: there is a connection, and it is its turn."""
        return self.online and one in self._under_way[:TRANSFERS]

    def has(self, file: str, *, but: Transfer[Any]) -> bool:
        """Return whether a transfer other than ``but`` carries a file of the server."""
        return any(one.file == file for one in self._under_way if file and one is not but)

    def sends(self, same: Transfer[Any]) -> bool:
        """Return whether another upload sends the same file to the same room or user."""
        return any(isinstance(one, FileUpload) and one.is_like(same) for one in self._under_way if one is not same)

    # ---- ``chatroom.client.file_carrier.Carrier`` documents these ----------------------------------------------------

    def take(self, event: e.Event | Piece) -> bool:
        if not isinstance(event, Piece | a.Chunk | a.Error):
            return False
        one = self._carrying(event.file) if self.online else None  # offline, no transfer has asked for anything
        if one is not None and isinstance(event, a.Error):
            one.end(Rejected(event.code, _of(one, event.text)))
        elif one is not None:
            one.heard(event)
        return bool(event.file) or not isinstance(event, a.Error)

    def awaits(self, event: e.Event) -> bool:
        return isinstance(event, e.Shared) and isinstance(self._carrying(event.file), FileUpload)

    def named(self, event: e.Event) -> e.Event:
        if isinstance(event, e.Shared):
            return self._named(event)
        if isinstance(event, a.History | a.Found):
            return replace(event, events=[self._named(one) for one in event.events])
        if isinstance(event, a.Files):
            return replace(event, files=self._named_lines(event.files), given=self._named_lines(event.given))
        return event

    def for_server(self, record: dict[str, Any]) -> dict[str, Any]:
        if record.get("do") != "unshare":
            return record
        known, _ = self._known(str(record.get("name", "")))
        return {**record, "name": known} if known else record

    def answered(self, answer: e.Event, record: dict[str, Any]) -> e.Event:
        if record.get("do") != "unshare" or not isinstance(answer, a.Ok | a.Error):
            return answer
        known, name = self._known(str(record.get("name", "")))
        text = answer.text.replace(SOME_FILE, name, 1).replace(known.partition(" ")[0], name, 1) if name else ""
        return replace(answer, text=text) if name else answer

    def _known(self, typed: str) -> tuple[str, str]:
        """Return what the server is told in place of what the user typed, and the name of the file; empty if no sealed
        file is meant. The last word that was typed may be a user."""
        for name, user in ((typed, ""), (typed.rpartition(" ")[0].rstrip(), typed.rpartition(" ")[2])):
            known = self.sealing.name_on_server(name) if name else ""
            if known:
                return f"{known} {user}".rstrip(), name
        return "", ""

    def _named(self, event: M) -> M:
        """Return a message; if it shares a sealed file whose offer is known, with the real name and size. A deleted one
        has its real name, too."""
        if not isinstance(event, e.Shared) or not event.sealed or isinstance(event, WithdrawnFile):
            return event
        one = self._carrying(event.file)
        offer = self.sealing.find(event.file, event.by_id)
        if not event.name:
            return WithdrawnFile(**asdict(event), was=offer.name) if offer is not None else event  # type: ignore[return-value]
        if isinstance(one, FileUpload):
            return replace(event, name=one.name, size=one.size)
        return replace(event, name=offer.name, size=offer.size) if offer is not None else event

    def _named_lines(self, lines: list[a.FileLine]) -> list[a.FileLine]:
        known = ((line, self.sealing.find(line.file, line.by_id) if line.sealed else None) for line in lines)
        return [replace(line, name=offer.name, size=offer.size) if offer is not None else line for line, offer in known]

    def shared(self, event: e.Shared) -> None:
        one = self._carrying(event.file)
        if one is not None:
            one.heard(event)

    def _carrying(self, file: str) -> Transfer[Any] | None:
        return next((one for one in self._under_way if file and one.file == file), None)

    def ready(self) -> None:
        self.online = True
        self._ended = None
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
    """Return why a transfer has ended, with the name of its file, because several may be running."""
    return why if one.name in why else f"{one.doing} {one.name} has ended: {why}"
