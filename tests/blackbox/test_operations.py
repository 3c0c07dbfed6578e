"""What an operator does with the real daemon and sees of it: options, files, signals, the log, strangers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from blackbox.daemon import BOUND, DEADLINE, Daemon, Peer, run_twistd

SHUTDOWN = "The server is shutting down."

OPTIONS = (
    "port interface data name motd message-format replay rate per-address sendq max-users keep keep-days metrics"
    " config log-level ephemeral check-config manhole manhole-keys accounts sessions no-announce auth"
)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def refusal(folder: Path, *options: str) -> str:
    """Return the one sentence with which the daemon refuses to start, having started nothing.

    Args:
        folder: Where it runs, and its HOME.
        options: What it is given; it listens on any port of 127.0.0.1 unless they say otherwise.
    """
    command = ["-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1", *options]
    result = run_twistd(folder, *command, HOME=str(folder))
    said = result.stdout + result.stderr
    assert result.returncode > 0, said
    assert "Traceback" not in said
    assert "listening on" not in said
    sentences = re.findall(r"^(?:.*#error\] )?(chatroom: .*)$", said, re.MULTILINE)
    assert len(sentences) == 1, said
    sentence: str = sentences[0]
    return sentence


def twistd(folder: Path, *arguments: str) -> str:
    """Return what twistd says that is asked something and ends well."""
    result = run_twistd(folder, *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


# ---- what it says of itself ----------------------------------------------------------------------------------------


def test_twistd_lists_chatroom(tmp_path: Path) -> None:
    """A plugin that fails to import would just be missing."""
    assert re.search(r"^ +chatroom +A chat server", twistd(tmp_path, "--help"), re.MULTILINE)


def test_help_names_every_option(tmp_path: Path) -> None:
    """With what it does."""
    said = twistd(tmp_path, "chatroom", "--help")
    for option in OPTIONS.split():
        assert re.search(rf"--{option}=? +\w", said), option


# ---- wrong options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "x"),
        ("--port", "70000"),
        ("--rate", "-1"),
        ("--log-level", "loud"),
        ("--metrics", "::1:9100"),
        ("--metrics", "127.0.0.1:http"),
        ("--name", "two\nlines"),
        ("--motd", "/nonexistent"),
        ("--message-format", "{who}"),
        ("--message-format", "{user}"),
        ("--config", "/nonexistent"),
        ("--colour", "red"),
        ("--check-config", "--port", "70000"),
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_named_and_nothing_starts(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Nothing at all: not even the folder for the data is made."""
    named = next(option for option in options if option != "--check-config")
    assert named in refusal(tmp_path, "--data", "data", *options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 'red'", "colour"),
        ("port = 'x'", "port"),
        ("rate = -1", "rate"),
        ("message-format = '{who}'", "message-format"),
        ("motd = '/nonexistent'", "motd"),
        ("replay = 5\nname = oops\n", "line 2"),
        ("[chatroom]\nport = 1", "chatroom"),
    ],
)
def test_a_wrong_config_file_is_explained_and_nothing_starts(tmp_path: Path, text: str, named: str) -> None:
    """By its key, or by the line where it cannot be read."""
    config = tmp_path / "chatroom.toml"
    config.write_text(text)
    sentence = refusal(tmp_path, "--data", "data", "--config", str(config))
    assert named in sentence
    assert list(tmp_path.iterdir()) == [config]


def test_check_config_says_what_holds_and_starts_nothing(tmp_path: Path) -> None:
    """What is given on the command line wins over the file, a zero included; what neither says has its default."""
    config = tmp_path / "chatroom.toml"
    config.write_text("name = 'filed'\nmax-users = 5\nreplay = 3\n")
    options = ["--config", str(config), "--name", "flagged", "--max-users", "0", "--data", str(tmp_path / "data")]
    said = json.loads(twistd(tmp_path, "-n", "--pidfile=", "chatroom", "--check-config", *options))
    wanted = {"name": "flagged", "max-users": 0, "replay": 3, "port": 8888, "rate": 2.0}
    assert {key: said[key] for key in wanted} == wanted
    assert list(tmp_path.iterdir()) == [config]


