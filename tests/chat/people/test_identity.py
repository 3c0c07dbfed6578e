"""Registering, logging in and out, in all spellings; what is refused; names, passwords, the end of accounts."""

from __future__ import annotations

import pytest
from chat.people.becoming import NAME_IN_USE, WRONG, logged_in, made, whose
from harness import World, result
from stepping import all_is_one, nobody_is_left

# ---- in all spellings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        ["/register alice secret"],
        ["register alice secret"],
        ["/REGISTER alice secret"],
        ["register", "alice,secret"],
        ["/register", "alice, secret"],
        ["/register alice", "secret"],
    ],
)
def test_register_in_all_spellings(world: World, lines: list[str]) -> None:
    alice = world.person()
    alice.say(*lines)
    assert alice.lines()[-2:] == ["You are logged in as alice.", "Users online (1): alice"]
    assert whose(alice) == ("alice", True)


@pytest.mark.parametrize(
    "lines",
    [
        ["/login alice secret"],
        ["login alice secret"],
        ["/Login ALICE secret"],
        ["login", "alice,secret"],
        ["login", "  alice , secret  "],
        ["/login", "alice,secret"],
        ["/login alice", "secret"],
    ],
)
def test_login_in_all_spellings(world: World, lines: list[str]) -> None:
    made(world, "alice")
    world.person("bob")
    alice = world.person()
    alice.say(*lines)
    assert alice.lines()[-2:] == ["You are logged in as alice.", "Users online (2): alice, bob"]


@pytest.mark.parametrize("spelling", ["/logout", "logout", "/LOGOUT"])
def test_logout_in_all_spellings(world: World, spelling: str) -> None:
    made(world, "alice")
    alice = logged_in(world, "alice")
    alice.say(spelling)
    told, now = alice.lines()
    assert told == "You have logged out of alice."
    assert now.startswith("You are now guest-")
    assert whose(alice)[1] is False


def test_in_a_room_the_bare_words_are_said(world: World) -> None:
    alice = world.person("alice", "lobby")
    for word in ("login alice secret", "register now", "logout"):
        alice.say(word)
        assert alice.lines() == [f"alice: {word}"]


def test_a_password_may_have_spaces_and_commas(world: World) -> None:
    alice = world.person()
    alice.say("/register alice correct horse, battery")
    alice.say("/logout")
    alice.take()
    alice.say("login", "alice,correct horse, battery")
    assert alice.lines()[1] == "You are logged in as alice."


@pytest.mark.parametrize("word", ["login", "register"])
@pytest.mark.parametrize("answer", ["alice secret", "alice", "alice,", ",secret", ","])
def test_an_answer_without_a_comma_is_told_what_is_expected(world: World, word: str, answer: str) -> None:
    alice = world.person()
    alice.say(word, answer)
    assert alice.lines() == ["user,password:", "Error: expected user,password."]
    alice.say("/hello")
    assert len(alice.lines()) == 1, "the question is over"


@pytest.mark.parametrize("answer", ["", "/cancel", "/CANCEL"])
def test_a_question_can_be_cancelled(world: World, answer: str) -> None:
    alice = world.person()
    alice.say("login", answer)
    assert alice.lines() == ["user,password:", "Cancelled."]


def test_records_register_log_in_and_out(world: World) -> None:
    bot = world.program()
    bot.record(do="register", user="bot", password="secret", ref=1)
    id = world.chat.names.get("bot").id
    assert bot.records() == [{"event": "account", "re": 1, "name": "bot", "users": ["bot"], "id": id}]
    bot.record(do="logout", ref=2)
    (out,) = bot.records()
    assert (out["event"], out["re"], out["guest"], out["was"]) == ("account", 2, True, "bot")
    bot.record(do="login", user="bot", password="wrong", ref=3)
    assert [(r["event"], r["code"], r["re"]) for r in bot.records()] == [("error", "wrong-password", 3)]
    bot.record(do="login", user="bot", password="secret", ref=4)
    assert bot.records()[0]["name"] == "bot"


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_wrong_password_and_unknown_user_are_told_in_the_same_words(world: World) -> None:
    made(world, "alice")
    mallory = world.person()
    for user in ("alice", "nobody", "/me", "\u0430lice", "x" * 500):
        mallory.say(f"/login {user} wrong")
        assert mallory.lines() == [WRONG], user
    assert whose(mallory)[1] is False


