"""chatroom-client in a real terminal (tmux), against the real daemon: what somebody sees who sits there."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, environment, needs

CLIENT = [sys.executable, "-c", "import sys; from chatroom.client.main import main; sys.exit(main())"]
CTRL_C, CTRL_D, UP, TAB, ENTER = "C-c", "C-d", "Up", "Tab", "Enter"


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
        self._tmux = tmux
        folder.mkdir()
        self.do(
            "new-session",
            "-d",
            "-s",
            name,
            "-x",
            "80",
            "-y",
            "24",
            "-c",
            str(folder),
            "env",
            "PS1=$ ",
            "bash",
            "--norc",
        )
        fifo = folder / "screen"
        os.mkfifo(fifo)
        self._news = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.do("pipe-pane", "-t", name, f"cat > {shlex.quote(str(fifo))}")

    def do(self, *command: str) -> str:
        """Give tmux a command, and return its answer."""
        return subprocess.run(
            [*self._tmux, *command], check=True, capture_output=True, text=True, timeout=DEADLINE
        ).stdout

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

    @property
    def rows(self) -> list[str]:
        """What is on the screen, without its empty end."""
        return self.do("capture-pane", "-p", "-t", self.name).rstrip().split("\n")

    def see(self, *wanted: str) -> None:
        """Wait until the screen ends with these rows, each with its time or without."""
        self.until(lambda rows: _ends(rows, list(wanted)))

    def until(self, condition: Callable[[list[str]], bool]) -> None:
        """Wait until the rows on the screen are so; they are looked at whenever something has been written."""
        deadline = time.monotonic() + DEADLINE
        while not condition(self.rows):
            left = deadline - time.monotonic()
            assert left > 0, "\n".join(self.rows)
            # Now and then without news: tmux may write to the pipe before it has drawn.
            if select.select([self._news], [], [], min(left, 0.2))[0]:
                os.read(self._news, 65536)

    def start(self, daemon: Daemon, *more: str) -> None:
        """Start the client; how the terminal was, is, and how the client ends, will be in files."""
        command = shlex.join([*CLIENT, "127.0.0.1", str(daemon.port), "--plain", *more])
        job = f"{command} & echo $! > pid; fg > /dev/null; echo $? > status"
        (self.folder / "run").write_text(f"stty -a > before\n{job}\nstty -a > after\n")
        self.enter("set -m; . ./run; clear; echo over")

    def start_as(self, daemon: Daemon, name: str) -> None:
        """Start the client under a name, and wait until it is on the server."""
        self.start(daemon, "--name", name)
        self.until(lambda rows: any(row.startswith(f"-- connected to chatroom as {name} ") for row in rows))

    def is_over(self) -> None:
        """Wait for the end of the client: it ended well, and left the terminal as it was."""
        self.until(lambda rows: "over" in rows)
        assert (self.folder / "status").read_text() == "0\n"
        assert self._modes("after") == self._modes("before")
        assert self.do("display-message", "-p", "-t", self.name, "#{cursor_flag}#{mouse_any_flag}") == "10\n"

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
        return "".join(path.read_text() for path in (self.folder / "state").rglob("*") if path.is_file())

    def close(self) -> None:
        """Look at it no more."""
        os.close(self._news)


def _ends(rows: list[str], wanted: list[str]) -> bool:
    """Whether the rows above the bar end with those that are wanted, whatever the time before them."""
    shown = [row[6:] if row[2:3] == ":" and row[:2].isdigit() else row for row in rows[:-1]]
    return [row.rstrip() for row in shown][-len(wanted) :] == wanted


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[[str], Window]]:
    """Makes windows."""
    tmux = [needs("tmux"), "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    opened: list[Window] = []
    changes = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    subprocess.run([*tmux, "start-server", ";", "set", "-g", "exit-empty", "off"], check=True, env=environment(changes))

    def make(name: str) -> Window:
        subprocess.run([*tmux, "set-environment", "-g", "XDG_STATE_HOME", str(tmp_path / name / "state")], check=True)
        opened.append(Window(tmux, tmp_path / name, name))
        return opened[-1]

    yield make
    subprocess.run([*tmux, "kill-server"], check=True)
    for one in opened:
        one.close()


def test_two_at_terminals_and_one_on_telnet(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Names are asked for and taken; the input line stays whole whatever comes; a resize does no harm."""
    bob = daemon.person("bob", "lobby")
    ann, cid = window("ann"), window("cid")
    ann.start(daemon)
    ann.see("Your name (Enter: stay a guest):")
    ann.enter("bob")
    ann.see("Error: username is already used; choose another with /name <name>.", "Your name (Enter: stay a guest):")
    ann.enter("ann")
    ann.see("You are now ann.", "[-]")
    ann.enter("/jo")
    ann.see("Error: unknown command /jo; type /help.", "[-]")
    ann.type("/joi")
    ann.until(lambda rows: any("join a room, making it" in row for row in rows))
    ann.press(TAB)
    ann.type("lob")
    ann.see("[-] /join lob")
    ann.press(TAB)
    ann.press(ENTER)
    bob.expect("ann has joined the room.")
    cid.start_as(daemon, "cid")
    cid.enter("/join lobby")
    bob.expect("cid has joined the room.")
    ann.type("half a sentence 日本")
    bob.ask("hello ann 🎉", "bob: hello ann 🎉")
    ann.see("cid has joined the room.", "bob: hello ann 🎉", "[lobby] half a sentence 日本")
    ann.do("resize-window", "-t", "ann", "-x", "60", "-y", "20")
    bob.ask("still there?", "bob: still there?")
    ann.see("bob: still there?", "[lobby] half a sentence 日本")
    assert sum("[lobby]" in row for row in ann.rows) == 1
    ann.press(ENTER)
    bob.expect("ann: half a sentence 日本")
    cid.see("bob: hello ann 🎉", "bob: still there?", "ann: half a sentence 日本", "[lobby]")
    cid.enter("/quit")
    cid.is_over()
    ann.press(CTRL_D)
    ann.is_over()
    bob.expect("cid has disconnected.", "ann has disconnected.")


