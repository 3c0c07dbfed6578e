"""Taking an account over from another of one's sessions: who may, for how long, and what becomes of the other."""

from __future__ import annotations

from typing import Any

import pytest
from chat.people.becoming import WRONG, logged_in, made, whose
from harness import Client, World, result
from stepping import all_is_one, nobody_is_left

from chatroom.chat.people import tokens
from chatroom.model.names import user_name

IN_USE = ["Error: erika is already logged in.", "Type /takeover to end that session and log in here."]
NOTHING = "Error: there is no session to take over; log in with /login <user> <password>."


@pytest.fixture
def elsewhere(world: World) -> Client:
    """The owner of an account, who is logged in and in a room."""
    made(world, "erika")
    return logged_in(world, "erika", "lobby")


def answer(program: Client, **fields: Any) -> dict[str, Any]:
    """Return the answer to a record."""
    program.record(ref="it", **fields)
    (found,) = [record for record in program.records() if record.get("re") == "it"]
    return found


def refused(world: World, client: Client | None = None) -> Client:
    """Return a person who has shown the right password, and been refused."""
    here = client or world.person()
    here.say("/login erika secret")
    assert here.lines() == IN_USE
    return here


def test_by_the_right_password_one_may_end_the_session_elsewhere(world: World, elsewhere: Client) -> None:
    dave = world.person("dave", "lobby")
    elsewhere.take()
    here = refused(world)
    dave.take()
    here.say("/takeover")
    assert here.lines() == ["You are logged in as erika.", "Users online (2): dave, erika"]
    assert elsewhere.lines()[-1] == "Error: erika has logged in elsewhere and ended this session."
    assert not elsewhere.open
    assert "erika has disconnected." in dave.lines()
    assert whose(here) == ("erika", True)
    all_is_one(world)
    nobody_is_left(world)


@pytest.mark.parametrize("password", ["wrong", "secret2", "caf\u00e9\t"])
def test_by_a_wrong_password_nobody_learns_that_the_owner_is_here(
    world: World, elsewhere: Client, password: str
) -> None:
    mallory = world.person()
    mallory.say(f"/login erika {password}")
    assert "already" not in "".join(mallory.lines())
    mallory.say("/takeover")
    assert mallory.lines() == [NOTHING]
    assert elsewhere.open


def test_the_offer_is_for_a_minute(world: World, elsewhere: Client) -> None:
    here, late = world.person(), world.person()
    refused(world, here)
    world.pass_time(59.9)
    refused(world, late)
    here.say("/takeover")
    assert "You are logged in as erika." in here.lines()
    world.pass_time(60)
    late.take()
    late.say("/takeover")
    assert late.lines() == [NOTHING]
    assert here.open


def test_it_is_for_that_connection_and_once(world: World, elsewhere: Client) -> None:
    here, other = refused(world), world.person()
    other.say("/takeover")
    assert other.lines() == [NOTHING]
    here.say("/takeover", "/logout", "/takeover")
    assert NOTHING in here.lines()


def test_one_who_is_logged_in_takes_nothing_over(world: World, elsewhere: Client) -> None:
    made(world, "mona")
    here = refused(world)
    here.say("/login mona secret", "/takeover")
    assert here.lines()[-1] == "Error: you are logged in as mona; /logout first."
    here.say("/logout", "/takeover")
    assert here.lines()[-1] == NOTHING, "what came between has ended it"


def test_a_password_that_was_changed_meanwhile_is_worth_nothing(world: World, elsewhere: Client) -> None:
    here = refused(world)
    elsewhere.say("/password secret something")
    here.say("/takeover")
    assert here.lines()[-1] == NOTHING
    assert elsewhere.open


def test_an_account_that_was_deleted_and_made_anew_is_another(world: World, elsewhere: Client) -> None:
    here = refused(world)
    elsewhere.say("/account delete secret", "/register erika secret")
    here.take()
    here.say("/takeover")
    assert here.lines() == [NOTHING]


def test_when_the_session_elsewhere_has_gone_there_is_nothing_to_end(world: World, elsewhere: Client) -> None:
    here = refused(world)
    elsewhere.drop()
    here.take()
    here.say("/takeover")
    assert here.lines()[0] == "You are logged in as erika."


def test_records_take_over_with_what_the_login_asked_for(world: World, elsewhere: Client) -> None:
    bot = world.program()
    told = answer(bot, do="login", user="erika", password="secret", remember=True, client="laptop")
    assert (told["code"], told["text"]) == ("already-logged-in", "erika is already logged in.")
    told = answer(bot, do="takeover")
    assert (told["event"], told["name"]) == ("account", "erika")
    bot.drop()
    again = world.program()
    assert answer(again, do="login", user="erika", token=told["token"])["name"] == "erika"