def test_what_is_given_on_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    """And what is not given there is taken from the file."""
    config = tmp_path / "chatroom.toml"
    config.write_text("name = 'filed'\nmessage-format = '<{user}> {text}'\n")
    with Daemon(tmp_path, "--config", str(config), "--name", "flagged") as daemon:
        al = daemon.connect()
        al.greeted("flagged")
        al.ask("/join lobby", "Welcome to room lobby!", f"Current users: {al.name}")
        al.ask("hi", f"<{al.name}> hi")


# ---- options that change what is said ------------------------------------------------------------------------------


def test_the_server_greets_by_its_name_and_with_the_operators_words(tmp_path: Path) -> None:
    """Programs are told the name as well; what would act on a terminal is taken out of the words."""
    motd = tmp_path / "motd"
    motd.write_text("Rules:\n\nbe kind \x1b[31m🎉\n")
    with Daemon(tmp_path, "--name", "Café Zürich", "--motd", str(motd)) as daemon:
        al = daemon.connect()
        lines = al.greeted("Café Zürich")
        assert lines[:-1] == ["Rules:", "", "be kind 🎉"]
        al.nothing_more()
        pam = daemon.connect()
        pam.record(do="hello", version=1)
        pam.event(event="welcome", server="Café Zürich")
        pam.no_more_events()


def test_the_operator_decides_how_a_message_reads(tmp_path: Path) -> None:
    """In the history, too; braces in a message are only braces; programs see no difference."""
    with Daemon(tmp_path, "--message-format", "{user} (in {room}): {text}") as daemon:
        al, pam = daemon.person("al", "lobby"), daemon.program("pam", "lobby")
        al.expect("pam has joined the room.")
        al.ask("{user} {0}", "al (in lobby): {user} {0}")
        pam.event(event="said", by="al", room="lobby", text="{user} {0}")
        al.ask("/me waves", "* al waves")
        al.say("/history")
        al.expect_dated("al (in lobby): {user} {0}", "* al waves")


@pytest.mark.parametrize("number", [0, 2])
def test_the_operator_decides_how_much_is_replayed(tmp_path: Path, number: int) -> None:
    """Whoever joins may still ask for more or less."""
    texts = ["one", "two", "three"]
    with Daemon(tmp_path, "--replay", str(number)) as daemon:
        al, bob = daemon.person("al", "lobby"), daemon.person("bob")
        for text in texts:
            al.ask(text, f"al: {text}")
        for line, wanted in (("/join lobby", number), ("/join lobby 3", 3), ("/join lobby 1", 1)):
            bob.ask(line, "Welcome to room lobby!", "Current users: al, bob")
            bob.expect_dated(*(f"al: {text}" for text in texts[3 - wanted :]))
            bob.ask("/leave", "You have left room lobby.")


def test_the_chat_can_be_full(tmp_path: Path) -> None:
    """A person and a program are told so, each in its own way, and closed; who goes makes room."""
    with Daemon(tmp_path, "--max-users", "2") as daemon:
        al, bob = daemon.person("al", "lobby"), daemon.program("bob", "lobby")
        al.expect("bob has joined the room.")
        person = daemon.connect()
        person.expect("Error: the chat is full (max users 2).")
        person.eof()
        program = daemon.connect()
        program.record(do="hello", version=1)
        program.event(event="error", code="chat-full", text="the chat is full (max users 2).")
        program.eof()
        al.nothing_more()
        bob.close()
        al.expect("bob has disconnected.")
        daemon.person("carl", "lobby").nothing_more()


# ---- where it keeps what lasts -------------------------------------------------------------------------------------