def test_a_password_is_seen_and_kept_nowhere(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Neither asked for nor typed in the line; other lines come back by the arrow key, also the next time."""
    ann = window("ann")
    ann.start_as(daemon, "ann")
    ann.enter("/register ann")
    ann.see("Choose a password:")
    ann.type("s3cret")
    ann.see("Choose a password: ******")
    ann.press(ENTER)
    ann.see("The same again:")
    ann.enter("s3cret")
    ann.until(lambda rows: "You are logged in as ann." in "".join(rows))
    ann.enter("/logout")
    ann.until(lambda rows: "You have logged out of ann." in "".join(rows))
    ann.enter("/login ann s3cret")
    ann.until(lambda rows: sum("You are logged in as ann." in row for row in rows) == 2)
    ann.press(CTRL_D)
    ann.is_over()
    assert "s3cret" not in ann.state
    assert "/logout" in ann.state
    history = next(path for path in (ann.folder / "state").rglob("history"))
    assert history.stat().st_mode & 0o777 == 0o600
    ann.start_as(daemon, "ann2")
    ann.press(UP)
    ann.see("[-] /logout")
    ann.press(CTRL_C)
    ann.see("[-]")
    ann.press(CTRL_C)
    ann.see("-- Ctrl-C once more leaves; so does Ctrl-D.", "[-]")
    ann.press(CTRL_C)
    ann.is_over()


def test_pasted_lines_are_held(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """And nothing of them is carried out."""
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon, "ann")
    ann.enter("/join lobby")
    bob.expect("ann has joined the room.")
    ann.paste("one\n/quit\nthree\n")
    ann.see("-- you pasted 3 lines: one...", "Say them as [o]ne message, [l]ine by line, or [d]rop them?")
    bob.nothing_more()
    ann.enter("l")
    bob.expect("ann: one", "ann: /quit", "ann: three")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_sane(
    daemon: Daemon, window: Callable[[str], Window], number: signal.Signals
) -> None:
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon, "ann")
    ann.enter("/join lobby")
    bob.expect("ann has joined the room.")
    ann.type("half a sen")
    ann.see("[lobby] half a sen")
    os.kill(ann.pid, number)
    ann.is_over()
    bob.expect("ann has disconnected.")
