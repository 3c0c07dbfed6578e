"""The daemon as a service: what is started in which order, and how it ends without losing anything."""

from __future__ import annotations

import gc
import random
import resource
import signal
import socket
import string
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from chatroom import account, accounts_file
from chatroom.audit_file import AuditFile
from chatroom.chat.chat import Chat
from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.chat.membership import import_accounts
from chatroom.chat.operations import Operations
from chatroom.data_folder import BadFolder, DataFolder
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.reading import Reader
from chatroom.engines.schema import BadDatabase, open_database
from chatroom.engines.sqlite import SQLiteEngine
from chatroom.listening import BadPort, take_port
from chatroom.logger import logger, set_level
from chatroom.names import user_name
from chatroom.options import Settings, address_and_port, motd, refuse, state_folder
from chatroom.passwords import ThreadedPasswords
from chatroom.text import clean
from chatroom.wire.factory import ChatFactory
from chatroom.wire.json_dialect import JsonDialect
from chatroom.wire.text_dialect import TextDialect

if TYPE_CHECKING:
    from chatroom.admin.manhole import Manhole

_log = logger(__name__)

SPARE = 100  # descriptors that are not for users
FAREWELL = 2.0  # seconds for slow readers to take what is left for them

_ALPHABET = string.digits + string.ascii_lowercase
_random = random.SystemRandom()  # some of what is minted is a secret


def make(settings: Settings, checkers: Sequence[Any] = ()) -> ChatService:
    """Wire the daemon together.

    Args:
        settings: What the operator decided.
        checkers: Of ``twisted.cred``, beside our own.

    Raises:
        SystemExit: The data folder, what is in it, the file of accounts, or the port cannot be used.
    """
    from twisted.internet import reactor

    set_level(settings.log_level)
    users = _most_users(settings.max_users)
    rules = Rules(
        name=settings.name,
        motd="\n".join(map(clean, motd(settings).splitlines())),
        replay=settings.replay,
        keep=settings.keep,
        keep_days=settings.keep_days,
        rate=settings.rate,
        most_users=users,
        sessions=settings.sessions,
        announce=not settings.no_announce,
        throttle=bool(settings.per_address),
    )
    folder = None if settings.ephemeral else _folder(settings)
    engine = _engine(folder, reactor)
    imported = _imported(settings, folder)
    passwords = ThreadedPasswords(reactor)
    chat = Chat(engine, rules, reactor, time.time, _mint, passwords, checkers)
    factory = ChatFactory(
        chat,
        reactor,
        text=TextDialect(rules, settings.message_format),
        records=JsonDialect(),
        per_address=settings.per_address,
        send_queue=settings.sendq,
    )
    listening = _port(settings)
    console = _manhole(settings, reactor, chat, folder)
    return ChatService(reactor, chat, factory, listening, folder, passwords, imported, console)


def _imported(settings: Settings, folder: DataFolder | None) -> list[accounts_file.Entry]:
    """Return the accounts to import, having seen that there are seats for them and for those that are there."""
    there = _reserved(folder)
    try:
        entries = accounts_file.read(Path(settings.accounts)) if settings.accounts else []
    except FileNotFoundError:
        if not there:
            refuse(f"--accounts {settings.accounts}: there is no such file")
        _log.warn("--accounts {path} is gone; its accounts are kept in the data folder", path=settings.accounts)
        entries = []
    except accounts_file.BadFile as error:
        refuse(f"--accounts {settings.accounts}: {error}")
    number = len(there | {entry.name.folded for entry in entries})
    if settings.max_users and settings.max_users < number:
        refuse(f"--max-users {settings.max_users}: {number} accounts have a seat reserved; give at least {number}")
    return entries


def _reserved(folder: DataFolder | None) -> set[str]:
    """Return the folded names of the accounts that have a seat reserved."""
    if folder is None:
        return set()
    db = open_database(folder.path / "chat.db")
    try:
        return {name for name, value in Reader(db).all(account.BUCKET) if account.decode(value).reserved}
    finally:
        db.close()


def _folder(settings: Settings) -> DataFolder:
    try:
        return DataFolder(Path(settings.data) if settings.data else state_folder())
    except BadFolder as error:
        refuse(str(error))


def _port(settings: Settings) -> socket.socket:
    try:
        return take_port(settings.port, settings.interface)
    except BadPort as error:
        refuse(str(error))


