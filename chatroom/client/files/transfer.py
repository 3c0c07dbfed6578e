"""The transfer of one file, in either direction; it goes on over reconnections until it is complete or fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.client.files.progress import Progress
from chatroom.client.files.sealing import FileSealing
from chatroom.model.events import Event
from chatroom.model.names import fold

T = TypeVar("T")


class AllTransfers(Protocol):
    """The part of ``chatroom.client.files.transfers.Transfers`` that a transfer uses; documented there."""

    client: Client
    clock: Any
    online: bool
    server: str
    work: Callable[..., Deferred[Any]]

    @property
    def sealing(self) -> FileSealing:
        """Which files are sealed, and the known offers."""

    def may(self, one: Transfer[Any]) -> bool: ...

    def has(self, file: str, *, but: Transfer[Any]) -> bool: ...

    def sends(self, same: Transfer[Any]) -> bool: ...


class Transfer(Generic[T]):
    """Carries one file. ``FileUpload`` and ``FileDownload`` know what to do on a connection.

    Args:
        transfers: All transfers of the client.
        name: The name of the file, for people.

    Attributes:
        file: The id of the file on the server; empty until it is known.
        progress: How far the transfer is; None until it has begun.
    """

    doing = ""

    def __init__(self, transfers: AllTransfers, name: str) -> None:
        self.name = name
        self.file = ""
        self.progress: Progress | None = None
        self._transfers = transfers
        self._client = transfers.client
        self._lost = False
        self._over: Rejected | None = None
        self._free = False
        self._wake: Deferred[None] | None = None
        self._room = self._client.target  # for which the transfer was asked for
        self._unknown = not (self._room or self._client.online)  # whether there is no such room before we arrive
        self._placed = False
        self._client.when_there(self._place)

    async def run(self) -> T:
        """Carry the file, on as many connections as that takes.

        Returns:
            The path of the fetched file, or the event that shares the sent file.

        Raises:
            Rejected: The transfer was refused, or has been ended.
        """
        while True:
            self._lost = False
            try:
                await self._until(lambda: self._placed and self._transfers.may(self))
                return await self._carry()
            except Rejected as refused:
                if self._over is not None:
                    raise self._over from None
                if not self._lost or refused.code != "lost":
                    self._tell_the_server()
                    raise

    async def _carry(self) -> T:
        """Carry the file on the current connection, from where the last one stopped.

        Raises:
            Rejected: The transfer was refused, or the connection has gone (``lost``).
        """
        raise NotImplementedError

    # ---- for ``Transfers`` -----------------------------------------------------------------------------------------

    def heard(self, event: Event | Piece) -> None:
        """Take an event of the server about this file."""
        raise NotImplementedError

    def lose(self) -> None:
        """Pause the transfer until the next connection: this one has gone."""
        self._lost = True
        self.stir()

    def end(self, why: Rejected) -> None:
        """End the transfer for a reason; only the first reason counts."""
        self._over = self._over or why
        self.stir()

    def cancel(self) -> None:
        """End the transfer because the user wants that."""
        self.give_up(Rejected("cancelled", f"{self.name}: cancelled."))

    def give_up(self, why: Rejected) -> None:
        """End the transfer for a reason, and tell the server."""
        if self._over is None:
            self._tell_the_server()
            self.end(why)

    def is_called(self, name: str) -> bool:
        """Return whether a name that was typed may mean this file."""
        return name == self.name

    def stir(self) -> None:
        """Let ``_until`` check again the condition that it waits for, because something has changed."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    # ---- for uploads and downloads ---------------------------------------------------------------------------------

    def _place(self) -> None:
        """Go on, because we are in the room that the transfer was asked for, or were refused there."""
        self._placed = True
        self.stir()

    def _check_place(self) -> None:
        """Check that we are in the room that the transfer was asked for.

        In another room the file would go to other people, or its number would be that of another file.

        Raises:
            Rejected: We are not in that room, or are in a room now and were in none.
        """
        if self._unknown:
            self._room, self._unknown = self._client.room, False
        if fold(self._room) not in self._client.rooms if self._room else self._client.room:
            there = f"meant for {self._room}" if self._room else "asked for outside a room"
            raise Rejected("not-in-room", f"{self.name} was {there}; ask for it again where you are now, or go back.")

    @property
    def _where(self) -> dict[str, str]:
        """The field of a command that names the room of the transfer; without a room, no field."""
        return {"room": self._room} if self._room else {}

    def _claim(self, file: str) -> None:
        """Let ``Transfers`` give this transfer the server's events about a file.

        Args:
            file: The id of the file on the server.

        Raises:
            Rejected: Another transfer carries this file already.
        """
        if self._transfers.has(file, but=self):
            raise self._under_way()
        self.file = file

    def _under_way(self) -> Rejected:
        return Rejected(
            "busy", f"{self.name} is already being sent or fetched; wait for it, or cancel it with /cancel."
        )

    async def _outlast(self, deferred: Deferred[Any]) -> Any:
        """Wait for a Deferred, also over lost connections; if the disk hangs, the transfer can still be ended.

        Raises:
            Rejected: The transfer was ended, or the Deferred has failed so.
        """
        box = self._box_of(deferred)
        while not box and self._over is None:
            await self._stirred()
        if self._over is not None:
            raise self._over
        return raised(box[0])

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds.

        Raises:
            Rejected: The transfer was ended, or the connection has gone.
        """
        self._check()
        while not condition():
            await self._stirred()
            self._check()

    async def _pause(self, seconds: float) -> None:
        """Wait for a while.

        Raises:
            Rejected: The transfer was ended, or the connection has gone.
        """
        waiting: Deferred[None] = Deferred()
        timer = self._transfers.clock.callLater(seconds, waiting.callback, None)
        box = self._box_of(waiting)
        try:
            await self._until(lambda: bool(box))
        finally:
            if timer.active():
                timer.cancel()

    async def _stirred(self) -> None:
        self._wake = Deferred()
        await self._wake

    def _check(self) -> None:
        if self._over is not None:
            raise self._over
        if self._lost:
            raise Rejected("lost", "the connection was lost.")

    async def _do(self, do: str, **fields: Any) -> Event:
        """Give a command and wait for its answer.

        If the transfer is ended meanwhile, the server is asked to stop it once the answer has given the file's id.

        Raises:
            Rejected: The command was refused, the transfer was ended, or the connection has gone.
        """

        def answered(result: Any) -> Any:
            file = getattr(result, "file", "")
            if self._over is not None and not self._transfers.has(file, but=self):
                self.file = file
                self._tell_the_server()
            return result

        box = self._box_of(self._client.do(do, **fields).addBoth(answered))
        await self._until(lambda: bool(box))
        answer: Event = raised(box[0])
        return answer

    def _box_of(self, deferred: Deferred[Any]) -> list[Any]:
        """Return a list that gets a Deferred's result or failure when it fires, so that ``_until`` can wait for it."""
        box: list[Any] = []

        def done(result: Any) -> None:
            box.append(result)
            self.stir()

        deferred.addBoth(done)
        return box

    async def _until_free(self) -> None:
        """Wait until the network accepts more data."""
        self._free = False
        self._client.when_free(self._now_free)
        await self._until(lambda: self._free)

    def _now_free(self) -> None:
        self._free = True
        self.stir()

    def _reach(self, done: int, size: int) -> None:
        now = self._transfers.clock.seconds()
        if self.progress is None:
            self.progress = Progress(size, done, now)
        else:
            self.progress.reach(done, now)

    def _tell_the_server(self) -> None:
        """Ask the server to stop the transfer; if the transfer has stopped already, the refusal does not matter."""
        if self.file and self._transfers.online:
            self._client.do("cancel", file=self.file).addErrback(lambda failure: failure.trap(Rejected))


def raised(result: Any) -> Any:
    """Return the result of a Deferred, or raise its failure."""
    if isinstance(result, Failure):
        result.raiseException()
    return result
