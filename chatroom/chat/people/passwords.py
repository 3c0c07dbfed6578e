"""Hashing and verifying passwords with Argon2id, on threads of their own, so that the reactor never waits.

Nothing here logs, and no error that is raised here contains a password.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

THREADS = 2
MOST_WAITING = 200  # jobs that wait or run; about two and a half seconds of work
_GENTLE = 10  # how much nicer the threads are than the reactor's thread
_NICEST = 19  # the greatest niceness

T = TypeVar("T")


class Busy(Exception):
    """Too many passwords are waiting to be hashed or verified."""


class Passwords(Protocol):
    """Hashes and verifies passwords."""

    def hash(self, password: str) -> Deferred[str]:
        """Return the password's hash. The Deferred may fail with ``Busy``."""

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        """Return whether a password belongs to a hash. The Deferred may fail with ``Busy``.

        An empty hash belongs to no password, and verifying it takes as long as verifying any other hash.
        """

    def outdated(self, hashed: str) -> bool:
        """Return whether the hash was made with other parameters than today's, so that it should be replaced."""


class Argon2:
    """Argon2id with the parameters of OWASP's password cheat sheet, on the caller's thread.

    Args:
        memory: KiB that one hash uses.
        rounds: Passes over that memory.
    """

    def __init__(self, memory: int = 19456, rounds: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=1, type=Type.ID)
        self._nobody = self._hasher.hash(os.urandom(16))

    def hash(self, password: str) -> str:
        """Return the password's hash."""
        return self._hasher.hash(password)

    def verify(self, hashed: str, password: str) -> bool:
        """Return whether a password belongs to a hash; an empty hash belongs to no password."""
        try:
            return self._hasher.verify(hashed or self._nobody, password) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, hashed: str) -> bool:
        """Return whether the hash was made with other parameters than today's, so that it should be replaced."""
        return self._hasher.check_needs_rehash(hashed)


def is_hash(text: str) -> bool:
    """Return whether the text is an Argon2id hash that can be verified."""
    try:
        return text.startswith("$argon2id$") and PasswordHasher().check_needs_rehash(text) in (True, False)
    except (InvalidHashError, ValueError):
        return False


class ThreadedPasswords:
    """Argon2id on two threads with a lower priority than the reactor; see ``Passwords``.

    Args:
        reactor: Gives ``callFromThread``.
        argon2: Does the work.
    """

    def __init__(self, reactor: Any, argon2: Argon2 | None = None) -> None:
        self._reactor = reactor
        self._argon2 = argon2 or Argon2()
        self._pool = ThreadPool(0, THREADS, "passwords")
        self._reactor_thread = 0
        self._waiting = 0

    def start(self) -> None:
        """Start the threads. Call this on the reactor's thread."""
        self._reactor_thread = threading.get_native_id()
        self._pool.start()

    def stop(self) -> None:
        """Wait until the jobs that have begun are done."""
        self._pool.stop()

    def hash(self, password: str) -> Deferred[str]:
        """See ``Passwords``."""
        return self._later(lambda: self._argon2.hash(password))

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        """See ``Passwords``."""
        return self._later(lambda: self._argon2.verify(hashed, password))

    def outdated(self, hashed: str) -> bool:
        """See ``Passwords``."""
        return self._argon2.outdated(hashed)

    def _later(self, job: Callable[[], T]) -> Deferred[T]:
        """Run a job on one of the threads. The Deferred gives its result, or fails with ``Busy`` if too many wait."""
        if self._waiting >= MOST_WAITING:
            return fail(Busy())
        self._waiting += 1
        return deferToThreadPool(self._reactor, self._pool, self._gently, job).addBoth(self._done)

    def _gently(self, job: Callable[[], T]) -> T:
        """Run a job on this thread after lowering the thread's priority below the reactor's present one."""
        thread = threading.get_native_id()
        with suppress(OSError):  # some systems do not allow this; hashing works without it
            wanted = min(_NICEST, os.getpriority(os.PRIO_PROCESS, self._reactor_thread) + _GENTLE)
            if os.getpriority(os.PRIO_PROCESS, thread) < wanted:
                os.setpriority(os.PRIO_PROCESS, thread, wanted)
        return job()

    def _done(self, result: T) -> T:
        self._waiting -= 1
        return result
