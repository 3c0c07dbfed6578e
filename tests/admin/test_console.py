"""The functions of the console, their tables and their words; what of a line may be logged; who may come."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from admin.operating import FakeOperating
from harness import result

from chatroom.admin.completion import candidates
from chatroom.admin.console import HELP, Console, duration, moment
from chatroom.admin.formatting import for_the_log, shown
from chatroom.admin.keys import HOST_KEY, AuthorizedKeys, BadKeys, fingerprint, host_key
from chatroom.admin.tables import Column, Table, columns_of
from chatroom.model.errors import Refused


@pytest.fixture
def operating() -> FakeOperating:
    return FakeOperating()


@pytest.fixture
def console(operating: FakeOperating) -> Console:
    return Console(operating)


def test_users_are_a_table(console: Console) -> None:
    assert shown(console.users(), 80).split("\n") == [
        "user  account  room   address      speaks   online  away",
        "----  -------  -----  -----------  -------  ------  ------",
        "bob   yes      lobby  192.0.2.7    text     1h 02m",
        "eve   -        -      2001:db8::1  records  5s      \ufffdlunch",
        "2 users.",
    ]


def test_columns_stand_below_each_other_with_wide_characters_too() -> None:
    rows = [("日本語", "x"), ("a", "y")]
    lines = Table(rows, (Column("name", lambda row: row[0]), Column("mark", lambda row: row[1])), "row")
    _, _, wide, narrow, _ = repr(lines).split("\n")
    assert columns_of(wide[: wide.index("x")]) == columns_of(narrow[: narrow.index("y")]) == 8


def test_a_table_is_no_wider_than_the_terminal() -> None:
    table = Table([("日" * 50, "short")], (Column("a", lambda row: row[0]), Column("b", lambda row: row[1])), "row")
    lines = table.render(30).split("\n")
    assert max(map(columns_of, lines)) <= 30
    assert "\u2026" in lines[2]
    assert lines[2].endswith("short")


def test_a_cell_with_several_lines_stays_one_row() -> None:
    table = Table([("one\ntwo\u2028three\x0bfour", "x")], (Column("a", lambda row: row[0]),), "row")
    lines = repr(table).splitlines()
    assert len(lines) == 4
    assert lines[2] == "one\ufffdtwo\ufffdthree\ufffdfour"


def test_rows_can_be_walked_through(console: Console) -> None:
    assert next(user.name for user in console.users()) == console.users()[0].name == "bob"


def test_user_and_room_do_what_they_say(console: Console, operating: FakeOperating) -> None:
    assert repr(result(console.user("bob").kick("spam"))) == "bob was put out."
    result(console.user("bob").ban("2h", "spam"))
    result(console.room("lobby").close())
    assert repr(result(console.room("lobby").give("bob"))) == "give_room is done."
    result(console.set_operator("bob", False))
    assert operating.done == [
        ("kick", "bob", "spam"),
        ("ban", "bob", "2h", "spam"),
        ("close_room", "lobby", ""),
        ("give_room", "lobby", "bob"),
        ("set_operator", "bob", False),
    ]


def test_every_function_of_the_interface_can_be_reached() -> None:
    assert set(HELP) == {name for name in vars(Console) if not name.startswith("_")} - {"namespace"}


def test_help_fits_a_terminal_and_its_examples_are_python(console: Console) -> None:
    lines = repr(console.help()).split("\n")
    assert max(map(len, lines)) <= 80
    for name, (example, _) in HELP.items():
        assert ast.parse(example).body
        assert any(line.startswith(example) for line in lines), name


def test_help_explains_one_thing(console: Console) -> None:
    assert repr(console.help(console.users)).startswith("users(): Return who is connected")
    assert ".kick(reason): End all connections" in repr(console.help(console.user("bob").kick))
    assert "no help" in repr(console.help(7))


@pytest.mark.parametrize("call", [lambda c: c.user(7), lambda c: c.room(""), lambda c: result(c.announce(None))])
def test_what_is_no_text_is_refused_with_an_example(console: Console, call: object) -> None:
    with pytest.raises(Refused, match="give it as text, as in "):
        call(console)  # type: ignore[operator]


def test_a_password_is_asked_for_twice(operating: FakeOperating) -> None:
    answers = iter(["secret", "secret", "one", "other", ""])

    async def ask(question: str) -> str:
        return next(answers)

    console = Console(operating, ask)
    result(console.add_account("bob"))
    assert operating.done == [("add_account", "bob", "secret")]
    with pytest.raises(Refused, match="not the same"):
        result(console.set_password("bob"))
    with pytest.raises(Refused, match="no password"):
        result(console.set_password("bob"))
    assert len(operating.done) == 1


def test_times_are_short() -> None:
    assert [duration(5), duration(65), duration(3723), duration(90000)] == ["5s", "1m 05s", "1h 02m", "1d 01h"]
    assert [moment(0), moment(86_400_000)] == ["for good", "1970-01-02 00:00 UTC"]


@pytest.mark.parametrize(
    ("typed", "logged"),
    [
        ("users()", "users()"),
        ("add_account('bob', 'secret')", "add_account('bob', ...)"),
        ("set_password('bob', 'secret'", "(not logged: there may be a password in it)"),
        ("set_password(password='secret', name='bob')", "set_password(...)"),
        ("p = 'secret'; set_password('bob', p)", "(not logged: there may be a password in it)"),
        ("set_password('bob', 'secret'); drain()", "(not logged: there may be a password in it)"),
        ("password('secret')", "(not logged: there may be a password in it)"),
    ],
)
def test_passwords_are_not_logged(typed: str, logged: str) -> None:
    assert for_the_log(typed) == logged


def test_tab_knows_names_and_what_they_have(console: Console) -> None:
    names = console.namespace()
    assert candidates("set_", names) == ("set_", ["set_operator", "set_password"])
    assert candidates("user('bob').", names) == ("", ["ban", "kick"])
    assert candidates("announce('us", names)[1] == []


def test_the_host_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = host_key(tmp_path)
    path = tmp_path / HOST_KEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert first.sshType() == b"ssh-ed25519"
    assert fingerprint(host_key(tmp_path)) == fingerprint(first)
    assert fingerprint(host_key(None)) != fingerprint(first)
    path.chmod(0o640)
    with pytest.raises(BadKeys, match="chmod 600"):
        host_key(tmp_path)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(BadKeys, match="damaged"):
        host_key(tmp_path)


def test_authorized_keys_are_read_anew_and_bad_lines_skipped(tmp_path: Path) -> None:
    key = host_key(None).public()
    path = tmp_path / "keys"
    path.write_bytes(b"# a comment\nnonsense\n\n" + key.toString("OPENSSH", comment=b"bob") + b"\n")
    keys = AuthorizedKeys(path)
    assert keys.read() == [key]
    assert keys.holds(key.blob())
    path.write_bytes(b"")
    assert not keys.holds(key.blob())


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_authorized_keys_that_others_write_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    path.touch()
    path.chmod(mode)
    with pytest.raises(BadKeys, match="chmod go-w"):
        AuthorizedKeys(path).read()
    with pytest.raises(BadKeys, match="No such file"):
        AuthorizedKeys(tmp_path / "none").read()
    os.mkfifo(tmp_path / "fifo")  # which would wait for ever for somebody who writes
    with pytest.raises(BadKeys, match="no plain file"):
        AuthorizedKeys(tmp_path / "fifo").read()