def test_ephemeral_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    """Neither where it would be by default nor where it runs; and all is forgotten."""
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    run.mkdir()
    places = {"HOME": str(home), "XDG_STATE_HOME": str(home), "STATE_DIRECTORY": str(home)}
    with Daemon(run, "--ephemeral", keep=False, **places) as daemon:
        al = daemon.person("al", "lobby")
        al.ask("hi", "al: hi")
        al.say("/history")
        al.expect_dated("al: hi")
        assert daemon.stop() == 0
    assert list(home.iterdir()) == []
    assert list(run.iterdir()) == [daemon.log.path]


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ({"STATE_DIRECTORY": "state"}, "state"),
        ({"STATE_DIRECTORY": "state:/nonexistent", "XDG_STATE_HOME": "xdg"}, "state"),
        ({"XDG_STATE_HOME": "xdg"}, "xdg/chatroom"),
        ({}, ".local/state/chatroom"),
    ],
)
def test_the_data_is_where_the_system_wants_it(tmp_path: Path, places: dict[str, str], where: str) -> None:
    """systemd's folder first (the first of several), then the user's; the log says where that is."""
    changes = {key: str(tmp_path / value) for key, value in places.items()}
    with Daemon(tmp_path, keep=False, HOME=str(tmp_path), **changes) as daemon:
        assert str(tmp_path / where) in daemon.log.wait_for("data in .*")[0]
        daemon.person("al").nothing_more()
        assert (tmp_path / where / "chat.db").is_file()
        made = [path for path in tmp_path.iterdir() if path != daemon.log.path]
        assert made == [tmp_path / Path(where).parts[0]]


@pytest.mark.parametrize("mode", [None, 0o755])
def test_what_lasts_can_be_read_by_its_owner_alone(tmp_path: Path, mode: int | None) -> None:
    """There are private messages in it. A folder that was there may be open to all, as systemd's is by default."""
    data = tmp_path / "data"
    if mode is not None:
        data.mkdir()
        data.chmod(mode)
    with Daemon(tmp_path) as daemon:
        daemon.person("al", "lobby").ask("hi", "al: hi")
        closed = data.stat().st_mode & 0o077 == 0
        files = {path.name: oct(path.stat().st_mode & 0o777) for path in data.iterdir()}
    assert closed or set(files.values()) == {"0o600"}, files


def test_history_search_and_rooms_survive_a_restart(tmp_path: Path) -> None:
    """With who said it, and in the same order; a room that nobody is in is there as well."""
    with Daemon(tmp_path) as daemon:
        al = daemon.person("al", "den")
        al.ask("/join lobby", "You have left room den.", "Welcome to room lobby!", "Current users: al")
        for text in ("the first grüße 🎉", "the second"):
            al.ask(text, f"al: {text}")
        assert daemon.stop() == 0
    with Daemon(tmp_path) as daemon:
        bob = daemon.person("bob")
        bob.ask("/rooms", "Rooms (2):", "  den  0 users", "  lobby  0 users")
        bob.ask("/create lobby", "Error: room lobby already exists; join it with /join lobby.")
        bob.ask("/join lobby", "Welcome to room lobby!", "Current users: bob")
        bob.expect_dated("al: the first grüße 🎉", "al: the second")
        bob.say("/history 1")
        bob.expect_dated("al: the second")
        bob.ask("/search grüße", "1 message found:")
        bob.expect_dated("al: the first grüße 🎉")


def test_a_second_daemon_on_the_same_folder_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    """And the first one does not notice."""
    al = daemon.person("al", "lobby")
    sentence = refusal(tmp_path, "--data", str(daemon.data))
    assert str(daemon.data) in sentence
    assert "in use by another" in sentence
    al.ask("still here", "al: still here")


def test_the_folder_is_free_for_the_next_daemon_after_a_crash(tmp_path: Path) -> None:
    """Nothing needs to be cleaned up by hand, and nothing that was seen is lost."""
    with Daemon(tmp_path) as daemon:
        daemon.person("al", "lobby").ask("hi", "al: hi")
        daemon.kill()
    with Daemon(tmp_path) as daemon:
        bob = daemon.connect()
        bob.greeted()
        bob.ask("/join lobby", "Welcome to room lobby!", f"Current users: {bob.name}")
        bob.expect_dated("al: hi")


