"""Builds the daemon: the operator's options become an engine, a chat, ports, and a service that runs them.

Whatever could keep the daemon from starting is found here, before twistd forks, and is reported in one sentence.
"""

from __future__ import annotations

import os
import random
import resource
import socket
import sqlite3
import string
import time
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from twisted.cred.checkers import FilePasswordDB

from chatroom.chat.chat import Chat
from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.chat.operators.service import Operations
from chatroom.chat.people import accounts_file
from chatroom.chat.people.passwords import ThreadedPasswords
from chatroom.daemon.listening import BadPort, take_port
from chatroom.daemon.log_file import DaemonLog
from chatroom.daemon.options import DaemonSettings, address_and_port, refuse
from chatroom.daemon.pid_file import BadPidFile, PidFile
from chatroom.daemon.privileges import NewUser
from chatroom.daemon.reload import Reload, rules_of
from chatroom.daemon.service import ChatService, OperatorService
from chatroom.daemon.tls_files import BadPair, Certificates, PairFiles, own_files, passing_pair
from chatroom.engines.data_folder import BadFolder, DataFolder, check_inside, state_folder
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.engines.sqlite.reader import Reader
from chatroom.engines.sqlite.schema import BadDatabase, open_database
from chatroom.model import account
from chatroom.model.logger import logger, set_level
from chatroom.model.names import load_rules, user_looks, user_name
from chatroom.wire.dialects.records import JsonDialect
from chatroom.wire.dialects.text import TextDialect
from chatroom.wire.factory import ChatFactory

_log = logger(__name__)

STAYING = NewUser()  # the process keeps its user
DATABASE = "chat.db"  # in the data folder
FEW = 500  # users; if the system allows fewer, the log warns about it
SPARE = 100  # descriptors that are not for users: connections that come and go, files, the database
HEADROOM = 64  # the part of the SPARE descriptors that no connection may take

_ALPHABET = string.digits + string.ascii_lowercase
_random = random.SystemRandom()  # because some of the ids that we mint are secrets


def make(
    settings: DaemonSettings,
    reread: Callable[[], DaemonSettings],
    checkers: Sequence[Any] = (),
    becoming: NewUser = STAYING,
    pid_file: PidFile | None = None,
    log: DaemonLog | None = None,
) -> ChatService:
    """Build the daemon, and return the service that runs it.

    Args:
        settings: The operator's options.
        reread: Returns the options as they are now, or raises UsageError; called at each SIGHUP.
        checkers: Credential checkers of ``twisted.cred`` that are asked before our own.
        becoming: The user that this process will run as, after twistd has switched to that user.
        pid_file: The pid file; it is written at the start and removed at the end.
        log: The file of the daemon's log; None if it writes none.

    Raises:
        SystemExit: The pid file, the data folder, something in it, the accounts file, the certificate, or a port can't
            be used.
    """
    from twisted.internet import reactor

    set_level(settings.log_level)
    folder = None if settings.ephemeral else take_folder(settings, becoming)
    _check_pid_file(pid_file)
    with becoming.already():
        engine = _engine(folder, reactor)
        there = _there(folder)
        check_checkers(checkers)
    entries = imported(settings, there)
    passwords = ThreadedPasswords(reactor)
    load_rules()
    chat = Chat(engine, _rules(settings), reactor, time.time, _mint, passwords, checkers)
    text = TextDialect(chat.rules, settings.message_format)
    certificates = _certificates(settings, folder, reactor, becoming)
    factory = _factory(settings, chat, reactor, text, certificates)
    listening = taken(settings.port, settings.interface)
    service = ChatService(reactor, chat, factory, listening, folder, passwords, entries)
    service.pid_file = pid_file
    service.log = log
    service.on_hangup = Reload(settings, reread, _rules, factory, text, certificates.reload).reload
    service.beside.append(certificates)
    if settings.metrics:
        service.beside.append(_metrics(settings, reactor, chat, factory, service))
    if settings.manhole:
        service.beside.append(_manhole(settings, reactor, chat, folder, becoming))
    return service


def _factory(
    settings: DaemonSettings, chat: Chat, reactor: Any, text: TextDialect, certificates: Certificates
) -> ChatFactory:
    return ChatFactory(
        chat,
        reactor,
        text=text,
        records=JsonDialect(),
        tls=certificates,
        per_address=settings.per_address,
        send_queue=settings.sendq,
        most_connections=max(1, _descriptors() - HEADROOM),
    )


