"""Programs that are remembered log in without the password, and can be forgotten one by one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World, result, stored_records
from msgspec.structs import replace
from order import PASSWORD, owner
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.limits import TOKEN_DAYS, TOKENS
from chatroom.chat.operators.service import Operations

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


def test_logging_out_makes_the_token_worthless(world: World, alice: Client) -> None:
    laptop, token = remembered(world, "laptop")
    phone, other = remembered(world, "phone")
    assert answer(laptop, do="logout")["was"] == "alice"
    assert by_token(world, token)[1]["code"] == "wrong-token"
    assert by_token(world, other)[1]["event"] == "account", "another program's is its own"
    phone.drop()


def test_logging_out_of_a_login_by_token_makes_that_token_worthless(world: World, alice: Client) -> None:
    laptop, token = remembered(world)
    laptop.drop()
    again, _ = by_token(world, token)
    assert answer(again, do="logout")["was"] == "alice"
    assert by_token(world, token)[1]["code"] == "wrong-token"


def test_a_token_that_cannot_be_made_worthless_now_keeps_one_logged_in() -> None:
    engine = MoodyEngine(Clock())
    with closing(World(engine, engine._reactor, sessions=0)) as world:
        world.person().say("/register alice secret")
        laptop, token = remembered(world)
        engine.broken = True
        assert answer(laptop, do="logout")["code"] == "not-confirmed"
        engine.broken = False
        assert answer(laptop, do="account")["name"] == "alice"
        assert answer(laptop, do="logout")["was"] == "alice"
        assert by_token(world, token)[1]["code"] == "wrong-token"


def test_two_connections_by_one_token_are_both_listed_when_one_has_logged_out(world: World, alice: Client) -> None:
    laptop, token = remembered(world)
    again, _ = by_token(world, token)
    answer(laptop, do="logout")
    sessions = answer(again, do="sessions")["sessions"]
    assert [(line["client"], line.get("this", False)) for line in sessions] == [
        ("text from 127.0.0.1", False),
        ("records from 127.0.0.1", True),
    ]


CHANGED = "the password of alice was changed; log in again with the new one."


def test_another_password_ends_the_other_sessions_and_says_why(world: World, alice: Client) -> None:
    laptop, token = remembered(world)
    other = world.person()
    other.say("/login alice secret", "/join lobby")
    dave = world.person("dave", "lobby")
    for client in (other, laptop, alice):
        client.take()
    alice.say("/password secret better")
    assert alice.lines() == ["Your password has been changed."]
    assert other.lines()[-1] == f"Error: {CHANGED}"
    assert laptop.records()[-1] == {"event": "error", "code": "password-changed", "text": CHANGED}
    assert (alice.open, other.open, laptop.open) == (True, False, False)
    assert dave.lines() == ["alice has disconnected."]
    assert by_token(world, token)[1]["code"] == "wrong-token"
    alice.say("/sessions")
    assert alice.lines()[0] == "Your sessions (1); /sessions end <number> ends one:"


def test_the_session_that_changes_the_password_stays_and_its_token_does_not(world: World, alice: Client) -> None:
    laptop, token = remembered(world)
    assert answer(laptop, do="password", old="secret", new="better")["event"] == "ok"
    assert laptop.open
    assert not alice.open
    laptop.drop()
    assert by_token(world, token)[1]["code"] == "wrong-token"


def test_a_password_that_an_operator_gives_ends_all_sessions(world: World, alice: Client) -> None:
    laptop, token = remembered(world)
    done = Deferred.fromCoroutine(Operations(world.chat, "olga").set_password("alice", "better"))
    world.settle()
    assert done.called
    assert [alice.lines()[-1], laptop.records()[-1]["text"]] == [f"Error: {CHANGED}", CHANGED]
    assert not alice.open
    assert not laptop.open
    assert by_token(world, token)[1]["code"] == "wrong-token"


def test_an_operator_who_changes_the_own_password_stays(world: World, alice: Client) -> None:
    (account,) = result(world.chat.accounts.all())
    result(world.chat.account_changes.change(account, operator=True))
    other = world.person()
    other.say("/login alice secret")
    other.say("/set-password alice better")
    assert other.lines()[-1] == "alice has another password."
    assert other.open
    assert not alice.open


def test_the_sessions_end_even_if_the_log_does_not_take_it() -> None:
    engine = MoodyEngine(Clock())
    with closing(World(engine, engine._reactor, sessions=0)) as world:
        first, other = world.person(), world.person()
        first.say("/register alice secret")
        other.say("/login alice secret")
        append = engine.append

        def failing(log: str, event: Any, done: Any = None, **options: Any) -> None:
            engine.broken = True
            append(log, event, done, **options)
            engine.broken = False

        engine.append = failing  # type: ignore[method-assign]
        first.say("/password secret better")
        assert first.lines()[-1] == "Your password has been changed."
        assert not other.open
        engine.append = append  # type: ignore[method-assign]
        world.pass_time(10)
        assert first.open


def test_a_login_under_way_is_not_remembered_past_a_new_password() -> None:
    """The token would outlast the session that is ended."""
    engine = MoodyEngine(Clock())
    with closing(World(engine, engine._reactor, sessions=0, throttle=False)) as world:
        alice = world.person()
        alice.say("/register alice secret")
        bot = world.program()
        (account,) = result(world.chat.accounts.all())
        change = world.chat.accounts.change
        waiting: list[Any] = []

        async def slow(*given: Any) -> Any:
            gate: Deferred[None] = Deferred()
            waiting.append(gate)
            await gate
            return await change(*given)

        world.chat.accounts.change = slow  # type: ignore[method-assign]
        bot.record(do="login", user="alice", password="secret", remember=True)
        world.chat.accounts.change = change  # type: ignore[method-assign]
        result(change(account, lambda now: replace(now, password="hash of better", tokens=())))
        waiting[0].callback(None)
        world.settle()
        assert "token" not in bot.records()[-1]
        assert result(world.chat.accounts.all())[0].tokens == ()


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


def test_to_end_the_own_session_logs_it_out(world: World) -> None:
    """It is not said to be ended and then goes on."""
    alice = owner(world, "alice")
    alice.record(do="end-session", number=1, ref=1)
    assert [(record["event"], record.get("guest")) for record in alice.records()] == [("account", True), ("ok", None)]
    assert alice.open
    bob = world.person()
    bob.say(f"/login alice {PASSWORD}")
    assert "You are logged in as alice." in bob.lines()[0]