@pytest.mark.parametrize("where", ["file/below", "file", "/proc/chatroom", "/proc"])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, where: str) -> None:
    """Being root helps nobody to make a folder in a file or among the processes."""
    (tmp_path / "file").write_text("a file")
    folder = tmp_path / where
    sentence = refusal(tmp_path, "--data", str(folder))
    assert str(folder) in sentence
    assert "--data" in sentence
    assert (tmp_path / "file").read_text() == "a file"


def foreign(path: Path) -> None:
    """Make another program's database."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE recipes(name TEXT)")


def foreign_in_wal_mode(path: Path) -> None:
    """Make another program's database that keeps a write-ahead log, as ours does."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE recipes(name TEXT)")


def text(path: Path) -> None:
    """Make a file that is no database."""
    path.write_text("Dear diary,\n" * 1000)


def newer(path: Path) -> None:
    """Make what a chatroom of the future leaves: the database of this one, with a schema that it does not know."""
    with Daemon(path.parent.parent) as daemon:
        assert daemon.data == path.parent
        daemon.person("al")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=1000")


def folder_instead(path: Path) -> None:
    """Make a folder where the file should be."""
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (foreign, "not a chatroom database"),
        (foreign_in_wal_mode, "not a chatroom database"),
        (text, "not a database"),
        (newer, "newer chatroom"),
        (folder_instead, "cannot be used"),
    ],
)
def test_a_database_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, make: object, why: str) -> None:
    """Not one byte of it is changed, and nothing is put beside it but our lock."""
    path = tmp_path / "data" / "chat.db"
    path.parent.mkdir()
    assert callable(make)
    make(path)
    there = {entry.name for entry in path.parent.iterdir()}
    before = path.read_bytes() if path.is_file() else b""
    sentence = refusal(tmp_path, "--data", str(path.parent))
    assert str(path) in sentence
    assert why in sentence
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert {entry.name for entry in path.parent.iterdir()} == there | {"lock"}


# ---- the port ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["127.0.0.1", ""])
def test_a_port_that_is_in_use_is_named(daemon: Daemon, tmp_path: Path, interface: str) -> None:
    """And what to do about it; whoever has the port keeps it."""
    al = daemon.person("al")
    options = ("--port", str(daemon.port), "--interface", interface, "--data", str(tmp_path / "other"))
    sentence = refusal(tmp_path, *options)
    assert f"port {daemon.port}" in sentence
    assert "in use" in sentence
    al.nothing_more()


def needs_ipv6() -> None:
    """Skip the test where there is no IPv6, not even on the loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this system has no IPv6: {error}")


def test_a_port_that_somebody_has_by_ipv6_alone_is_in_use(tmp_path: Path) -> None:
    """Else half of those who come by the server's name would find somebody else there, and nobody would know why."""
    needs_ipv6()
    with socket.create_server(("::", 0), family=socket.AF_INET6) as squatter:
        port = squatter.getsockname()[1]
        sentence = refusal(tmp_path, "--port", str(port), "--interface", "", "--ephemeral")
    assert f"port {port}" in sentence
    assert "in use" in sentence


def test_it_listens_on_all_addresses_when_none_is_given(tmp_path: Path) -> None:
    """By IPv4 and by IPv6."""
    needs_ipv6()
    with Daemon(tmp_path, "--interface", "") as daemon:
        daemon.person("al").nothing_more()
        with socket.create_connection(("::1", daemon.port), DEADLINE) as client:
            client.sendall(b"/quit\n")
            assert client.recv(8) == b"Welcome "


