"""The daemon as a service: what is started in which order, and how it ends without losing anything."""

from __future__ import annotations

import gc
import random
import resource
import signal
import socket
import string
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from chatroom.chat.chat import Chat
from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.data_folder import BadFolder, DataFolder
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.schema import BadDatabase, open_database
from chatroom.engines.sqlite import SQLiteEngine
from chatroom.listening import BadPort, take_port
from chatroom.logger import logger, set_level
from chatroom.names import user_name
from chatroom.options import Settings, refuse, state_folder
from chatroom.reloading import Reloading, rules_of
from chatroom.wire.factory import ChatFactory
from chatroom.wire.json_dialect import JsonDialect
from chatroom.wire.text_dialect import TextDialect

if TYPE_CHECKING:
    from chatroom.operator_services import OperatorService

_log = logger(__name__)

SPARE = 100  # descriptors that are not for users
FAREWELL = 2.0  # seconds for slow readers to take what is left for them

_ALPHABET = string.digits + string.ascii_lowercase


def make(settings: Settings, reread: Callable[[], Settings]) -> ChatService:
    """Wire the daemon together.

    Args:
        settings: The options.
        reread: Returns the options as they are by now, or raises UsageError; called at each SIGHUP.

    Raises:
        SystemExit: The data folder, what is in it, or the port cannot be used.
    """
    from twisted.internet import reactor

    set_level(settings.log_level)
    folder = None if settings.ephemeral else _folder(settings)
    rules = _rules(settings)
    chat = Chat(_engine(folder, reactor), rules, reactor, time.time, _mint)
    text = TextDialect(rules, settings.message_format)
    factory = ChatFactory(
        chat,
        reactor,
        text=text,
        records=JsonDialect(),
        per_address=settings.per_address,
        send_queue=settings.sendq,
    )
    reloading = Reloading(settings, reread, _rules, factory, text)
    service = ChatService(reactor, chat, factory, _taken(lambda: take_port(settings.port, settings.interface)), folder)
    service.on_hangup = reloading.reload
    if settings.metrics:
        service.beside.append(_metrics(settings, reactor, chat, factory, service))
    return service


def _metrics(
    settings: Settings, reactor: Any, chat: Chat, factory: ChatFactory, service: ChatService
) -> OperatorService:
    # Imported only when asked for: a web server and a client library cost memory, and time at the start.
    from chatroom.operator_services import MetricsService, Watching, metrics_port

    port = _taken(lambda: metrics_port(settings.metrics))
    return MetricsService(reactor, port, Watching(chat, factory, service.state))


def _rules(settings: Settings) -> Rules:
    return rules_of(settings, _most_users(settings.max_users))


def _folder(settings: Settings) -> DataFolder:
    try:
        return DataFolder(Path(settings.data) if settings.data else state_folder())
    except BadFolder as error:
        refuse(str(error))


def _taken(take: Callable[[], socket.socket]) -> socket.socket:
    try:
        return take()
    except BadPort as error:
        refuse(str(error))


def _engine(folder: DataFolder | None, reactor: Any) -> Engine:
    if folder is None:
        return MemoryEngine(reactor)
    path = folder.path / "chat.db"
    try:
        # Whoever starts us should see what is wrong with the file; it is opened for good after twistd's fork.
        open_database(path).close()
    except BadDatabase as error:
        refuse(str(error))
    return SQLiteEngine(reactor, path)


def _most_users(wanted: int) -> int:
    """Return how many users there is room for, having asked the system for all that it gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = max(1, hard - SPARE)
    if wanted > most:
        _log.warn(
            "--max-users {wanted}: the system allows {most}; raise the limit of open files", wanted=wanted, most=most
        )
    return min(wanted or most, most)


def _mint(length: int) -> str:
    return "".join(random.choices(_ALPHABET, k=length))


class ChatService(Service):
    """See the module.

    Args:
        reactor: Listens and tells the time.
        chat: The chat.
        factory: Makes its connections.
        listening: The port; who connects waits until the chat is there.
        folder: What to let go at the end.

    Attributes:
        beside: What is opened for the operator, with the door, and closed last.
        on_hangup: Called at SIGHUP.
    """

    def __init__(
        self, reactor: Any, chat: Chat, factory: ChatFactory, listening: socket.socket, folder: DataFolder | None
    ) -> None:
        self._reactor = reactor
        self._chat = chat
        self._factory = factory
        self._listening = listening
        self._folder = folder
        self._port: Any = None
        self._stopping = False
        self.beside: list[OperatorService] = []
        self.on_hangup: Callable[[], None] = lambda: None

    def startService(self) -> None:
        """Open what lasts, then the door."""
        super().startService()
        user_name("\xe9")  # loads the tables for names that are not ASCII, which takes longer than a turn may
        self._catch_signals()
        failures: list[Any] = []
        Deferred.fromCoroutine(self._start()).addErrback(failures.append)
        if failures:
            refuse(failures[0].getErrorMessage())

    async def _start(self) -> None:
        # What a connection was goes when it ends, without the collector. A full collection, which with 10,000 of them
        # holds the reactor for a fifth of a second, is only for what got old and then lost: let it be rare.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 1000)
        await self._chat.start()
        self._factory.start()
        self._reactor.callWhenRunning(self._open_door)

    def _open_door(self) -> None:
        """Let them in, and say that we are there, only now: the reactor, as it starts, has taken SIGTERM for itself."""
        self._catch_signals()
        self._port = self._reactor.adoptStreamPort(self._listening.fileno(), self._listening.family, self._factory)
        self._listening.close()  # the reactor has a descriptor of its own
        for service in self.beside:
            service.open()
        where = self._port.getHost()
        _log.info(
            "listening on {host} port {port}; {keeps}",
            host=where.host,
            port=where.port,
            keeps=f"data in {self._folder.path}" if self._folder else "nothing is kept",
        )

    def _catch_signals(self) -> None:
        """End well on SIGTERM and SIGINT: twistd, left to itself, would die of the signal after an orderly end.

        Reload at SIGHUP, of which nobody else would take care.
        """

        def stop(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._stop_once)

        def hang_up(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._reload)

        signal.signal(signal.SIGHUP, hang_up)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def _stop_once(self) -> None:
        if not self._stopping:
            self._stopping = True
            _log.info("stopping")
            self._reactor.stop()

    def _reload(self) -> None:
        if not self._stopping:
            self.on_hangup()

    def state(self) -> str:
        """Return ``ok`` or ``stopping``."""
        return "stopping" if self._stopping else "ok"

    def stopService(self) -> Deferred[None]:
        """Fires when everybody has been told, what was accepted is durable, and all connections are closed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._port is not None:
            await self._port.stopListening()
        for connection in tuple(self._factory.connections):
            connection.press(True)
        await self._chat.stop()
        self._factory.stop()
        await self._all_gone()
        for service in self.beside:
            await service.close()
        if self._folder is not None:
            self._folder.close()

    async def _all_gone(self) -> None:
        """Wait for the connections to end, but for slow readers only so long."""
        gone = self._factory.when_empty()
        patience = self._reactor.callLater(FAREWELL, self._factory.abort)
        await gone
        if patience.active():
            patience.cancel()
