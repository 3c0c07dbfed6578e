"""The operator's ``twisted.cred`` checkers (``--auth``): which passwords they accept, and which names they know.

A name that a checker knows is reserved for its owner: nobody else can register that name, or a name that looks like it.
Twisted's file checker and memory checker can be asked for their names. Other checkers cannot, so with such a checker
nobody can register at all.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from twisted.cred.checkers import FilePasswordDB, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed, UnhandledCredentials
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater

from chatroom.model.errors import NAME_IN_USE, NO_REGISTRATION
from chatroom.model.logger import logger
from chatroom.model.names import BadName, Name, user_looks, user_name

SLICE = 50  # names whose looks are computed in one turn of the reactor

_log = logger(__name__)


class Unknown(Exception):
    """A checker cannot say which names it knows."""


class Checkers:
    """The operator's checkers, asked one after the other.

    Args:
        checkers: The checkers, in the order in which they are asked.
        scheduler: Gives ``callLater``.
    """

    def __init__(self, checkers: Sequence[Any], scheduler: Any) -> None:
        self._checkers = checkers
        self._names = [_names_of(checker, scheduler) for checker in checkers]

    async def accept(self, credentials: Any) -> bool:
        """Return whether one of the checkers accepts the credentials. A checker that fails counts as refusing them."""
        for checker in self._checkers:
            if await _accepts(checker, credentials):
                return True
            if isinstance(checker, FilePasswordDB) and _is_marked(checker.filename):
                name = BOM_UTF8 + credentials.username  # what Twisted then reads as part of the first name
                if await _accepts(checker, UsernamePassword(name, credentials.password)):
                    return True
        return False

    async def check_free(self, name: Name) -> None:
        """Check that no checker knows the name, so that it can be registered.

        Raises:
            Refused: A checker knows the name, or a name that looks like it, or cannot say which names it knows.
        """
        try:
            known = await self.know(name)
        except Unknown as error:
            _log.warn("nobody can register: the checker {checker} cannot say which names it has", checker=str(error))
            raise NO_REGISTRATION() from None
        if known:
            raise NAME_IN_USE()

    async def keep(self, name: Name) -> bool:
        """Return True if guests may not take the name: a checker knows the name, or a name that looks like it."""
        try:
            return await self.know(name)
        except Unknown:
            return False

    async def know(self, name: Name) -> bool:
        """Return whether a checker knows the name, or a name that looks like it.

        Raises:
            Unknown: No checker says that it knows the name, and at least one cannot say.
        """
        silent = ""
        for checker, names in zip(self._checkers, self._names, strict=True):
            try:
                if not (await names()).isdisjoint(user_looks(name)):
                    return True
            except Unknown:
                silent = type(checker).__name__
        if silent:
            raise Unknown(silent)
        return False


async def _accepts(checker: Any, credentials: Any) -> bool:
    """Return whether one checker accepts the credentials; log its error if it fails."""
    try:
        await maybeDeferred(checker.requestAvatarId, credentials)
    except (LoginFailed, UnhandledCredentials):
        return False
    except Exception:
        _log.failure("the checker {checker} failed", checker=type(checker).__name__)
        return False
    return True


def _is_marked(path: str) -> bool:
    """Return whether a file begins with a byte order mark, which some editors write."""
    try:
        with open(path, "rb") as file:
            return file.read(len(BOM_UTF8)) == BOM_UTF8
    except OSError:
        return False


def _names_of(checker: Any, scheduler: Any) -> Callable[[], Coroutine[Any, Any, frozenset[str]]]:
    """Return a function that returns the looks of the names that a checker knows now, or raises ``Unknown``.

    Names that have a look in common look alike (``chatroom.model.names.user_looks``).
    """
    if isinstance(checker, FilePasswordDB):
        return _FileNames(checker, scheduler).looks
    if isinstance(checker, InMemoryUsernamePasswordDatabaseDontUse):
        return lambda: _looks(list(checker.users), scheduler)
    return _unknown


async def _unknown() -> frozenset[str]:
    raise Unknown


class _FileNames:
    """The names in a password file, read again when the file has changed.

    Args:
        checker: Twisted's file checker; it says which file, and which field of a line is the name.
        scheduler: Gives ``callLater``.
    """

    def __init__(self, checker: FilePasswordDB, scheduler: Any) -> None:
        self._checker: Any = checker
        self._scheduler = scheduler
        self._read: tuple[object, frozenset[str]] | None = None

    async def looks(self) -> frozenset[str]:
        """Return the looks of all names in the file.

        Raises:
            Unknown: The file cannot be read.
        """
        try:
            about = os.stat(self._checker.filename)
            version = (about.st_mtime_ns, about.st_size, about.st_ino)
            if self._read is not None and self._read[0] == version:
                return self._read[1]
            looks = await _looks(self._fields(), self._scheduler)
        except OSError:
            raise Unknown from None
        self._read = version, looks
        return looks

    def _fields(self) -> Iterable[bytes]:
        """Yield the name in each line of the file."""
        checker = self._checker
        with open(checker.filename, "rb") as lines:
            for line in lines:
                parts = line.rstrip().split(checker.delim)
                if checker.ufield < len(parts):
                    yield parts[checker.ufield].removeprefix(BOM_UTF8)


async def _looks(names: Iterable[bytes], scheduler: Any) -> frozenset[str]:
    """Return the looks of all valid names, computed in several turns of the reactor. Invalid names are skipped."""
    found: set[str] = set()
    for number, name in enumerate(names, 1):
        if number % SLICE == 0:
            await deferLater(scheduler, 0)
        try:
            found.update(user_looks(user_name(name.decode("utf-8", "replace"))))
        except BadName:
            continue
    return frozenset(found)