def _rules(settings: DaemonSettings) -> Rules:
    return rules_of(settings, most_users(settings.max_users))


def _descriptors() -> int:
    """Raise this process's limit of open file descriptors as far as the system allows; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_users(wanted: int) -> int:
    """Return how many users may be online at a time, and log a warning if the system allows too few.

    Args:
        wanted: The number in ``--max-users``; 0 for as many as the system allows.
    """
    most = max(1, _descriptors() - SPARE)
    if wanted > most:
        _log.warn(
            "--max-users {wanted}: the system allows {most}; raise the limit of open files", wanted=wanted, most=most
        )
    elif not wanted and most < FEW:
        _log.warn("the system allows only {most} users at a time; raise the limit of open files (ulimit -n)", most=most)
    return min(wanted or most, most)


def _mint(length: int) -> str:
    return "".join(_random.choices(_ALPHABET, k=length))


# ---- what the daemon takes from the system -----------------------------------------------------------------------


def data_path(settings: DaemonSettings) -> Path:
    """Return the path of the data folder.

    Raises:
        SystemExit: The operator names none, and the user has no home folder.
    """
    try:
        return Path(settings.data) if settings.data else state_folder()
    except RuntimeError as error:
        refuse(str(error))


def take_folder(settings: DaemonSettings, becoming: NewUser) -> DataFolder:
    """Lock the data folder for this process; make the folder first if it is missing.

    Args:
        settings: The options, which name the folder.
        becoming: The user that the folder must belong to.

    Raises:
        SystemExit: The folder can't be used.
    """
    path = data_path(settings)
    try:
        becoming.make_folder(path)
        with becoming.already():
            folder = DataFolder(path)
            check_inside(path)
            return folder
    except BadFolder as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"the data folder {path} cannot be made: {error.strerror}; give another --data")


def _check_pid_file(pid_file: PidFile | None) -> None:
    try:
        if pid_file is not None:
            pid_file.check()
    except BadPidFile as error:
        refuse(str(error))


def _engine(folder: DataFolder | None, reactor: Any) -> Engine:
    if folder is None:
        return MemoryEngine(reactor)
    path = folder.path / DATABASE
    try:
        # Opened only to tell the operator at once if something is wrong with it; it is opened again after twistd forks.
        open_database(path).close()
    except BadDatabase as error:
        refuse(str(error))
    return SQLiteEngine(reactor, path)


def taken(port: int, interface: str, options: str = "--port or --interface") -> socket.socket:
    """Return a listening socket, as ``take_port`` does; but exit if it can't be made.

    Raises:
        SystemExit: The daemon can't listen on the port; the text says why.
    """
    try:
        return take_port(port, interface, options)
    except BadPort as error:
        refuse(str(error))


def _certificates(settings: DaemonSettings, folder: DataFolder | None, reactor: Any, becoming: NewUser) -> Certificates:
    """Return the source of the TLS certificate. The files are read now, while the process still has root's rights."""
    host = socket.gethostname()
    try:
        if settings.tls_cert:
            files = PairFiles(Path(settings.tls_cert), Path(settings.tls_key))
        elif folder is not None:
            with becoming.already():
                files = own_files(folder.path, host)
        else:
            return Certificates(reactor, None, passing_pair(host))
        return Certificates(reactor, files, files.load())
    except BadPair as error:
        refuse(str(error))


# ---- accounts from the operator's file ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExistingAccounts:
    """What the daemon must know of the accounts that are in the database already.

    Args:
        reserved: The folded names of the accounts that have a reserved seat: a place that ``--max-users`` keeps free.
        looks: The folded names of accounts, each under all looks of its name (``chatroom.model.names.user_looks``): two
            names that have a look in common can be mistaken for each other.
    """

    reserved: frozenset[str] = frozenset()
    looks: Mapping[str, str] = field(default_factory=dict)


