"""The command ``/open``: opening a link or a file that is shown in the window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from chatroom.client.screen.colours import NOTICE
from chatroom.client.screen.formatter import SharedStyle
from chatroom.client.screen.links import links_in
from chatroom.client.screen.local_commands import LocalCommand
from chatroom.client.screen.parser import Misuse

Pieces = list[tuple[str, str]]
Target = str | SharedStyle
"""The address of a link, or what is known of a shared file."""


class Opens(Protocol):
    """The part of an ``Opener`` that is used here."""

    def link(self, address: str) -> None: ...
    def file(self, path: Path) -> None: ...


class OpenCommand:
    """Carries out ``/open``.

    Args:
        lines: Returns the lines of the window in front, each in pieces, the newest first.
        fetched: The paths of the files that were fetched, by the SHA-256 of their bytes.
        say: Shows a sentence.
        opener: Returns what opens links and files.
    """

    def __init__(
        self,
        lines: Callable[[], Iterable[Pieces]],
        fetched: Mapping[str, Path],
        say: Callable[[str], None],
        opener: Callable[[], Opens],
    ) -> None:
        self._lines = lines
        self._fetched = fetched
        self._say = say
        self._opener = opener

    def command(self) -> LocalCommand:
        """Return the command."""
        help = "open the newest link or file of this window; 2 is the one before it, and so on"
        return LocalCommand("/open [number]", help, self._run, "share")

    def _run(self, rest: str) -> None:
        if rest and not (rest.isascii() and rest.isdigit() and 0 < int(rest[:9]) < 10**6):
            raise Misuse("usage: /open [number].")
        number = int(rest or 1)
        found = list(islice(self._targets(), number))
        if len(found) < number:
            raise Misuse(f"this window has {f'only {len(found)}' if found else 'no'} links and files.")
        target = found[-1]
        if isinstance(target, SharedStyle):
            self._open_file(target)
        else:
            self._opener().link(target)

    def _open_file(self, shared: SharedStyle) -> None:
        path = self._fetched.get(shared.sha256)
        if path is None or not path.exists():
            self._say(f"that file is not fetched; /get {shared.number} fetches it, and then /open opens it.")
        else:
            self._opener().file(path)

    def _targets(self) -> Iterator[Target]:
        """Yield the links and files of the window, the newest first."""
        for pieces in self._lines():
            yield from reversed(targets(pieces))


def targets(pieces: Pieces) -> list[Target]:
    """Return the links and the file in a line, in their order; what the client itself says has none."""
    found: list[tuple[int, Target]] = []
    quoted: list[tuple[int, int]] = []  # where the client itself says something
    at = 0
    for style, text in pieces:
        if isinstance(style, SharedStyle):
            found.append((at, style))
        if style == NOTICE:
            quoted.append((at, at + len(text)))
        at += len(text)
    for link in links_in("".join(text for _, text in pieces)):
        if not any(start <= link.start < end for start, end in quoted):
            found.append((link.start, link.address))
    return [target for _, target in sorted(found, key=lambda one: one[0])]


def system_opener(reactor: Any, say: Callable[[str], None]) -> Callable[[], Opens]:
    """Return a function that returns the opener of this system."""

    def opener() -> Opens:
        from chatroom.client.screen.opener import Opener  # here, because few users need it

        return Opener(reactor, os.environ, say)

    return opener
