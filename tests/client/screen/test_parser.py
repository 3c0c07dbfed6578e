"""What a typed line means; and that the client's table has every command that people have, in its right form."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from chatroom.client.screen.parser import CommandLine, LocalLine, Misuse, SayLine, holds_secret, read, secret_from
from chatroom.client.screen.password_guard import forgotten_slash, kept_nowhere
from chatroom.model import commands as c
from chatroom.model.arguments import Kind
from chatroom.model.commands import TABLE

OF_THE_CLIENT = {"get", "ignore", "timestamps", "say"}  # typed and done in another way


@pytest.mark.parametrize(
    ("line", "do", "fields"),
    [
        ("/join lobby 20", "join", {"room": "lobby", "messages": 20}),
        ("/JOIN lobby", "join", {"room": "lobby"}),
        ("/msg bob  hi  there", "message", {"user": "bob", "text": "hi  there"}),
        ("/ban bob 2h be nice", "ban", {"user": "bob", "seconds": 7200, "reason": "be nice"}),
        ("/ban bob be nice", "ban", {"user": "bob", "reason": "be nice"}),
        ("/ban", "ban", {}),
        ("/echo off", "echo", {"on": False}),
        ("/search two words", "search", {"words": "two words", "again": True}),
        ("/topic -", "topic", {"text": "-"}),
        ("/topic", "topic", {}),
        ("/account", "account", {}),
        ("/account delete a pass word", "delete-account", {"password": "a pass word"}),
        ("/password old a new one", "password", {"old": "old", "new": "a new one"}),
        ("/sessions end 2", "end-session", {"number": 2}),
        ("/register dora,geheim1", "register", {"user": "dora", "password": "geheim1"}),
        ("/set-password dora,a,b", "set-password", {"user": "dora", "password": "a,b"}),
    ],
)
def test_a_command_becomes_its_record(line: str, do: str, fields: dict[str, object]) -> None:
    meant = read(line, ())
    assert isinstance(meant, CommandLine)
    assert (meant.row.do, meant.fields, meant.missing) == (do, fields, ())


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("hi there", SayLine("hi there")),
        ("//quit", SayLine("/quit")),
        ("/say /x", SayLine("/x")),
        ("  ", None),
        ("/say", None),
    ],
)
def test_what_is_said(line: str, meant: object) -> None:
    assert read(line, ()) == meant


def test_the_clients_own_commands_win() -> None:
    assert read("/Help  me ", {"help"}) == LocalLine("help", "me")


@pytest.mark.parametrize(
    ("line", "missing"),
    [("/login", ["user", "password"]), ("/login bob", ["password"]), ("/password", ["old", "new"])],
)
def test_what_is_asked_for(line: str, missing: list[str]) -> None:
    meant = read(line, ())
    assert isinstance(meant, CommandLine)
    assert [arg.field for arg in meant.missing] == missing


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/jion x", "unknown command /jion; did you mean /join?"),
        ("/inore bob", "unknown command /inore; did you mean /ignore?"),
        ("/xyzzy", "unknown command /xyzzy; type /help."),
        ("/join", "usage: /join <room> [messages]."),
        ("/join a b", "usage: /join <room> [messages]."),
        ("/lock it", "usage: /lock."),
        ("/mute bob 5q", "5q is no duration; write it as 10m, 2h or 7d."),
        ("/echo maybe", "usage: /echo [on|off]."),
    ],
)
def test_misuse_says_what_to_type(line: str, why: str) -> None:
    with pytest.raises(Misuse, match=re.escape(why)):
        read(line, {"ignore"})


@pytest.mark.parametrize("line", ["/login bob gr\ufffdn1", "/register bob gr\udcfcn1", "/password s\udcfc\ufffd new"])
def test_a_password_whose_bytes_are_not_utf_8_is_refused_and_not_shown(line: str) -> None:
    """A pipe decodes them to U+FFFD, a terminal to lone surrogates."""
    with pytest.raises(Misuse, match="a password is text in UTF-8") as raised:
        read(line, ())
    assert "gr" not in str(raised.value)


@pytest.mark.parametrize(
    "line", ["/login bob x", "/lgoin bob x", "/LOGIN bob", " /register a b", "/account delete x", "login bob x"]
)
def test_where_a_password_may_stand(line: str) -> None:
    assert holds_secret(line)


@pytest.mark.parametrize("line", ["hello", "/join login", "/account", "", "/"])
def test_where_none_stands(line: str) -> None:
    assert not holds_secret(line)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("/login bob x y", "/login bob "),
        (" /REGISTER  bob  x", " /REGISTER  bob  "),
        ("/password old new", "/password "),
        ("/account delete x", "/account delete "),
        ("/login dora,g", "/login dora,"),
    ],
)
def test_where_a_password_begins(line: str, seen: str) -> None:
    assert secret_from(line) == len(seen)


@pytest.mark.parametrize(
    "line",
    ["", "/", "/login", "/login bob ", "/login bob,", "/account delete", "/msg bob x", "login bob x", "//login bob x"],
)
def test_where_none_begins(line: str) -> None:
    assert secret_from(line) is None


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("line", "do", "fields"),
    [
        ("CREATE_ROOM attic", "create", {"room": "attic"}),
        ("JOIN_ROOM attic", "join", {"room": "attic", "create": False}),
        ("LEAVE_ROOM ", "leave", {}),
        ("LIST_ROOMS", "rooms", {}),
        ("EXIT", "quit", {}),
    ],
)
def test_upper_case_words_are_commands_anywhere(line: str, do: str, fields: dict[str, object], inside: bool) -> None:
    meant = read(line, (), inside=inside)
    assert isinstance(meant, CommandLine)
    assert (meant.row.do, meant.fields) == (do, fields)


@pytest.mark.parametrize(
    ("line", "do", "fields"),
    [
        ("join attic 7", "join", {"room": "attic", "messages": 7}),
        (" Rooms", "rooms", {}),
        ("who", "who", {}),
        ("hi", "hello", {}),
        ("msg gus good  night", "message", {"user": "gus", "text": "good  night"}),
        ("logout", "logout", {}),
        ("help join", "help", {"command": "join"}),
        ("leave", "leave", {}),
    ],
)
def test_bare_words_are_commands_outside_a_room_and_said_in_one(line: str, do: str, fields: dict[str, object]) -> None:
    meant = read(line, (), inside=False)
    assert isinstance(meant, CommandLine)
    assert (meant.row.do, meant.fields) == (do, fields)
    if line != "leave":
        assert read(line, ()) == SayLine(line)


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("who is it", False),
        ("leave me", False),
        ("create attic", False),
        ("create_room attic", True),
        ("EXIT now", True),
    ],
)
def test_words_that_are_no_commands_are_said(line: str, inside: bool) -> None:
    assert read(line, (), inside=inside) == SayLine(line)


@pytest.mark.parametrize(("line", "alone"), [("leave", True), ("leave ", False), ("Leave", False)])
def test_leave_alone_leaves_a_room(line: str, alone: bool) -> None:
    assert isinstance(read(line, ()), CommandLine) is alone


@pytest.mark.parametrize("line", ["login", " Register "])
def test_login_alone_in_a_room_asks_a_guest(line: str) -> None:
    assert isinstance(read(line, (), guest=True), CommandLine)
    assert read(line, ()) == SayLine(line)


def test_a_word_of_the_clients_own_commands_is_its_own_without_a_slash() -> None:
    own = {"quit", "exit", "help"}
    assert (read("EXIT", own), read("exit", own, inside=False)) == (LocalLine("quit", ""), LocalLine("quit", ""))
    assert read("help join", own, inside=False) == LocalLine("help", "join")


def test_what_the_table_makes_the_server_understands() -> None:
    values = {Kind.COUNT: 3, Kind.BACK: 3, Kind.SWITCH: True, Kind.YES: True, Kind.DURATION: 60}
    kinds = {command.__struct_config__.tag: command for command in vars(c).values() if _is_command(command)}
    for row in (row for row in TABLE if row.spellings):
        fields = {arg.field: values.get(arg.kind, "x") for arg in row.args}
        msgspec.convert({"do": row.do, **fields}, kinds[row.do])
        assert {arg.field for arg in row.args} <= set(kinds[row.do].__struct_fields__), row


def _is_command(thing: object) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, c.Command)
        and thing is not c.Command
        and thing.__name__ != "Secretive"
    )


def test_the_history_keeps_no_password(tmp_path: Path) -> None:
    assert all(holds_secret(f"/{word} a b") for row in TABLE if row.secret for word in row.slash)
    assert kept_nowhere("Password: correcthorse")
    assert not kept_nowhere("my password is wrong")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("login dora,tr0ub4dor", "/login"),
        ("LOGIN dora tr0ub4dor", "/login"),
        ("register dora , tr0ub4dor", "/register"),
        ("password tr0ub4dor", "/password"),
        (" /password tr0ub4dor correct", "/password"),
        ("\\login dora tr0ub4dor", "/login"),
        ("account delete tr0ub4dor", "/account delete"),
        ("account delete", "/account delete"),
        ("login", "/login"),
        ("Password: tr0ub4dor", "/password"),
        ("password=correcthorse", "/password"),
        ("PASSWORD : correcthorse", "/password"),
        ("login: dora,tr0ub4dor", "/login"),
        ("Login:dora:correcthorse", "/login"),
        ("login : dora , tr0ub4dor", "/login"),
        ("login user=dora password=correcthorse", "/password"),
        ("register,dora,correcthorse", "/register"),
        ("register=dora tr0ub4dor", "/register"),
        ("account delete: correcthorse", "/account delete"),
        ("lgoin dora,correcthorse", "/login"),
        ("log in dora tr0ub4dor", "/login"),
        ("pw: correcthorse", "/password"),
        ("my password is tr0ub4dor, what now", "/password"),
        ("i am dora and the password: correcthorse", "/password"),
    ],
)
def test_a_line_that_looks_like_a_login(line: str, command: str) -> None:
    assert forgotten_slash(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "login is broken for me",
        "login: it is broken for me today",
        "register for the course by friday",
        "log in to it",
        "my password is wrong",
        "begin again",
        "logins",
        "my password, x",
        "password policies, and why they fail",
        "",
        ":",
    ],
)
def test_a_line_that_only_begins_like_a_login(line: str) -> None:
    assert forgotten_slash(line) is None
