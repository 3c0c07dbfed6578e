"""The vault's thread: it runs jobs (function calls) in order, and gives their results to the reactor thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from chatroom.client.vault.errors import VaultBroken

T = TypeVar("T")
Args = TypeVarTuple("Args")


class VaultWorker:
    """Runs jobs one after the other on a thread of its own, which starts at once.

    Args:
        reactor: The reactor, or anything else that has its method ``callFromThread``.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._stopped = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon thread: it must not keep a process alive that ends without closing its vault.
        threading.Thread(target=self._work, name="vault", daemon=True).start()

    def run(self, job: Callable[[*Args], T], *args: *Args) -> Deferred[T]:
        """Run a job on the thread.

        Returns:
            A Deferred that fires on the reactor thread with the job's result, or fails with what the job raised. It
            fails with ``VaultBroken`` if the worker was stopped.
        """
        if self._stopped:
            return fail(VaultBroken("the vault is closed: you are another user now, or the client ends"))
        deferred: Deferred[T] = Deferred()

        def work() -> None:
            try:
                result: Any = job(*args)
            except BaseException:
                result = Failure()
                result.cleanFailure()  # the frames hold keys and plaintext, which no log may show
            self._reactor.callFromThread(deferred.callback, result)

        self._jobs.put(work)
        return deferred

    def stop(self) -> None:
        """End the thread after the jobs that wait. Later jobs are not run."""
        self._stopped = True
        self._jobs.put(None)

    def _work(self) -> None:
        """Run jobs until ``stop`` puts None into the queue."""
        while (job := self._jobs.get()) is not None:
            job()