def test_in_the_background_a_port_that_is_in_use_is_named_as_well(daemon: Daemon, tmp_path: Path) -> None:
    """Whoever starts it so is told at once, and no pidfile stays to mislead anybody."""
    pidfile, logfile = tmp_path / "pid", tmp_path / "log"
    files = ["--pidfile", str(pidfile), "--logfile", str(logfile)]
    options = ["--port", str(daemon.port), "--interface", "127.0.0.1", "--data", str(tmp_path / "other")]
    result = run_twistd(tmp_path, *files, "chatroom", *options)
    assert result.returncode > 0
    assert f"port {daemon.port}" in result.stderr
    assert not pidfile.exists()


def test_it_runs_in_the_background_as_well(tmp_path: Path) -> None:
    """twistd without ``-n`` returns when the daemon is up, which then ends by SIGTERM as ever."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    files = ["--pidfile", str(tmp_path / "pid"), "--logfile", str(tmp_path / "log")]
    options = ["--port", str(port), "--interface", "127.0.0.1", "--data", str(tmp_path / "data")]
    assert twistd(tmp_path, *files, "chatroom", *options) == ""
    process = os.pidfd_open(int((tmp_path / "pid").read_text()))
    try:
        with closing(Peer(port)) as al:
            al.greeted()
            al.ask("/join lobby", "Welcome to room lobby!", f"Current users: {al.name}")
            al.ask("hi", f"{al.name}: hi")
            signal.pidfd_send_signal(process, signal.SIGTERM)
            al.expect(SHUTDOWN)
            al.eof()
        assert select.select([process], [], [], DEADLINE)[0], "it has not ended"
    finally:
        os.close(process)
    assert not (tmp_path / "pid").exists()


# ---- the end -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_everybody_is_told_when_it_ends_by_a_signal(daemon: Daemon, number: int) -> None:
    """In a room or in none, in words or by a record; that is the last they hear, and the status is 0."""
    al, bob, pam = daemon.person("al", "lobby"), daemon.person("bob"), daemon.program("pam", "lobby")
    silent = daemon.connect()
    silent.greeted()
    al.expect("pam has joined the room.")
    assert daemon.stop(number) == 0
    for person in (al, bob, silent):
        person.expect(SHUTDOWN)
        person.eof()
    pam.event(event="shutdown")
    pam.eof()


def test_it_ends_well_when_asked_to_as_soon_as_it_listens(daemon: Daemon) -> None:
    """Once it says that it listens it is in charge of its signals."""
    assert daemon.stop() == 0


def test_a_second_signal_does_not_disturb_the_end(daemon: Daemon) -> None:
    """As when an operator is impatient."""
    al = daemon.person("al")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        daemon.send_signal(number)
    assert daemon.wait() == 0
    al.expect(SHUTDOWN)
    al.eof()


def test_it_ends_although_somebody_does_not_read(tmp_path: Path) -> None:
    """Megabytes wait for one who never takes them; the others are told, and the process ends."""
    flood = 4000
    with Daemon(tmp_path, "--sendq", "0") as daemon:
        idler = daemon.connect(receive_buffer=4096)
        idler.say("/name idler", "/join lobby")
        idler.until(lambda line: line == "Current users: idler")
        pam = daemon.program("pam", "lobby")
        pam.record(do="echo", on=False, ref=0)
        pam.event(re=0, echo=False)
        pam.send(b"".join(b'{"do":"say","text":"%s"}\n' % (b"x" * 4000) for _ in range(flood)))
        pam.record(do="say", text="the last", ref=1)
        pam.event(event="ok", re=1)
        assert daemon.stop() == 0
        pam.event(event="shutdown")
        pam.eof()
        assert len(idler.rest()) < flood * 4000 / 2, "not enough was waiting for this to show anything"


def whole_history(program: Peer) -> list[str]:
    """Return the ids of all messages of the program's room, the oldest first."""
    ids: list[str] = []
    page: dict[str, Any] = {"complete": False}
    while not page["complete"]:
        before = {"before": page["events"][0]["seq"]} if ids else {}
        program.record(do="history", messages=200, ref="page", **before)
        page = program.event(event="history", re="page")
        ids[:0] = [event["id"] for event in page["events"]]
    return ids