@pytest.mark.parametrize("name", ["alice", "ALICE", "\uff41lice", "a1ice"])
def test_a_registered_name_or_one_like_it_is_neither_registered_again_nor_taken_by_a_guest(
    world: World, name: str
) -> None:
    made(world, "alice")
    mallory = world.person()
    mallory.say(f"/register {name} another", f"/name {name}")
    assert mallory.lines() == [NAME_IN_USE] * 2
    nobody_is_left(world)


@pytest.mark.parametrize(("name", "word"), [("server", "reserved"), ("a,b", ""), ("x" * 33, "32"), ("guest-abcd", "")])
def test_a_name_that_is_none_cannot_be_registered(world: World, name: str, word: str) -> None:
    alice = world.person()
    alice.say(f"/register {name} secret")
    (line,) = alice.lines()
    assert line.startswith("Error: ")
    assert word in line
    assert result(world.chat.accounts.all()) == []


def test_a_password_that_is_too_long_is_none(world: World) -> None:
    alice = world.person()
    alice.say(f"/register alice {'x' * 129}")
    assert alice.lines() == ["Error: a password has at most 128 characters; choose another."]
    bot = world.program()
    bot.record(do="register", user="bot", password="")
    assert bot.records()[0]["code"] == "bad-password"
    alice.say(f"/register alice {'x' * 128}", "/logout")
    alice.take()
    alice.say(f"/login alice {'x' * 129}")
    assert alice.lines() == [WRONG], "not the first 128 of them"


def test_who_is_logged_in_must_log_out_first(world: World) -> None:
    made(world, "alice", "bob")
    alice = logged_in(world, "alice")
    for line in ("/login bob secret", "/register carol secret", "/name carol"):
        alice.say(line)
        assert alice.lines() == ["Error: you are logged in as alice; /logout first."]


@pytest.mark.parametrize("line", ["/logout", "/password a b", "/account delete secret"])
def test_a_guest_has_no_account_to_change(world: World, line: str) -> None:
    guest = world.person()
    guest.say(line)
    assert guest.lines() == ["Error: you are not logged in; use /login <user> <password>."]


# ---- names -------------------------------------------------------------------------------------------------------


def test_whoever_has_a_name_when_it_is_registered_talks_on_under_a_guests(world: World) -> None:
    bob, dave = world.person("bob", "lobby"), world.person("dave", "lobby")
    bob.take()
    other = world.person()
    other.say("/register bob secret")
    guest = whose(bob)[0]
    assert guest.startswith("guest-")
    assert dave.lines() == [f"bob is now known as {guest}.", "bob has entered the chat."]
    bob.say("hello")
    assert dave.lines() == [f"{guest}: hello"]
    assert whose(other) == ("bob", True)


def test_who_is_put_to_another_name_is_told_so(world: World) -> None:
    bob, other = world.person("bob"), world.person()
    other.say("/register bob secret")
    told = bob.lines()
    assert told[0] == "bob belongs to an account now."
    assert told[1].startswith("You are now guest-")


def test_one_registers_the_name_that_one_has(world: World) -> None:
    bob, dave = world.person("bob", "lobby"), world.person("dave", "lobby")
    bob.take()
    bob.say("/register bob secret")
    assert bob.lines() == ["You are logged in as bob.", "Users online (2): bob, dave"]
    assert [line for line in dave.lines() if "known" in line] == [], "nothing has changed for the room"
    all_is_one(world)


def test_the_room_sees_under_which_name_somebody_is_logged_in_and_out(world: World) -> None:
    made(world, "alice")
    dave = world.person("dave", "lobby")
    guest = world.person("", "lobby")
    name = whose(guest)[0]
    dave.take()
    guest.say("/login alice secret")
    assert sorted(dave.lines()) == ["alice has entered the chat.", f"{name} is now known as alice."]
    guest.say("/logout")
    told = sorted(dave.lines())
    assert told[0] == "alice has left the chat."
    assert told[1].startswith("alice is now known as guest-")


