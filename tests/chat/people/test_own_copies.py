"""What somebody writes to one person is kept for the writer as well, and told to the writer's other sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World, result
from order import session_of
from stepping import nobody_is_left
from twisted.internet.defer import fail

from chatroom.chat.limits import INBOX_MESSAGES
from chatroom.chat.people.sent_log import follow_sent
from chatroom.chat.retention import EVERY
from chatroom.model.log import Unavailable

DAY = 24 * 3600.0


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail, with the accounts alice and bob."""
    world = World(engine, engine._reactor, sessions=3, announce=False)
    for name in ("alice", "bob"):
        maker = world.person()
        maker.say(f"/register {name} secret")
        maker.drop()
    yield world
    engine.let_go()
    nobody_is_left(world)
    world.close()


def come(world: World, name: str) -> Client:
    """Return a person who has just logged in to an account, and has heard all of that."""
    client = world.person()
    client.say(f"/login {name} secret")
    client.lines()
    return client


def program(world: World, name: str = "alice") -> Client:
    """Return a program that has just logged in to an account, and has heard all of that."""
    client = world.program()
    client.record(do="login", user=name, password="secret")
    client.records()
    return client


def logged(world: World, prefix: str) -> dict[str, list[str]]:
    """Return the texts in each log whose name begins so."""
    logs: Any = world.engine._logs  # type: ignore[attr-defined]
    read = {name: result(_read(world, name)) for name in logs if name.startswith(prefix)}
    return {name: [entry.event.text for entry in page.entries] for name, page in read.items()}


async def _read(world: World, log: str) -> Any:
    return await world.engine.read(log, limit=9999, messages=True)


# ---- who is told -------------------------------------------------------------------------------------------------


def test_the_other_sessions_of_the_writer_are_told_and_the_one_that_wrote_is_not(moody: World) -> None:
    bot, other, person = program(moody), program(moody), come(moody, "alice")
    bob = come(moody, "bob")
    bot.record(do="message", user="bob", text="hi", id="x1", ref=7)
    (sent,) = bot.records()
    assert (sent["event"], sent["re"]) == ("sent", 7)
    (told,) = other.records()
    assert {key: told[key] for key in ("event", "by", "to", "text", "id")} == {
        "event": "private",
        "by": "alice",
        "to": "bob",
        "text": "hi",
        "id": "x1",
    }
    assert told["to_id"]
    assert told["by_id"] != told["to_id"]
    assert "via" not in told
    assert person.lines() == ["To bob (private): hi"]
    assert bob.lines() == ["alice (private): hi"]


def test_what_a_person_writes_is_told_to_the_persons_programs(moody: World) -> None:
    bot, person = program(moody), come(moody, "alice")
    person.say("/msg bob one")
    assert person.lines() == ["bob is offline; the message will be delivered when bob returns."]
    assert [record["text"] for record in bot.records()] == ["one"]


def test_a_copy_of_several_lines_cannot_pose_as_the_line_of_another(moody: World) -> None:
    bot, person = program(moody), come(moody, "alice")
    bot.record(do="message", user="bob", text="one\nbob (private): two")
    assert person.lines() == ["To bob (private): one", "    | bob (private): two"]
    person.say("/history")
    assert person.lines()[1:] == ["    | bob (private): two"]


def test_a_copy_has_the_time_and_the_id_of_the_message(moody: World) -> None:
    alice, other, bob = program(moody), program(moody), program(moody, "bob")
    alice.record(do="message", user="bob", text="hi")
    (mine,), (his,) = other.records(), bob.records()
    assert {**mine, "seq": 0} == {**his, "seq": 0}
    assert mine["seq"] != his["seq"]


def test_a_message_that_is_sent_again_is_told_once(moody: World) -> None:
    bot, other = program(moody), program(moody)
    for client in (bot, other, bot):
        client.record(do="message", user="bob", text="hi", id="x1", ref=1)
    assert [record["event"] for record in bot.records()] == ["sent", "sent"]
    assert [record["event"] for record in other.records()] == ["private", "sent"]
    assert list(logged(moody, "sent/").values()) == [["hi"]]


def test_two_sessions_that_send_one_id_at_once_are_each_answered_once(moody: World) -> None:
    engine: Any = moody.engine
    bot, other = program(moody), program(moody)
    engine.holding = True
    for client in (bot, other):
        client.record(do="message", user="bob", text="hi", id="x1", ref=1)
    engine.let_go()
    moody.settle()
    assert [record["event"] for record in bot.records()] == ["sent"]
    assert [record["event"] for record in other.records()] == ["private", "sent"]


def test_who_writes_to_oneself_has_one_message(moody: World) -> None:
    bot, other = program(moody), program(moody)
    bot.record(do="message", user="alice", text="note")
    assert sorted(record["event"] for record in bot.records()) == ["private", "sent"]
    assert [record["event"] for record in other.records()] == ["private"]
    assert logged(moody, "sent/") == {}


