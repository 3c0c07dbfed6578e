"""The client in a pipe: it carries out the lines of its input, and writes what the server sends to its output.

At the end of the input it waits until every message is acknowledged, and leaves. The input is read only as fast as the
server acknowledges messages, and the server is read only as fast as the output is taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.client.client import Client
from chatroom.client.encryption.commands import EncryptionCommands
from chatroom.client.encryption.dialogue import Dialogue, in_words
from chatroom.client.files.commands import FileCommands
from chatroom.client.pipe_commands import PipeCommands
from chatroom.client.pipe_notices import PipeNotices
from chatroom.client.pipe_output import PipeOutput
from chatroom.client.status import Notice
from chatroom.model import events as e
from chatroom.model import replies as a

LINE_BYTES = 64 * 1024
WINDOW = 64  # messages that may wait for their acknowledgement at a time


@implementer(IHalfCloseableProtocol)
class Pipe(LineReceiver):
    """Reads the input, and decides when the client ends.

    Args:
        clock: Tells the time and makes delayed calls.
        complain: Given each sentence for stderr.
        records: Whether to write events as records instead of text.
        patience: Seconds to try to connect again after the connection is lost; 0: without end.
        several: Whether the client stays in its rooms when it joins another.

    Attributes:
        status: The exit status: 0 if everything was done, 1 if something was not.
        ended: Fires when the client has left and the output is written.
    """

    delimiter = b"\n"
    MAX_LENGTH = LINE_BYTES

    def __init__(
        self,
        clock: Any,
        complain: Callable[[str], None],
        *,
        records: bool = False,
        patience: float = 0.0,
        several: bool = False,
    ) -> None:
        self.status = 0
        self.ended: Deferred[None] = Deferred()
        self._complain = complain
        self._several = several
        self._output = PipeOutput(records=records, several=several)
        self._notices = PipeNotices(clock, complain, self.fail, self._room_refused, patience)
        self._commands: PipeCommands
        self._client: Client
        self._lines: deque[bytes] = deque()
        self._end_of_input = False
        self._writable = True
        self._over = False
        self._wake: Deferred[None] | None = None

    def begin(self, client: Client, files: FileCommands) -> None:
        """Connect, and carry out the input.

        Args:
            client: The client, not started yet; it passes every event and notice to ``told``.
            files: Sends and fetches files for the client; it passes its messages to ``say``.
        """
        self._client = client
        self._output.begin(client)
        keys = EncryptionCommands(client.privacy, Dialogue(self._tell, lambda *found: self._tell(in_words(*found))))
        signals = self._refused, self._stir, self._something
        self._commands = PipeCommands(client, files, keys, *signals, several=self._several)
        client.start()
        Deferred.fromCoroutine(self._work()).addErrback(self._broken)

    def fail(self, why: str) -> None:
        """Write to stderr why the client cannot go on, and leave the server; the exit status is then 1."""
        if not self._over:
            self.status = 1
            self._complain(why)
            self._finish()

    def interrupt(self) -> None:
        """Leave the server, and drop the input lines that are not carried out yet."""
        self._lines.clear()
        self._finish()

    # ---- input -----------------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Open the output."""
        self._output.open(self.transport)

    def lineReceived(self, line: bytes) -> None:
        """Queue a line of the input; lines after ``/quit`` are dropped."""
        if not self._end_of_input:
            self._keep(line)
        self._stir()

    def _keep(self, line: bytes) -> None:
        self._lines.append(line)
        self._notices.first_line(_text(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        """End the client: no message is that long."""
        self.fail(f"a line of the input has more than {LINE_BYTES} bytes; nothing after it was sent")

    def dataReceived(self, data: bytes) -> None:
        """Queue the lines of this piece of input, and stop reading until they are carried out."""
        super().dataReceived(data)
        if self._lines and not self._over:
            self._reading(False)

    def readConnectionLost(self) -> None:
        """Note the end of the input, and queue its last line if that lacks a newline."""
        rest = self.clearLineBuffer()
        if rest and not self._end_of_input:
            self._keep(rest)
        self._end_of_input = True
        self._notices.end_of_input()
        self._stir()

    def writeConnectionLost(self) -> None:
        """End the client: nothing takes the output any more."""
        self._writable = False
        self.fail("the output can no longer be written; its reader has ended, or the disk is full")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Input and output are closed: fire ``ended`` if the client is leaving already; otherwise leave."""
        self._end_of_input = True
        self._writable = False
        if self._over:
            self._ended()
        else:
            self._finish()

    def _reading(self, on: bool) -> None:
        transport: Any = self.transport
        if not self._end_of_input:
            (transport.resumeProducing if on else transport.pauseProducing)()

    # ---- carrying out lines ----------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Carry out lines until the input has ended and everything is acknowledged, or the client ends."""
        commands = self._commands
        while not self._over:
            if self._lines and commands.unacknowledged < WINDOW:
                if not await commands.run(_text(self._lines.popleft())):
                    self._lines.clear()
                    self._end_of_input = True
            elif self._end_of_input and not self._lines and not commands.unacknowledged and self._client.online:
                break
            else:
                if not self._lines:
                    self._reading(True)
                await self._something()
        self._finish()

    def _something(self) -> Deferred[None]:
        """Return a Deferred that fires when anything happens: a line, an event, an acknowledgement, the end."""
        self._wake = Deferred()
        return self._wake

    def _stir(self) -> None:
        """Let ``_work`` go on if it waits."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.callback(None)

    def _refused(self, text: str) -> None:
        """Write a refusal to stderr; the exit status is then 1."""
        self.status = 1
        self._complain(text.rstrip("."))

    def _room_refused(self, text: str) -> None:
        """Go on without a room that the server has refused, if there are other rooms; otherwise end the client."""
        if self._client.state.joined.names:
            self._refused(text)
        else:
            self.fail(text.rstrip("."))

    # ---- what the client tells -------------------------------------------------------------------------------------

    def told(self, event: e.Event | Notice) -> None:
        """Write an event, or act on a notice; while the client leaves, only messages to the room are written."""
        if not isinstance(event, e.Event):
            self._notices.told(event)
        elif not self._over or isinstance(event, e.Said):
            if isinstance(event, a.Error) and not self._output.records:
                self._refused(event.text)
            else:
                self._output.show(event)
                self._client.taken(event)
        self._stir()

    def say(self, text: str) -> None:
        """Write a message of the client itself."""
        self._output.say(text)

    def _tell(self, text: str) -> None:
        """Write what a command for encryption says; where events are written as records, to stderr."""
        for line in text.split("\n"):
            (self._complain if self._output.records else self.say)(line)

    # ---- the end ---------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Leave the server, and close the output once everything is written."""
        if self._over:
            return
        self._over = self._commands.over = True
        self._notices.stop()
        self._stir()
        within = 2.0 if self.status == 0 else 0.0
        Deferred.fromCoroutine(self._client.stop(within)).addErrback(self._broken).addCallback(self._close)

    def _close(self, result: object) -> None:
        if self._writable and self.transport is not None:
            self._output.close()
        else:
            self._ended()

    def _ended(self) -> None:
        if not self.ended.called:
            self.ended.callback(None)

    def _broken(self, failure: Failure) -> None:
        self.fail(f"the client has an error: {failure.getErrorMessage()}")


def _text(line: bytes) -> str:
    """Return a line of the input as text, without a byte order mark and a carriage return."""
    return line.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r")