def send_what_is_taken(peer: Peer, data: bytes) -> None:
    """Send, until the daemon takes no more."""
    with contextlib.suppress(OSError):
        peer.send(data)


def test_what_was_acknowledged_is_there_after_an_end_by_signal(tmp_path: Path) -> None:
    """The signal comes in the middle of a stream of messages; their author is told of the end as well."""
    stream = b"".join(b'{"do":"say","text":"hi","id":"m%d"}\n' % i for i in range(10_000))
    with Daemon(tmp_path, "--sendq", "0") as daemon:
        pam = daemon.program("pam", "lobby")
        sender = threading.Thread(target=send_what_is_taken, args=(pam, stream))  # it may have to wait until we read
        sender.start()
        seen = [pam.event(event="said")["id"] for _ in range(50)]
        daemon.send_signal(signal.SIGTERM)
        records = [json.loads(line) for line in pam.rest().splitlines()]
        sender.join(DEADLINE)
        assert daemon.wait() == 0
    assert {"event": "shutdown"} in records
    seen += [record["id"] for record in records if record["event"] == "said"]
    assert len(seen) == len(records) - 1 + 50, "nothing but messages and the end was to come"
    with Daemon(tmp_path) as daemon:
        stored = whole_history(daemon.program("otto", "lobby"))
    assert stored[: len(seen)] == seen


# ---- the log -------------------------------------------------------------------------------------------------------


def test_the_log_tells_who_came_and_went_but_not_what_was_said(daemon: Daemon) -> None:
    """Connections, names and rooms; nobody's words, private, mistyped or searched for."""
    bob = daemon.person("bob")
    al = daemon.connect()
    al.greeted()
    guest = al.name
    al.ask("/name al", "You are now al.")
    al.ask("/join lobby", "Welcome to room lobby!", "Current users: al")
    al.ask("secret one", "al: secret one")
    al.ask("/me secret two", "* al secret two")
    al.ask("/msg bob secret three", "To bob (private): secret three")
    bob.expect("al (private): secret three")
    al.ask("/secret four", "Error: unknown command /secret; type /help.")
    al.ask("/search secret five", "No messages found.")
    al.ask("/away secret six", "You are away: secret six")
    al.ask("/leave", "You have left room lobby.")
    al.ask("secret seven", "Error: you are not in a room; join one with /join <room>.")
    al.ask("/quit", "Goodbye!")
    al.eof()
    assert daemon.stop() == 0
    log = daemon.log.text
    for wanted in (f"{guest}.*127.0.0.1", f"{guest}.* al", "al.* lobby", "al disconnected"):
        assert re.search(wanted, log), wanted
    assert "secret" not in log


def test_nothing_that_is_sent_makes_a_log_line_of_its_own(tmp_path: Path) -> None:
    """Not even at the most talkative level; every line begins with the time, and holds nothing that acts."""
    bad = "x\nINJECTED\r\nINJECTED\x1b[2J\x85\u2028INJECTED"
    with Daemon(tmp_path, "--log-level", "debug") as daemon:
        pam, al = daemon.program("pam", "lobby"), daemon.person("al")
        pam.record(do="hello", version=1, client=bad[:50], name=bad, ref=1)
        pam.event(event="error", re=1)
        pam.record(do="name", name=bad, ref=2)
        pam.event(event="error", re=2, code="bad-name")
        pam.record(do="join", room=bad, ref=3)
        pam.event(event="error", re=3, code="bad-room")
        pam.record(do=bad, ref=4)
        pam.event(event="error", re=4)
        pam.record(do="message", user=bad, text=bad, ref=5)
        pam.event(event="error", re=5, code="no-user")
        pam.record(do="say", text=bad)
        pam.event(event="said")
        pam.record(do="away", text=bad, ref=6)
        pam.event(event="settings", re=6)
        al.say("/name x\rINJECTED", "/join x\rINJECTED", "/x\rINJECTED")
        for _ in range(3):
            assert al.line().startswith("Error: ")
        assert daemon.stop() == 0
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in daemon.log.lines[:-1]), daemon.log.text
    assert all(line.isprintable() for line in daemon.log.lines)