# ---- passwords, and the end of an account ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines", [["/password secret better"], ["/password", "secret", "better"], ["/password secret", "better"]]
)
def test_a_password_is_changed_by_who_knows_it(world: World, lines: list[str]) -> None:
    made(world, "alice")
    alice = logged_in(world, "alice")
    alice.say(*lines)
    assert alice.lines()[-1] == "Your password has been changed."
    alice.say("/logout", "/login alice secret", "/login alice better")
    assert alice.lines()[2:4] == [WRONG, "You are logged in as alice."]


def test_a_password_is_not_changed_by_who_does_not_know_it(world: World) -> None:
    made(world, "alice")
    alice = logged_in(world, "alice")
    alice.say("/password wrong better")
    assert alice.lines() == [WRONG]
    alice.say("/logout", "/login alice secret")
    assert "You are logged in as alice." in alice.lines()


def test_an_account_is_deleted_by_who_knows_its_password(world: World) -> None:
    made(world, "alice")
    alice = logged_in(world, "alice")
    alice.say("/account delete", "wrong")
    assert alice.lines() == ["Password:", WRONG]
    assert whose(alice) == ("alice", True)
    alice.say("/account delete", "secret")
    lines = alice.lines()
    assert lines[0] == "Password:"
    assert lines[1] == "You have logged out of alice."
    assert lines[-1] == "The account alice has been deleted."
    alice.say("/login alice secret")
    assert alice.lines() == [WRONG]
    assert result(world.chat.accounts.all()) == []
    all_is_one(world)


def test_the_id_of_a_deleted_account_is_not_used_again_and_its_mail_is_nobodys(world: World) -> None:
    made(world, "alice")
    first = result(world.chat.accounts.all())[0].id
    bob, alice = world.person("bob"), logged_in(world, "alice")
    alice.drop()
    bob.say("/msg alice for the first alice alone")
    alice = world.person()
    alice.say("/login alice secret", "/account delete secret")
    made(world, "alice")
    assert result(world.chat.accounts.all())[0].id != first
    again = world.person()
    again.say("/login alice secret", "/history")
    assert again.lines()[-1] == "No private messages."


def test_all_sessions_of_a_deleted_account_are_guests() -> None:
    world = World(sessions=2)
    made(world, "alice")
    one, two = logged_in(world, "alice"), logged_in(world, "alice")
    one.say("/account delete secret")
    assert whose(one)[1] is whose(two)[1] is False
    all_is_one(world)
    nobody_is_left(world)
    world.close()


# ---- settings ----------------------------------------------------------------------------------------------------


def test_settings_live_with_the_account(world: World) -> None:
    made(world, "alice")
    alice, bob = logged_in(world, "alice"), world.person("bob")
    alice.say("/echo off", "/timestamps on", "/ignore bob", "/away at lunch")
    alice.say("/logout")
    alice.take()
    alice.say("/set")
    assert alice.lines() == ["Echo is on.", "Timestamps are off.", "You are not away.", "You ignore nobody."]
    alice.drop()
    again = logged_in(world, "alice")
    again.say("/set")
    assert again.lines() == [
        "Echo is off.",
        "Timestamps are on.",
        "You are away: at lunch",
        "You ignore bob.",
    ]
    bob.say("/msg alice hi")
    assert bob.lines()[-1] == "alice is away: at lunch"
    assert again.lines() == []


def test_to_ask_who_one_is_does_not_read_like_a_change(world: World) -> None:
    world.person("zelda").say("/account")
    zelda, bot = world.clients[-1], world.program("bot")
    assert zelda.lines() == ["You are zelda, a guest."]
    bot.record(do="account", ref=3)
    id = world.chat.names.get("bot").id
    assert bot.records() == [{"event": "account", "re": 3, "name": "bot", "guest": True, "id": id}]


def test_a_pair_with_a_comma_registers_and_logs_in(world: World) -> None:
    dora = world.person()
    dora.say("/register dora,geheim1", "/logout", "/login dora,geheim1")
    lines = dora.lines()
    assert lines.count("You are logged in as dora.") == 2
    assert not [line for line in lines if line.startswith(("Error", "Password"))]
