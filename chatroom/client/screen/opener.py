"""Opening a link or a file with the program that the system has for it. No shell is ever involved."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

PATIENCE = 5.0  # seconds after which the program is taken to have opened it
_STEP = 0.25  # seconds between two looks at whether the program has ended

# The endings of files that a program only shows. Others, such as .html, .desktop or .jar, may be programs themselves.
_PICTURES = {"avif", "bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "webp"}
_SOUNDS_AND_FILMS = {"flac", "m4a", "mkv", "mov", "mp3", "mp4", "oga", "ogg", "ogv", "opus", "wav", "webm"}
_TEXTS = {"csv", "log", "md", "odp", "ods", "odt", "pdf", "txt"}
SHOWN_ONLY = frozenset(_PICTURES | _SOUNDS_AND_FILMS | _TEXTS)


class Started(Protocol):
    """The part of ``subprocess.Popen`` that is used here."""

    def poll(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens links and files.

    Args:
        reactor: Makes delayed calls.
        environ: The environment variables of this process.
        say: Shows a sentence.
        start: Starts a program, as ``subprocess.Popen`` does.
        which: Returns the path of a program, as ``shutil.which`` does.
        platform: The operating system, as ``sys.platform`` says it.
    """

    reactor: Any
    environ: Mapping[str, str]
    say: Callable[[str], None]
    start: Callable[..., Started] = subprocess.Popen
    which: Callable[[str], str | None] = shutil.which
    platform: str = sys.platform

    def link(self, address: str) -> None:
        """Open a link.

        Args:
            address: The address, as ``links_in`` returns it.

        Raises:
            ValueError: The address does not begin with ``http://`` or ``https://``.
        """
        if not address.lower().startswith(("http://", "https://")):
            raise ValueError(f"{address} is no link")
        self._open(address, self._browser(address) or self._system(address), f"the link is {address}")

    def file(self, path: Path) -> None:
        """Open a file that only shows something; of others, only say where they are."""
        if path.suffix[1:].lower() not in SHOWN_ONLY:
            self.say(f"a file of that kind could be a program, so it is not opened; it is {path}.")
            return
        path = path.absolute()
        self._open(str(path), self._system(str(path)), f"the file is {path}")

    def _browser(self, address: str) -> list[str] | None:
        """Return the command of the first program in ``$BROWSER`` that exists; None if there is none."""
        for entry in self.environ.get("BROWSER", "").split(":"):
            try:
                words = shlex.split(entry)
            except ValueError:  # an unmatched quote
                continue
            if words and (program := self.which(words[0])) is not None:
                arguments = [word.replace("%s", address) for word in words[1:]]
                return [program, *arguments, *([] if arguments != words[1:] else [address])]
        return None

    def _system(self, target: str) -> list[str] | None:
        """Return the command of the system's opener; None if there is none.

        Neither opener knows ``--``; a target begins with ``http`` or ``/``, so it is never taken for an option.
        """
        program = self.which("open" if self.platform == "darwin" else "xdg-open")
        return [program, target] if program is not None else None

    def _open(self, target: str, command: list[str] | None, otherwise: str) -> None:
        """Start a program in the background, away from the terminal.

        Args:
            target: What is opened.
            command: The program and its arguments; None if there is no program.
            otherwise: What to say if it cannot be opened.
        """
        if command is None:
            self.say(f"there is no program here that opens it ($BROWSER, xdg-open); {otherwise}")
            return
        nothing = subprocess.DEVNULL
        try:
            started = self.start(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        except (OSError, ValueError) as error:
            self.say(f"{command[0]} could not be started ({error}); {otherwise}")
            return
        self.say(f"opening {target}")
        self._watch(started, command[0], otherwise, PATIENCE)

    def _watch(self, started: Started, program: str, otherwise: str, left: float) -> None:
        """Say so if the program fails within its first seconds."""
        status = started.poll()
        if status:
            self.say(f"{program} could not open it (status {status}); {otherwise}")
        elif status is None and left > 0:
            self.reactor.callLater(_STEP, self._watch, started, program, otherwise, left - _STEP)
