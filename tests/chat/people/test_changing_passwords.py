"""Which passwords are taken, in every way they come: typed, asked for, in records, from operators; and older ones."""

from __future__ import annotations

import pytest
from chat.people.becoming import WRONG, logged_in, made, whose
from harness import QuickPasswords, World, result
from stepping import HeldPasswords
from twisted.internet.defer import Deferred

from chatroom.chat.operators.service import Operations
from chatroom.chat.people.accounts_file import AccountLine
from chatroom.model.errors import Refused
from chatroom.model.names import user_name

NOT_TEXT = "Error: a password is text in UTF-8, and some of these bytes are not; type it in a UTF-8 terminal."
SHORT = "Error: a password has at least 6 characters."


def stored(world: World, name: str) -> str:
    """Return the hash that is stored of an account's password."""
    account = result(world.chat.accounts.get(user_name(name)))
    return account.password if account is not None else ""


# ---- bytes that are not UTF-8 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [b"/register zoe caf\xe9 noir"],
        [b"register zoe caf\xe9 noir"],
        [b"/register", b"zoe,caf\xe9 noir"],
        [b"/register zoe", b"caf\xe9 noir"],
    ],
)
def test_bytes_that_are_not_utf_8_are_refused_as_a_new_password(world: World, lines: list[bytes]) -> None:
    zoe = world.person()
    for line in lines:
        zoe.send(line + b"\r\n")
    assert zoe.lines()[-1] == NOT_TEXT
    assert result(world.chat.accounts.all()) == []


@pytest.mark.parametrize(
    "lines", [[b"/login alice caf\xe8 noir"], [b"login", b"alice,caf\xe8 noir"], [b"/login alice", b"caf\xe8 noir"]]
)
@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_other_such_bytes_do_not_log_in_where_an_old_server_stored_some(
    world: World, lines: list[bytes], name: str
) -> None:
    result(world.chat.accounts.add(user_name("alice"), "hash of caf\ufffd noir"))
    mallory = world.person()
    for line in lines:
        mallory.send(line.replace(b"alice", name.encode()) + b"\r\n")
    assert mallory.lines()[-1] == NOT_TEXT
    bot = world.program()
    bot.record(do="login", user=name, password="caf\ufffd noir")
    assert bot.records()[0]["code"] == "bad-password", "a client that decoded it loosely is no better"
    assert whose(mallory)[1] is False


@pytest.mark.parametrize("answer", [b"zoe,se\xffcret", b"zoe,secret\xff", b"zoe,\xffsecret"])
def test_a_byte_that_begins_telnets_commands_is_not_dropped_from_a_password(world: World, answer: bytes) -> None:
    zoe = world.person()
    zoe.say("register")
    zoe.take()
    zoe.send(answer + b"\r\n")
    assert any(line.endswith(NOT_TEXT) for line in zoe.take().decode("latin-1").split("\r\n"))


@pytest.mark.parametrize(
    "line", [b"/password secret ne\xfcer1", b"/password s\xe9cret another", b"/account delete s\xe9"]
)
def test_bytes_that_are_not_utf_8_neither_change_a_password_nor_delete_an_account(world: World, line: bytes) -> None:
    made(world, "alice")
    alice = logged_in(world, "alice")
    alice.send(line + b"\r\n")
    assert alice.lines() == [NOT_TEXT]
    assert stored(world, "alice") == "hash of secret"


@pytest.mark.parametrize("line", [b"/add-account zoe caf\xe9 noir", b"/set-password alice caf\xe9 noir"])
def test_bytes_that_are_not_utf_8_are_refused_from_operators(world: World, line: bytes) -> None:
    made(world, "alice")
    (account,) = result(world.chat.accounts.all())
    result(world.chat.account_changes.change(account, operator=True))
    alice = logged_in(world, "alice")
    alice.send(line + b"\r\n")
    assert alice.lines() == [NOT_TEXT]
    assert [stored(world, "alice"), stored(world, "zoe")] == ["hash of secret", ""]


# ---- one form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["Cre\u0300me bru\u0302le\u0301e", "Cr\u00e8me\u00a0br\u00fbl\u00e9e"])
def test_however_a_keyboard_composes_it_it_is_one_password(world: World, given: str) -> None:
    zoe = world.person()
    zoe.say(f"/register zoe {given}", "/logout", "/login zoe Cr\u00e8me br\u00fbl\u00e9e", "/logout")
    assert stored(world, "zoe") == "hash of Cr\u00e8me br\u00fbl\u00e9e"
    zoe.take()
    zoe.say(f"/login zoe {given}")
    assert zoe.lines()[0] == "You are logged in as zoe."


def test_a_hash_that_was_stored_before_still_verifies_and_is_made_anew(world: World) -> None:
    result(world.chat.accounts.add(user_name("zoe"), "hash of Zu\u0308rich\u00a0See"))
    zoe = world.person()
    zoe.say("/login zoe Z\u00fcrich See")
    assert zoe.lines() == [WRONG], "nobody could have logged in so before"
    zoe.say("/login zoe Zu\u0308rich\u00a0See")
    assert zoe.lines()[0] == "You are logged in as zoe."
    assert stored(world, "zoe") == "hash of Z\u00fcrich See"
    zoe.say("/logout", "/login zoe Z\u00fcrich See")
    assert "You are logged in as zoe." in zoe.lines()


