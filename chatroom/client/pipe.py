"""The client in a pipe: lines in are typed, lines out are what is heard; at the end of the input it waits and leaves.

Input is read no faster than the server acknowledges it, the server is read no faster than the output is taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.files.commands import USAGES, FileCommands
from chatroom.client.plain_text import lines_of, recalled
from chatroom.client.screen.parser import CommandLine, LocalLine, Misuse, SayLine, depends_on_room, read
from chatroom.client.state import KEPT
from chatroom.client.status import Connected, Denied, Ended, Gap, Lost, Notice
from chatroom.model import events as e
from chatroom.model import replies as a

LINE_BYTES = 64 * 1024
WINDOW = 64  # messages that are not acknowledged yet
QUITTING = ("quit", "exit")
TAKING_OVER = "/takeover"
FIRST_LINE_WITHIN = 5.0  # seconds that the first line may take to say so


@implementer(IHalfCloseableProtocol)
class Pipe(LineReceiver):
    """See the module.

    Args:
        clock: The time.
        complain: Given each sentence for stderr.
        records: Show events as records instead of words.
        patience: Seconds to try to come back; 0: for ever.

    Attributes:
        status: The exit status: 0 if all was done, 1 if something was not.
        ended: Fires when all is over.
    """

    delimiter = b"\n"
    MAX_LENGTH = LINE_BYTES

    def __init__(
        self, clock: Any, complain: Callable[[str], None], *, records: bool = False, patience: float = 0.0
    ) -> None:
        self.status = 0
        self.ended: Deferred[None] = Deferred()
        self._clock = clock
        self._complain = complain
        self._records = records
        self._patience = patience
        self._client: Client
        self._files: FileCommands
        self._lines: deque[bytes] = deque()
        self._end_of_input = False
        self._output = True  # somebody takes it
        self._over = False
        self._heard_anything = False  # there was a connection once
        self._lost = False  # ... and now there is none
        self._giving_up: Any = None
        self._unacknowledged = 0
        self._wake: Deferred[None] | None = None
        self._first: str | None = None  # the first line of the input
        self._in_use: Denied | None = None  # our account is logged in elsewhere, and the first line has not come yet
        self._deciding: Any = None

    def begin(self, client: Client, files: FileCommands) -> None:
        """Connect, and do what the input says.

        Args:
            client: It tells everything to ``told``; not started.
            files: What sends and fetches files over it; it says everything to ``say``.
        """
        self._client = client
        self._files = files
        client.start()
        Deferred.fromCoroutine(self._work()).addErrback(self._broken)

    def fail(self, why: str) -> None:
        """Say why it is over, and end."""
        if not self._over:
            self.status = 1
            self._complain(why)
            self._finish()

    def interrupt(self) -> None:
        """Read no more; end as at the end of the input, without what was not said yet."""
        self._lines.clear()
        self._finish()

    # ---- input -----------------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Let the output tell when it is full."""
        transport: Any = self.transport
        transport.registerProducer(_Hearing(self), True)

    def lineReceived(self, line: bytes) -> None:
        """Keep it for its turn; what comes after ``/quit`` has none."""
        if not self._end_of_input:
            self._keep(line)
        self._stir()

    def _keep(self, line: bytes) -> None:
        self._lines.append(line)
        if self._first is None:
            self._first = _text(line).strip().lower()
            self._decide_on_takeover()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Nobody means to say that."""
        self.fail(f"a line of the input has more than {LINE_BYTES} bytes; nothing after it was sent")

    def dataReceived(self, data: bytes) -> None:
        """Read on only when these lines are done."""
        super().dataReceived(data)
        if self._lines and not self._over:
            self._reading(False)

    def readConnectionLost(self) -> None:
        """The end of the input; its last line may have no end."""
        rest = self.clearLineBuffer()
        if rest and not self._end_of_input:
            self._keep(rest)
        self._end_of_input = True
        self._decide_on_takeover()
        self._stir()

    def writeConnectionLost(self) -> None:
        """Nobody takes our output any more."""
        self._output = False
        self.fail("the output can no longer be written; its reader has ended, or the disk is full")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Both are gone."""
        self._end_of_input = True
        self._output = False
        if self._over:
            self._ended()
        else:
            self._finish()

    def _reading(self, on: bool) -> None:
        transport: Any = self.transport
        if not self._end_of_input:
            (transport.resumeProducing if on else transport.pauseProducing)()

    # ---- doing what it says ----------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while not self._over:
            if self._lines and self._unacknowledged < WINDOW:
                await self._take(self._lines.popleft())
            elif self._end_of_input and not self._lines and not self._unacknowledged and self._client.online:
                break
            else:
                if not self._lines:
                    self._reading(True)
                await self._something()
        self._finish()

    async def _something(self) -> None:
        """Wait until something happens, of which it is not known here whether it matters."""
        self._wake = Deferred()
        await self._wake

    def _stir(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    async def _take(self, line: bytes) -> None:
        text = _text(line)
        while depends_on_room(text) and not (self._client.online or self._over):
            await self._something()
        try:
            typed = read(text, (*QUITTING, *USAGES), inside=self._client.inside, guest=self._client.guest)
            if isinstance(typed, LocalLine) and typed.word in USAGES:
                await self._files.run(typed.word, typed.rest)
            elif isinstance(typed, LocalLine):
                self._lines.clear()
                self._end_of_input = True
            elif isinstance(typed, SayLine):
                self._give("say", {"text": typed.text})
            elif isinstance(typed, CommandLine):
                await self._command(typed)
        except Misuse as misuse:
            self._refused(str(misuse))
        except Rejected as refused:
            self._not_done(refused)

    async def _command(self, typed: CommandLine) -> None:
        if typed.missing:
            raise Misuse(f"usage: {typed.row.usage}.")
        if typed.row.do in KEPT:
            self._give(typed.row.do, typed.fields)
            return
        while not self._over:
            while not (self._client.online or self._over):
                await self._something()
            try:
                await self._client.do(typed.row.do, **typed.fields)
                return
            except Rejected as refused:
                if refused.code not in ("offline", "lost"):
                    raise

    def _give(self, do: str, fields: dict[str, Any]) -> None:
        """Say something; its acknowledgement is waited for at the end."""
        self._unacknowledged += 1
        self._client.do(do, **fields).addErrback(self._not_said).addBoth(self._acknowledged)

    def _not_said(self, failure: Failure) -> None:
        failure.trap(Rejected)
        self._not_done(failure.value)

    def _not_done(self, refused: Any) -> None:
        """Say so; but what ends everything is told by itself, once."""
        if not self._over and refused.code != "ended":
            self._refused(refused.text)

    def _acknowledged(self, result: object) -> object:
        self._unacknowledged -= 1
        self._stir()
        return result

    def _refused(self, text: str) -> None:
        self.status = 1
        self._complain(text.rstrip("."))

    # ---- what is heard ---------------------------------------------------------------------------------------------

    def told(self, event: e.Event | Notice) -> None:
        """Write what the link tells."""
        if not isinstance(event, e.Event):
            self._notice(event)
        elif not self._over or isinstance(event, e.Said):
            if isinstance(event, a.Error) and not self._records:
                self._refused(event.text)
            else:
                self._show(event)
        self._stir()

    def _show(self, event: e.Event) -> None:
        if self._records:
            self._write([e.encode(_without_secrets(event)).decode()])
        elif self._client.place.replayed(event):
            self._write([recalled(self._client.room, event, self._client.name)])
        else:
            self._write(lines_of(event, self._client.name))

    def say(self, text: str) -> None:
        """Write what the client itself says; among records it is nothing."""
        if not self._records:
            self._write([text])

    def _write(self, lines: list[str]) -> None:
        transport: Any = self.transport
        if lines and transport is not None:
            transport.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, Connected):
            self._heard_anything, self._lost = True, False
            self._wait_no_longer()
            if notice.again:
                self._complain("connected again")
        elif isinstance(notice, Ended) or (isinstance(notice, Lost) and not self._heard_anything):
            self.fail(notice.why)
        elif isinstance(notice, Lost) and not self._lost and not self._over:
            self._wait_for_return(notice.why)
        elif isinstance(notice, Denied) and notice.code == "already-logged-in":
            self._in_use = notice
            self._deciding = self._clock.callLater(FIRST_LINE_WITHIN, self._decide_on_takeover, late=True)
            self._decide_on_takeover()
        elif isinstance(notice, Denied):
            self.fail(notice.text.rstrip("."))
        elif isinstance(notice, Gap):
            self._complain(f"some messages sent to {notice.room} in the meantime are not shown")

    def _decide_on_takeover(self, *, late: bool = False) -> None:
        """Go on if the first line of the input takes the other session's place; say that it might if it does not."""
        if self._in_use is None or (self._first is None and not (late or self._end_of_input)):
            return
        self._decide_no_more()
        denied, self._in_use = self._in_use, None
        if self._first != TAKING_OVER:
            why = denied.text.rstrip(".")
            self.fail(f"{why}; end that session, or give {TAKING_OVER} as the first line to take its place")

    def _decide_no_more(self) -> None:
        if self._deciding is not None and self._deciding.active():
            self._deciding.cancel()
        self._deciding = None

    def _wait_for_return(self, why: str) -> None:
        self._lost = True
        self._complain(f"{why}; trying to connect again")
        if self._patience:
            self._giving_up = self._clock.callLater(self._patience, self.fail, f"could not connect again: {why}")

    def _wait_no_longer(self) -> None:
        if self._giving_up is not None and self._giving_up.active():
            self._giving_up.cancel()
        self._giving_up = None

    # ---- the end ---------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Leave the server, let the output be written, and be over."""
        if self._over:
            return
        self._over = True
        self._wait_no_longer()
        self._decide_no_more()
        self._stir()
        within = 2.0 if self.status == 0 else 0.0
        Deferred.fromCoroutine(self._client.stop(within)).addErrback(self._broken).addCallback(self._close)

    def _close(self, result: object) -> None:
        transport: Any = self.transport
        if self._output and transport is not None:
            transport.unregisterProducer()
            transport.loseConnection()  # when all is written
        else:
            self._ended()

    def _ended(self) -> None:
        if not self.ended.called:
            self.ended.callback(None)

    def _broken(self, failure: Failure) -> None:
        self.fail(f"the client has an error: {failure.getErrorMessage()}")


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r")


def _without_secrets(event: e.Event) -> e.Event:
    """What is written may be kept in a file."""
    if isinstance(event, a.Welcome):
        return msgspec.structs.replace(event, resume="")
    return msgspec.structs.replace(event, token="") if isinstance(event, a.Account) else event


@implementer(IPushProducer)
class _Hearing:
    """What fills the output: the server.

    Args:
        pipe: Whose output it is.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def pauseProducing(self) -> None:
        """The output is full."""
        self._pipe._client.pause()

    def resumeProducing(self) -> None:
        """It is not any more."""
        self._pipe._client.resume()

    def stopProducing(self) -> None:
        """Nobody takes it any more; ``writeConnectionLost`` deals with it."""
