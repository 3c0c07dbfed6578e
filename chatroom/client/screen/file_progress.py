"""The commands for files and ``/open``, and the lines that show how far the transfers are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from chatroom.client.files.commands import USAGES, FileCommands
from chatroom.client.files.direct_files import over_links
from chatroom.client.files.transfers import Transfers
from chatroom.client.screen.local_commands import LocalCommand
from chatroom.client.screen.open_command import OpenCommand, Pieces, system_opener
from chatroom.client.status import Notice
from chatroom.model import events as e
from chatroom.model import replies as a

PROGRESS = 1.0  # seconds between redraws while files are sent or fetched
SHOWN = 3  # such files listed above the bar


class FileProgress:
    """Carries out the commands for files, and has the screen redrawn while files are sent or fetched.

    Args:
        reactor: Makes delayed calls.
        transfers: Sends and fetches the files.
        downloads: The folder for fetched files.
        say: Shows a sentence.
        start: Starts a coroutine, and shows its error.
        draw: Has the screen redrawn.
        lines: Returns the lines of the window in front, each in pieces, the newest first.
        person: Returns the person of the window in front; empty if it is none of a private conversation.
    """

    def __init__(
        self,
        reactor: Any,
        transfers: Transfers,
        downloads: Path,
        say: Callable[[str], None],
        start: Callable[[Coroutine[Any, Any, None]], None],
        draw: Callable[[], None],
        lines: Callable[[], Iterable[Pieces]],
        person: Callable[[], str],
    ) -> None:
        self._reactor = reactor
        self._transfers = transfers
        self._commands = FileCommands(transfers, downloads, say, over_links(transfers))
        self._say = say
        self._start = start
        self._draw = draw
        self._open = OpenCommand(lines, transfers.fetched, say, system_opener(reactor, say))
        self._person = person
        self._looking: Any = None  # the delayed call of _look

    def commands(self) -> list[LocalCommand]:
        """Return the commands for files, and ``/open``."""
        commands = [
            LocalCommand(usage, help, partial(self._run, word), "share") for word, (usage, help) in USAGES.items()
        ]
        return [*commands, self._open.command()]

    def lines(self) -> list[str]:
        """Return the lines about the transfers: the first few, and how many more there are."""
        lines = self._transfers.lines()
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        return [*lines[:SHOWN], *more]

    def end(self) -> None:
        """Say which transfers are not finished, because the client ends."""
        if self._looking is not None:
            self._looking.cancel()
        for line in self._transfers.lines():
            self._say(f"{line}: stopped; the same command continues it next time.")

    def told(self, event: e.Event | Notice) -> None:
        """Show the files that the server does not know after those that it has listed."""
        if isinstance(event, a.Files):
            self._commands.offered()

    def _run(self, word: str, rest: str) -> None:
        self._start(self._commands.run(word, rest, self._person()))
        if self._looking is None:
            self._look()

    def _look(self) -> None:
        """Redraw regularly while files are being sent or fetched."""
        self._looking = self._reactor.callLater(PROGRESS, self._look) if self._transfers.lines() else None
        self._draw()
