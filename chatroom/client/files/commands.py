"""What is typed about files: ``/send notes.txt bob``, ``/get 3 ~/Downloads``, ``/cancel 3``; and doing it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from chatroom.client.files.transfers import Transfers
from chatroom.client.refused import Refused
from chatroom.shared_files import spell_size

USAGES = {
    "send": ("/send <path> [user]", "share a file with the room, or give it to somebody"),
    "get": ("/get <number> [path]", "fetch a file; /files lists them"),
    "cancel": ("/cancel [number|name]", "end what is being sent or fetched"),
}


class FileCommands:
    """See the module.

    Args:
        transfers: What does it.
        downloads: The folder where fetched files are put that were given no place.
        say: Shows a sentence.
    """

    def __init__(self, transfers: Transfers, downloads: Path, say: Callable[[str], None]) -> None:
        self._transfers = transfers
        self._downloads = downloads
        self._say = say

    async def run(self, word: str, rest: str) -> None:
        """Do one of ``USAGES``; over when it is done.

        Args:
            word: Which.
            rest: What was typed after it.

        Raises:
            Refused: Why not.
        """
        try:
            if word == "send":
                await self._transfers.send(*what_to_send(rest))
            elif word == "get":
                path = await self._transfers.get(*what_to_get(rest, self._downloads))
                self._say(f"fetched {path} ({spell_size(path.stat().st_size)}, SHA-256 checked).")
            else:
                self._transfers.cancel(rest)
        except Refused as refused:
            if refused.code != "cancelled":
                raise
            self._say(refused.text)


def what_to_send(rest: str) -> tuple[Path, str]:
    """Return the file and the user that somebody typed; a path with blanks needs no quotes if there is such a file.

    Raises:
        Refused: Nothing was typed.
    """
    if not rest:
        raise _usage("send")
    ways = list(_ways(rest))
    return next(((path, user) for path, user in ways if path.exists()), ways[0])


def _ways(rest: str) -> Iterator[tuple[Path, str]]:
    """Yield what it may mean, with and without a user at the end, with and without quotes."""
    words = _words(rest)
    if len(words) in (1, 2):
        yield _path(words[0]), words[1] if len(words) == 2 else ""
    yield _path(rest), ""
    path, _, user = rest.rpartition(" ")
    if path:
        yield _path(path.rstrip()), user


def what_to_get(rest: str, downloads: Path) -> tuple[int, Path]:
    """Return the number, and the place, that somebody typed.

    Raises:
        Refused: There is no number, or no such folder.
    """
    number, _, place = rest.partition(" ")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        raise _usage("get")
    words = _words(place)
    if not words:
        return int(number), downloads
    return int(number), _place(words[0] if len(words) == 1 else place.strip())


def _place(text: str) -> Path:
    """Return where a file is to stand; what ends with a slash is meant to be a folder."""
    path = _path(text)
    if text.endswith("/") and not path.is_dir():
        raise Refused("no-folder", f"there is no folder {path}; make it, or name another.")
    return path


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # half a pair of quotes
        return text.split()


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody is called so
        return Path(text)


def _usage(word: str) -> Refused:
    return Refused("usage", f"usage: {USAGES[word][0]}.")
