"""Debian's own telnet, at a terminal, and nc, in a pipe: the clients that people have."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, environment, needs

CTRL_C = "\x03"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own, with the limits that it has by default."""
    with Daemon(tmp_path, "--rate", "2") as running:
        yield running


class Terminal:
    """A program at a terminal of its own, where Ctrl-C is a signal, and what is on its screen.

    Args:
        command: The program and its arguments.
    """

    def __init__(self, *command: str) -> None:
        self._shown = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode  # a read may end inside a character
        self._seen = 0  # how far the screen has been read
        self._master, slave = os.openpty()
        # setsid makes the terminal the program's own, which only a program in a new session can have.
        self._process = subprocess.Popen(
            [needs("setsid"), "--ctty", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment({"TERM": "dumb", "LC_ALL": "C.UTF-8"}),
        )
        os.close(slave)

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._master, text.encode())

    def see(self, wanted: str) -> str:
        """Return what is shown next up to the wanted words, which are looked for only after those seen before."""
        deadline = time.monotonic() + DEADLINE
        while (found := self._shown.find(wanted, self._seen)) < 0:
            assert self._show(deadline), f"{wanted!r} is not shown, but {self._shown[self._seen :]!r}"
        end = found + len(wanted)
        text, self._seen = self._shown[self._seen : end], end
        return text

    def see_the_end(self) -> str:
        """Return what is shown until the program has ended, which it must do by itself."""
        deadline = time.monotonic() + DEADLINE
        while self._show(deadline):
            pass
        self._process.wait(DEADLINE)
        return self._shown[self._seen :]

    def close(self) -> None:
        """End the program, if it has not ended."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _show(self, deadline: float) -> bool:
        """Wait for more; returns whether some came. A terminal that nobody holds any more reads as an error."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(OSError):
            more = os.read(self._master, 65536) if ready else b""
            self._shown += self._decode(more)
            return bool(more)
        return False


@pytest.fixture
def telnet(daemon: Daemon) -> Iterator[Terminal]:
    """Somebody who has typed ``telnet 127.0.0.1 PORT`` and has been greeted."""
    terminal = Terminal(needs("telnet"), "127.0.0.1", str(daemon.port))
    terminal.see("Connected to 127.0.0.1.")
    terminal.see("Welcome to chatroom. You are guest-")
    terminal.see("/help")
    terminal.see("\r\n")
    yield terminal
    terminal.close()


def enter(telnet: Terminal) -> None:
    """Take a name and enter the room."""
    telnet.type("/name al\n")
    telnet.see("You are now al.\r\n")
    telnet.type("/join lobby\n")
    telnet.see("Welcome to room lobby!\r\nCurrent users: ")
    telnet.see("\r\n")


def test_telnet_takes_a_name_and_talks_in_utf_8(daemon: Daemon, telnet: Terminal) -> None:
    """What is typed is heard by others as it was typed, what they say is shown as they said it."""
    bob = daemon.person("bob", "lobby")
    enter(telnet)
    bob.expect("al has joined the room.")
    telnet.type("grüße 🎉\n")
    bob.expect("al: grüße 🎉")
    telnet.see("al: grüße 🎉\r\n")
    bob.ask("добрый день, 日本 🎈", "bob: добрый день, 日本 🎈")
    telnet.see("bob: добрый день, 日本 🎈\r\n")


def test_ctrl_c_in_telnet_does_not_deafen_the_user(daemon: Daemon, telnet: Terminal) -> None:
    """Telnet shows nothing after it until the server has answered; lines and UTF-8 work as before, again and again."""
    bob = daemon.person("bob", "lobby")
    enter(telnet)
    bob.expect("al has joined the room.")
    for word in ("eins", "zwölf 🎉"):
        telnet.type(CTRL_C)
        telnet.type(f"{word}\n")
        bob.expect(f"al: {word}")
        telnet.see(f"al: {word}\r\n")
        bob.ask(f"für {word}", f"bob: für {word}")
        telnet.see(f"bob: für {word}\r\n")


def test_telnet_ends_when_the_user_quits(daemon: Daemon, telnet: Terminal) -> None:
    """By the server's closing; the room is told."""
    bob = daemon.person("bob", "lobby")
    enter(telnet)
    bob.expect("al has joined the room.")
    telnet.type("/quit\n")
    telnet.see("Goodbye!\r\n")
    assert "Connection closed by foreign host." in telnet.see_the_end()
    bob.expect("al has disconnected.")


def test_telnet_shows_no_bytes_of_its_protocol(daemon: Daemon, telnet: Terminal) -> None:
    """Negotiation is between it and the server; the user sees lines."""
    enter(telnet)
    telnet.type(CTRL_C)
    telnet.type("/hello\n")
    shown = telnet.see("Hello, al!\r\n")
    assert re.fullmatch(r"(\^C)?/hello\r\nHello, al!\r\n", shown), shown


def test_nc_in_a_pipe_says_its_lines_hears_the_answers_and_ends(daemon: Daemon) -> None:
    """The last line has no end, and nc closes its half before any answer has come: nothing is lost on either side."""
    command = [needs("nc"), "-N", "127.0.0.1", str(daemon.port)]
    said = b"/name al\n/join x\nhello"
    result = subprocess.run(command, input=said, capture_output=True, timeout=DEADLINE)
    assert (result.returncode, result.stderr) == (0, b"")
    lines = result.stdout.decode().split("\r\n")
    assert re.fullmatch(r"Welcome to chatroom\. You are guest-\w{4}\.", lines[0])
    assert all(word in lines[1] for word in ("/name", "/join", "/help"))
    assert lines[2:] == ["You are now al.", "Welcome to room x!", "Current users: al", "al: hello", ""]


def test_nc_that_says_nothing_is_greeted_and_ends(daemon: Daemon) -> None:
    """As with ``nc -N … </dev/null``, to see whether somebody is there."""
    command = [needs("nc"), "-N", "127.0.0.1", str(daemon.port)]
    result = subprocess.run(command, input=b"", capture_output=True, timeout=DEADLINE)
    assert (result.returncode, result.stderr) == (0, b"")
    assert re.match(rb"Welcome to chatroom\. You are guest-\w{4}\.\r\n", result.stdout)
