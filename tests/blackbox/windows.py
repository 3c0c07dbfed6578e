"""A real terminal (tmux) with a shell in it, and chatroom-client at it: keys go in, the screen is read.

Nothing here sleeps: the screen is looked at whenever something has been written on it.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blackbox.daemon import DEADLINE, environment, needs

CLIENT = [sys.executable, "-c", "import sys; from chatroom.client.main import main; sys.exit(main())"]
CTRL_C, CTRL_D, CTRL_R, CTRL_Z, UP, TAB, ENTER = "C-c", "C-d", "C-r", "C-z", "Up", "Tab", "Enter"
TALL = 5000  # rows, more than a window of the client has lines
_TIME = re.compile(r"\d\d:\d\d ")


class Window:
    """A terminal with a shell in it.

    Args:
        tmux: The command, with the socket of the server that all windows of a test share.
        folder: The shell's folder, and its home.
        name: Of the window.
    """

    def __init__(self, tmux: list[str], folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder
        self._raw = b""
        self._tmux = tmux
        folder.mkdir()
        shell = ["-c", str(folder), "env", "PS1=$ ", "bash", "--norc"]
        self.do("new-session", "-d", "-s", name, "-x", "80", "-y", "24", *shell)
        fifo = folder / "screen"
        os.mkfifo(fifo)
        self._news = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.do("pipe-pane", "-t", name, f"cat > {shlex.quote(str(fifo))}")

    def do(self, *command: str) -> str:
        """Give tmux a command, and return its answer."""
        return subprocess.run(
            [*self._tmux, *command], check=True, capture_output=True, text=True, timeout=DEADLINE
        ).stdout

    def ask(self, form: str) -> str:
        """Return what tmux knows of the terminal, as ``#{cursor_flag}``."""
        return self.do("display-message", "-p", "-t", self.name, form).rstrip("\n")

    # ---- keys ------------------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Type text."""
        self.do("send-keys", "-t", self.name, "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self.do("send-keys", "-t", self.name, *keys)

    def enter(self, line: str) -> None:
        """Type a line."""
        self.type(line)
        self.press(ENTER)

    def paste(self, text: str) -> None:
        """Paste, as a terminal does that tells it apart from typing."""
        self.do("set-buffer", text)
        self.do("paste-buffer", "-p", "-t", self.name)

    # ---- what is seen ----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[str]:
        """What is on the screen, without its empty end."""
        return self.do("capture-pane", "-p", "-t", self.name).rstrip().split("\n")

    @property
    def lines(self) -> list[str]:
        """All that the client's window in front can scroll back to, each line without its time.

        The terminal is made so high for a moment that it shows all of that.
        """
        width, height = self.ask("#{window_width} #{window_height}").split()
        where = self.rows[-1].partition("|")[0]
        self.do("resize-window", "-t", self.name, "-x", width, "-y", str(TALL))
        self.until(lambda rows: len(rows) == TALL and rows[-1].startswith(where))
        rows = [row for row in self.rows if row]
        self.do("resize-window", "-t", self.name, "-x", width, "-y", height)
        self.until(lambda rows: len(rows) == int(height) and rows[-1].startswith(where))
        return [_TIME.sub("", row.rstrip(), count=1) for row in rows]

    def see(self, *wanted: str) -> None:
        """Wait until the screen ends with these rows, each with its time or without."""
        self.until(lambda rows: _ends(rows, list(wanted)))

    def until(self, condition: Callable[[list[str]], bool], within: float = DEADLINE) -> None:
        """Wait until the rows on the screen are so; they are looked at whenever something has been written."""
        deadline = time.monotonic() + within
        while not condition(self.rows):
            left = deadline - time.monotonic()
            assert left > 0, "\n".join(self.rows)
            self._read(min(left, 0.2))  # now and then without news: tmux may write to the pipe before it has drawn

    def written(self, last: str) -> bytes:
        """Return all that has been written to the terminal when these words are on it. Words that are drawn over others
        may not be written whole."""
        self.until(lambda rows: last.encode() in self._raw or any(last in row for row in rows))
        while self._read(0):
            pass
        return self._raw

    def until_written(self, condition: Callable[[bytes], bool]) -> None:
        """Wait until all that has been written to the terminal is so."""
        deadline = time.monotonic() + DEADLINE
        while not condition(self._raw):
            assert time.monotonic() < deadline, self._raw[-1000:]
            self._read(0.2)

    def _read(self, within: float) -> bool:
        """Read what is written within some seconds; return whether there was anything."""
        news = bool(select.select([self._news], [], [], within)[0])
        if news:
            self._raw += os.read(self._news, 65536)
        return news

    # ---- the client ------------------------------------------------------------------------------------------------

    def start(self, port: int, *more: str, plain: bool = True) -> None:
        """Start the client; how the terminal was, is, and how the client ends, will be in files.

        Args:
            port: Of the server.
            more: Arguments.
            plain: Without TLS.
        """
        command = shlex.join([*CLIENT, "127.0.0.1", str(port), *(["--plain"] if plain else []), *more])
        job = f"{command} & echo $! > pid; fg > /dev/null; echo $? > status"
        (self.folder / "run").write_text(f"stty -a > before\n{job}\nstty -a > after\n")
        self.enter("set -m; . ./run; clear; echo over")

    def start_as(self, port: int, name: str, *more: str, plain: bool = True) -> None:
        """Start the client under a name, and wait until it is on the server."""
        self.start(port, "--name", name, *more, plain=plain)
        here = f"-- connected to chatroom as {name} "  # with several rooms, it stands in the first window only
        self.until(lambda rows: f"| {name} |" in rows[-1] or any(row.startswith(here) for row in rows))

    def is_over(self) -> None:
        """Wait for the end of the client: it ended well, and left the terminal as it was."""
        self.until(lambda rows: "over" in rows)
        assert (self.folder / "status").read_text() == "0\n"
        assert self._modes("after") == self._modes("before")
        assert self.ask("#{cursor_flag}#{mouse_any_flag}") == "10"

    def _modes(self, when: str) -> str:
        """How the terminal was, whatever its size."""
        return re.sub(r"rows \d+; columns \d+;", "", (self.folder / when).read_text())

    @property
    def pid(self) -> int:
        """The client's."""
        return int((self.folder / "pid").read_text())

    @property
    def state(self) -> str:
        """All that the client has kept."""
        files = (path for path in (self.folder / "state").rglob("*") if path.is_file())
        return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)

    def close(self) -> None:
        """Look at it no more."""
        os.close(self._news)


def _ends(rows: list[str], wanted: list[str]) -> bool:
    """Whether the rows above the bar end with those that are wanted, whatever the time before them."""
    shown = [_TIME.sub("", row, count=1).rstrip() for row in rows[:-1]]
    return shown[-len(wanted) :] == wanted


@contextmanager
def windows(folder: Path) -> Iterator[Callable[[str], Window]]:
    """Give what makes windows, each with a folder of its own in this one; they end together."""
    tmux = [needs("tmux"), "-S", str(folder / "tmux"), "-f", "/dev/null"]
    opened: list[Window] = []
    changes = {"XDG_CONFIG_HOME": str(folder / "config"), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    options = ["set", "-g", "exit-empty", "off"]
    subprocess.run([*tmux, "start-server", ";", *options], check=True, env=environment(changes))

    def make(name: str) -> Window:
        subprocess.run([*tmux, "set-environment", "-g", "XDG_STATE_HOME", str(folder / name / "state")], check=True)
        opened.append(Window(tmux, folder / name, name))
        return opened[-1]

    try:
        yield make
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
        for one in opened:
            one.close()
