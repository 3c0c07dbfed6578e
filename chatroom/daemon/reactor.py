"""The daemon's reactor: Twisted's for epoll, except that connections with bytes to read are read directly, and that
its time never goes back.

Twisted calls each connection inside a logging context, and making that costs about as much as reading from the socket.
Our protocols log without such contexts, so only a connection that fails is given one. Importing this module raises
ImportError where there is no epoll, as importing Twisted's does.
"""

from __future__ import annotations

import time

from twisted.internet.epollreactor import EPOLLIN, EPollReactor
from twisted.internet.main import installReactor
from twisted.internet.tcp import Server
from twisted.python.log import callWithLogger, err


class DirectReactor(EPollReactor):
    """Reads from accepted TCP connections directly; does nearly everything else as Twisted's own reactor does."""

    # Twisted takes the time of day: when that is set back, all that is to happen later waits until it is reached again.
    seconds = staticmethod(time.monotonic)

    def doPoll(self, timeout: float | None) -> None:
        """Wait until descriptors are ready, then let each of them read or write.

        Args:
            timeout: The longest wait in seconds; None for no limit.
        """
        events = self._poller.poll(-1 if timeout is None else timeout, len(self._selectables))
        selectables, readers = self._selectables, self._reads
        for fd, event in events:
            selectable = selectables.get(fd)
            if selectable is None:
                continue  # it was removed while an earlier event of this poll was handled
            if event != EPOLLIN or type(selectable) is not Server:
                callWithLogger(selectable, self._doReadOrWrite, selectable, fd, event)
            elif fd in readers:  # else it only writes since an earlier event of this poll was handled
                try:
                    lost = selectable.doRead()
                except BaseException as error:
                    callWithLogger(selectable, self._fail, selectable, error)
                else:
                    if lost:
                        callWithLogger(selectable, self._disconnectSelectable, selectable, lost, True)

    doIteration = doPoll  # the name by which Twisted's main loop calls it

    def _fail(self, selectable: Server, error: BaseException) -> None:
        """Log the exception that is being handled, and disconnect the connection that raised it."""
        err()
        self._disconnectSelectable(selectable, error, False)


def install() -> None:
    """Make a reactor of this kind the process's reactor.

    Raises:
        ReactorAlreadyInstalledError: The process has a reactor.
    """
    installReactor(DirectReactor())
