"""One file under way, in either direction: carried from one connection to the next until it is there or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.connection import Piece
from chatroom.client.files.progress import Progress
from chatroom.client.refused import Refused
from chatroom.events import Event

if TYPE_CHECKING:
    from chatroom.client.files.transfers import Transfers

T = TypeVar("T")


class Transfer(Generic[T]):
    """See the module; ``sending`` and ``fetching`` say what is done on a connection.

    Args:
        transfers: All of them.
        name: What it is called, for people.

    Attributes:
        file: Its id on the server, once it is known.
        progress: How far it is, once that is known.
    """

    doing = ""

    def __init__(self, transfers: Transfers, name: str) -> None:
        self.name = name
        self.file = ""
        self.progress: Progress | None = None
        self._transfers = transfers
        self._link = transfers.link
        self._lost = False
        self._over: Refused | None = None
        self._free = False
        self._wake: Deferred[None] | None = None

    async def run(self) -> T:
        """Carry it over.

        Raises:
            Refused: It is not to be.
        """
        while True:
            self._lost = False
            try:
                await self._until(lambda: self._transfers.may(self))
                return await self._carry()
            except Refused as refused:
                if self._over is not None:
                    raise self._over from None
                if refused.code != "lost":
                    self._tell_the_server()
                    raise

    async def _carry(self) -> T:
        """Do it on the connection that there is.

        Raises:
            Refused: It is not to be; or the connection has gone (``lost``).
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

    def end(self, why: Refused) -> None:
        """It is not to be."""
        self._over = self._over or why
        self.stir()

    def cancel(self) -> None:
        """Nobody wants it any more."""
        if self._over is None:
            self._tell_the_server()
            self.end(Refused("cancelled", f"{self.name}: cancelled."))

    def stir(self) -> None:
        """Something has changed that may have been waited for."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    # ---- for the two kinds -----------------------------------------------------------------------------------------

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait.

        Raises:
            Refused: It will never be, or the connection has gone.
        """
        self._check()
        while not condition():
            self._wake = Deferred()
            await self._wake
            self._check()

    def _check(self) -> None:
        if self._over is not None:
            raise self._over
        if self._lost:
            raise Refused("lost", "the connection was lost.")

    async def _do(self, do: str, **fields: Any) -> Event:
        """Give a command, and wait for its answer; if it is cancelled meanwhile, what was begun by it is as well."""
        box: list[Any] = []

        def answered(result: Any) -> None:
            box.append(result)
            if self._over is not None:
                self.file = getattr(result, "file", "")
                self._tell_the_server()
            self.stir()

        self._link.do(do, **fields).addBoth(answered)
        await self._until(lambda: bool(box))
        if isinstance(box[0], Failure):
            box[0].raiseException()
        answer: Event = box[0]
        return answer

    async def _work(self, call: Callable[..., Any], *args: Any) -> Any:
        """Do something on the disk, in a thread; and see that all is still as it was before."""
        result = await self._transfers.work(call, *args)
        self._check()
        return result

    async def _until_free(self) -> None:
        """Wait until the network takes more."""
        self._free = False
        self._link.when_free(self._now_free)
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
            self._link.do("cancel", file=self.file).addErrback(lambda failure: failure.trap(Refused))