def test_a_password_of_before_that_would_not_be_taken_today_goes_on(world: World) -> None:
    result(world.chat.accounts.add(user_name("zoe"), "hash of a\tb"))
    bot = world.program()
    bot.record(do="login", user="zoe", password="a\tb")
    assert bot.records()[0]["name"] == "zoe"
    assert stored(world, "zoe") == "hash of a\tb"
    bot.record(do="logout")
    bot.take()
    bot.record(do="login", user="zoe", password="a\tc")
    assert bot.records()[0]["text"] == "a password has no control characters; type it again."


@pytest.mark.parametrize("user", ["alice", "nobody"])
def test_the_work_for_a_wrong_password_is_the_same_for_all_names(user: str) -> None:
    looked: list[str] = []

    class Watched(QuickPasswords):
        def verify(self, hashed: str, password: str) -> Deferred[bool]:
            looked.append(password)
            return super().verify(hashed, password)

    world = World(passwords=Watched())
    result(world.chat.accounts.add(user_name("alice"), "hash of secret"))
    person = world.person()
    person.say(f"/login {user} n\u00e9", f"/login {user} ne\u0301")
    assert person.lines() == [WRONG] * 2
    assert looked == ["n\u00e9", "n\u00e9", "ne\u0301"]
    world.close()


@pytest.mark.parametrize("control", ["\x01", "\x1b[D", "\t", "\x9b"])
def test_control_characters_are_refused(world: World, control: str) -> None:
    zoe = world.person()
    zoe.say(f"/register zoe long{control}enough")
    assert zoe.lines() == ["Error: a password has no control characters; type it again."]
    bot = world.program()
    bot.record(do="register", user="zoe", password=f"long{control}enough")
    assert bot.records()[0]["code"] == "bad-password"
    assert result(world.chat.accounts.all()) == []


@pytest.mark.parametrize("control", ["\x1c", "\x1f", "\x85", "\x0b"])
def test_control_characters_at_an_end_are_not_lost_but_refused(world: World, control: str) -> None:
    zoe = world.person()
    zoe.say(f"/register zoe longenough{control}", "register", f"zoe,longenough{control}")
    refused = "Error: a password has no control characters; type it again."
    assert zoe.lines() == [refused, "user,password:", refused]


# ---- how short it may be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [["/register zoe 12345"], ["register", "zoe,12345"], ["/register zoe", "12345"]])
def test_a_new_password_that_is_too_short_is_told_how_long_it_must_be(world: World, lines: list[str]) -> None:
    zoe = world.person()
    zoe.say(*lines)
    assert zoe.lines()[-1] == SHORT
    zoe.say("/register zoe 123456")
    assert zoe.lines()[0] == "You are logged in as zoe."
    zoe.say("/password 123456 54321")
    assert zoe.lines() == [SHORT]


def test_the_operator_says_how_short() -> None:
    world = World(min_password=11)
    zoe = world.person()
    zoe.say("/register zoe ten-letter", "/register zoe eleven-char")
    assert zoe.lines()[:2] == ["Error: a password has at least 11 characters.", "You are logged in as zoe."]
    with pytest.raises(Refused, match="at least 11 characters"):
        result(Operations(world.chat, "olga").set_password("zoe", "ten-letter"))
    world.close()


def test_a_short_password_of_before_and_of_an_accounts_file_goes_on(world: World) -> None:
    result(world.chat.accounts.add(user_name("old"), "hash of abc"))
    imported = Deferred.fromCoroutine(
        world.chat.account_changes.take_in([AccountLine(user_name("mia"), "xy", False)], world.chat.authenticator.hash)
    )
    world.settle()
    assert imported.called
    for name, password in (("old", "abc"), ("mia", "xy")):
        person = world.person()
        person.say(f"/login {name} {password}")
        assert person.lines()[0] == f"You are logged in as {name}."


def test_a_program_is_told_the_same(world: World) -> None:
    bot = world.program()
    bot.record(do="register", user="zoe", password="short", ref=4)
    assert bot.records() == [
        {"event": "error", "re": 4, "code": "bad-password", "text": "a password has at least 6 characters."}
    ]


def test_an_account_whose_password_is_changed_while_it_is_looked_at_is_not_logged_in_to() -> None:
    """By the password of before."""
    passwords = HeldPasswords()
    world = World(passwords=passwords)
    made(world, "alice")
    mallory = world.person()
    passwords.holding = True
    mallory.say("/login alice secret")
    (account,) = result(world.chat.accounts.all())
    result(world.chat.account_changes.change(account, password="hash of another"))
    passwords.let_go()
    world.settle()
    assert mallory.lines() == [WRONG]
    assert whose(mallory)[1] is False
    world.close()
