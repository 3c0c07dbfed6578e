"""Private messages that wait: in order, once to people, until acknowledged to programs; whatever happens meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient
from harness import Client, World, result
from stepping import nobody_is_left

from chatroom.chat.limits import INBOX_MESSAGES, SHARE_OF_ADDRESS, SHARE_OF_SENDER
from chatroom.chat.retention import EVERY
from chatroom.model.names import user_name

DAY = 24 * 3600.0
DATED = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d\] ")
FULL = "Error: the inbox of alice is full; write again after alice has read it."
OFFLINE = "alice is offline; the message will be delivered when alice returns."


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail, with the accounts alice and bob."""
    world = World(engine, engine._reactor, sessions=2, announce=False)
    for name in ("alice", "bob"):
        maker = world.person()
        maker.say(f"/register {name} secret")
        maker.drop()
    yield world
    engine.let_go()
    nobody_is_left(world)
    world.close()


@pytest.fixture
def bob(moody: World) -> Client:
    """Who writes."""
    return come(moody, "bob")


def come(world: World, name: str) -> Client:
    """Return the owner of an account, just logged in; what came with that is still to be heard."""
    client = world.person()
    client.say(f"/login {name} secret")
    return client


def program(world: World, name: str = "alice") -> Client:
    """Return a program of the account's, just logged in; what came with that is still to be heard."""
    client = world.program()
    client.record(do="login", user=name, password="secret")
    return client


def write(client: Client, *texts: str, to: str = "alice") -> list[str]:
    """Write, and return what the writer is told."""
    client.take()
    client.say(*(f"/msg {to} {text}" for text in texts))
    return client.lines()


def heard(client: Client) -> list[str]:
    """Return the private messages that somebody has heard, without their day."""
    lines = [DATED.sub("", line) for line in client.lines()]
    return [line.partition("(private): ")[2] for line in lines if "(private)" in line]


def given(client: Client) -> list[dict[str, Any]]:
    """Return the private messages that a program was given."""
    return [record for record in client.records() if record["event"] == "private"]


def release(world: World) -> None:
    """Let the engine go on, and everything happen that then happens."""
    world.engine.let_go()  # type: ignore[attr-defined]
    world.settle()


# ---- people ------------------------------------------------------------------------------------------------------


def test_what_waited_is_shown_at_login_in_order_and_once(moody: World, bob: Client) -> None:
    assert write(bob, "one", "two") == [OFFLINE] * 2
    alice = come(moody, "alice")
    lines = alice.lines()
    assert lines[:3] == [
        "You are logged in as alice.",
        "Users online (2): alice, bob",
        "2 messages while you were away:",
    ]
    assert [DATED.sub("", line) for line in lines[3:]] == ["bob (private): one", "bob (private): two"]
    assert all(DATED.match(line) for line in lines[3:])
    assert write(bob, "three") == ["To alice (private): three"]
    assert alice.lines() == ["bob (private): three"]
    alice.drop()
    assert come(moody, "alice").lines()[2:] == []


def test_one_message_is_one_message(moody: World, bob: Client) -> None:
    write(bob, "one")
    assert "1 message while you were away:" in come(moody, "alice").lines()


def test_what_came_while_online_does_not_come_again(moody: World, bob: Client) -> None:
    alice = come(moody, "alice")
    write(bob, "one")
    assert heard(alice) == ["one"]
    alice.drop()
    write(bob, "two")
    assert heard(come(moody, "alice")) == ["two"]


def test_mail_of_whom_one_ignores_is_neither_shown_nor_counted(moody: World, bob: Client) -> None:
    alice = come(moody, "alice")
    alice.say("/ignore bob")
    alice.drop()
    write(bob, "spam")
    other = moody.person("carol")
    write(other, "hello")
    lines = come(moody, "alice").lines()
    assert "1 message while you were away:" in lines
    assert [line for line in lines if "spam" in line] == []


def test_one_replies_to_what_waited(moody: World, bob: Client) -> None:
    write(bob, "are you there?")
    alice = come(moody, "alice")
    alice.say("/reply yes")
    assert bob.lines() == ["alice (private): yes"]


