"""The real ``chatroom-client`` in pipes against the real daemon."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from blackbox.daemon import DEADLINE, Daemon, Log, ignored
from blackbox.piped import Folder

SECURITY = pytest.mark.parametrize("security", [("--plain",), ()], ids=["plain", "tls"])
NOT_WRITTEN = "chatroom-client: the output can no longer be written; its reader has ended, or the disk is full.\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon."""
    with Daemon(tmp_path) as started:
        yield started


def seen_first(err: str, security: tuple[str, ...]) -> bool:
    """Return whether all that was said on stderr is that the key, if there is one, is seen for the first time."""
    if security:
        return err == ""
    return (
        re.fullmatch(r"chatroom-client: \S+ is seen for the first time; its key SHA256:\S+ is .*\.\n", err) is not None
    )


@SECURITY
def test_what_printf_says_is_said(here: Folder, daemon: Daemon, security: tuple[str, ...]) -> None:
    bob = daemon.person("bob", "x")
    form = r"printf '/join x\nhello\n' | CLIENT"
    status, out, err = here.shell(form, "localhost", daemon.port, "--name", "al", *security)
    assert status == 0
    assert seen_first(err, security)
    assert out.splitlines() == ["Welcome to room x!", "Current users: bob, al", "al: hello"]
    bob.expect("al has joined the room.", "al: hello", "al has disconnected.")
    assert here.shell(form, "localhost", daemon.port, "--name", "al", *security)[2] == ""  # the key is known by now


def test_who_comes_is_told_what_was_said_before_and_a_program_is_not(here: Folder, daemon: Daemon) -> None:
    bob = daemon.person("bob", "x")
    for i in range(12):
        bob.ask(f"line {i}", f"bob: line {i}")
    _, out, _ = here.shell(r"printf '/join x\nhello\n' | CLIENT", "localhost", daemon.port, "--plain", "--name", "al")
    before = [line[19:] for line in out.splitlines() if re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d\] ", line)]
    assert before == [f"bob: line {i}" for i in range(2, 12)]
    assert out.splitlines()[-1] == "al: hello"
    _, out, _ = here.shell(r"printf '/join x\n' | CLIENT --json", "localhost", daemon.port, "--plain", "--name", "al")
    assert "line 11" not in out


@SECURITY
def test_a_file_in_and_a_file_out(here: Folder, daemon: Daemon, security: tuple[str, ...]) -> None:
    words = [f"line {i}" for i in range(500)]
    (here.path / "in").write_text("\r\n".join(["/join x", *words]))  # as from DOS, the last without an end
    status, _, err = here.shell("CLIENT < in > log", "127.0.0.1", daemon.port, "--name", "al", *security)
    assert status == 0
    assert seen_first(err, security)
    assert (here.path / "log").read_text().splitlines()[2:] == [f"al: {word}" for word in words]


@SECURITY
def test_records_for_scripts(here: Folder, daemon: Daemon, security: tuple[str, ...]) -> None:
    options = ("--name", "al", "--room", "x", "--json", *security)
    status, lines, _ = here.run("hello\n//slash\n", "localhost", daemon.port, *options)
    assert status == 0
    records = [json.loads(line) for line in lines]
    assert [record["event"] for record in records] == ["welcome", "entered", "said", "said"]
    assert [record["text"] for record in records[2:]] == ["hello", "/slash"]
    assert "resume" not in records[0]


def test_what_is_refused_tells_in_the_status_and_the_rest_is_done(here: Folder, daemon: Daemon) -> None:
    lines = "hello there\n/join x\n/bogus\n/kick zed\n/register al\n/me waves\n"
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
        == f"chatroom-client: 127.0.0.1:{port} refused the connection; is the server running, and is the port right?\n"
    )


def test_an_unknown_host(here: Folder) -> None:
    status, lines, err = here.run("hello\n", "nobody.invalid", 8888)
    assert (status, lines) == (1, [])
    assert err == "chatroom-client: there is no host named nobody.invalid; check the spelling.\n"


