"""The real ``chatroom-client`` in pipes against the real daemon."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from blackbox.daemon import DEADLINE, Daemon, Log, environment

COMMAND = [sys.executable, "-m", "chatroom.client.main"]


class Folder:
    """Where clients run: they keep what they remember in it.

    Args:
        path: The test's folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: object, stdin: Any = subprocess.PIPE, stdout: Any = subprocess.PIPE) -> Any:
        """Start a client."""
        client = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.path,
            env=environment({"XDG_STATE_HOME": f"{self.path}/state", "XDG_CONFIG_HOME": f"{self.path}/config"}),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self._started.append(client)
        return client

    def run(self, text: str, *arguments: object) -> tuple[int, list[str], str]:
        """Give a client all its input; return its exit status, its lines and what it says on stderr."""
        client = self.start(*arguments)
        out, err = client.communicate(text.encode(), DEADLINE)
        return client.returncode, out.decode().splitlines(), err.decode()

    def close(self) -> None:
        """End what a failed test has left."""
        for client in self._started:
            if client.poll() is None:
                client.kill()
            client.wait()
            for stream in (client.stdin, client.stdout, client.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Folder]:
    """Where clients run."""
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon."""
    with Daemon(tmp_path) as started:
        yield started


def test_what_printf_says_is_said(here: Folder, daemon: Daemon) -> None:
    bob = daemon.person("bob", "x")
    status, lines, err = here.run("/join x\nhello\n", "localhost", daemon.port, "--plain", "--name", "al")
    assert (status, err) == (0, "")
    assert lines == ["Welcome to room x!", "Current users: bob, al", "al: hello"]
    bob.expect("al has joined the room.", "al: hello", "al has disconnected.")


def test_a_file_in_and_a_file_out(here: Folder, daemon: Daemon) -> None:
    words = [f"line {i}" for i in range(500)]
    (here.path / "in").write_text("\r\n".join(["/join x", *words]))  # as from DOS, the last without an end
    with open(here.path / "in", "rb") as stdin, open(here.path / "log", "wb") as stdout:
        client = here.start("127.0.0.1", daemon.port, "--plain", "--name", "al", stdin=stdin, stdout=stdout)
        _, err = client.communicate(timeout=DEADLINE)
    assert (client.returncode, err) == (0, b"")
    assert (here.path / "log").read_text().splitlines()[2:] == [f"al: {word}" for word in words]


def test_records_for_scripts(here: Folder, daemon: Daemon) -> None:
    options = ("--plain", "--name", "al", "--room", "x", "--json")
    status, lines, _ = here.run("hello\n//slash\n", "localhost", daemon.port, *options)
    assert status == 0
    records = [json.loads(line) for line in lines]
    assert [record["event"] for record in records] == ["welcome", "entered", "said", "said"]
    assert [record["text"] for record in records[2:]] == ["hello", "/slash"]
    assert "resume" not in records[0]


def test_what_is_refused_tells_in_the_status_and_the_rest_is_done(here: Folder, daemon: Daemon) -> None:
    lines = "hello\n/join x\n/bogus\n/kick zed\n/register al\n/me waves\n"
    status, heard, err = here.run(lines, "localhost", daemon.port, "--plain", "--name", "al")
    assert status == 1
    assert heard[-1] == "* al waves"
    assert sorted(err.splitlines()) == [
        "chatroom-client: no user named zed; see /who.",
        "chatroom-client: unknown command /bogus; type /help.",
        "chatroom-client: usage: /register <user> <password>.",
        "chatroom-client: you are not in a room; join one with /join <room>.",
    ]


def test_a_name_that_is_taken_ends_it(here: Folder, daemon: Daemon) -> None:
    bob = daemon.person("bob", "x")
    status, _, err = here.run("/join x\nhello\n", "localhost", daemon.port, "--plain", "--name", "bob")
    assert status == 1
    assert err == "chatroom-client: username is already used; choose another with /name <name>.\n"
    bob.nothing_more()


def test_nobody_there(here: Folder, daemon: Daemon) -> None:
    port = daemon.port
    daemon.stop()
    status, lines, err = here.run("hello\n", "127.0.0.1", port, "--plain")
    assert (status, lines) == (1, [])
    assert (
        err
        == f"chatroom-client: 127.0.0.1:{port} refused the connection; is the server running, and is this its port?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "say which server"),
        (("localhost", "99999"), "99999 is no port"),
        (("localhost", "--config", "none"), "none cannot be read"),
    ],
)
def test_a_wrong_command_line(here: Folder, arguments: tuple[str, ...], why: str) -> None:
    status, _, err = here.run("", *arguments)
    assert status == 2
    assert why in err


def test_the_config_file_says_where_to_go(here: Folder, daemon: Daemon) -> None:
    (here.path / "config" / "chatroom").mkdir(parents=True)
    file = here.path / "config" / "chatroom" / "client.toml"
    file.write_text(f'server = "localhost:{daemon.port}"\nname = "al"\nroom = "x"\n')
    assert here.run("hello\n", "--plain")[:2] == (0, ["Welcome to room x!", "Current users: al", "al: hello"])
    file.write_text('server = "localhost\n')
    status, _, err = here.run("hello\n", "--plain")
    assert (status, err[:60]) == (2, f"chatroom-client: {file}, line 1: "[:60])


def test_a_login_is_remembered_until_logging_out(here: Folder, daemon: Daemon) -> None:
    options = ("localhost", daemon.port, "--plain", "--name", "alice")
    assert here.run("/register alice a-good-password\n/logout\n/login alice a-good-password\n", *options)[0] == 0
    (tokens,) = (here.path / "state" / "chatroom").glob("tokens*")
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert "a-good-password" not in tokens.read_text()
    status, lines, err = here.run("/account\n/sessions\n/logout\n", *options)
    assert (status, err) == (0, "")
    assert lines.count("You are logged in as alice.") == 1 + 1  # by itself, and when asked
    assert any("chatroom-client on " in line for line in lines)
    assert here.run("/account\n", *options)[0] == 1  # a guest cannot have the name


def test_output_that_nobody_reads_ends_it(here: Folder, daemon: Daemon) -> None:
    client = here.start("localhost", daemon.port, "--plain", "--room", "x")
    assert client.stdout.readline() == b"Welcome to room x!\n"
    client.stdout.close()
    daemon.person("bob", "x").say("hello")
    assert client.wait(DEADLINE) == 1
    assert client.stderr.read() == b"chatroom-client: nobody reads the output any more.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_well(here: Folder, daemon: Daemon, number: signal.Signals) -> None:
    bob = daemon.person("bob", "x")
    client = here.start("localhost", daemon.port, "--plain", "--room", "x", "--name", "al")
    bob.expect("al has joined the room.")
    client.send_signal(number)
    assert client.wait(DEADLINE) == 128 + number
    bob.expect("al has disconnected.")
    assert client.stderr.read() == b""


def test_a_crash_of_the_daemon_loses_and_doubles_nothing(here: Folder, tmp_path: Path) -> None:
    words = [f"word {i}" for i in range(300)]
    with Daemon(tmp_path) as daemon:
        port = daemon.port
        client = here.start("127.0.0.1", port, "--plain", "--room", "x", "--name", "al")
        out = Log(client.stdout, tmp_path / "out")
        feed(client.stdin, words[:150])
        out.wait_for("al: word 100$")
        daemon.kill()
    feed(client.stdin, words[150:])
    client.stdin.close()
    with Daemon(tmp_path, "--port", str(port)) as daemon:
        assert client.wait(DEADLINE) == 0
        out.finish()
        said = [line for line in out.lines if line.startswith("al: ")]
        assert said == [f"al: {word}" for word in words]
        assert history(daemon) == said
    assert "trying to come back" in client.stderr.read().decode()


def history(daemon: Daemon) -> list[str]:
    """Return all that was said in the room, as the daemon has it."""
    program = daemon.program("reader")
    program.record(do="join", room="x", after=0)
    program.record(do="pong", ref="all")
    heard: list[str] = []
    while (record := program.event()).get("re") != "all":
        if record["event"] == "said":
            heard.append(f"{record['by']}: {record['text']}")
    return heard


def feed(stdin: IO[bytes], words: list[str]) -> None:
    """Write lines."""
    stdin.write("".join(f"{word}\n" for word in words).encode())
    stdin.flush()
