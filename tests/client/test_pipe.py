"""The pipe in memory: how much it reads, how long it waits, and what it says when something goes wrong."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from client.fake_encryption import DIGITS, RECOVERY_KEY, FakeEncryption
from client.network import Network
from harness import World, stored_records
from order import ask, owner
from sharing import share
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.testing import StringTransport

from chatroom.chat.limits import FOUND
from chatroom.client import pipe as module
from chatroom.client.client import Client
from chatroom.client.encryption.interface import Security
from chatroom.client.encryption.words import plain_notice
from chatroom.client.errors import Failed
from chatroom.client.files.commands import FileCommands
from chatroom.client.files.partial_file import PartialFile
from chatroom.client.files.transfers import Transfers
from chatroom.client.pipe import Pipe
from chatroom.client.pipe_notices import FIRST_LINE_WITHIN
from chatroom.client.sealing import NoSealing
from chatroom.client.status import SecurityNotice
from chatroom.model.device import NO_DEVICE, Device
from chatroom.model.events import Acted, Private, Said


class Piped:
    """A client in pipes.

    Args:
        network: What it dials.
        patience: Of the pipe.
        downloads: Where fetched files are put.
        login: Of its account.
        device: What it runs on.
        records: Whether it writes records.
        rooms: Where it comes to; with more than one, it stays in the others when it joins another.
    """

    def __init__(
        self,
        network: Network,
        *,
        patience: float = 60.0,
        downloads: Path = Path(),
        login: tuple[str, str] | None = None,
        device: Device = NO_DEVICE,
        rooms: Sequence[str] = ("x",),
        records: bool = False,
    ) -> None:
        self.network = network
        clock = network.world.clock
        self.complaints: list[str] = []
        self.pipe = Pipe(clock, self.complaints.append, records=records, patience=patience, several=len(rooms) > 1)
        ids = (f"piped-{i}" for i in itertools.count(1))
        self.client = Client(
            network.dial,
            clock,
            lambda: next(ids),
            self.pipe.told,
            name="al",
            room=rooms,
            several=len(rooms) > 1,
            login=login,
            device=device,
            chance=lambda: 0.0,
        )
        self.transport = StringTransport()
        self.pipe.makeConnection(self.transport)
        transfers = Transfers(self.client, "chat.example:8888", clock, maybeDeferred)
        self.pipe.begin(self.client, FileCommands(transfers, downloads, self.pipe.say))
        network.flow()

    def type(self, *lines: str) -> None:
        """Let lines come in."""
        self.pipe.dataReceived("".join(f"{line}\n" for line in lines).encode())

    def end(self) -> None:
        """Let the input end, and time pass."""
        self.pipe.readConnectionLost()
        self.network.pass_time(3)

    @property
    def lines(self) -> list[str]:
        """What it has written."""
        return self.transport.value().decode().splitlines()

    @property
    def over(self) -> bool:
        """Whether it has ended by itself."""
        return self.transport.disconnecting


@pytest.fixture
def piped(network: Network) -> Piped:
    """Al is in the room x."""
    return Piped(network)


def test_it_ends_when_all_is_acknowledged_and_not_before(piped: Piped, network: Network) -> None:
    piped.type("hello")
    piped.pipe.readConnectionLost()
    for _ in range(20):
        network.world.clock.advance(1)  # the network is slow
    assert not piped.over
    network.pass_time(1)
    assert piped.over
    assert (piped.pipe.status, piped.complaints, piped.lines[-1]) == (0, [], "al: hello")


def test_it_reads_no_more_than_the_server_acknowledges(piped: Piped, network: Network) -> None:
    piped.type(*map(str, range(module.WINDOW + 10)))
    assert piped.transport.producerState == "paused"
    assert len(network.lines[0].transport.value().splitlines()) == module.WINDOW
    network.flow()
    assert piped.transport.producerState == "producing"
    assert piped.lines[-1] == f"al: {module.WINDOW + 9}"
    piped.end()


def test_it_reads_no_more_of_the_server_than_is_taken(piped: Piped, network: Network, world: World) -> None:
    piped.transport.producer.pauseProducing()
    world.person("bob", "x").say("hello")
    network.pass_time(200, step=10)
    assert "bob: hello" not in piped.lines
    piped.transport.producer.resumeProducing()
    network.flow()
    assert "bob: hello" in piped.lines
    assert piped.complaints == []
    piped.end()


def test_the_further_lines_of_a_message_are_marked_and_its_own_input_stays_line_by_line(
    piped: Piped, network: Network, world: World
) -> None:
    bot = world.program("bot", "x")
    bot.record(do="say", text="one\nal: two")
    bot.record(do="message", user="al", text="three\nal: four")
    network.flow()
    marked = ["bot: one", "    | al: two", "bot (private): three", "    | al: four"]
    assert piped.lines[-4:] == marked
    piped.type("five", "six", "/history")
    network.flow()
    bot.records()
    assert [re.sub(r"^\[.*?\] ", "", line) for line in piped.lines[-4:]] == [*marked[:2], "al: five", "al: six"]
    piped.end()


def test_it_gives_up_after_a_minute_without_a_server(piped: Piped, network: Network) -> None:
    network.refusing = Failed("nobody there")
    network.lines[0].end()
    piped.type("hello")
    network.pass_time(59)
    assert not piped.over
    network.pass_time(3)
    assert piped.over
    assert piped.pipe.status == 1
    assert piped.complaints[-1].startswith("could not connect again: ")


def test_it_ends_with_an_error_when_an_operator_removes_it(piped: Piped, network: Network, world: World) -> None:
    assert ask(owner(world, "oscar", operator=True), "kick", user="al", everywhere=True) == "ok"
    network.pass_time(3)
    assert (piped.over, piped.pipe.status, network.dialled) == (True, 1, 1)
    assert piped.complaints == [
        "you were removed from this server by oscar",
        "you were removed, so this client does not connect again by itself",
    ]


def test_without_a_bound_its_patience_has_no_end(network: Network) -> None:
    piped = Piped(network, patience=0.0)
    network.refusing = Failed("nobody there")
    network.lines[0].end()
    piped.type("hello")
    network.pass_time(7 * 86400, step=3600)
    assert not piped.over
    assert piped.complaints == ["the connection to chat.example:8888 was lost; trying to connect again"]
    network.refusing = None
    network.pass_time(31)
    assert piped.lines[-1] == "al: hello"
    piped.end()
    assert piped.over
    assert piped.pipe.status == 0


def test_each_loss_has_a_minute_of_its_own(piped: Piped, network: Network) -> None:
    for _ in range(3):
        network.refusing = Failed("nobody there")
        network.lines[0].end()
        network.pass_time(30)
        network.refusing = None
        network.pass_time(5)
        assert piped.complaints.pop() == "connected again"
    assert piped.client.online
    piped.end()
    assert piped.pipe.status == 0


def test_it_waits_for_a_server_that_comes_back(piped: Piped, network: Network) -> None:
    network.refusing = Failed("nobody there")
    network.lines[0].end()
    piped.type("hello", "/who", "bye")
    piped.pipe.readConnectionLost()
    network.pass_time(30)
    network.refusing = None
    network.pass_time(40)
    assert piped.over
    assert piped.pipe.status == 0
    assert [line for line in piped.lines if line.startswith("al: ")] == ["al: hello", "al: bye"]
    assert "Users online (1):" in piped.lines
    assert piped.complaints[-1] == "connected again"


def test_a_command_that_was_cut_off_is_given_again(piped: Piped, network: Network) -> None:
    network.cut_after = network.packets
    piped.type("/away at lunch", "hello")
    piped.pipe.readConnectionLost()
    network.pass_time(5)
    assert piped.over
    assert "al: hello" in piped.lines
    assert "You are away: at lunch" in piped.lines
    assert piped.pipe.status == 0


def test_an_answer_to_one_message_is_not_said_twice(piped: Piped, network: Network, world: World) -> None:
    """When the line is cut before the answer comes, it may have been said, and -1 may mean another message by now."""
    bob = world.person("bob", "x")
    bob.say("shall we?")
    network.flow()
    bob.lines()
    network.cut_after = network.packets + 1
    piped.type("/quote -1 yes")
    network.pass_time(3)
    assert [line for line in bob.lines() if "yes" in line] == ['al (to bob: "shall we?"): yes']
    assert "the connection was lost before the answer came; try again" in piped.complaints
    piped.end()


def test_a_gap_is_told(piped: Piped, network: Network, world: World) -> None:
    bob = world.person("bob", "x")
    network.lines[0].end()
    bob.say("before")
    world.engine.expire(bob.transport.protocol._session.room.log, 1 << 60, 0)
    network.pass_time(2)
    assert "some messages sent to x in the meantime are not shown" in piped.complaints
    piped.end()


def test_a_line_that_nobody_means_to_say_ends_it(piped: Piped, network: Network, world: World) -> None:
    bob = world.person("bob", "x")
    bob.lines()
    piped.type("x" * (module.LINE_BYTES + 1))
    network.pass_time(1)
    assert piped.over
    assert piped.complaints == ["a line of the input has more than 65536 bytes; nothing after it was sent"]
    assert bob.lines() == ["al has disconnected."]


def test_quit_leaves_without_reading_on(piped: Piped, network: Network) -> None:
    piped.type("hello", "/quit", "never")
    network.pass_time(1)
    assert piped.over
    assert piped.lines[-1] == "al: hello"


def test_when_the_chat_ends_under_it_that_is_said(piped: Piped, network: Network) -> None:
    piped.type("this is not said any more")
    piped.client.drop("it has another key", hopeless=True)
    network.pass_time(1)
    assert piped.over
    assert piped.complaints == ["it has another key"]


def test_files_are_sent_and_fetched_one_after_the_other(network: Network, tmp_path: Path) -> None:
    piped = Piped(network, downloads=tmp_path / "there")
    (tmp_path / "there").mkdir()
    (tmp_path / "my notes.txt").write_bytes(b"precious" * 100_000)
    piped.type(f"/send {tmp_path}/my notes.txt", "said after it", "/get 1", "/get 1 there/nowhere", "/get 7", "/send")
    piped.end()
    network.pass_time(3)
    assert (tmp_path / "there" / "my notes.txt").read_bytes() == b"precious" * 100_000
    assert piped.lines[-3:] == [
        "al shares my notes.txt (800 kB): /get 1",
        "al: said after it",
        f"fetched {tmp_path}/there/my notes.txt (800 kB, SHA-256 checked).",
    ]
    assert piped.complaints == [
        "there is no folder there; make it, or name another",
        "there is no such file here; see /files",
        "usage: /send <path> [user]",
    ]
    assert (piped.over, piped.pipe.status) == (True, 1)


def test_what_was_sent_is_told_before_the_end(network: Network, tmp_path: Path) -> None:
    piped = Piped(network)
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt")
    piped.end()
    assert (piped.over, piped.lines[-1]) == (True, "al shares notes.txt (8 B): /get 1")


def test_a_shared_file_is_in_the_history_and_found(network: Network, tmp_path: Path) -> None:
    piped = Piped(network)
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt", "/history", "/search notes")
    piped.end()
    recalled, head, found = piped.lines[-3:]
    assert recalled.endswith("] al shares notes.txt (8 B): /get 1")
    assert (head, found) == ("1 message found:", recalled)
    assert (piped.over, piped.pipe.status, piped.complaints) == (True, 0, [])


LONG = "y" * 300
ODD_PATHS = [
    ("/send " + LONG, f"{LONG} cannot be read: file name too long"),
    ("/send " + "z/" * 3000, f"{'z/' * 148}z... cannot be read: file name too long"),
    ("/send a\0b", "a\0b cannot be read: no file can have that name"),
    ("/send ~\0/x", "~\0/x cannot be read: no file can have that name"),
    ("/send ~nosuchuser/x", "there is no file ~nosuchuser/x"),
    ("/send locked/notes.txt", "locked/notes.txt cannot be read: permission denied"),
    ("/send file/x", "file/x cannot be read: not a directory"),
    ("/send .", ". is a folder; only files can be sent"),
    ("/send loop", "loop cannot be read: too many levels of symbolic links"),
    ("/get 1 " + LONG, "notes.txt cannot be written to .: file name too long; correct that or name another place, and"),
    (
        "/get 1 a\0b",
        "notes.txt cannot be written to .: no file can have that name; correct that or name another place, and",
    ),
    ("/get 1 ~nosuchuser/x", "there is no folder ~nosuchuser; make it, or name another"),
    ("/get 1 locked/x", "notes.txt cannot be written to locked: permission denied; correct that or name another place"),
    ("/get 1 " + LONG + "/", f"there is no folder {LONG}; make it, or name another"),
    ("/get 1 loop", "there is a loop already, and it is not overwritten; give another name"),
]


@pytest.mark.parametrize(("line", "why"), ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_a_path_that_cannot_be_used_is_one_error_and_the_next_line_is_said(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"precious")
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    lock(monkeypatch)
    piped = Piped(network, downloads=tmp_path / "there")
    piped.type("/send notes.txt", line, "said after it")
    piped.end()
    (complaint,) = piped.complaints
    assert complaint.startswith(why)
    assert piped.lines[-1] == "al: said after it"
    assert (piped.over, piped.pipe.status) == (True, 1)


def lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this user have no rights in the folder ``locked``; root would have them whatever its mode is."""
    for name in ("stat", "lstat", "open"):
        monkeypatch.setattr(os, name, partial(_locked, getattr(os, name)))