def test_a_copy_is_neither_answered_nor_counted_as_waiting(moody: World) -> None:
    bot = program(moody)
    bot.record(do="message", user="bob", text="hi")
    bot.drop()
    person = moody.person()
    person.say("/login alice secret")
    assert not [line for line in person.lines() if "away" in line or "hi" in line]
    other = program(moody)
    other.record(do="message", user="bob", text="hi again")
    person.lines()
    person.say("/reply what?")
    assert person.lines() == ["Error: nobody has written to you yet; use /msg <user> <text>."]


# ---- all or nothing ----------------------------------------------------------------------------------------------


def test_a_log_that_fails_stores_neither_half_and_tells_nobody(moody: World) -> None:
    bot, other, bob = program(moody), program(moody), come(moody, "bob")
    moody.engine.most_bytes = 1
    bot.record(do="message", user="bob", text="lost", ref=1)
    (error,) = bot.records()
    assert error["code"] == "not-confirmed"
    assert (other.take(), bob.take()) == (b"", b"")
    moody.engine.most_bytes = 0
    bot.record(do="message", user="bob", text="kept", ref=2)
    assert [record["text"] for record in other.records()] == ["kept"]
    assert list(logged(moody, "sent/").values()) == [["kept"]] == list(logged(moody, "inbox/").values())


def test_no_session_is_followed_for_when_the_owner_has_left(moody: World) -> None:
    engine: Any = moody.engine
    bot, other = program(moody), program(moody)
    assert [log for log in engine.followed if log.startswith("sent/")]
    bot.drop()
    assert [log for log in engine.followed if log.startswith("sent/")]
    other.drop()
    assert engine.followed == set()


def test_whose_last_session_left_during_a_login_is_followed_for_again(moody: World) -> None:
    engine: Any = moody.engine
    bot, other = program(moody), moody.program()
    user = session_of(bot).user
    bot.drop()
    moody.chat.connections.become(session_of(other), user)  # as a login does that found the user before
    follow_sent(moody.chat, user)
    assert [log for log in engine.followed if log.startswith("sent/")]


def test_who_logs_out_is_not_told_what_the_account_writes(moody: World) -> None:
    bot, other = program(moody), program(moody)
    other.record(do="logout")
    other.records()
    bot.record(do="message", user="bob", text="hi")
    assert other.records() == []


def test_copies_that_cannot_be_followed_keep_nobody_out(moody: World, errors: Any) -> None:
    engine: Any = moody.engine
    follow = engine.follow

    def refuse(log: str, *args: Any, **options: Any) -> Any:
        engine.broken = log.startswith("sent/")
        try:
            return follow(log, *args, **options)
        finally:
            engine.broken = False

    engine.follow = refuse
    bot, other = program(moody), program(moody)
    bot.record(do="message", user="bob", text="hi")
    assert [record["event"] for record in bot.records()] == ["sent"]
    assert other.records() == []


# ---- bounds ------------------------------------------------------------------------------------------------------


def test_own_copies_take_no_place_in_the_inbox_and_the_oldest_go(moody: World) -> None:
    bob = program(moody, "bob")
    alice = program(moody)
    for number in range(INBOX_MESSAGES + 20):
        alice.record(do="message", user="bob", text=f"m{number}")
        bob.record(do="ack", seq=bob.records()[-1]["seq"])
    assert [record["event"] for record in alice.records()] == ["sent"] * (INBOX_MESSAGES + 20)
    moody.pass_time(EVERY)
    (kept,) = logged(moody, "sent/").values()
    assert kept == [f"m{number}" for number in range(20, INBOX_MESSAGES + 20)]
    bob.record(do="message", user="alice", text="and you?")
    assert alice.records()[-1]["text"] == "and you?"


def test_own_copies_of_an_account_are_kept_for_a_month_and_go_with_the_account(moody: World) -> None:
    alice = come(moody, "alice")
    alice.say("/msg bob psst")
    moody.pass_time(29.9 * DAY)
    assert list(logged(moody, "sent/").values()) == [["psst"]]
    moody.pass_time(0.2 * DAY)
    assert list(logged(moody, "sent/").values()) == [[]]
    alice.say("/msg bob psst", "/account delete secret")
    assert logged(moody, "sent/") == {}


def test_copies_that_could_not_be_removed_with_the_account_go_later(moody: World) -> None:
    engine: Any = moody.engine
    alice = come(moody, "alice")
    alice.say("/msg bob psst")
    (log,) = logged(moody, "sent/")
    drop, engine.drop = engine.drop, lambda log: fail(Unavailable("disk full"))
    alice.say("/account delete secret")
    assert logged(moody, "sent/") == {log: ["psst"]}
    engine.drop = drop
    moody.pass_time(EVERY)
    assert logged(moody, "sent/") == {}


def test_the_copies_of_a_guest_go_as_the_guests_inbox_does(moody: World) -> None:
    guest = moody.program("carol")
    guest.record(do="message", user="bob", text="psst")
    assert list(logged(moody, "guest-sent/").values()) == [["psst"]]
    moody.pass_time(6.9 * DAY)
    assert list(logged(moody, "guest-sent/").values()) == [["psst"]]
    moody.pass_time(0.2 * DAY)
    assert list(logged(moody, "guest-sent/").values()) == [[]]
    guest.drop()
    moody.pass_time(EVERY)
    assert logged(moody, "guest-sent/") == {}
