"""A thread with a queue: it runs jobs (function calls) in order, and gives their results to the reactor thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.model.log import Unavailable

T = TypeVar("T")
Args = TypeVarTuple("Args")


class Worker:
    """Runs jobs one after the other on a thread of its own.

    Args:
        reactor: The reactor, or anything else that has its method ``callFromThread``.
        name: The thread's name, which tools such as ``top`` show.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._stopped = False
        self._jobs: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        # A daemon thread, so that the process can end if the start fails elsewhere; ``stop`` waits for all jobs.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. May be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Run the jobs that wait, end the thread, and return when the thread has ended. Later jobs are not run."""
        self._stopped = True
        self._jobs.put(None)
        self._thread.join()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called, so that later jobs are not run."""
        return self._stopped

    def post(self, job: Callable[[*Args], None], *args: *Args) -> None:
        """Run a job on the thread and ignore its result; the job must not raise."""
        self._jobs.put((job, args))

    def run(self, job: Callable[[*Args], T], *args: *Args) -> Deferred[T]:
        """Run a job on the thread.

        Returns:
            A Deferred that fires on the reactor thread with the job's result, or fails with what the job raised.

        Raises:
            Unavailable: In the Deferred, if the worker was stopped.
        """
        deferred: Deferred[T] = Deferred()
        if self._stopped:
            deferred.errback(Unavailable("the engine has stopped"))
            return deferred

        def run() -> None:
            try:
                result: Any = job(*args)
            except BaseException:
                result = Failure()
            self._reactor.callFromThread(deferred.callback, result)

        self._jobs.put((run, ()))
        return deferred

    def _work(self) -> None:
        """Run jobs until ``stop`` puts None into the queue."""
        while (job := self._jobs.get()) is not None:
            job[0](*job[1])
