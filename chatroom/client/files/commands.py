"""The commands for files: ``/send notes.txt bob``, ``/get 3 ~/Downloads``, ``/cancel 3``.

``3`` is the number of a file of the room; ``@3`` is a file that was given to this user, and can be fetched in any room;
``d3`` is a file that was offered over a direct link.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chatroom.client.errors import Rejected
from chatroom.client.files.direct_files import DirectFiles
from chatroom.client.files.transfers import Transfers
from chatroom.client.paths import expanded, is_folder, is_there, spelled
from chatroom.model.shared_files import spell_size

USAGES = {
    "send": ("/send <path> [user]", "share a file with the room, or give it to somebody"),
    "get": (
        "/get <number> [path]",
        "fetch a file; /files lists the room's files, @1 is a file sent to you, d1 one over a direct link",
    ),
    "cancel": ("/cancel [number|name]", "stop sending or fetching a file"),
}

PLAIN = "plain "  # before the number of a file that may be unencrypted


@dataclass(frozen=True, slots=True)
class ToGet:
    """What the user has asked for by ``/get``.

    Args:
        number: The number of the file.
        given: Whether the number is that of a file given to this user, and not of one of the room.
        path: Where to put the file: a folder, or a path at which nothing exists.
        folder: Whether the path is a folder; it is made if it is missing.
        direct: Whether the number is that of a file offered over a direct link.
        plain: Whether to fetch the file even if it is not encrypted where files have to be.
    """

    number: int
    given: bool
    path: Path
    folder: bool
    direct: bool = False
    plain: bool = False


class FileCommands:
    """Carries out the commands for files.

    Args:
        transfers: Sends and fetches the files.
        downloads: The folder for fetched files for which no path was typed.
        say: Shows a sentence.
        direct: Sends and fetches over direct links, if the client can.
    """

    def __init__(
        self, transfers: Transfers, downloads: Path, say: Callable[[str], None], direct: DirectFiles | None = None
    ) -> None:
        self._transfers = transfers
        self._downloads = downloads
        self._say = say
        self._direct = direct

    async def run(self, word: str, rest: str, user: str = "") -> None:
        """Carry out a command, and return when it is done.

        Args:
            word: The command, one of ``USAGES``.
            rest: What was typed after it.
            user: To whom a file is sent if nobody is named; empty for the room.

        Raises:
            Rejected: The command could not be carried out.
        """
        try:
            if word == "send":
                path, named = what_to_send(rest)
                await self._send(path, named or user)
            elif word == "get":
                self._say(_fetched(await self._get(what_to_get(rest, self._downloads))))
            else:
                self._transfers.cancel(rest)
        except Rejected as refused:
            if refused.code != "cancelled":
                raise
            self._say(refused.text)

    async def _send(self, path: Path, user: str) -> None:
        if self._direct is None:
            await self._transfers.send(path, user)
        else:
            await self._direct.send(path, user, self._say)

    def offered(self) -> None:
        """Show the files that are offered over direct links, after the server's list of files."""
        for line in self._direct.lines() if self._direct is not None else ():
            self._say(line)

    async def _get(self, wanted: ToGet) -> Path:
        if wanted.direct:
            if self._direct is None:
                raise _usage("get")
            return await self._direct.get(wanted.number, wanted.path, folder=wanted.folder)
        return await self._transfers.get(
            wanted.number, wanted.path, folder=wanted.folder, given=wanted.given, plain=wanted.plain
        )


def _fetched(path: Path) -> str:
    try:
        return f"fetched {path} ({spell_size(path.stat().st_size)}, SHA-256 checked)."
    except OSError:  # the file was moved away already
        return f"fetched {path} (SHA-256 checked)."


def what_to_send(rest: str) -> tuple[Path, str]:
    """Return the path and the user typed after ``/send``; a path with blanks needs no quotes if there is such a file.

    Raises:
        Rejected: Nothing was typed.
    """
    if not rest:
        raise _usage("send")
    ways = list(_ways(rest))
    return next(((path, user) for path, user in ways if is_there(path)), ways[0])


def _ways(rest: str) -> Iterator[tuple[Path, str]]:
    """Yield each path and user that the text may mean: with and without a user at its end, with and without quotes."""
    words = _words(rest)
    if len(words) in (1, 2):
        yield expanded(words[0]), words[1] if len(words) == 2 else ""
    yield expanded(rest), ""
    path, _, user = rest.rpartition(" ")
    if path:
        yield expanded(path.rstrip()), user


def what_to_get(rest: str, downloads: Path) -> ToGet:
    """Return which file the user has asked for by ``/get``, and where to put it.

    Args:
        rest: What was typed after ``/get``.
        downloads: The folder for files for which no path was typed.

    Raises:
        Rejected: No number was typed, or there is no such folder.
    """
    plain = rest.startswith(PLAIN)
    text, _, place = rest.removeprefix(PLAIN).lstrip().partition(" ")
    mark = text[:1] if text[:1] in ("@", "d") else ""
    given, direct, number = mark == "@", mark == "d", text.removeprefix(mark)
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        raise _usage("get")
    words = _words(place)
    if not words:
        return ToGet(int(number), given, downloads, folder=True, direct=direct, plain=plain)
    text = words[0] if len(words) == 1 else place.strip()
    path = expanded(text)
    folder = is_folder(path)
    if text.endswith("/") and not folder:
        raise Rejected("no-folder", f"there is no folder {spelled(path)}; make it, or name another.")
    return ToGet(int(number), given, path, folder, direct, plain)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an unmatched quote
        return text.split()


def _usage(word: str) -> Rejected:
    return Rejected("usage", f"usage: {USAGES[word][0]}.")