def _locked(call: Any, path: Any, *args: Any, **options: Any) -> Any:
    if str(path).startswith("locked"):
        raise PermissionError(13, "Permission denied", str(path))
    return call(path, *args, **options)


def test_the_folder_for_downloads_is_made_and_no_file_is_called_so(network: Network, tmp_path: Path) -> None:
    downloads = tmp_path / "not" / "yet"
    piped = Piped(network, downloads=downloads)
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt", "/get 1", "/get 1")
    piped.end()
    assert sorted(path.name for path in downloads.iterdir()) == ["notes (1).txt", "notes.txt"]
    assert (piped.complaints, piped.pipe.status) == ([], 0)


def test_a_folder_for_downloads_that_cannot_be_made_is_one_error(network: Network, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    piped = Piped(network, downloads=tmp_path / "file" / "there")
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt", "/get 1", "said after it")
    piped.end()
    assert piped.complaints == [f"the folder {tmp_path}/file/there cannot be made: not a directory; name another place"]
    assert piped.lines[-1] == "al: said after it"


def test_a_file_in_the_place_of_the_folder_for_downloads_is_left_alone(network: Network, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    piped = Piped(network, downloads=tmp_path / "there")
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt", "/get 1")
    piped.end()
    assert piped.complaints == [f"the folder {tmp_path}/there cannot be made: file exists; name another place"]
    assert (tmp_path / "there").read_bytes() == b"mine"


def test_a_file_that_was_moved_away_at_once_has_been_fetched(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = PartialFile.finish

    def and_away(part: PartialFile) -> Path:
        path = finish(part)
        path.rename(tmp_path / "elsewhere")
        return path

    monkeypatch.setattr(PartialFile, "finish", and_away)
    piped = Piped(network, downloads=tmp_path / "there")
    (tmp_path / "notes.txt").write_bytes(b"precious")
    piped.type(f"/send {tmp_path}/notes.txt", "/get 1", "said after it")
    piped.end()
    assert piped.lines[-2:] == [f"fetched {tmp_path}/there/notes.txt (SHA-256 checked).", "al: said after it"]
    assert piped.pipe.status == 0


def test_the_same_search_goes_on_with_older_messages(network: Network) -> None:
    talker = network.world.person("talker", "x")
    for i in range(FOUND + 2):
        talker.say(f"plum {i}")
    piped = Piped(network)
    piped.type("/search plum", "/search plum")
    piped.end()
    newest, *_, back, head, first, second = piped.lines[-FOUND - 5 :]
    assert (newest, head) == (f"{FOUND} messages found:", "2 messages found:")
    assert back.startswith("Searched back to ")
    assert [line[19:] for line in (first, second)] == ["talker: plum 0", "talker: plum 1"]
    assert (piped.over, piped.pipe.status, piped.complaints) == (True, 0, [])


def test_a_file_that_cannot_get_there_is_said_once(network: Network, tmp_path: Path) -> None:
    piped = Piped(network, patience=10)
    (tmp_path / "notes.txt").write_bytes(b"precious")
    network.refusing = Failed("nobody there")
    network.lines[0].end()
    piped.type(f"/send {tmp_path}/notes.txt")
    network.pass_time(30)
    assert (piped.over, piped.pipe.status) == (True, 1)
    assert len(piped.complaints) == 2, piped.complaints


def test_a_file_of_the_room_and_one_that_was_given_are_told_apart(network: Network, tmp_path: Path) -> None:
    piped = Piped(network, downloads=tmp_path / "there")
    alice = network.world.program("alice", "x")
    share(alice, b"for all", name="all.txt")
    share(alice, b"for al", name="al.txt", user="al")
    network.flow()
    assert "alice shares al.txt with you (6 B): /get @1" in piped.lines
    piped.type("/get 1", "/get @1", "/join y", f"/get @1 {tmp_path}/again.txt", "/get 1", "/files")
    piped.end()
    assert (tmp_path / "there" / "all.txt").read_bytes() == b"for all"
    assert (tmp_path / "there" / "al.txt").read_bytes() == b"for al"
    assert piped.complaints == ["there is no such file here; see /files"]
    assert piped.lines[-3:-1] == ["No files in y.", "Files for you (1):"]
    assert piped.lines[-1].startswith("  @1  al.txt  6 B  alice  ")


@pytest.mark.parametrize("line", [b"/register zoe gr\xfcne-Wiese", b"/login zoe gr\xfcne-Wiese"])
def test_a_password_that_is_not_utf_8_is_refused_and_not_sent(network: Network, world: World, line: bytes) -> None:
    piped = Piped(network)
    piped.pipe.dataReceived(line + b"\n")
    piped.end()
    assert piped.complaints == [
        "a password is text in UTF-8, and some of these bytes are not; type it in a UTF-8 terminal"
    ]
    assert piped.pipe.status == 1
    assert not [key for bucket, key in stored_records(world) if bucket == "account"]


def test_words_without_a_slash_are_commands_as_on_telnet(piped: Piped, network: Network) -> None:
    piped.type("who is here", "leave", "join attic", "who", "LEAVE_ROOM", "who", "exit", "join nowhere")
    piped.end()
    assert piped.complaints == []
    kept = [line for line in piped.lines if line.startswith(("al", "Welcome", "Users"))]
    assert kept == [
        "Welcome to room x!",
        "al: who is here",
        "al has left the room.",
        "Welcome to room attic!",
        "al: who",
        "al has left the room.",
        "Users online (1):",
    ]
    assert not any("nowhere" in line for line in piped.lines)
    assert (piped.over, piped.pipe.status) == (True, 0)


ELSEWHERE = "al is already logged in; end that session, or give /takeover as the first line to take its place"


def logged_in_elsewhere(world: World) -> Any:
    """Return another session of the account al."""
    program = world.program()
    program.record(do="register", user="al", password="secret")
    program.records()
    return program


@pytest.mark.parametrize("early", [True, False])
def test_who_is_logged_in_elsewhere_is_told_of_takeover(network: Network, world: World, early: bool) -> None:
    logged_in_elsewhere(world)
    piped = Piped(network, login=("al", "secret"))
    if early:
        piped.type("/who", "/takeover")
    piped.end()
    assert piped.complaints == [ELSEWHERE]
    assert (piped.over, piped.pipe.status) == (True, 1)


def test_who_is_one_device_too_many_is_told_of_takeover(network: Network, world: World) -> None:
    logged_in_elsewhere(world).drop()
    world.rules.devices = 1
    there = world.connect()
    there.record(do="hello", version=1, device="phone")
    there.record(do="login", user="al", password="secret")
    for first, status in (("/who", 1), ("/takeover", 0)):
        piped = Piped(network, login=("al", "secret"), device=Device("laptop", "1"))
        piped.type(first)
        piped.end()
        assert (piped.over, piped.pipe.status, there.open) == (True, status, status == 1)
        if status:
            assert piped.complaints == [
                "al is already in use on the most devices allowed (1); end a session there, see /sessions; "
                "or give /takeover as the first line to take the place of the oldest"
            ]


def test_who_is_logged_in_elsewhere_and_says_nothing_is_told_of_takeover_soon(network: Network, world: World) -> None:
    logged_in_elsewhere(world)
    piped = Piped(network, login=("al", "secret"))
    network.pass_time(FIRST_LINE_WITHIN - 1)
    assert piped.complaints == []
    network.pass_time(4)
    assert piped.complaints == [ELSEWHERE]
    assert piped.over


def test_takeover_as_the_first_line_takes_the_other_sessions_place(network: Network, world: World) -> None:
    other = logged_in_elsewhere(world)
    piped = Piped(network, login=("al", "secret"))
    network.pass_time(3)
    assert not piped.over
    piped.type("/TAKEOVER", "here now")
    piped.end()
    assert piped.complaints == []
    assert "al: here now" in piped.lines
    assert "session-taken-over" in [record.get("code") for record in other.records()]
    assert (piped.over, piped.pipe.status) == (True, 0)


# ---- several rooms ---------------------------------------------------------------------------------------------------


@pytest.fixture
def in_two(network: Network) -> Piped:
    """Al is in the rooms x and y."""
    return Piped(network, rooms=("x", "y"))


def test_further_lines_of_a_message_name_the_room_too(in_two: Piped, network: Network, world: World) -> None:
    bob = world.program("bob", "x")
    bob.record(do="say", text="a\nb")
    network.flow()
    assert in_two.lines[-2:] == ["[x] bob: a", "[x]     | b"]
    in_two.end()


def test_after_a_message_without_a_text_lines_are_refused(in_two: Piped, network: Network, world: World) -> None:
    y = world.person("carol", "y")
    in_two.type("/query carol", "a secret for carol", "/window y", "hello")
    in_two.end()
    assert [line for line in y.lines() if line.startswith("al:")] == ["al: hello"]
    assert in_two.pipe.status == 1


def test_in_several_rooms_each_line_of_a_room_names_it(in_two: Piped, network: Network, world: World) -> None:
    bob = world.program("bob", "x")
    bob.record(do="say", text="in x")
    bob.record(do="message", user="al", text="to you")
    bob.record(do="join", room="y")
    bob.record(do="say", text="in y")
    network.flow()
    assert in_two.lines[-5:] == [
        "[x] bob: in x",
        "bob (private): to you",
        "[x] bob has left the room.",
        "[y] bob has joined the room.",
        "[y] bob: in y",
    ]
    in_two.end()


def test_lines_go_to_the_room_named_last_and_to_that_of_window(in_two: Piped, network: Network, world: World) -> None:
    x, y = world.person("bob", "x"), world.person("carol", "y")
    in_two.type("one", "/window X", "two", "/window nowhere", "lost", "/join z", "three", "/window", "/leave", "lost")
    in_two.end()
    assert [line for line in y.lines() if line.startswith("al:")] == ["al: one"]
    assert [line for line in x.lines() if line.startswith("al:")] == ["al: two"]
    assert "[z] al: three" in in_two.lines
    assert in_two.complaints == [
        "you are not in room nowhere; join it with /join nowhere",
        "no room is in front; go to one with /window <room>",
        "usage: /window <room>",
        "no room is in front; go to one with /window <room>",
    ]
    assert (in_two.pipe.status, in_two.over) == (1, True)


def test_what_was_for_a_room_that_one_was_put_out_of_is_said_nowhere_and_shown(network: Network, world: World) -> None:
    boss = owner(world, "olga", "y")
    in_two = Piped(network, rooms=("x", "y"))
    bob = world.person("bob", "x")
    network.lines[0].end()
    in_two.type("for y", "/window x", "for x")
    boss.record(do="ban", user="al")
    in_two.end()
    assert [line for line in bob.lines() if "al:" in line] == ["al: for x"]
    assert in_two.complaints[-1] == "you are not in room y; join it with /join y. Not said: for y"
    assert (in_two.pipe.status, in_two.over) == (1, True)


def test_with_one_room_window_is_no_command_and_join_leaves(piped: Piped, network: Network, world: World) -> None:
    bob = world.person("bob", "x")
    piped.type("/window x", "/join y", "in y")
    piped.end()
    assert piped.complaints == ["unknown command /window; type /help"]
    assert bob.lines() == ["al has left the room."]
    assert "al: in y" in piped.lines


def test_it_goes_on_without_a_room_that_is_refused(network: Network, world: World) -> None:
    boss = owner(world, "olga", "y")
    boss.record(do="ban", user="al")
    piped = Piped(network, rooms=("x", "y"))
    bob = world.person("bob", "x")
    piped.type("for nobody", "/window x", "for x")
    piped.end()
    assert bob.lines() == ["al: for x", "al has disconnected."]
    assert (piped.pipe.status, piped.over) == (1, True)
    assert "banned" in piped.complaints[0]


# ---- encryption ------------------------------------------------------------------------------------------------------


def test_keys_are_compared_and_devices_listed_in_a_pipe(network: Network, piped: Piped) -> None:
    piped.client.privacy.encryption = encryption = FakeEncryption()
    piped.type("/verify bob", "/verify bob ok", "/devices")
    network.flow()
    rows = DIGITS.split()
    assert [f"    {' '.join(rows[:6])}", f"    {' '.join(rows[6:])}"] == [
        row for row in piped.lines if "11111" in row or "77777" in row
    ]
    assert encryption.did == [("confirm", "bob", DIGITS)]
    assert "  AAAAA22222  laptop  this one" in piped.lines
    piped.end()
    assert (piped.pipe.status, piped.complaints) == (0, [])


@pytest.mark.parametrize(
    "line",
    [
        "/keys recovery",
        "/keys recover",
        "/keys export x",
        "/keys import /dev/null",
        "/keys plain bob",
        "/devices remove phone",
    ],
)
def test_a_pipe_does_nothing_that_a_person_has_to_answer(piped: Piped, line: str) -> None:
    piped.client.privacy.encryption = encryption = FakeEncryption(states={"bob": Security.ENCRYPTED})
    if line == "/keys recover":
        encryption.state = replace(encryption.state, linked=False, recovery=True)
    piped.type(line)
    piped.end()
    assert piped.complaints == ["this asks you something; do it in chatroom-client on a terminal"]
    assert (piped.pipe.status, encryption.did) == (1, [])
    assert RECOVERY_KEY not in " ".join(piped.lines)


def test_a_command_about_keys_waits_until_they_are_there(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: Deferred[None] = Deferred()
    monkeypatch.setattr(NoSealing, "arrive", lambda sealing: loaded)
    piped = Piped(network)
    piped.type("/devices")
    network.flow()
    piped.client.privacy.encryption = FakeEncryption()
    loaded.callback(None)
    piped.end()
    assert "  AAAAA22222  laptop  this one" in piped.lines
    assert (piped.pipe.status, piped.complaints) == (0, [])


def test_a_pipe_accepts_no_changed_key(piped: Piped) -> None:
    piped.client.privacy.encryption = encryption = FakeEncryption(states={"bob": Security.BLOCKED})
    piped.type("/verify bob accept")
    piped.end()
    assert (piped.pipe.status, encryption.did) == (1, [])


def test_a_pipe_without_keys_says_so(piped: Piped) -> None:
    piped.type("/verify bob")
    piped.end()
    assert piped.complaints == ["this client has no keys, so it encrypts nothing; see docs/security.md"]


def test_a_notice_about_keys_is_a_complaint_of_a_pipe(piped: Piped) -> None:
    piped.pipe.told(SecurityNotice(plain_notice("bob"), user="bob"))
    assert piped.complaints == ["To bob in plain text: the server can read it."]
    piped.end()


def test_the_record_of_a_message_that_came_encrypted_says_so(network: Network) -> None:
    piped = Piped(network, records=True)
    plain = Said(id="x", at=1, by="bob", by_id="bob", text="plain", room="x", seq=5)
    piped.client.privacy.encryption = encryption = FakeEncryption()
    encryption.plain_events.append(plain)
    sealed = msgspec.structs.replace(plain, text="sealed", seq=plain.seq + 1)
    for event in (plain, sealed):
        piped.pipe.told(event)
    first, second = (json.loads(line) for line in piped.lines[-2:])
    assert "encrypted" not in first
    assert (second["encrypted"], second["text"], second["event"]) == (True, "sealed", "said")
    piped.end()


def test_a_line_in_plain_text_of_an_encrypted_conversation_has_a_mark(piped: Piped) -> None:
    piped.client.privacy.encryption = encryption = FakeEncryption(states={"bob": Security.VERIFIED}, rooms={"x"})
    now = Private(id="p1", at=1, by="bob", by_id="bob", to="al", text="now", seq=1)
    late = msgspec.structs.replace(now, text="late", late=True)
    did = Acted(id="a", at=1, by="bob", by_id="bob", text="waves", room="x", seq=10**6)
    encryption.plain_events += [now, late, did]
    for event in (now, late, did, msgspec.structs.replace(now, text="sealed")):
        piped.pipe.told(event)
    *_, first, second, third, fourth = piped.lines
    assert (first, third, fourth) == ("bob (plain) (private): now", "* bob (plain) waves", "bob (private): sealed")
    assert second.endswith("] bob (plain) (private): late")
    piped.end()
