"""The transfers over direct links as the user sees them: listed with their progress, and ended by ``/cancel``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatroom.client.crypto.file_cipher import PIECE
from chatroom.client.errors import Rejected
from chatroom.client.files.progress import Progress
from chatroom.client.files.transfers import Transfers
from chatroom.model.shared_files import safe_name, spell_size


class LinkRun:
    """One transfer over a link, as ``OtherTransfer`` documents it.

    Args:
        transfers: All transfers.
        name: The name of the file, for people.
        called: What else the user may call the file: its path, or its number.
    """

    doing = ""

    def __init__(self, transfers: Transfers, name: str, called: str) -> None:
        self.name = name
        self.progress: Progress | None = None
        self._transfers = transfers
        self._called = called
        self._over: Rejected | None = None
        self._stop: Callable[[Rejected], None] | None = None

    def is_called(self, name: str) -> bool:
        """Return whether a name that was typed may mean this file."""
        return name in (self.name, self._called)

    def cancel(self) -> None:
        """End the transfer because the user wants that."""
        self._over = self._over or Rejected("cancelled", f"{self.name}: cancelled.")
        if self._stop is not None:
            self._stop(self._over)

    def wanted(self) -> bool:
        """Return whether the transfer was not cancelled."""
        return self._over is None

    def reach(self, done: int, size: int) -> None:
        """Note how many pieces of the file the receiver has."""
        now, there = self._transfers.clock.seconds(), min(done * PIECE, size)
        if self.progress is None:
            self.progress = Progress(size, there, now)
        else:
            self.progress.reach(there, now)

    @contextmanager
    def stopping(self, stop: Callable[[Rejected], None]) -> Iterator[None]:
        """Have a function called if the transfer is cancelled; raise ``Rejected`` if it was cancelled already."""
        if self._over is not None:
            raise self._over
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None


class LinkSend(LinkRun):
    """A file that is sent over a link.

    Args:
        transfers: All transfers.
        path: The file.
        user: The name of the user who gets it.
        say: Shows a sentence.
    """

    doing = "sending"

    def __init__(self, transfers: Transfers, path: Path, user: str, say: Callable[[str], None]) -> None:
        super().__init__(transfers, safe_name(path.name), str(path))
        self._user = user
        self._say = say

    def offered(self, size: int) -> None:
        """Say that the file of so many bytes is offered; it is sent when the other side asks for it."""
        self._say(f"{self.name} ({spell_size(size)}) is offered to {self._user} over the direct link.")

    def fetched(self) -> None:
        """Say that the other side has the file."""
        self._say(f"{self._user} has fetched {self.name} over the direct link.")


class LinkFetch(LinkRun):
    """A file that is fetched over a link."""

    doing = "fetching"