def test_who_has_another_key_is_told_nothing_until_that_is_accepted(here: Folder, tmp_path: Path) -> None:
    for folder in ("one", "another"):
        (tmp_path / folder).mkdir()
    with Daemon(tmp_path / "one") as daemon:
        port = daemon.port
        assert here.run("", "localhost", port)[0] == 0
    with Daemon(tmp_path / "another", "--port", str(port)) as daemon:
        bob = daemon.person("bob", "x")
        status, lines, err = here.run("hello\n", "localhost", port, "--room", "x")
        assert (status, lines) == (1, [])
        assert err.startswith(f"chatroom-client: localhost:{port} has a different key than before, so nothing was sent")
        assert err.endswith(f"accept it with: chatroom-client --accept-new-key localhost {port}.\n")
        assert err.count("\n") == 1
        bob.nothing_more()
        al = ("localhost", port, "--room", "x", "--name", "al")
        status, lines, err = here.run("hello\nand more", "--accept-new-key", *al)
        assert (status, lines[-2:]) == (0, ["al: hello", "al: and more"])
        was, now = err.splitlines()
        assert was.startswith(f"chatroom-client: The key of localhost:{port} was SHA256:")
        assert now.startswith(f"chatroom-client: The key of localhost:{port} is from now on SHA256:")
        bob.expect("al has joined the room.", "al: hello", "al: and more", "al has disconnected.")
        assert here.run("hello\n", *al)[::2] == (0, "")
        bob.expect("al has joined the room.", "al: hello", "al has disconnected.")


