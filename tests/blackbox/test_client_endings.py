"""The client's end, however it comes: the terminal is as it was, byte for byte, and nobody has to be killed."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from blackbox.daemon import DEADLINE, Daemon, environment, needs
from blackbox.escapes import ALIEN, OWN, Screen, modes_left
from blackbox.windows import CLIENT

CTRL_C, CTRL_D = "\x03", "\x04"


class BareTerminal:
    """A terminal in which nothing but the client runs, so that every byte written to it is the client's.

    Args:
        folder: Where the client keeps things.
        arguments: The client's.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.written = b""
        self._screen = Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._master, self._terminal = os.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = self.attributes
        changes = {"XDG_CONFIG_HOME": f"{folder}/config", "XDG_STATE_HOME": f"{folder}/state"}
        self.process = subprocess.Popen(
            [needs("setsid"), "--ctty", *CLIENT, *arguments],
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            env=environment({**changes, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}),
        )

    @property
    def attributes(self) -> list[object]:
        """How the terminal is."""
        return termios.tcgetattr(self._terminal)

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._master, text.encode())

    def see(self, wanted: str) -> None:
        """Wait until that is on the screen."""
        deadline = time.monotonic() + DEADLINE
        while not any(wanted in row for row in self._screen.display):
            assert self._read(deadline - time.monotonic()), f"{wanted!r} is not shown, but {self.written!r}"

    def end(self) -> int:
        """Return the exit status; asserts that there soon is one, and all that was written is read."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.written!r}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def hang_up(self) -> None:
        """The terminal goes away, as when its window is closed."""
        for descriptor in (self._master, self._terminal):
            os.close(descriptor)
        self._master = self._terminal = -1

    def close(self) -> None:
        """End what a failed test has left."""
        self.process.kill()
        self.process.wait()
        if self._master >= 0:
            self.hang_up()

    def _read(self, within: float) -> bool:
        """Read what is written within some seconds; returns whether there was anything."""
        if not select.select([self._master], [], [], max(0.0, within))[0]:
            return False
        news = os.read(self._master, 65536)
        self.written += news
        self._stream.feed(news)
        return True


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


@pytest.fixture
def ann(tmp_path: Path, daemon: Daemon) -> Iterator[BareTerminal]:
    """Ann's terminal; she is in the lobby, by TLS."""
    terminal = BareTerminal(tmp_path, "127.0.0.1", str(daemon.port), "--name", "ann", "--room", "lobby")
    terminal.see("Current users: ann")
    yield terminal
    terminal.close()


# What is typed, what is waited for on the screen, and signals.
ENDS: dict[str, list[str | bytes | signal.Signals]] = {
    "/quit": ["/quit\r"],
    "Ctrl-D": [CTRL_D],
    "Ctrl-C twice": [CTRL_C, CTRL_C],
    "Ctrl-C and a line": ["half a sen", CTRL_C, CTRL_C, CTRL_C],
    "SIGTERM": ["half a sen", signal.SIGTERM],
    "SIGHUP": ["half a sen", signal.SIGHUP],
    "SIGINT": ["half a sen", signal.SIGINT],
    "SIGTERM at a password": ["/login ann\r", "hidden", b"*", signal.SIGTERM],
    "SIGTERM at a menu": ["/j", signal.SIGTERM],
    "SIGTERM at a paste": ["\x1b[200~one\ntwo\n\x1b[201~", signal.SIGTERM],
}


@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
def test_the_terminal_is_as_it_was(daemon: Daemon, ann: BareTerminal, how: list[str | bytes | signal.Signals]) -> None:
    bob = daemon.person("bob", "lobby")
    ann.see("bob has joined the room.")
    assert ann.attributes != ann.before
    for step in how:
        if isinstance(step, str):
            ann.type(step)
        elif isinstance(step, bytes):
            ann.see(step.decode())
        else:
            os.kill(ann.process.pid, step)
    assert ann.end() == 0
    assert ann.attributes == ann.before
    assert modes_left(ann.written) == []
    left = OWN.sub("", ann.written.decode())
    assert not ALIEN.search(left), left
    assert b"\x1b[0m" in ann.written[ann.written.rindex(b"\x1b[J") :]  # no colour stays
    assert b"hidden" not in ann.written
    bob.expect("ann has disconnected.")


def test_a_terminal_that_goes_away_ends_the_client(tmp_path: Path, daemon: Daemon, ann: BareTerminal) -> None:
    """What it keeps is kept; it is no fault."""
    bob = daemon.person("bob", "lobby")
    ann.type("/ignore bob\r")
    ann.see("You ignore bob")
    ann.hang_up()
    bob.expect("ann has disconnected.")
    assert ann.process.wait(DEADLINE) == 0
    (kept,) = tmp_path.rglob("screen.json")
    assert '"bob"' in kept.read_text()
    assert not list(tmp_path.rglob("faults.log"))
