"""A network that fails: what goes to the daemon through it is cut off in the middle, or gets stuck there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from blackbox.daemon import DEADLINE


class Cutting:
    """Passes on what is said in both directions; the first connections fail after so many bytes.

    Args:
        port: Of the daemon, on 127.0.0.1.
        after: How many bytes each of the first connections passes, both directions together.
        stuck: They are not cut then: nothing more is passed in that direction, until one side ends.
        records: Whether to keep what is passed.

    Attributes:
        port: Where to connect to, on 127.0.0.1.
        failed: How many connections have failed.
        passed: How many bytes have been passed in all.
        recordings: What each connection has passed in each direction, if that is kept.
    """

    def __init__(self, port: int, after: Sequence[int] = (), *, stuck: bool = False, records: bool = False) -> None:
        self.failed = self.passed = 0
        self._daemon = port
        self._after = list(after)
        self._stuck = stuck
        self._records = records
        self.recordings: list[bytearray] = []
        self._changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def until_failed(self) -> None:
        """Wait until a connection has failed."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.failed, DEADLINE), f"only {self.passed} bytes came"

    def _start(self, run: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=run, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):  # we listen no more
            while True:
                near, _ = self._listening.accept()
                self._ends.append(near)
                try:
                    far = socket.create_connection(("127.0.0.1", self._daemon))
                except OSError:  # there is no daemon at the moment
                    _cut(near)
                    continue
                self._ends.append(far)
                left = [self._after.pop(0)] if self._after else []
                self._start(self._pass_on, near, far, left)
                self._start(self._pass_on, far, near, left)

    def _pass_on(self, source: socket.socket, target: socket.socket, left: list[int]) -> None:
        recording = bytearray()
        self.recordings.append(recording)
        with suppress(OSError):  # the other direction has been cut
            while data := source.recv(16384):
                if self._records:
                    recording += data
                if self._fails(left, len(data)):
                    if self._stuck:
                        return  # the other direction learns of the end
                    break
                target.sendall(data)
        _cut(source)
        _cut(target)

    def _fails(self, left: list[int], number: int) -> bool:
        """Return whether a connection fails at these bytes, which happens once. ``left``: how many it may pass."""
        with self._changed:
            if left and left[0] < number:
                left.clear()
                self.failed += 1
                self._changed.notify_all()
                return True
            left[:] = [it - number for it in left]
            self.passed += number
            return False

    def __enter__(self) -> Cutting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _cut(self._listening)
        for end in self._ends:
            _cut(end)
        for thread in self._threads:
            thread.join()
        for end in (self._listening, *self._ends):
            end.close()


def _cut(end: socket.socket) -> None:
    with suppress(OSError):  # it is cut already
        end.shutdown(socket.SHUT_RDWR)