def _manhole(settings: Settings, reactor: Any, chat: Chat, folder: DataFolder | None) -> Manhole | None:
    """Return the operators' console, if there shall be one; SSH is imported only then."""
    if not settings.manhole:
        return None
    from chatroom.admin.keys import BadKeys
    from chatroom.admin.manhole import manhole

    address, port = address_and_port("--manhole", settings.manhole)
    try:
        listening = take_port(port, address, "--manhole")
        return manhole(
            reactor, listening, folder.path if folder else None, settings.manhole_keys, lambda by: Operations(chat, by)
        )
    except (BadPort, BadKeys) as error:
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
    return "".join(_random.choices(_ALPHABET, k=length))


class ChatService(Service):
    """See the module.

    Args:
        reactor: Listens and tells the time.
        chat: The chat.
        factory: Makes its connections.
        listening: The port; who connects waits until the chat is there.
        folder: What to let go at the end.
        passwords: The threads that look at passwords.
        imported: Accounts to make before anybody comes.
        manhole: The operators' console.
    """

    def __init__(
        self,
        reactor: Any,
        chat: Chat,
        factory: ChatFactory,
        listening: socket.socket,
        folder: DataFolder | None,
        passwords: ThreadedPasswords,
        imported: Sequence[accounts_file.Entry],
        manhole: Manhole | None = None,
    ) -> None:
        self._reactor = reactor
        self._chat = chat
        self._factory = factory
        self._listening = listening
        self._folder = folder
        self._passwords = passwords
        self._imported = imported
        self._manhole = manhole
        self._audit = AuditFile(folder.path) if folder is not None else None
        self._port: Any = None
        self._stopping = False
        self._failure = ""

    def startService(self) -> None:
        """Open what lasts, then the door."""
        super().startService()
        user_name("\xe9")  # loads the tables for names that are not ASCII, which takes longer than a turn may
        self._catch_signals()
        Deferred.fromCoroutine(self._start()).addErrback(self._failed)
        if self._failure:
            refuse(self._failure)

    async def _start(self) -> None:
        # What a connection was goes when it ends, without the collector. A full collection, which with 10,000 of them
        # holds the reactor for a fifth of a second, is only for what got old and then lost: let it be rare.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 1000)
        if self._audit is not None:
            self._audit.start()
        self._passwords.start()
        await self._chat.start()
        running: Deferred[None] = Deferred()
        self._reactor.callWhenRunning(running.callback, None)
        await running
        await import_accounts(self._chat, self._imported)
        if not self._stopping:
            self._factory.start()
            self._open_door()

    def _failed(self, failure: Any) -> None:
        """Nobody can come in: say why, and end with a status that is not zero."""
        self._failure = failure.getErrorMessage()
        if self._reactor.running:
            _log.critical("chatroom cannot start: {why}", why=self._failure)
            self._reactor.stop()

    def _open_door(self) -> None:
        """Let them in, and say that we are there, only now: the reactor, as it starts, has taken SIGTERM for itself."""
        self._catch_signals()
        self._port = self._reactor.adoptStreamPort(self._listening.fileno(), self._listening.family, self._factory)
        self._listening.close()  # the reactor has a descriptor of its own
        where = self._port.getHost()
        _log.info(
            "listening on {host} port {port}; {keeps}",
            host=where.host,
            port=where.port,
            keeps=f"data in {self._folder.path}" if self._folder else "nothing is kept",
        )
        if self._manhole is not None:
            self._manhole.start()

    def _catch_signals(self) -> None:
        """End well on SIGTERM and SIGINT: twistd, left to itself, would die of the signal after an orderly end."""

        def stop(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._stop_once)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def _stop_once(self) -> None:
        if not self._stopping:
            self._stopping = True
            _log.info("stopping")
            self._reactor.stop()

    def stopService(self) -> Deferred[None]:
        """Fires when everybody has been told, what was accepted is durable, and all connections are closed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._port is not None:
            await self._port.stopListening()
        if self._manhole is not None:
            await self._manhole.stop()
        for connection in tuple(self._factory.connections):
            connection.press(True)
        await self._chat.stop()
        self._passwords.stop()
        self._factory.stop()
        await self._all_gone()
        if self._audit is not None:
            self._audit.stop()
        if self._folder is not None:
            self._folder.close()

    async def _all_gone(self) -> None:
        """Wait for the connections to end, but for slow readers only so long."""
        gone = self._factory.when_empty()
        patience = self._reactor.callLater(FAREWELL, self._factory.abort)
        await gone
        if patience.active():
            patience.cancel()