def test_what_was_piped_is_not_said_when_no_key_can_be_accepted(here: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    status, lines, err = here.run("hello\n", "--accept-new-key", "127.0.0.1", port)
    assert (status, lines) == (1, [])
    assert err == (
        f"chatroom-client: 127.0.0.1:{port} refused the connection; is the server running, and is the port right?\n"
    )


def test_who_was_spoken_to_by_tls_is_not_spoken_to_in_plain_text(here: Folder, daemon: Daemon) -> None:
    assert here.run("", "localhost", daemon.port)[0] == 0
    status, lines, err = here.run("hello\n", "localhost", daemon.port, "--plain")
    assert (status, lines) == (1, [])
    assert err.startswith(f"chatroom-client: localhost:{daemon.port} was reached by TLS before, so it is not spoken to")
    assert err.count("\n") == 1
    status, lines, err = here.run("hello\n", "localhost", daemon.port, "--plain", "--accept-new-key")
    assert (status, lines) == (1, [])
    key, why = err.splitlines()
    assert key.startswith(f"chatroom-client: The key of localhost:{daemon.port} is ")
    assert why.startswith(f"chatroom-client: localhost:{daemon.port} was reached by TLS before, so it is not spoken to")


@pytest.mark.parametrize(
    ("security", "why"),
    [
        (("--plain",), "is not a chatroom server, or does not take records; it sent: SSH-2.0-OpenSSH_9.2"),
        ((), "answered, but not with TLS, so nothing was sent to it; is the port right? It sent: SSH-2.0-OpenSSH_9.2"),
    ],
    ids=["plain", "tls"],
)
def test_a_server_that_is_no_chatroom(here: Folder, security: tuple[str, ...], why: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        client = here.start("127.0.0.1", port, *security)
        other.settimeout(DEADLINE)
        connection, _ = other.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            assert client.wait(DEADLINE) == 1
    assert client.stderr.read().decode() == f"chatroom-client: 127.0.0.1:{port} {why}.\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "say which server"),
        (("localhost", "99999"), "99999 is no port"),
        (("localhost", "--config", "none"), "none cannot be read"),
        (("localhost", "--patience", "-1"), "-1 is not a number of seconds; 0 means forever"),
        (("localhost", "--patience", "nan"), "nan is not a number of seconds; 0 means forever"),
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


def test_a_guest_is_the_same_the_next_time_and_nobody_else_is(here: Folder, daemon: Daemon, tmp_path: Path) -> None:
    """The rights in its room, its private messages and its name are still there; those at once are two."""
    al = ("localhost", daemon.port, "--plain")
    assert here.run("/create den\n/topic first\n", *al, "--name", "al")[0] == 0
    bob = daemon.person("bob", "den")
    bob.ask("/msg al are you there?", "al is offline and not registered; whoever takes that name next will read this.")
    status, out, _ = here.run("/join den\n/topic second\n", *al)
    assert status == 0
    assert any(line.endswith("bob (private): are you there?") for line in out)
    bob.expect("al has joined the room.", "al set the topic: second", "al has disconnected.")
    (tmp_path / "other").mkdir()
    other = Folder(tmp_path / "other")
    status, _, err = other.run("/join den\n/topic third\n", *al, "--name", "al")
    assert (status, "moderator" in err) == (1, True)
    # What went over the line in plain text, anybody may have read: it is worth nothing by TLS.
    status, _, err = here.run("/join den\n/topic fourth\n", "localhost", daemon.port, "--name", "al2")
    assert (status, "moderator" in err) == (1, True)


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
    assert client.stderr.read() == NOT_WRITTEN.encode()


@pytest.mark.parametrize("form", ["CLIENT < stays | head -1", "CLIENT < stays > /dev/full"])
def test_output_that_is_not_taken_ends_it(here: Folder, daemon: Daemon, form: str) -> None:
    os.mkfifo(here.path / "stays")
    with open(here.path / "stays", "r+b", buffering=0):  # an input without an end
        status, _, err = here.shell(form, "localhost", daemon.port, "--plain", "--room", "x")
    assert (status, err) == (1, NOT_WRITTEN)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("CLIENT <&-", "stdin is closed; give it /dev/null if nothing is to be said"),
        ("echo a | CLIENT >&-", "stdout is closed; give it /dev/null if nothing is to be shown"),
        ("CLIENT <&- >&-", "stdin is closed; give it /dev/null if nothing is to be said"),
    ],
)
def test_what_is_closed_is_said_and_nothing_else_done(here: Folder, daemon: Daemon, form: str, why: str) -> None:
    bob = daemon.person("bob", "x")
    status, out, err = here.shell(form, "localhost", daemon.port, "--plain", "--room", "x")
    assert (status, out, err) == (1, "", f"chatroom-client: {why}.\n")
    bob.nothing_more()


def test_what_is_said_on_stderr_is_not_shown_elsewhere(here: Folder, daemon: Daemon) -> None:
    form = r"printf '/bogus\na\n' | CLIENT 2>&-"
    status, out, _ = here.shell(form, "localhost", daemon.port, "--plain", "--room", "x", "--name", "al")
    assert status == 1
    assert out.splitlines() == ["Welcome to room x!", "Current users: al", "al: a"]


