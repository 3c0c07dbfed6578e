"""``--check-config``: looks for everything that could keep the daemon from starting, and changes nothing.

A fault is something that would keep the daemon from starting. A remark is something that a start would only log, or a
fault that may be due to a daemon that runs on the data folder now: people usually check before they restart it.
"""

from __future__ import annotations

import os
import pwd
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher

from chatroom.daemon.assembly import (
    DATABASE,
    ExistingAccounts,
    accounts_in,
    check_checkers,
    data_path,
    imported,
    most_users,
    taken,
)
from chatroom.daemon.options import ChatOptions, DaemonSettings, address_and_port
from chatroom.daemon.pid_file import BadPidFile
from chatroom.daemon.privileges import NewUser
from chatroom.daemon.tls_files import BadPair, PairFiles, own_paths
from chatroom.daemon.twistd_start import BadStart, check_twistd
from chatroom.engines.data_folder import BadFolder, look
from chatroom.engines.sqlite import schema

_OTHERS = stat.S_IRWXO

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StartFindings:
    """What ``--check-config`` has found.

    Attributes:
        faults: What would keep the daemon from starting, a sentence each.
        remarks: What else the operator should know, a sentence each.
    """

    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def report(options: ChatOptions) -> int:
    """Check, and print the faults and remarks on stderr; if there is no fault, print the settings as JSON on stdout.

    Args:
        options: The parsed options.

    Returns:
        The exit status: 0 if the daemon could start, else 1.
    """
    found = check(options)
    for fault in found.faults:
        print(f"chatroom: {fault}", file=sys.stderr)
    for remark in found.remarks:
        print(f"chatroom: note: {remark}", file=sys.stderr)
    if not found.faults:
        print(msgspec.json.format(msgspec.json.encode(options.settings)).decode())
    return 1 if found.faults else 0


def check(options: ChatOptions) -> StartFindings:
    """Check everything that a start needs, and return what was found."""
    found = StartFindings()
    with _warnings(found.remarks):
        _Check(options, found).run()
    return found