def imported(settings: DaemonSettings, there: ExistingAccounts) -> list[accounts_file.AccountLine]:
    """Return the accounts to import from the file of ``--accounts``.

    Args:
        settings: The options.
        there: The accounts that are in the database already.

    Raises:
        SystemExit: The file can't be used, a name looks like that of another account, or ``--max-users`` is less than
            the number of accounts that have a reserved seat.
    """
    entries = _entries(settings, there)
    looks = dict(there.looks)
    for entry in entries:
        owners = {looks[look]: look in there.looks for look in user_looks(entry.name) if look in looks}
        if owners and entry.name.folded not in owners:
            owner, older = next(iter(owners.items()))
            why = "has an account already" if older else "is in that file, too"
            refuse(
                f"--accounts {settings.accounts}: {entry.name.shown} looks like {owner}, who {why}; choose another name"
            )
        for look in user_looks(entry.name):
            looks.setdefault(look, entry.name.folded)
    number = len(there.reserved | {entry.name.folded for entry in entries})
    if settings.max_users and settings.max_users < number:
        refuse(f"--max-users {settings.max_users}: {number} accounts have a seat reserved; give at least {number}")
    return entries


def _entries(settings: DaemonSettings, there: ExistingAccounts) -> list[accounts_file.AccountLine]:
    try:
        return accounts_file.read(Path(settings.accounts)) if settings.accounts else []
    except FileNotFoundError:
        if not there.reserved:
            refuse(f"--accounts {settings.accounts}: there is no such file")
        _log.warn("--accounts {path} is gone; its accounts are kept in the data folder", path=settings.accounts)
        return []
    except accounts_file.BadFile as error:
        refuse(f"--accounts {settings.accounts}: {error}")


def _there(folder: DataFolder | None) -> ExistingAccounts:
    if folder is None:
        return ExistingAccounts()
    path = folder.path / DATABASE
    try:
        with closing(open_database(path)) as db:
            return accounts_in(db)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        refuse(f"{path} holds what cannot be read ({error}); see chatroom-admin check, or restore a backup")


def accounts_in(db: sqlite3.Connection) -> ExistingAccounts:
    """Return what the daemon must know of the accounts in a database.

    Raises:
        MsgspecError: An account can't be decoded.
        sqlite3.Error: The database can't be read.
    """
    kept = {name: account.decode(value) for name, value in Reader(db).all(account.BUCKET)}
    held = ((look, account.decode_look(value)) for look, value in Reader(db).all(account.LOOKS))
    looks = {look: owner for look, owner in held if owner in kept}  # a crash may leave a look without its account
    if Reader(db).get(account.LOOK_RULES, account.ALL_MADE) is None:  # older accounts may lack some of their looks
        for folded, one in kept.items():
            for look in user_looks(user_name(one.name)):
                looks.setdefault(look, folded)
    return ExistingAccounts(frozenset(name for name, one in kept.items() if one.reserved), looks)


def check_checkers(checkers: Sequence[Any]) -> None:
    """Check that the password files of ``--auth`` can be read and are not UTF-16, in which no name would ever be found.

    Each file is read again for every login, so its path is made absolute before twistd changes the working folder.

    Raises:
        SystemExit: A file can't be used.
    """
    for checker in checkers:
        if isinstance(checker, FilePasswordDB):
            checker.filename = os.path.abspath(checker.filename)
            try:
                with open(checker.filename, "rb") as file:
                    begin = file.read(2)
            except OSError as error:
                refuse(f"--auth file:{checker.filename}: {error.strerror}")
            if begin in (BOM_UTF16_LE, BOM_UTF16_BE):
                refuse(f"--auth file:{checker.filename}: it is UTF-16; save it as UTF-8")


# ---- services for operators: imported only if they are wanted, because the imports cost memory and time --------------


def _metrics(
    settings: DaemonSettings, reactor: Any, chat: Chat, factory: ChatFactory, service: ChatService
) -> OperatorService:
    from chatroom.daemon.monitoring import MetricsService, Monitoring

    address, port = address_and_port("--metrics", settings.metrics)
    return MetricsService(reactor, taken(port, address, "--metrics"), Monitoring(chat, factory, service.state))


def _manhole(
    settings: DaemonSettings, reactor: Any, chat: Chat, folder: DataFolder | None, becoming: NewUser
) -> OperatorService:
    from chatroom.admin.keys import BadKeys
    from chatroom.admin.manhole import manhole

    address, port = address_and_port("--manhole", settings.manhole)
    listening = taken(port, address, "--manhole")
    path = folder.path if folder is not None else None
    try:
        with becoming.already():
            return manhole(reactor, listening, path, settings.manhole_keys, lambda by: Operations(chat, by))
    except BadKeys as error:
        refuse(str(error))