def test_history_outside_a_room_shows_ones_private_messages_and_inside_those_of_the_room(
    moody: World, bob: Client
) -> None:
    write(bob, "one", "two")
    alice = come(moody, "alice")
    alice.take()
    alice.say("/history")
    assert heard(alice) == ["one", "two"]
    alice.say("/history 1")
    assert heard(alice) == ["two"]
    alice.say("/join lobby")
    alice.take()
    alice.say("/history")
    assert heard(alice) == []
    carol = moody.person("carol")
    carol.say("/history")
    assert carol.lines() == ["No private messages."]


# ---- bounds ------------------------------------------------------------------------------------------------------


def test_an_inbox_takes_so_many_messages_and_more_when_its_owner_has_been_there(moody: World, bob: Client) -> None:
    for i, writer in enumerate(moody.writers(INBOX_MESSAGES, SHARE_OF_SENDER)):
        assert write(writer, f"m{i}") == [OFFLINE]
    assert write(bob, "one more") == [FULL]
    alice = come(moody, "alice")
    assert heard(alice) == [f"m{i}" for i in range(INBOX_MESSAGES)]
    alice.drop()
    assert write(bob, "again") == [OFFLINE]
    assert heard(come(moody, "alice")) == ["again"]


def test_mail_is_kept_for_thirty_days(moody: World, bob: Client) -> None:
    write(bob, "old")
    moody.pass_time(15 * DAY)
    write(bob, "young")
    moody.pass_time(15 * DAY + EVERY)
    assert heard(come(moody, "alice")) == ["young"]


# ---- programs ----------------------------------------------------------------------------------------------------


def test_a_program_is_given_what_it_has_not_acknowledged_again(moody: World, bob: Client) -> None:
    write(bob, "one", "two", "three")
    first = program(moody)
    waited = given(first)
    assert [(r["text"], r["late"], r["by"], r["to"]) for r in waited] == [
        (text, True, "bob", "alice") for text in ("one", "two", "three")
    ]
    first.record(do="ack", seq=waited[1]["seq"], ref=1)
    assert first.records() == [{"event": "ok", "re": 1}]
    first.drop()
    again = program(moody)
    assert [(r["text"], r["seq"]) for r in given(again)] == [("three", waited[2]["seq"])]
    again.record(do="ack", seq=waited[2]["seq"])
    again.drop()
    assert given(program(moody)) == []


def test_an_acknowledgement_that_is_too_high_or_too_low_changes_nothing_it_should_not(
    moody: World, bob: Client
) -> None:
    write(bob, "one")
    first = program(moody)
    (one,) = given(first)
    first.record(do="ack", seq=2**53 - 1)
    first.drop()
    write(bob, "two")
    second = program(moody)
    assert [r["text"] for r in given(second)] == ["two"]
    second.record(do="ack", seq=one["seq"] - 1)
    second.drop()
    assert [r["text"] for r in given(program(moody))] == ["two"]


def test_what_comes_while_a_program_is_online_comes_again_until_acknowledged(moody: World, bob: Client) -> None:
    bot = program(moody)
    bot.take()
    write(bob, "one")
    (one,) = given(bot)
    assert "late" not in one
    bot.drop()
    again = program(moody)
    assert [(r["seq"], r["late"]) for r in given(again)] == [(one["seq"], True)]


def test_of_two_sessions_each_hears_what_comes(moody: World, bob: Client) -> None:
    one, two = come(moody, "alice"), program(moody)
    one.take()
    two.take()
    write(bob, "both")
    assert heard(one) == ["both"]
    assert [r["text"] for r in given(two)] == ["both"]
    one.drop()
    write(bob, "still")
    assert [r["text"] for r in given(two)] == ["still"]


# ---- meanwhile ---------------------------------------------------------------------------------------------------