class _Check:
    def __init__(self, options: ChatOptions, found: StartFindings) -> None:
        self._options = options
        self._settings: DaemonSettings = options.settings
        self._found = found
        self._becoming = NewUser()
        self._folder: Path | None = None
        self._running = False

    def run(self) -> None:
        """Take all steps of the check, and add the faults and remarks that they find."""
        self._found.faults.extend(self._options.faults)
        twistd = self._options.parent
        known = len(self._found.faults)
        self._step(lambda: check_twistd(twistd))
        if len(self._found.faults) == known:
            self._becoming = NewUser.of(twistd)
        if not self._settings.ephemeral:
            self._step(self._check_folder)
        self._step(self._check_pid_file, unless_running=True)
        there = self._step(self._check_database) or ExistingAccounts()
        self._step(lambda: imported(self._settings, there))
        most_users(self._settings.max_users)
        self._step(lambda: self._as_user(lambda: check_checkers(self._options.checkers)))
        self._step(self._check_certificate)
        self._check_ports()
        if self._settings.manhole_keys:  # check the keys even if the console's address is wrong
            self._step(lambda: self._as_user(self._check_keys))

    def _step(self, step: Callable[[], T], *, unless_running: bool = False) -> T | None:
        """Take one step; return its result, or None if it failed.

        Args:
            step: The step. An error that it raises becomes a fault.
            unless_running: Whether the error becomes only a remark while a daemon runs, which may be its cause.
        """
        from chatroom.admin.keys import BadKeys
        from chatroom.daemon.listening import BadPort

        bad = (BadFolder, BadKeys, BadPair, BadPidFile, BadPort, BadStart, schema.BadDatabase, SystemExit)
        try:
            return step()
        except bad as error:
            text = str(error).removeprefix("chatroom: ")
            (self._found.remarks if unless_running and self._running else self._found.faults).append(text)
        return None

    def _as_user(self, step: Callable[[], T]) -> T:
        with self._becoming.already():
            return step()

    # ---- the disk ------------------------------------------------------------------------------------------------

    def _check_folder(self) -> None:
        """Check that the data folder can be used, and note whether it exists and whether a daemon runs on it."""
        path = data_path(self._settings)
        # A start as root makes a missing folder and gives it to the new user, so check with root's rights then.
        there = os.path.lexists(path)
        self._running = self._as_user(lambda: look(path)) if there else look(path)
        self._folder = path if there else None
        if self._running:
            self._found.remarks.append(
                f"a daemon is running on the data folder {path}; it must end before another can start"
            )

    def _check_pid_file(self) -> None:
        if self._options.pid_file is not None:
            self._options.pid_file.check()

    def _check_database(self) -> ExistingAccounts:
        """Return what is known of the accounts in the database; nothing if there is no database yet.

        Raises:
            BadDatabase: The database can't be used.
        """
        if self._folder is None:
            return ExistingAccounts()
        path = self._folder / DATABASE
        if not os.path.lexists(path):
            return ExistingAccounts()
        try:
            with closing(self._as_user(lambda: schema.look(path))) as db:
                return accounts_in(db)
        except (sqlite3.Error, schema.BadDatabase, msgspec.MsgspecError) as error:
            if isinstance(error, schema.BadDatabase) and not isinstance(error.__cause__, sqlite3.Error):
                raise
            # If there is a write-ahead log, left by a crash or by a running daemon, only a start can read the database.
            if not path.with_name(f"{DATABASE}-wal").exists():
                raise schema.BadDatabase(f"{path} cannot be used ({error}); see chatroom-admin check") from None
        return ExistingAccounts()

    def _check_certificate(self) -> None:
        settings = self._settings
        given = PairFiles(Path(settings.tls_cert), Path(settings.tls_key)) if settings.tls_cert else None
        if given is not None:
            pair = given.look()
            self._remark_on_key(given.key)
        elif self._folder is not None:
            own = own_paths(self._folder)
            pair = self._as_user(own.look)
        else:
            return
        if pair is not None and (fault := pair.fault()):
            self._found.remarks.append(fault)

    def _remark_on_key(self, key: Path) -> None:
        """Remark if too many people may read the key, or if the daemon's user may not."""
        if key.stat().st_mode & _OTHERS:
            self._found.remarks.append(f"everybody on this machine may read the TLS key {key}; chmod 640 it")
        if not self._as_user(lambda: os.access(key, os.R_OK, effective_ids=True)):
            user = pwd.getpwuid(self._becoming.uid or os.geteuid()).pw_name
            self._found.remarks.append(f"{user} may not read the TLS key {key}, so a new one needs a restart")

    def _check_keys(self) -> None:
        from chatroom.admin.keys import HOST_KEY, AuthorizedKeys, host_key

        if not AuthorizedKeys(Path(self._settings.manhole_keys)).read():
            self._found.remarks.append(
                f"there is no key in {self._settings.manhole_keys}: nobody can log in to the manhole"
            )
        if self._folder is not None and (self._folder / HOST_KEY).exists():
            host_key(self._folder)

    # ---- the ports -----------------------------------------------------------------------------------------------

    def _check_ports(self) -> None:
        """Take all ports at the same time, as a start does, and release them."""
        settings = self._settings
        wanted = [(settings.interface, settings.port, "--port or --interface")]
        for option, text in (("--metrics", settings.metrics), ("--manhole", settings.manhole)):
            if text:
                wanted.append((*address_and_port(option, text), option))
        sockets: list[socket.socket] = []
        for interface, port, option in wanted:
            got = self._step(partial(taken, port, interface, option), unless_running=True)
            sockets += [got] if got is not None else []
        for one in sockets:
            one.close()


@contextmanager
def _warnings(remarks: list[str]) -> Iterator[None]:
    """Run the block, and add what it logs as warnings or errors to the remarks."""

    def hear(event: LogEvent) -> None:
        if event["log_namespace"].startswith("chatroom") and event["log_level"] >= LogLevel.warn:
            remarks.append(formatEvent(event))

    observer: Any = hear
    globalLogPublisher.addObserver(observer)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observer)