def test_at_the_level_of_errors_connections_are_not_logged(tmp_path: Path) -> None:
    """twistd itself still says that it starts and ends."""
    with Daemon(tmp_path, "--log-level", "error", ready=BOUND) as daemon:
        al = daemon.person("albert", "lobby")
        al.ask("hi", "albert: hi")
        assert daemon.stop() == 0
    for word in ("albert", "lobby", "guest", "connected", "chatroom."):
        assert word not in daemon.log.text, daemon.log.text


# ---- strangers -----------------------------------------------------------------------------------------------------


def client_hello() -> bytes:
    """Return the first bytes of somebody who wants to speak TLS."""
    sent = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return sent.read()


def test_who_speaks_tls_gets_an_alert_and_is_closed(daemon: Daemon) -> None:
    """A fatal one, in a record of two bytes; nothing that could be taken for chat."""
    stranger = daemon.connect()
    stranger.send(client_hello())
    answer = stranger.rest()
    assert answer[:1] == b"\x15"
    assert answer[3:6] == b"\0\2\2"
    assert len(answer) == 7


def test_a_tls_client_understands_the_alert(daemon: Daemon) -> None:
    """It says that the handshake failed, not that the connection broke."""
    address = ("127.0.0.1", daemon.port)
    with socket.create_connection(address, DEADLINE) as plain, pytest.raises(ssl.SSLError) as caught:
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    assert "ALERT" in caught.value.reason


def test_a_browser_gets_a_complete_answer(daemon: Daemon) -> None:
    """One that says what this is, in so many bytes as announced."""
    for method, sent in (("GET", None), ("POST", b"x=1")):
        with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE)) as browser:
            browser.request(method, "/", body=sent)
            answer = browser.getresponse()
            body = answer.read()
        assert answer.status in range(400, 600)
        assert answer.will_close
        assert b"chat server" in body
        assert len(body) == int(answer.headers["Content-Length"])


def test_a_browsers_answer_ends_with_its_last_byte(daemon: Daemon) -> None:
    """And the connection with it."""
    browser = daemon.connect()
    browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = browser.rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert f"Content-Length: {len(body)}".encode() in head


def test_who_speaks_irc_gets_an_error(daemon: Daemon) -> None:
    """In words of that protocol, and is closed."""
    for first in (b"NICK al\r\nUSER al 0 * :al\r\n", b"CAP LS 302\r\n", b"PASS secret\r\n"):
        stranger = daemon.connect()
        stranger.send(first)
        assert re.fullmatch(r"ERROR :.+", stranger.line())
        stranger.eof()


def test_a_stranger_who_says_no_more_is_answered_all_the_same(daemon: Daemon) -> None:
    """As with ``printf … | nc -N``, which closes its half at once."""
    for first in (b"GET / HTTP/1.0\r\n\r\n", b"NICK al\r\n", client_hello()):
        stranger = daemon.connect()
        stranger.send(first)
        stranger.half_close()
        assert stranger.rest() != b"", first


def test_who_finds_the_chat_full_and_says_no_more_is_told_all_the_same(tmp_path: Path) -> None:
    """As with ``printf … | nc -N``; else nobody would know why nothing comes back."""
    with Daemon(tmp_path, "--max-users", "1") as daemon:
        daemon.person("al")
        bob = daemon.connect()
        bob.say("/name bob")
        bob.half_close()
        bob.expect("Error: the chat is full (max users 1).")
        bob.eof()


def test_strangers_do_not_disturb_the_chat(daemon: Daemon) -> None:
    """They take no seat and are seen by nobody."""
    al = daemon.person("al", "lobby")
    for first in (client_hello(), b"GET / HTTP/1.0\r\n\r\n", b"NICK bob\r\n"):
        stranger = daemon.connect()
        stranger.send(first)
        stranger.rest()
    al.ask("/who", "Users online (1):", "  al  in lobby")
    al.nothing_more()