def test_what_comes_while_the_inbox_is_being_opened_comes_once_and_in_order(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    write(bob, "one")
    alice = moody.person()
    follow = engine.follow

    def meanwhile(log: str, *args: Any, **options: Any) -> Any:
        engine.follow = follow  # type: ignore[method-assign]
        bob.say("/msg alice two")
        found = follow(log, *args, **options)
        bob.say("/msg alice three")
        return found

    engine.follow = meanwhile  # type: ignore[method-assign]
    alice.say("/login alice secret")
    assert engine.follow == follow, "there was no meanwhile"
    assert heard(alice) == ["one", "two", "three"]
    alice.drop()
    assert heard(come(moody, "alice")) == []


def test_what_comes_while_the_inbox_is_read_comes_once(moody: World, engine: MoodyEngine, bob: Client) -> None:
    write(bob, "one")
    alice = moody.person()
    read = engine.read

    def slowly(*args: Any, **options: Any) -> Any:
        engine.read = read  # type: ignore[method-assign]
        engine.slow = True
        return read(*args, **options)

    engine.read = slowly  # type: ignore[method-assign]
    alice.say("/login alice secret")
    engine.slow = False
    bob.say("/msg alice two")
    release(moody)
    assert heard(alice) == ["one", "two"]
    alice.drop()
    assert heard(come(moody, "alice")) == []


def test_who_goes_before_what_was_marked_is_shown_has_not_read_it(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    write(bob, "one", "two")
    alice = moody.person()
    engine.mute = True
    alice.say("/login alice secret")
    assert heard(alice) == [], "it is being marked"
    alice.drop()
    release(moody)
    assert heard(come(moody, "alice")) == ["one", "two"]


def test_who_goes_while_several_are_being_marked_has_read_none_of_them(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    alice = come(moody, "alice")
    alice.take()
    engine.mute = True
    for text in ("one", "two", "three"):
        bob.say(f"/msg alice {text}")
    assert heard(alice) == []
    alice.drop()
    release(moody)
    assert heard(come(moody, "alice")) == ["one", "two", "three"]


@pytest.mark.parametrize("how", ["mute", "holding"])
def test_who_comes_back_while_it_is_marked_for_the_last_connection_hears_all_of_it_once(
    moody: World, engine: MoodyEngine, bob: Client, how: str
) -> None:
    """``mute``: the mark is stored already, ``holding``: not yet, when the other connection reads."""
    write(bob, "one", "two")
    alice = moody.person()
    again = moody.person()
    append = engine.append

    def only_marks(log: str, event: Any, *args: Any, **options: Any) -> None:
        setattr(engine, how, log.startswith("inbox/"))
        append(log, event, *args, **options)
        setattr(engine, how, False)

    engine.append = only_marks  # type: ignore[method-assign]
    if how == "mute":
        engine.append = append  # type: ignore[method-assign]
        engine.mute = True
    alice.say("/login alice secret")
    assert heard(alice) == []
    alice.drop()
    engine.append = append  # type: ignore[method-assign]
    engine.mute = False
    again.say("/login alice secret")
    release(moody)
    assert heard(again) == ["one", "two"]
    again.drop()
    third = come(moody, "alice")
    assert heard(third) == []


def test_what_is_shown_though_the_log_fails_is_not_shown_again(moody: World, engine: MoodyEngine, bob: Client) -> None:
    write(bob, "one")
    alice = moody.person()
    append: Any = engine.append

    def failing(log: str, event: Any, done: Any = None, **options: Any) -> None:
        engine.broken = log.startswith("inbox/")
        append(log, event, done, **options)
        engine.broken = False

    engine.append = failing  # type: ignore[method-assign]
    alice.say("/login alice secret")
    assert heard(alice) == ["one"]
    alice.drop()
    engine.append = append  # type: ignore[method-assign]
    moody.pass_time(10)
    assert heard(come(moody, "alice")) == []


def test_an_inbox_that_cannot_be_read_keeps_nobody_out_and_its_mail(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    write(bob, "one")
    alice = moody.person()
    read = engine.read

    def failing(*args: Any, **options: Any) -> Any:
        engine.broken = True
        found = read(*args, **options)
        engine.broken = False
        return found

    engine.read = failing  # type: ignore[method-assign]
    alice.say("/login alice secret")
    assert "You are logged in as alice." in alice.lines()
    engine.read = read  # type: ignore[method-assign]
    alice.drop()
    assert heard(come(moody, "alice")) == ["one"]


# ---- shares ------------------------------------------------------------------------------------------------------


def share_full(most: int, name: str = "alice") -> str:
    return f"Error: {name} has not read the last {most} messages from you or your address; " + (
        f"write again when {name} has been here."
    )


def test_one_sender_fills_only_a_share_of_an_inbox(moody: World, bob: Client) -> None:
    assert write(bob, *("spam" for _ in range(SHARE_OF_SENDER))) == [OFFLINE] * SHARE_OF_SENDER
    assert write(bob, "more") == [share_full(SHARE_OF_SENDER)]
    assert write(moody.person("carol", host="192.0.2.8"), "from carol") == [OFFLINE]
    assert heard(come(moody, "alice"))[-2:] == ["spam", "from carol"]
    assert write(bob, "again") == ["To alice (private): again"]


def test_a_guest_is_the_same_sender_under_another_name_and_on_another_connection(moody: World) -> None:
    for number in range(SHARE_OF_SENDER):
        guest = moody.person(f"guy{number}", host=f"2001:db8::{number:x}")
        assert write(guest, f"m{number}") == [OFFLINE]
        guest.drop()
    assert write(moody.person("nobody", host="2001:db8::ffff"), "more") == [share_full(SHARE_OF_SENDER)]
    assert write(moody.person("carol", host="2001:db8:0:1::1"), "from elsewhere") == [OFFLINE]


def test_many_accounts_at_one_address_fill_only_a_share(moody: World) -> None:
    accounts = []
    for number in range(3):
        accounts.append(moody.person(host="192.0.2.7"))
        result(moody.chat.accounts.add(user_name(f"acc{number}"), "hash of secret"))
        accounts[-1].say(f"/login acc{number} secret")
    for number in range(SHARE_OF_ADDRESS):
        assert write(accounts[number % 3], "spam") == [OFFLINE]
    assert write(accounts[0], "more") == [share_full(SHARE_OF_ADDRESS)]
    assert write(moody.person("carol", host="192.0.2.8"), "from elsewhere") == [OFFLINE]


def test_shares_are_counted_by_the_next_daemon_too(moody: World, bob: Client) -> None:
    write(bob, *("spam" for _ in range(SHARE_OF_SENDER)))
    bob.drop()
    again = World(moody.engine, moody.clock, announce=False, first_id=10**6)
    assert write(come(again, "bob"), "more") == [share_full(SHARE_OF_SENDER)]
    assert write(again.person("carol", host="192.0.2.8"), "hello") == [OFFLINE]
    again.end()


def test_messages_that_are_on_their_way_count(moody: World, bob: Client) -> None:
    moody.engine.holding = True  # type: ignore[attr-defined]
    bob.take()
    bob.say(*(f"/msg alice m{i}" for i in range(SHARE_OF_SENDER + 7)))
    release(moody)
    assert bob.lines().count(OFFLINE) == SHARE_OF_SENDER
    assert len(heard(come(moody, "alice"))) == SHARE_OF_SENDER


def test_what_an_online_program_does_not_acknowledge_is_bounded(moody: World, bob: Client) -> None:
    bot = program(moody)
    for writer in moody.writers(INBOX_MESSAGES, SHARE_OF_SENDER):
        write(writer, "hello")
    seqs = [record["seq"] for record in given(bot)]
    assert len(seqs) == INBOX_MESSAGES
    assert write(bob, "more") == [FULL]
    bot.record(do="ack", seq=seqs[1])
    assert write(bob, "more") == ["To alice (private): more"]
    assert write(bob, "more") == ["To alice (private): more"]
    assert write(bob, "more") == [FULL]


def test_one_sender_fills_only_a_share_of_what_a_program_does_not_acknowledge(moody: World, bob: Client) -> None:
    bot = program(moody)
    write(bob, *("spam" for _ in range(SHARE_OF_SENDER)))
    assert write(bob, "more") == [share_full(SHARE_OF_SENDER)]
    assert write(moody.person("carol", host="192.0.2.8"), "hello") == ["To alice (private): hello"]
    assert given(bot)[-1]["text"] == "hello"


def test_a_person_who_reads_along_is_told_any_number(moody: World, bob: Client) -> None:
    alice = come(moody, "alice")
    alice.take()
    for number in range(SHARE_OF_SENDER + 5):
        assert write(bob, f"m{number}") == [f"To alice (private): m{number}"]
    assert len(heard(alice)) == SHARE_OF_SENDER + 5


def test_nobody_is_shown_where_a_message_came_from(moody: World) -> None:
    carol = moody.person("carol", "den", host="192.0.2.8")
    write(carol, "one")
    carol.say("/invite alice")
    bot = program(moody)
    write(carol, "two")
    bot.record(do="history", ref=1)
    shown = bot.records()
    assert [record["text"] for record in shown if record["event"] == "private"] == ["one", "two"]
    assert [record["room"] for record in shown if record["event"] == "invited"] == ["den"]
    assert "via" not in json.dumps(shown)
    logs: Any = moody.engine._logs  # type: ignore[attr-defined]
    rows = [(name, row[4]) for name, log in logs.items() for row in log.rows if b'"via"' in row[4]]
    stored = [body for _, body in rows]
    kinds = sorted(name.partition("/")[0] for name, _ in rows)
    assert kinds == ["guest-sent", "guest-sent", "inbox", "inbox", "inbox"]
    assert not any(b"192.0.2" in body for body in stored)


# ---- much of it --------------------------------------------------------------------------------------------------

LONG = [f"{i:03} " + "x" * 4000 for i in range(INBOX_MESSAGES - 1)]


def much(world: World) -> None:
    """Write as much as fits into the inbox, but for one message."""
    for text, writer in zip(LONG, world.writers(len(LONG), SHARE_OF_SENDER), strict=True):
        assert write(writer, text) == [OFFLINE]


def read_slowly(world: World, client: SocketClient) -> bytes:
    """Return all that comes, a few kilobytes at a time."""
    taken = b""
    for i in range(400):
        world.pass_time(0.6)
        if i % 100 == 0 and not client.transport.protocol._session.person:
            client.record(do="pong")
        client.transport.make_room(8000)
        taken += client.take()
        assert client.open, f"dropped after {len(taken)} bytes"
    return taken


def slow(world: World) -> SocketClient:
    """Return somebody who has connected and whose socket takes nothing more for now."""
    client = SocketClient(world)
    world.pass_time(0.3)
    client.take()
    client.socket.room = 0
    return client


def test_all_that_waited_reaches_a_slow_person_once() -> None:
    world = World(send_queue=256 * 1024, announce=False)
    for name in ("alice", "bob"):
        result(world.chat.accounts.add(user_name(name), "hash of secret"))
    much(world)
    bob, alice = come(world, "bob"), slow(world)
    alice.say("/login alice secret")
    bob.say("/msg alice the last")
    text = read_slowly(world, alice).decode()
    assert re.findall(r"\(private\): (.*)\r\n", text) == [*LONG, "the last"]
    alice.drop()
    assert heard(come(world, "alice")) == []
    nobody_is_left(world)
    world.close()


@pytest.mark.parametrize("acknowledges", [True, False])
def test_all_that_waited_reaches_a_slow_program(acknowledges: bool) -> None:
    world = World(send_queue=256 * 1024, announce=False)
    for name in ("alice", "bob"):
        result(world.chat.accounts.add(user_name(name), "hash of secret"))
    much(world)
    alice = slow(world)
    alice.record(do="hello", version=1)
    alice.record(do="login", user="alice", password="secret")
    lines = read_slowly(world, alice).decode().splitlines()
    found = [record for record in map(json.loads, lines) if record["event"] == "private"]
    assert [record["text"] for record in found] == LONG
    if acknowledges:
        alice.record(do="ack", seq=found[-2]["seq"])
    alice.drop()
    assert [record["text"] for record in given(program(world))] == (LONG[-1:] if acknowledges else LONG)
    nobody_is_left(world)
    world.close()


def test_who_goes_in_the_middle_is_shown_the_rest_the_next_time() -> None:
    world = World(send_queue=256 * 1024, announce=False)
    for name in ("alice", "bob"):
        result(world.chat.accounts.add(user_name(name), "hash of secret"))
    much(world)
    alice = slow(world)
    alice.say("/login alice secret")
    for _ in range(60):
        world.pass_time(0.6)
        alice.transport.make_room(8000)
    alice.transport.make_room()
    first = re.findall(r"\(private\): (.*)\r\n", alice.take().decode())
    alice.drop()
    assert 20 < len(first) < 400
    assert first + heard(come(world, "alice")) == LONG
    world.close()
