"""The daemon as a service of twistd: starts its parts in order, and stops them without losing what was accepted."""

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

FAREWELL = 2.0  # seconds that clients have at the end to read what is still to be sent to them


class OperatorService(Protocol):
    """A service besides the chat, such as the metrics: open from when people can connect until no user is connected."""

    def open(self) -> None:
        """Begin to serve. It is called while the reactor runs."""

    async def close(self) -> None:
        """Stop serving, and end all connections to this service. It is called even if ``open`` never was."""


class ChatService(Service):
    """The service that twistd runs.

    Args:
        reactor: Listens on the port, and schedules calls.
        chat: The chat, which is not started yet.
        factory: Makes a protocol for each connection, and knows all open connections.
        listening: The listening socket. Connections that come early wait until the chat has started.
        folder: The data folder, which is unlocked at the end; None if everything is only in memory.
        passwords: The threads that hash passwords.
        imported: The accounts from the file of ``--accounts``, to make before anybody can connect.

    Attributes:
        beside: Services for the operator, which are opened after the chat's port, and closed after its connections.
        on_hangup: Called at SIGHUP, after log files that were moved away are opened again.
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
        """Join twistd's application, ``parent``, and write the application's log to our log file from now on."""
        if self.log is not None:
            try:
                parent.setComponent(ILogObserver, self.log.observer())
            except OSError as error:
                refuse(f"--logfile {self.log.path} cannot be written: {error.strerror}; give another file")
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:  # noqa: N802
        """Write the pid file. Twisted calls this when twistd has forked, and still has root's rights."""
        super().privilegedStartService()
        if self.pid_file is not None:
            self.pid_file.write()

    def startService(self) -> None:
        """Start the chat; when its data is loaded, open the port."""
        super().startService()
        user_name("\xe9")  # loads the tables for names that are not ASCII now; later that would hold up the reactor
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
        """Keep the reason why the chat could not start for ``startService``, which exits with it.

        If the reactor runs already, log the reason, and stop the daemon with status 1.
        """
        self._failure = failure.getErrorMessage()
        if failure.check(sqlite3.Error, msgspec.MsgspecError):
            self._failure = (
                f"the database cannot be used ({self._failure}); see chatroom-admin check, or restore a backup"
            )
        if self._reactor.running:
            _log.critical("chatroom cannot start: {why}", why=self._failure)
            atexit.register(_end_unsuccessfully)  # else twistd ends with status 0, since the reactor stops in order
            self._reactor.stop()

    def _open_door(self) -> None:
        """Open the chat's port and the services for the operator.

        Set our signal handlers again first, because the reactor replaced them when it started.
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
        """Set our signal handlers. SIGHUP reloads the options, even under nohup. SIGTERM and SIGINT stop the daemon.

        The daemon then ends with status 0; with twistd's own handlers, it would die of the signal after it has stopped.
        If SIGINT was ignored at the start, it stays ignored: a shell script that runs the daemon in the background
        ignores it, because Ctrl-C is meant for the script.
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
        """Open the daemon's log and the audit log again if their files were moved away."""
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
            Fires when everything is stopped: all accepted events are on the disk, everybody was told that the daemon
            stops, and all connections are closed.
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
        """Wait until all connections have ended; abort those that are still open after ``FAREWELL`` seconds."""
        gone = self._factory.when_empty()
        patience = self._reactor.callLater(FAREWELL, self._factory.abort)
        await gone
        if patience.active():
            patience.cancel()


def _end_unsuccessfully() -> None:
    """End the process with status 1; called at exit, when the daemon has stopped."""
    sys.stdout.flush()
    os._exit(1)