def test_a_token_is_as_good_as_the_password_while_it_is_worth_something(world: World, elsewhere: Client) -> None:
    (account,) = result(world.chat.accounts.all())
    result(world.chat.account_changes.amend(account, lambda now: tokens.remembered(now, "t" * 32, "x", 1 << 42)))
    bot, late = world.program(), world.program()
    for program in (bot, late):
        assert answer(program, do="login", user="erika", token="t" * 32)["code"] == "already-logged-in"
    assert answer(bot, do="takeover")["name"] == "erika"
    assert answer(bot, do="logout")["was"] == "erika"  # which makes the token worthless
    assert answer(late, do="takeover")["code"] == "no-takeover"


def test_a_program_elsewhere_that_does_not_answer_is_ended_by_the_login_alone(world: World) -> None:
    made(world, "erika")
    ghost = world.program()
    assert answer(ghost, do="login", user="erika", password="secret")["name"] == "erika"
    here = refused(world)
    assert ghost.records() == [{"event": "ping"}]
    world.pass_time(9.9)
    assert ghost.open
    world.pass_time(0.2)
    assert not ghost.open
    here.take()
    here.say("/login erika secret")
    assert here.lines()[0] == "You are logged in as erika."


def test_a_program_elsewhere_that_answers_stays(world: World) -> None:
    made(world, "erika")
    there = world.program()
    answer(there, do="login", user="erika", password="secret")
    refused(world)
    there.record(do="pong")
    world.pass_time(60)
    assert there.open


def test_a_person_elsewhere_is_never_ended_by_a_ping(world: World, elsewhere: Client) -> None:
    elsewhere.take()
    refused(world)
    world.pass_time(100)
    assert elsewhere.open
    assert elsewhere.take() == b""


@pytest.mark.parametrize("password", ["wrong", "secret"])
def test_only_the_right_password_makes_anybody_be_pinged(world: World, password: str) -> None:
    made(world, "erika")
    there = world.program()
    answer(there, do="login", user="erika", password="secret")
    world.person().say(f"/login erika {password}")
    assert [record["event"] for record in there.records()] == (["ping"] if password == "secret" else [])


def test_of_several_sessions_the_oldest_ends() -> None:
    world = World(sessions=2)
    made(world, "erika")
    oldest, newer = logged_in(world, "erika"), logged_in(world, "erika")
    here = refused(world)
    here.say("/takeover")
    assert here.lines()[0] == "You are logged in as erika."
    assert (oldest.open, newer.open) == (False, True)
    world.close()


def test_a_banned_account_is_not_taken_over_and_its_session_stays(world: World, elsewhere: Client) -> None:
    alice = world.person("alice", "den")
    here = world.person("", "den")
    here.say("/login erika secret")
    assert here.lines() == IN_USE
    alice.say("/ban erika 2h noise")
    here.take()
    here.say("/takeover")
    assert here.lines() == ["Error: you are banned from den for 2 hours: noise."]
    assert elsewhere.open


def test_whoever_stands_without_a_seat_has_that_minute_too() -> None:
    world = World(most_users=3)
    for name in ("erika", "frida"):
        result(world.chat.accounts.add(user_name(name), "hash of secret", reserved=True))
    world.chat.seats.reserved = 2
    world.person("guest1")
    elsewhere, here = world.connect(), world.connect()
    world.pass_time(0.3)
    elsewhere.say("/login erika secret")
    assert "You are logged in as erika." in elsewhere.lines()
    here.take()
    refused(world, here)
    world.pass_time(55)
    here.say("/takeover")
    assert here.lines()[0] == "You are logged in as erika."
    assert not elsewhere.open
    all_is_one(world)
    world.close()


def test_whoever_stands_and_takes_nothing_over_has_to_go() -> None:
    world = World(most_users=3)
    for name in ("erika", "frida"):
        result(world.chat.accounts.add(user_name(name), "hash of secret", reserved=True))
    world.chat.seats.reserved = 2
    world.person("guest1")
    elsewhere, here = world.connect(), world.connect()
    world.pass_time(0.3)
    elsewhere.say("/login erika secret")
    here.take()
    refused(world, here)
    world.pass_time(60.1)
    assert not here.open
    assert elsewhere.open
    world.close()


def test_wrong_is_wrong_even_while_an_offer_stands(world: World, elsewhere: Client) -> None:
    here = refused(world)
    here.say("/login erika wrong")
    assert here.lines() == [WRONG]
