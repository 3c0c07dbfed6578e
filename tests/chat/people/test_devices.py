"""Programs that are remembered log in without the password, and can be forgotten one by one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from harness import Client, World, stored_records

from chatroom.chat.limits import TOKEN_DAYS, TOKENS

DAY = 86400.0


@pytest.fixture
def world() -> Any:
    with closing(World(sessions=0, throttle=False)) as world:
        yield world


def answer(who: Client, **fields: Any) -> dict[str, Any]:
    """Return the answer to a record."""
    who.record(ref="it", **fields)
    (found,) = [record for record in who.records() if record.get("re") == "it"]
    return found


def remembered(world: World, client: str = "a program") -> tuple[Client, str]:
    """Return a program that is logged in as alice, and its token."""
    bot = world.program()
    found = answer(bot, do="login", user="alice", password="secret", remember=True, client=client)
    return bot, found["token"]


def by_token(world: World, token: str, user: str = "alice") -> tuple[Client, dict[str, Any]]:
    """Return a program that comes with a token, and what it is told."""
    bot = world.program()
    return bot, answer(bot, do="login", user=user, token=token)


@pytest.fixture
def alice(world: World) -> Client:
    alice = world.person()
    alice.say("/register alice secret")
    alice.take()
    return alice


def test_a_token_logs_in_without_the_password(world: World, alice: Client) -> None:
    bot, token = remembered(world)
    bot.drop()
    _, told = by_token(world, token)
    assert (told["event"], told["name"]) == ("account", "alice")
    assert "token" not in told


def test_who_does_not_ask_is_not_remembered(world: World, alice: Client) -> None:
    told = answer(world.program(), do="login", user="alice", password="secret")
    assert "token" not in told


def test_a_token_is_its_accounts_alone(world: World, alice: Client) -> None:
    other = world.person()
    other.say("/register bob secret")
    _, token = remembered(world)
    assert by_token(world, token, "bob")[1]["code"] == "wrong-token"
    assert by_token(world, token[:-1])[1]["code"] == "wrong-token"
    assert by_token(world, token, "nobody")[1]["code"] == "wrong-token"


def test_the_secret_itself_is_nowhere_stored(world: World, alice: Client) -> None:
    _, token = remembered(world)
    records = stored_records(world)
    assert records
    assert not any(token.encode() in value for value, _ in records.values())


def test_another_password_ends_all_tokens(world: World, alice: Client) -> None:
    _, token = remembered(world)
    alice.say("/password secret better")
    assert alice.lines()[-1] == "Your password has been changed."
    assert by_token(world, token)[1]["code"] == "wrong-token"


def test_a_token_that_is_not_used_ends(world: World, alice: Client) -> None:
    bot, token = remembered(world)
    bot.drop()
    alice.drop()
    world.clock.advance((TOKEN_DAYS - 1) * DAY)
    bot, told = by_token(world, token)
    assert told["event"] == "account"
    bot.drop()
    world.clock.advance((TOKEN_DAYS - 1) * DAY)
    bot, told = by_token(world, token)
    assert told["event"] == "account", "it was used meanwhile"
    bot.drop()
    world.clock.advance((TOKEN_DAYS + 1) * DAY)
    assert by_token(world, token)[1]["code"] == "wrong-token"


def test_there_are_only_so_many(world: World, alice: Client) -> None:
    first = remembered(world)[1]
    for _ in range(TOKENS):
        world.pass_time(1)
        last = remembered(world)[1]
    assert by_token(world, first)[1]["code"] == "wrong-token"
    assert by_token(world, last)[1]["event"] == "account"


def test_sessions_are_listed_and_ended(world: World, alice: Client) -> None:
    laptop, token = remembered(world, "laptop")
    _, other = remembered(world, "desk\x1b[2J")
    alice.take()
    alice.say("/sessions")
    heading, *lines = alice.lines()
    assert heading == "Your sessions (3); /sessions end <number> ends one:"
    assert [line.split("  since")[0] for line in lines] == ["  1  laptop", "  2  desk", "  3  text from 127.0.0.1"]
    assert [line.rpartition(", ")[2] for line in lines] == ["online", "online", "this one"]
    alice.say("/sessions end 1")
    assert alice.lines() == ["Session 1 has been ended."]
    assert [record["code"] for record in laptop.records() if record["event"] == "error"] == ["session-ended"]
    assert not laptop.open
    assert by_token(world, token)[1]["code"] == "wrong-token"
    assert by_token(world, other)[1]["event"] == "account"


def test_what_is_not_in_the_list_cannot_be_ended(world: World, alice: Client) -> None:
    for number in (0, 2, 99):
        alice.say(f"/sessions end {number}")
        assert alice.lines() == [f"Error: you have no session {number}; see /sessions."]


def test_guessing_a_token_is_slowed_down() -> None:
    with closing(World(throttle=True)) as world:
        alice = world.person()
        alice.say("/register alice secret")
        codes = [by_token(world, f"guess{i}")[1]["code"] for i in range(4)]
        assert codes == ["wrong-token"] * 3 + ["too-many-failures"]
