"""The daemon as a service of twistd: starts everything in order, and ends without losing anything."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver

from chatroom.chat.chat import Chat
from chatroom.chat.people.accounts_file import AccountLine
from chatroom.chat.people.passwords import ThreadedPasswords
from chatroom.daemon.audit_file import AuditFile, audit_files
from chatroom.daemon.log_file import DaemonLog
from chatroom.daemon.options import refuse
from chatroom.daemon.pid_file import PidFile
from chatroom.engines.data_folder import DataFolder
from chatroom.model.logger import logger
from chatroom.model.names import user_name
from chatroom.wire.accepting import listen
from chatroom.wire.factory import ChatFactory

_log = logger(__name__)

FAREWELL = 2.0  # seconds that slow readers have at the end to take what is held for them


class OperatorService(Protocol):
    """A service besides the chat. It is open from when people can connect until after all connections have ended."""

    def open(self) -> None:
        """Begin to listen. The reactor runs already."""

    async def close(self) -> None:
        """Stop listening, and end all connections. This is also called if ``open`` never was."""


class ChatService(Service):
    """The service that twistd runs.

    Args:
        reactor: Listens, and tells the time.
        chat: The chat.
        factory: Makes the protocols of connections.
        listening: The listening socket. Whoever connects early waits until the chat has started.
        folder: The data folder, which is released at the end; None if nothing is kept.
        passwords: The threads that hash passwords.
        imported: The accounts to make before anybody can connect.

    Attributes:
        beside: Services for the operator, which are opened after the port and closed last.
        on_hangup: Called at SIGHUP.
        pid_file: The pid file, which is written at the start and removed at the end.
        log: The file of the daemon's log; None if it writes none.
    """

    def __init__(
        self,
        reactor: Any,
        chat: Chat,
        factory: ChatFactory,
        listening: socket.socket,
        folder: DataFolder | None,
        passwords: ThreadedPasswords,
        imported: Sequence[AccountLine],
    ) -> None:
        self._reactor = reactor
        self._chat = chat
        self._factory = factory
        self._listening = listening
        self._folder = folder
        self._passwords = passwords
        self._imported = imported
        self._audits = audit_files(folder.path) if folder is not None else []
        self._port: Any = None
        self._stopping = False
        self._failure = ""
        self.beside: list[OperatorService] = []
        self.on_hangup: Callable[[], None] = lambda: None
        self.pid_file: PidFile | None = None
        self.log: DaemonLog | None = None

    def setServiceParent(self, parent: Any) -> None:  # noqa: N802
        """Become part of twistd's application, and write its log from now on."""
        if self.log is not None:
            try:
                parent.setComponent(ILogObserver, self.log.observer())
            except OSError as error:
                refuse(f"--logfile {self.log.path} cannot be written: {error.strerror}; give another file")
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:  # noqa: N802
        """Write the pid file now: twistd has forked, and has not given up root's rights yet."""
        super().privilegedStartService()
        if self.pid_file is not None:
            self.pid_file.write()

    def startService(self) -> None:
        """Start the chat on its data, then open the port."""
        super().startService()
        user_name("\xe9")  # loads the tables for names that are not ASCII, which would hold up the reactor later
        self._catch_signals()
        Deferred.fromCoroutine(self._start()).addErrback(self._failed)
        if self._failure:
            self._remove_pid_file()
            refuse(self._failure)

    async def _start(self) -> None:
        # Connections leave memory without the garbage collector. With 10,000 of them a full collection holds up the
        # reactor for a fifth of a second, and it frees only the few objects that got old and then lost: make it rare.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 1000)
        for audit in self._audits:
            audit.start()
        self._passwords.start()
        await self._chat.start()
        running: Deferred[None] = Deferred()
        self._reactor.callWhenRunning(running.callback, None)
        await running
        await self._chat.account_changes.take_in(self._imported, self._chat.authenticator.hash)
        if not self._stopping:
            self._factory.start()
            self._open_door()

    def _failed(self, failure: Any) -> None:
        """End with a status that is not zero, because the chat could not start; the log says why."""
        self._failure = failure.getErrorMessage()
        if failure.check(sqlite3.Error, msgspec.MsgspecError):
            self._failure = (
                f"the database cannot be used ({self._failure}); see chatroom-admin check, or restore a backup"
            )
        if self._reactor.running:
            _log.critical("chatroom cannot start: {why}", why=self._failure)
            atexit.register(_end_unsuccessfully)  # else twistd ends with 0, since the reactor stops in good order
            self._reactor.stop()

    def _open_door(self) -> None:
        """Open the port, and log that we listen.

        Signals are caught again first, because the reactor has replaced our handlers when it started.
        """
        self._catch_signals()
        self._port = listen(self._reactor, self._listening, self._factory)
        self._listening.close()  # the reactor has a descriptor of its own
        where = self._port.getHost()
        _log.info(
            "listening on {host} port {port}; {keeps}",
            host=where.host,
            port=where.port,
            keeps=f"data in {self._folder.path}" if self._folder else "nothing is kept",
        )
        for service in self.beside:
            service.open()

    def _catch_signals(self) -> None:
        """Stop with status 0 at SIGTERM and SIGINT; twistd itself would end in order, and then die of the signal.

        If SIGINT was ignored at the start, it stays ignored: a script that runs us in the background sets that, because
        its Ctrl-C is not meant for the daemon. SIGHUP reloads the options, even under nohup.
        """

        def stop(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._stop_once)

        def hang_up(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._reload)

        signal.signal(signal.SIGHUP, hang_up)
        for number in (signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, stop)

    def _stop_once(self) -> None:
        if not self._stopping:
            self._stopping = True
            _log.info("stopping")
            self._reactor.stop()

    def _reload(self) -> None:
        if not self._stopping:
            self._follow_logs()
            self.on_hangup()

    def _follow_logs(self) -> None:
        """Open log files again that were moved away."""
        logs: list[AuditFile | DaemonLog] = [*self._audits]
        if self.log is not None:
            logs.append(self.log)
        for log in logs:
            if not log.follow():
                _log.warn("the log file {path} cannot be opened again; make it writable", path=str(log.path))

    def state(self) -> str:
        """Return the daemon's state: ``ok``, ``draining`` or ``stopping``."""
        return "stopping" if self._stopping else "draining" if self._chat.connections.draining else "ok"

    def stopService(self) -> Deferred[None]:
        """Stop the daemon.

        Returns:
            Fires when everybody was told, what was accepted is durable, and all connections are closed.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._port is not None:
            await self._port.stopListening()
        for connection in tuple(self._factory.connections):
            connection.press(True)
        await self._chat.stop()
        self._passwords.stop()
        self._factory.stop()
        await self._all_gone()
        for service in self.beside:
            await service.close()
        for audit in self._audits:
            audit.stop()
        if self._folder is not None:
            self._folder.close()
        self._remove_pid_file()

    def _remove_pid_file(self) -> None:
        if self.pid_file is not None:
            self.pid_file.remove()

    async def _all_gone(self) -> None:
        """Wait until all connections have ended; abort those of slow readers after ``FAREWELL``."""
        gone = self._factory.when_empty()
        patience = self._reactor.callLater(FAREWELL, self._factory.abort)
        await gone
        if patience.active():
            patience.cancel()


def _end_unsuccessfully() -> None:
    """End the process with status 1, after everything else is done."""
    sys.stdout.flush()
    os._exit(1)
