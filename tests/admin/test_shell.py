"""The console at a terminal: keys go in, and what a real terminal would show is read from conch's own."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from admin.operating import FakeOperating
from conftest import Errors
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatroom.admin.python_colours import coloured
from chatroom.admin.shell import MOST_KEYS, ConsoleTerminal, Shell, place

_ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


class Screen:
    """A console with its operator's terminal.

    Attributes:
        audit: What was put into the log.
        operating: What the console acts on.
    """

    def __init__(self, limit: object = nullcontext) -> None:
        self.audit: list[str] = []
        self.operating = FakeOperating()
        self.transport = StringTransport()
        self.terminal = ConsoleTerminal(lambda: Shell(self.operating, self.audit.append, limit))  # type: ignore[arg-type]
        self.terminal.makeConnection(self.transport)
        self.terminal.terminalProtocol.terminalSize(100, 24)
        self.transport.clear()

    def keys(self, text: str) -> str:
        """Type; return what the terminal gets, with its colours."""
        self.transport.clear()
        self.terminal.dataReceived(text.encode())
        return self.transport.value().decode()

    def type(self, line: str) -> list[str]:
        """Type a line and Enter; return the lines between it and the next prompt."""
        said = _ESCAPES.sub("", self.keys(f"{line}\r")).split("\r\n")
        return said[1:-1]

    def close(self) -> None:
        self.terminal.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_a_deed_is_awaited_and_told(screen: Screen) -> None:
    assert screen.type("user('bob').kick()") == ["bob was put out."]
    assert screen.type("[user(n).kick() for n in ('a', 'b')]") == ["a was put out.", "b was put out."]
    assert screen.operating.done == [("kick", name, "") for name in ("bob", "a", "b")]


def test_encrypted_rooms_are_marked(screen: Screen) -> None:
    heading, _, row = screen.type("rooms()")[:3]
    assert row[heading.index("encrypted") :].startswith("yes")


def test_results_can_be_kept_and_used(screen: Screen) -> None:
    assert screen.type("r = rooms()") == []
    assert screen.type("r[0].users + len(rooms())") == ["13"]
    assert screen.type("_ * 2") == ["26"]


def test_several_lines(screen: Screen) -> None:
    assert screen.type("for u in users()[:1]:") == []
    assert screen.type("    user(u.name).kick('x')") == []
    assert screen.type("") == ["bob was put out."]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("foo", "name 'foo' is not defined"),
        ("1 +", "invalid syntax (line 1, column 4)"),
        ("1/0", "division by zero"),
        ("user()", "user() missing 1 required positional argument: 'name'"),
        ("user('nobody').kick()", "no user named nobody; see /who."),
        ("raise SystemExit", "SystemExit"),
    ],
)
def test_an_error_is_one_line(screen: Screen, line: str, words: str) -> None:
    assert screen.type(line) == [f"Error: {words}"]
    assert screen.type("1") == ["1"]


def test_a_fault_of_ours_is_logged_and_not_shown(screen: Screen, errors: Errors) -> None:
    screen.operating.users = lambda: [7]  # type: ignore[assignment,return-value,list-item]
    assert screen.type("users()") == ["Error: something went wrong here; it has been logged."]
    errors.expect(AttributeError)


def test_nothing_hostile_reaches_the_terminal(screen: Screen) -> None:
    for line in ("users()", "rooms()", "users()[1]", "user('eve\\x1b[5m')", "print('\\x1b]0;x\\x07')"):
        said = screen.keys(f"{line}\r")
        assert not re.search(r"\x1b\]|\x1b\[5m|\x07|\u202e", said.partition("\r\n")[2]), line


def test_an_endless_loop_ends() -> None:
    from chatroom.admin.interpreter import limited

    screen = Screen(limited)
    screen.type("while True: pass")
    assert screen.type("")[0].startswith("Error: that took longer than 1 s")


def test_keys_wait_while_something_runs(screen: Screen) -> None:
    screen.operating.waits = Deferred()
    assert screen.type("user('bob').kick()") == []
    assert screen.keys("1+1\r") == ""
    screen.transport.clear()
    screen.operating.waits.callback(None)
    said = _ESCAPES.sub("", screen.transport.value().decode())
    assert "bob was put out.\r\n" in said
    assert "\r\n2\r\n" in said


def test_keys_that_wait_are_bounded(screen: Screen) -> None:
    screen.operating.waits = Deferred()
    screen.type("user('bob').kick()")
    screen.keys("x" * (MOST_KEYS + 1000))
    assert len(screen.terminal.terminalProtocol._keys) == MOST_KEYS
    screen.keys("\x03")


def test_ctrl_c_ends_the_waiting(screen: Screen) -> None:
    screen.operating.waits = Deferred()
    screen.type("user('bob').kick()")
    assert "stopped waiting" in screen.keys("\x03")
    assert screen.type("1") == ["1"]


def test_ctrl_c_cancels_the_line_and_ctrl_d_leaves(screen: Screen) -> None:
    screen.type("for u in users():")
    assert "^C\r\n" in screen.keys("    abc\x03")
    assert screen.type("2") == ["2"]
    assert screen.audit == ["2"]
    assert not screen.transport.disconnecting
    screen.keys("\x04")
    assert screen.transport.disconnecting


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("abd\x1b[Dc", "abcd"),
        ("abc\x7f\x7f", "a"),
        ("é世\x1b[D\x1b[3~x", "éx"),
        ("one two\x17", "one "),
        ("abc\x01x\x05y", "xabcy"),
        ("abc\x1b[D\x0b", "ab"),
        ("abc\x15", ""),
        ("add_acc\t", "add_account("),
        ("\t1", "    1"),
        ("\u202ea\x1b[99999;1xb", "ab"),
    ],
)
def test_the_line_is_edited(screen: Screen, keys: str, text: str) -> None:
    screen.keys(keys)
    assert screen.terminal.terminalProtocol._editor.text == text


def test_characters_may_come_in_pieces(screen: Screen) -> None:
    for byte in "'é世'\r".encode():
        screen.terminal.dataReceived(bytes([byte]))
    assert "\r\n'é世'\r\n" in _ESCAPES.sub("", screen.transport.value().decode())


def test_lines_come_again_but_not_those_with_passwords(screen: Screen) -> None:
    for line in ("1", "2", "set_password('bob', 'secret')"):
        screen.type(line)
    screen.keys("typed\x1b[A")
    assert screen.terminal.terminalProtocol._editor.text == "2"
    screen.keys("\x1b[B")
    assert screen.terminal.terminalProtocol._editor.text == "typed"


def test_a_password_is_neither_shown_nor_logged(screen: Screen) -> None:
    said = screen.keys("add_account('bob')\r") + screen.keys("secret\r") + screen.keys("secrex\x7ft\r")
    assert "Password for bob: \r\nThe same again: \r\nadd_account is done." in _ESCAPES.sub("", said)
    assert "secre" not in said
    assert screen.operating.done == [("add_account", "bob", "secret")]
    assert screen.audit == ["add_account('bob', ...)"]


@pytest.mark.parametrize("keys", [b"secr\xe9t\r", b"secret\xe9\r", b"\xe9\xe9\r"])
def test_bytes_that_are_not_utf_8_are_not_lost_from_a_password(screen: Screen, keys: bytes) -> None:
    screen.keys("add_account('bob')\r")
    for _ in range(2):
        screen.terminal.dataReceived(keys)
    assert screen.operating.done == [("add_account", "bob", keys.decode("utf-8", "replace").rstrip("\r"))]


def test_a_control_character_is_not_lost_from_a_password(screen: Screen) -> None:
    screen.keys("add_account('bob')\r")
    for _ in range(2):
        screen.keys("sec\x01ret\r")
    assert screen.operating.done == [("add_account", "bob", "sec\x01ret")]


def test_a_lost_terminal_ends_the_asking(screen: Screen) -> None:
    screen.keys("add_account('bob')\r")
    screen.close()
    assert screen.operating.done == []


def test_an_endless_escape_sequence_is_not_kept(screen: Screen) -> None:
    screen.keys("\x1b[" + "1" * 100_000)
    assert len(getattr(screen.terminal, "escBuf", ())) <= 32


def test_colours_change_no_character() -> None:
    line = "for u in users(): user(u.name).kick('it\\'s # spam') # é \"open"
    assert "\x1b[" in coloured(line)
    assert _ESCAPES.sub("", coloured(line)).replace("\x1b[0m", "") == line


def test_where_the_cursor_is() -> None:
    assert [place("x" * n, 10) for n in (0, 9, 10, 11)] == [(0, 0), (0, 9), (1, 0), (1, 1)]
    assert place("x" * 9 + "世", 10) == (1, 2)
