"""Make README's pictures of chatroom-client: ``python docs/make_pictures.py`` writes ``docs/client-*.svg``.

A daemon and a client are started, the client in a terminal in memory (``pyte``, one of the ``test`` extras); what is on
its screen is written as SVG, run by run. Nothing is drawn by hand, so the pictures show what the client does.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

HERE = Path(__file__).parent
COLUMNS, ROWS = 84, 20
CELL = (8.4, 18)  # pixels
MARGIN = 14
BACKGROUND, FOREGROUND = "#1d2026", "#d6d8dc"
DEADLINE = 10.0  # seconds
CLIENT = "import sys; from chatroom.client.main import main; sys.exit(main())"


class Terminal:
    """A client in a terminal of its own.

    Args:
        port: The daemon's.
        folder: Where it keeps things.
        name: The name it takes.
    """

    def __init__(self, port: int, folder: Path, name: str) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            os.environ |= {"TERM": "xterm-256color", "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
            os.environ["PYTHONPATH"] = str(HERE.parent)
            command = [sys.executable, "-c", CLIENT, "localhost", str(port), "--name", name]
            os.execv(sys.executable, command)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    def see(self, words: str) -> None:
        """Wait until these words are on the screen."""
        deadline = time.monotonic() + DEADLINE
        while words not in "\n".join(self.screen.display):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise SystemExit(f"{words!r} is not on the screen:\n" + "\n".join(self.screen.display))
            self._stream.feed(os.read(self._terminal, 65536))

    def close(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


class Person:
    """Somebody on telnet, in the room.

    Args:
        port: The daemon's.
        name: Who.
    """

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.say(f"/name {name}", "/join lobby")
        heard = b""
        while b"Current users" not in heard:
            more = self._socket.recv(65536)
            if not more:
                raise SystemExit(f"{name} was sent away: {heard.decode()}")
            heard += more

    def say(self, *lines: str) -> None:
        """Say lines."""
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


# ---- SVG -----------------------------------------------------------------------------------------------------------


def svg(screen: pyte.Screen) -> str:
    """Return a picture of the screen, from its first to its last row with anything on it."""
    full = [number for number, row in enumerate(screen.display) if row.strip()]
    top, rows = full[0] * CELL[1], full[-1] + 1
    width, height = COLUMNS * CELL[0] + 2 * MARGIN, rows * CELL[1] - top + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 {top:.0f} {width:.0f} {height:.0f}">',
        f'<rect y="{top:.0f}" width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
    ]
    for row in range(rows):
        parts += _row(screen, row)
    x, y = _place(screen.cursor.x, screen.cursor.y)
    parts.append(
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{CELL[0]}" height="{CELL[1]}" fill="{FOREGROUND}" opacity="0.6"/>'
    )
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _row(screen: pyte.Screen, row: int) -> Iterator[str]:
    """Yield the runs of one look in a row."""
    cells = [(column, screen.buffer[row][column]) for column in range(COLUMNS)]
    for (ink, paper, bold, italic), run in groupby(cells, key=lambda cell: _look(cell[1])):
        columns = list(run)
        text = "".join(char.data for _, char in columns)
        x, y = _place(columns[0][0], row)
        size = f'width="{len(columns) * CELL[0]:.1f}" height="{CELL[1]}"'
        if paper != BACKGROUND:
            yield f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{paper}"/>'
        if text.strip():
            style = ' font-weight="bold"' * bold + ' font-style="italic"' * italic
            length = f'textLength="{len(columns) * CELL[0]:.1f}" xml:space="preserve"'
            yield f'<text x="{x:.1f}" y="{y + 13.5:.1f}" fill="{ink}" {length}{style}>{escape(text)}</text>'


def _look(char: pyte.screens.Char) -> tuple[str, str, bool, bool]:
    ink = FOREGROUND if char.fg == "default" else f"#{char.fg}"
    paper = BACKGROUND if char.bg == "default" else f"#{char.bg}"
    if char.reverse:
        ink, paper = paper, ink
    return ink, paper, char.bold, char.italics


def _place(column: int, row: int) -> tuple[float, float]:
    return MARGIN + column * CELL[0], MARGIN + row * CELL[1]


# ---- scenes --------------------------------------------------------------------------------------------------------


def come(port: int, folder: Path) -> Terminal:
    """Return alice's terminal, in the room; without what is said of a server that is seen for the first time."""
    alice = Terminal(port, folder, "alice")
    alice.see("connected to")
    alice.type("/clear\r/join lobby\r")
    alice.see("Current users")
    return alice


def chat(port: int, folder: Path) -> str:
    """A room where people talk, while there is something in other windows, too."""
    bob, carol = Person(port, "bob"), Person(port, "carol")
    alice = come(port, folder)
    alice.type("/join work\r")
    alice.see("room work")
    alice.type("\x1b1")  # back to the lobby
    alice.see("1:lobby 2:work")
    carol.say("has anybody tried the new build?")
    alice.see("new build?")
    alice.type("it works here 🎉\r")
    alice.see("🎉")
    bob.say("/me claps")
    alice.see("claps")
    alice.type("\x1b[O")  # she looks elsewhere
    bob.say("alice, the release notes are in the wiki", "добрый день, 你好")
    alice.see("你好")
    carol.say("/msg alice lunch at noon?")
    alice.see("@carol(1!)")
    crowd = [Person(port, name) for name in ("dan", "eve", "fay", "gus", "hal", "ida", "jim", "kay", "lea")]
    alice.see("joined.")
    bob.say("/topic release day")
    alice.see("set the topic")
    notes = folder / "release-notes.txt"
    notes.write_bytes(b"all new " * 1500)
    alice.type(f"/send {notes}\r")
    alice.see("shares release-notes.txt")
    alice.type("see you the")
    alice.see("see you the")
    picture = svg(alice.screen)
    for one in (alice, bob, carol, *crowd):
        one.close()
    return picture


def completion(port: int, folder: Path) -> str:
    """Commands are offered with what they do."""
    alice = come(port, folder)
    alice.type("/msg ghost are you there?\r")
    alice.see("no user named ghost")
    alice.type("/s")
    alice.see("/sessions")
    picture = svg(alice.screen)
    alice.close()
    return picture


SCENES: dict[str, Callable[[int, Path], str]] = {"chat": chat, "completion": completion}


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        twistd = str(Path(sys.executable).with_name("twistd"))
        options = ["-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1", "--rate", "0"]
        command = [twistd, *options, "--name", "chatroom", "--data", str(folder / "data")]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        daemon = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        assert daemon.stdout is not None
        port = next(
            int(found[1]) for line in daemon.stdout if (found := re.search(r"listening on \S+ port (\d+)", line))
        )
        try:
            for scene, play in SCENES.items():
                (HERE / f"client-{scene}.svg").write_text(play(port, folder / scene))
        finally:
            daemon.terminate()
            daemon.wait()


if __name__ == "__main__":
    main()
