"""The SSH channel that an operator opens after the login: for a console, for one command, or for a script."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from twisted.conch.error import ConchError
from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.connection import OPEN_ADMINISTRATIVELY_PROHIBITED
from twisted.conch.ssh.session import parseRequest_pty_req, parseRequest_window_change
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from chatroom.admin.console import Console
from chatroom.admin.formatting import for_the_log, shown
from chatroom.admin.interpreter import Interpreter
from chatroom.admin.shell import ConsoleTerminal, Shell
from chatroom.chat.operators.service import Operating
from chatroom.model.logger import logger
from chatroom.model.text import clean

MOST_INPUT = 65536  # bytes of a script
MOST_UNREAD = 4 * 1024 * 1024  # bytes that may wait to be read by the operator

_WIDE = 200  # columns of a table without a terminal
_log = logger(__name__)

silent = Logger(observer=LogPublisher())  # logs nothing: conch would log each step and all that is typed
Audit = Callable[[str], None]


class ConsoleChannel(SSHChannel):
    """A channel for the console. Other kinds of channels, for forwarding or files, are refused.

    Args:
        operating: Carries out what the operator types.
        audit: Called with each statement before it runs, without passwords.
        heard: Called when data comes from the operator.
        others: The arguments of ``SSHChannel``.
    """

    name = b"session"
    conn: Any
    _log = silent

    def __init__(self, operating: Operating, audit: Audit, heard: Callable[[], None], **others: Any) -> None:
        super().__init__(**others)
        self._operating = operating
        self._audit = audit
        self._heard = heard
        self._size: tuple[int, int] | None = None  # of the window: columns, rows
        self._terminal: Any = None
        self._script: bytearray | None = None
        self._begun = False

    # ---- requests of ssh -------------------------------------------------------------------------------------------

    def request_pty_req(self, data: bytes) -> bool:
        """Note that the operator has a terminal, and its size."""
        _, (rows, columns, *_), _ = parseRequest_pty_req(data)
        self._size = columns, rows
        return True

    def request_window_change(self, data: bytes) -> bool:
        """Note the new size of the terminal."""
        rows, columns, *_ = parseRequest_window_change(data)
        if self._terminal is not None and self._terminal.terminalProtocol is not None:
            self._terminal.terminalProtocol.terminalSize(columns, rows)
        return True

    def request_shell(self, data: bytes) -> bool:
        """Open the console on the operator's terminal. If there is no terminal, collect a script from the input."""
        if self._begun:
            return False
        self._begun = True
        if self._size is None:
            self._script = bytearray()
            return True
        self._terminal = ConsoleTerminal(lambda: Shell(self._operating, self._audit))
        self._terminal.makeConnection(_ToChannel(self))
        self._terminal.terminalProtocol.terminalSize(*self._size)
        return True

    def request_exec(self, data: bytes) -> bool:
        """Run the command of the request, as in ``ssh host 'users()'``."""
        if self._begun:
            return False
        self._begun = True
        self._run(getNS(data)[0])
        return True

    # ---- input -----------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Handle keys typed on the terminal, or add the data to the script."""
        self._heard()
        if self._terminal is not None:
            self._terminal.dataReceived(data)
        elif self._script is not None:
            self._script += data
            if len(self._script) > MOST_INPUT:
                self._script = None
                self._fail(f"the script is longer than {MOST_INPUT} bytes.")

    def eofReceived(self) -> None:
        """Run the script, which is complete now; on a terminal, leave."""
        script, self._script = self._script, None
        if script is not None:
            self._run(bytes(script))
        elif self._terminal is not None:
            self.finish(0)

    def closed(self) -> None:
        """End the console on the terminal, because the channel is closed."""
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            terminal.connectionLost(Failure(ConnectionDone()))

    # ---- output ----------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send data; end the connection if the operator does not read."""
        super().write(data)
        if len(self.buf) > MOST_UNREAD:
            self.conn.transport.transport.abortConnection()

    def finish(self, status: int) -> None:
        """Send an exit status to the operator's SSH client, and close the channel.

        Args:
            status: The exit status: 0 for success.
        """
        if not self.localClosed and not self.closing:
            self.conn.sendRequest(self, b"exit-status", struct.pack(">L", status))
            self.loseConnection()

    def _fail(self, words: str) -> None:
        self._complain(words)
        self.finish(1)

    def _complain(self, words: str) -> None:
        self.writeExtended(1, f"Error: {clean(words)}\n".encode())

    def _run(self, source: bytes) -> None:
        running = Deferred.fromCoroutine(self._run_all(source.decode("utf-8", "replace")))
        running.addErrback(lambda failure: _log.failure("the console has failed", failure=failure))

    async def _run_all(self, source: str) -> None:
        """Run the statements in order, up to the first that fails, and end the channel."""
        interpreter = Interpreter(
            Console(self._operating).namespace(),
            lambda value: self.write(f"{shown(value, _WIDE)}\n".encode()),
            self._complain,
        )
        for line in [*source.splitlines(), ""]:
            statement = interpreter.push(line)
            if statement is not None and statement.strip():
                self._audit(for_the_log(statement))
                if not await interpreter.run(statement):
                    self.finish(1)
                    return
        if interpreter.waiting:
            self._fail("the last statement is not complete.")
        else:
            self.finish(0)


class _ToChannel:
    """The transport of a terminal, which writes to a channel."""

    def __init__(self, channel: ConsoleChannel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> None:
        """Send data."""
        self._channel.write(data)

    def loseConnection(self) -> None:
        """End the channel: the operator leaves."""
        self._channel.finish(0)


def refuse_channel(kind: str) -> ConchError:
    """Return the exception that tells conch to refuse this kind of channel."""
    return ConchError(f"{kind} is not allowed here", OPEN_ADMINISTRATIVELY_PROHIBITED)
