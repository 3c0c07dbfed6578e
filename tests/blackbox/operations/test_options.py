"""The options of the real daemon: what is wrong is refused in a sentence, what is right does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from blackbox.daemon import Daemon, run_twistd
from blackbox.operations.running import refusal, twistd

from chatroom import __version__

OPTIONS = (
    "port interface data name motd message-format replay rate per-address sendq max-users keep keep-days metrics"
    " config log-level ephemeral check-config manhole manhole-keys accounts sessions min-password no-announce"
    " no-register auth"
)

# ---- what it says of itself ----------------------------------------------------------------------------------------


def test_twistd_lists_chatroom(tmp_path: Path) -> None:
    """A plugin that fails to import would just be missing."""
    assert re.search(r"^ +chatroom +A chat server", twistd(tmp_path, "--help"), re.MULTILINE)


def test_help_names_every_option(tmp_path: Path) -> None:
    """With what it does."""
    said = twistd(tmp_path, "chatroom", "--help")
    for option in OPTIONS.split():
        assert re.search(rf"--{option}=? +\w", said), option


def test_it_tells_its_version(tmp_path: Path) -> None:
    """Not only that of Twisted."""
    assert twistd(tmp_path, "chatroom", "--version") == f"chatroom {__version__}\n"


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
    options = ["--config", str(config), "--name", "flagged", "--max-users", "0", "--data", "data", "--port", "0"]
    said = json.loads(twistd(tmp_path, "-n", "--pidfile=", "chatroom", "--check-config", *options))
    wanted = {"name": "flagged", "max-users": 0, "replay": 3, "port": 0, "rate": 2.0}
    wanted["data"] = str(tmp_path / "data")
    assert {key: said[key] for key in wanted} == wanted
    assert list(tmp_path.iterdir()) == [config]


def test_check_config_names_all_that_a_start_would_fail_for(tmp_path: Path) -> None:
    """Each in a sentence; the status is 1, also for what twistd itself could not do."""
    (tmp_path / "people").write_text("no colon\n")
    options = ["--port", "0", "--accounts", "people", "--data", "people/below", "--check-config"]
    done = run_twistd(tmp_path, "--uid", "4000000000", "--logfile", "nowhere/log", "chatroom", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "chatroom: --uid 4000000000: there is no such user; make it first",
        f"chatroom: the data folder {tmp_path}/people/below cannot be used: Not a directory; give another --data",
        f"chatroom: --accounts {tmp_path}/people: line 1: it is not name:password",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["people"]


@pytest.mark.parametrize(
    ("twistd", "options", "why"),
    [
        (["--uid", "4000000000"], [], "--uid 4000000000: there is no such user; make it first"),
        (["--logfile", "x/log"], [], "the log file {here}/x/log cannot be written: there is no such folder"),
        (["--rundir", "x"], [], "--rundir x: there is no such folder"),
        ([], ["--auth", "file:x"], "--auth file:{here}/x: No such file or directory"),
        ([], ["--data", ""], "--data: it is empty; give a folder"),
    ],
)
def test_what_twistd_cannot_do_is_said_before_anything_is_made(
    tmp_path: Path, twistd: list[str], options: list[str], why: str
) -> None:
    """Not by a traceback."""
    where = [] if "--data" in options else ["--ephemeral"]
    done = run_twistd(tmp_path, "-n", "--pidfile=", *twistd, "chatroom", "--port", "0", *where, *options)
    assert done.returncode == 1
    assert f"chatroom: {why.format(here=tmp_path)}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_given_by_its_name_alone_is_where_the_daemon_was_started(tmp_path: Path) -> None:
    """Wherever twistd goes then."""
    (tmp_path / "elsewhere").mkdir()
    with Daemon(tmp_path, "--data", "here", keep=False, twistd=("--rundir", "elsewhere")) as daemon:
        daemon.person("al", "lobby").ask("hi", "al: hi")
        daemon.log.wait_for(f"data in {tmp_path}/here")
        assert (tmp_path / "here" / "chat.db").is_file()
        assert list((tmp_path / "elsewhere").iterdir()) == []


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
