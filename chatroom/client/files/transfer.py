"""One file under way, in either direction: carried from one connection to the next until it is there or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.client.files.progress import Progress
from chatroom.model.events import Event

T = TypeVar("T")


class AllTransfers(Protocol):
    """What a file under way needs of all of them (``chatroom.client.files.transfers`` documents it)."""

    client: Client
    clock: Any
    online: bool
    server: str
    work: Callable[..., Deferred[Any]]

    def may(self, one: Transfer[Any]) -> bool: ...

    def has(self, file: str, *, but: Transfer[Any]) -> bool: ...

    def sends(self, same: Transfer[Any]) -> bool: ...


class Transfer(Generic[T]):
    """See the module. ``FileUpload`` and ``FileDownload`` say what is done on a connection.

    Args:
        transfers: All of them.
        name: What it is called, for people.

    Attributes:
        file: Its id on the server, once it is known.
        progress: How far it is, once that is known.
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
        self._room: str | None = None  # where we were when it was asked for
        self._placed = False
        self._client.when_there(self._place)

    async def run(self) -> T:
        """Carry it over.

        Raises:
            Rejected: It is not to be.
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
        """Do it on the connection that there is.

        Raises:
            Rejected: It is not to be; or the connection has gone (``lost``).
        """
        raise NotImplementedError

    # ---- what happens ----------------------------------------------------------------------------------------------

    def heard(self, event: Event | Piece) -> None:
        """Something was said of this file."""
        raise NotImplementedError

    def lose(self) -> None:
        """The connection has gone."""
        self._lost = True
        self.stir()

    def end(self, why: Rejected) -> None:
        """It is not to be."""
        self._over = self._over or why
        self.stir()

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self.give_up(Rejected("cancelled", f"{self.name}: cancelled."))

    def give_up(self, why: Rejected) -> None:
        """It is we who end it."""
        if self._over is None:
            self._tell_the_server()
            self.end(why)

    def is_called(self, name: str) -> bool:
        """Return whether somebody may mean this one."""
        return name == self.name

    def stir(self) -> None:
        """Something has changed that may have been waited for."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    # ---- for the two kinds -----------------------------------------------------------------------------------------

    def _place(self) -> None:
        """It is asked for where we are now; where that is, is known only to somebody who has been on the server."""
        self._placed = True
        if self._client.online or self._client.room:
            self._room = self._client.room
        self.stir()

    def _check_place(self) -> None:
        """See that we are where it was asked for, for elsewhere it would be given to others, or be another file.

        Raises:
            Rejected: We are not.
        """
        if self._room is None:
            self._room = self._client.room
        if self._room != self._client.room:
            there = f"meant for {self._room}" if self._room else "asked for outside a room"
            raise Rejected("not-in-room", f"{self.name} was {there}; ask for it again where you are now, or go back.")

    def _claim(self, file: str) -> None:
        """It is that file; what the server says of it is for us.

        Raises:
            Rejected: It is for another, which has the same.
        """
        if self._transfers.has(file, but=self):
            raise self._under_way()
        self.file = file

    def _under_way(self) -> Rejected:
        return Rejected(
            "busy", f"{self.name} is already being sent or fetched; wait for it, or cancel it with /cancel."
        )

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait.

        Raises:
            Rejected: It will never be, or the connection has gone.
        """
        self._check()
        while not condition():
            await self._stirred()
            self._check()

    async def _stirred(self) -> None:
        self._wake = Deferred()
        await self._wake

    def _check(self) -> None:
        if self._over is not None:
            raise self._over
        if self._lost:
            raise Rejected("lost", "the connection was lost.")

    async def _do(self, do: str, **fields: Any) -> Event:
        """Give a command, and wait for its answer; if it is cancelled meanwhile, what was begun by it is as well."""

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
        """Return a list in which its result, or its failure, will be."""
        box: list[Any] = []

        def done(result: Any) -> None:
            box.append(result)
            self.stir()

        deferred.addBoth(done)
        return box

    async def _until_free(self) -> None:
        """Wait until the network takes more."""
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
        """So that it waits for no more of it, or sends no more; if it has ended it already, that is as well."""
        if self.file and self._transfers.online:
            self._client.do("cancel", file=self.file).addErrback(lambda failure: failure.trap(Rejected))


def raised(result: Any) -> Any:
    """Return what a Deferred was fired with, or raise what it failed with."""
    if isinstance(result, Failure):
        result.raiseException()
    return result
