"""The operators' console as an operator comes to it: by Debian's ssh, in a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, needs, run_twistd

MANHOLE = r"manhole listening on \S+ port (\d+), host key (SHA256:\S+)"
_ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


class Operator:
    """Somebody with a key, and a daemon whose console it opens."""

    def __init__(self, folder: Path) -> None:
        self.ssh, self.keygen = needs("ssh"), needs("ssh-keygen")
        self.folder = folder
        for name in ("right", "wrong"):
            command = [self.keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True, timeout=DEADLINE)
        self.options = ("--manhole", "0", "--manhole-keys", str(folder / "right.pub"))

    def command(self, daemon: Daemon, key: str, *more: str) -> list[str]:
        """Return the command that logs in."""
        known = str(self.folder / "known_hosts")
        options = ["StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={known}", "IdentitiesOnly=yes"]
        port = daemon.log.wait_for(MANHOLE)[1]
        command = [self.ssh, "-F", "/dev/null", "-p", port, "-i", str(self.folder / key), *more[:-1]]
        for option in options:
            command += ["-o", option]
        return [*command, "olga@127.0.0.1", *filter(None, more[-1:])]

    def run(self, daemon: Daemon, key: str, *more: str, script: str = "") -> subprocess.CompletedProcess[str]:
        """Log in without a terminal; the last of ``more`` is a line to run there."""
        return subprocess.run(
            self.command(daemon, key, *more), input=script, capture_output=True, text=True, timeout=DEADLINE
        )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


class Screen:
    """What an operator at a terminal types and sees."""

    def __init__(self, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def until(self, wanted: str) -> str:
        """Return what is seen before it, without colours."""
        while wanted not in _ESCAPES.sub("", self.text):
            assert select.select([self._master], [], [], DEADLINE)[0], f"{wanted!r} is not in {self.text!r}"
            self.text += os.read(self._master, 65536).decode()
        seen, _, self.text = _ESCAPES.sub("", self.text).partition(wanted)
        return seen

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def ask(self, line: str) -> list[str]:
        """Type a line and Enter; return what is shown up to the next prompt."""
        self.type(f"{line}\r")
        self.until(f"{line}\r\n")
        return self.until("chatroom> ").split("\r\n")[:-1]

    def status(self) -> int:
        """Return how ssh ends, having read what it says up to then."""
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self.text += data.decode()
        return self._process.wait(DEADLINE)

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)


@pytest.fixture
def screens() -> Iterator[list[Screen]]:
    """Those that are to be closed at the end."""
    opened: list[Screen] = []
    yield opened
    for screen in opened:
        screen.close()


def test_an_operator_at_a_terminal(tmp_path: Path, operator: Operator, screens: list[Screen]) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        daemon.person("pam", "lobby")
        screen = Screen(operator.command(daemon, "right", "-t", ""))
        screens.append(screen)
        screen.until("chatroom> ")
        table = screen.ask("users()")
        assert re.match(r"pam +- +lobby +127\.0\.0\.1 +text", table[-2])
        assert table[-1] == "1 user."
        assert screen.ask("foo") == ["Error: name 'foo' is not defined"]
        screen.type("add_account('bob')\r")
        screen.until("Password for bob: ")
        screen.type("secret\r")
        screen.until("The same again: ")
        screen.type("secret\r")
        screen.until("chatroom> ")
        screen.type("\x04")
        assert screen.status() == 0
        daemon.log.wait_for("olga from 127.0.0.1 has left")
    assert re.search(r"olga from 127\.0\.0\.1 has logged in with the key SHA256:", daemon.log.text)
    assert "typed: users()" in daemon.log.text
    assert "secret" not in daemon.log.text


def test_only_the_right_key_opens_it(tmp_path: Path, operator: Operator) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        assert operator.run(daemon, "right", "1+1").stdout == "2\n"
        for more in (["users()"], ["-o", "PreferredAuthentications=password", "users()"]):
            refused = operator.run(daemon, "wrong", *more)
            assert refused.returncode == 255
            assert "Permission denied (publickey)." in refused.stderr
        # Nobody is asked to unlock or to touch a key that opens nothing.
        assert "Server accepts key" not in operator.run(daemon, "wrong", "-v", "1").stderr
        assert "Server accepts key" in operator.run(daemon, "right", "-v", "1").stderr
        daemon.log.wait_for("somebody from 127.0.0.1 was refused as olga with the key SHA256:")


def test_keys_are_read_anew_at_each_login(tmp_path: Path, operator: Operator) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        (tmp_path / "wrong.pub").replace(tmp_path / "right.pub")
        assert operator.run(daemon, "wrong", "1+1").stdout == "2\n"
        assert operator.run(daemon, "right", "1+1").returncode == 255


def test_scripts(tmp_path: Path, operator: Operator) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        failed = operator.run(daemon, "right", "foo")
        assert (failed.returncode, failed.stdout, failed.stderr.splitlines()[-1]) == (
            1,
            "",
            "Error: name 'foo' is not defined",
        )
        script = "for n in (1, 2):\n    n\n\nfoo\n3\n"
        piped = operator.run(daemon, "right", "-T", "", script=script)
        assert (piped.returncode, piped.stdout) == (1, "1\n2\n")


@pytest.mark.parametrize("more", [["-s", "sftp"], ["-W", "127.0.0.1:1", ""]])
def test_there_is_nothing_but_the_console(tmp_path: Path, operator: Operator, more: list[str]) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        assert operator.run(daemon, "right", *more).returncode != 0
        assert operator.run(daemon, "right", "1").stdout == "1\n"


def test_four_consoles_at_a_time(tmp_path: Path, operator: Operator, screens: list[Screen]) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        for _ in range(4):
            screens.append(Screen(operator.command(daemon, "right", "-t", "")))
            screens[-1].until("chatroom> ")
        assert "4 consoles are open already; close one of them" in operator.run(daemon, "right", "1").stderr
        screens[0].type("\x04")
        assert screens[0].status() == 0
        daemon.log.wait_for("has left")
        assert operator.run(daemon, "right", "1").stdout == "1\n"


def test_the_host_key_lasts_and_consoles_end_with_the_daemon(
    tmp_path: Path, operator: Operator, screens: list[Screen]
) -> None:
    fingerprints = []
    for _ in range(2):
        with Daemon(tmp_path, *operator.options) as daemon:
            fingerprints.append(daemon.log.wait_for(MANHOLE)[2])
            screens.append(Screen(operator.command(daemon, "right", "-t", "")))
            screens[-1].until("chatroom> ")
        assert screens[-1].status() == 255
        assert "the server is shutting down" in screens[-1].text
    assert fingerprints[0] == fingerprints[1]
    assert (daemon.data / "manhole_host_key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_ssh_does_no_harm(tmp_path: Path, operator: Operator) -> None:
    with Daemon(tmp_path, *operator.options) as daemon:
        port = int(daemon.log.wait_for(MANHOLE)[1])
        for sent in (b"SSH-2.0-x\r\n\0\0\0\x0c\x04\x14\xff\xff" + b"\0" * 64, b"\xff" * 10_000):
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as stranger:
                stranger.sendall(sent)
                with contextlib.suppress(ConnectionResetError):
                    while stranger.recv(65536):
                        pass
        assert operator.run(daemon, "right", "1").stdout == "1\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--manhole", "0"], "nobody could log in; say by --manhole-keys FILE"),
        (["--manhole-keys", "right.pub"], "give --manhole PORT"),
        (["--manhole", "::1:22", "--manhole-keys", "right.pub"], r"give PORT, ADDRESS:PORT or \[IPV6-ADDRESS\]:PORT"),
        (["--manhole", "70000", "--manhole-keys", "right.pub"], "a port is at most 65535"),
        (["--manhole", "0", "--manhole-keys", "none"], "none cannot be read: No such file"),
        (["--manhole", "192.0.2.1:0", "--manhole-keys", "right.pub"], "give another --manhole"),
    ],
)
def test_one_sentence_says_what_is_wrong(tmp_path: Path, operator: Operator, options: list[str], words: str) -> None:
    command = ["-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1", "--data", "data", *options]
    ended = run_twistd(tmp_path, *command)
    assert ended.returncode > 0
    assert re.search(rf"^chatroom: .*{words}", ended.stderr, re.MULTILINE), ended.stderr
    assert "Traceback" not in ended.stderr