def test_a_terminal_at_one_end_alone_is_a_pipe(here: Folder, daemon: Daemon) -> None:
    ours, theirs = os.openpty()
    options = ("localhost", daemon.port, "--plain", "--name", "al")
    os.write(ours, b"typed\n\x04")  # ^D ends the input
    client = here.start(*options, "--room", "x", stdin=theirs)
    out, err = client.communicate(timeout=DEADLINE)
    assert (client.returncode, err) == (0, b"")
    assert out.decode().splitlines() == ["Welcome to room x!", "Current users: al", "al: typed"]
    assert os.get_blocking(theirs)  # whoever reads there next waits
    client = here.start(*options, "--room", "y", stdout=theirs)
    client.communicate(b"piped\n", DEADLINE)
    assert client.returncode == 0
    assert os.read(ours, 4096).endswith(b"Welcome to room y!\r\nCurrent users: al\r\nal: piped\r\n")
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(("terminal", "more", "welcome"), [("dumb", (), "Welcome to"), ("xterm", ("--json",), '{"ev')])
def test_a_terminal_that_cannot_draw_or_need_not_is_a_pipe(
    here: Folder, daemon: Daemon, terminal: str, more: tuple[str, ...], welcome: str
) -> None:
    bob = daemon.person("bob", "x")
    ours, theirs = os.openpty()
    options = ("localhost", daemon.port, "--plain", "--room", "x", "--name", "al", *more)
    os.write(ours, b"typed\n\x04")
    client = here.start(*options, stdin=theirs, stdout=theirs, terminal=terminal)
    assert client.wait(DEADLINE) == 0
    bob.expect("al has joined the room.", "al: typed", "al has disconnected.")
    shown = os.read(ours, 4096)
    assert shown.splitlines()[1].decode().startswith(welcome)
    assert b"\x1b" not in shown
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_well(here: Folder, daemon: Daemon, number: signal.Signals) -> None:
    bob = daemon.person("bob", "x")
    client = here.start("localhost", daemon.port, "--plain", "--room", "x", "--name", "al")
    bob.expect("al has joined the room.")
    client.send_signal(number)
    assert client.wait(DEADLINE) == 128 + number
    bob.expect("al has disconnected.")
    assert client.stderr.read() == b""


def test_in_the_background_of_a_script_it_does_not_end_by_the_scripts_ctrl_c(here: Folder, daemon: Daemon) -> None:
    bob = daemon.person("bob", "x")
    with ignored(signal.SIGINT):
        client = here.start("localhost", daemon.port, "--plain", "--room", "x", "--name", "al")
    bob.expect("al has joined the room.")
    client.send_signal(signal.SIGINT)
    client.stdin.write(b"still here\n")
    client.stdin.close()
    bob.expect("al: still here", "al has disconnected.")
    assert client.wait(DEADLINE) == 0


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
    assert "trying to connect again" in client.stderr.read().decode()


def test_in_three_rooms_a_crash_of_the_daemon_loses_and_doubles_nothing(here: Folder, tmp_path: Path) -> None:
    rooms = ["x", "y", "z"]
    words = [(rooms[i % 3], f"word {i}") for i in range(150)]
    lines = [line for room, word in words for line in (f"/window {room}", word)]
    with Daemon(tmp_path) as daemon:
        port = daemon.port
        named = [argument for room in rooms for argument in ("--room", room)]
        client = here.start("127.0.0.1", port, "--plain", *named, "--name", "al")
        out = Log(client.stdout, tmp_path / "out")
        feed(client.stdin, lines[:150])
        out.wait_for(r"\[\w\] al: word 50$")
        daemon.kill()
    feed(client.stdin, lines[150:])
    client.stdin.close()
    with Daemon(tmp_path, "--port", str(port)) as daemon:
        assert client.wait(DEADLINE) == 0
        out.finish()
        for room in rooms:
            said = [f"al: {word}" for there, word in words if there == room]
            assert [line for line in out.lines if line.startswith(f"[{room}] al: ")] == [
                f"[{room}] {it}" for it in said
            ]
            assert history(daemon, room) == said
    assert "trying to connect again" in client.stderr.read().decode()


def test_patience_has_the_end_that_was_asked_for(here: Folder, daemon: Daemon) -> None:
    options = ("--plain", "--room", "x", "--name", "al", "--patience", "0.1")
    client = here.start("localhost", daemon.port, *options)
    assert client.stdout.readline() == b"Welcome to room x!\n"
    daemon.kill()
    assert client.wait(DEADLINE) == 1
    lost, given_up = client.stderr.read().decode().splitlines()
    assert lost.endswith("; trying to connect again.")
    assert given_up.startswith("chatroom-client: could not connect again: ")


def history(daemon: Daemon, room: str = "x") -> list[str]:
    """Return all that was said in the room, as the daemon has it."""
    program = daemon.program(f"reader-{room}")
    program.record(do="join", room=room, after=0)
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
