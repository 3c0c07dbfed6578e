"""A guest whose program shows its secret is the same guest: id, name, inbox and rooms."""

from __future__ import annotations

from typing import Any

import pytest
from coming_back import Cut, after_restart, come, ghost, inbox, inbox_of_hello, noticed
from fakes import MoodyEngine
from harness import World
from order import PASSWORD, account, ask, record_of, session_of, settled
from sharing import DATA, fetch, hear, share
from stepping import all_is_one, nobody_is_left

from chatroom.chat.people import guest_resume
from chatroom.chat.retention import EVERY

DAY = 24 * 3600.0
CUTS = pytest.mark.parametrize("cut", [ghost, noticed, after_restart])


@CUTS
def test_who_comes_back_is_the_same_guest_and_its_room_is_its_own(cut: Cut) -> None:
    world = World()
    alice, secret = come(world, name="alice")
    ask(alice, "create", room="den")
    id = session_of(alice).user_id
    world = cut(world, alice)
    again, same = come(world, name="alice", resume=secret)
    assert (session_of(again).user_id, session_of(again).name) == (id, "alice")
    assert same == secret
    assert not alice.open
    assert ask(again, "join", room="den") == "ok"
    assert ask(again, "topic", text="mine") == "ok"
    assert record_of(world, "den").owner_id == id
    all_is_one(world)
    nobody_is_left(world)
    world.close()


@CUTS
def test_it_is_given_what_it_did_not_acknowledge_and_nothing_else(cut: Cut) -> None:
    world = World()
    bob = world.person("bob")
    alice, secret = come(world, name="alice")
    bob.say("/msg alice one")
    bob.say("/msg alice two")
    first = alice.records()[0]["seq"]
    assert ask(alice, "ack", seq=first) == "ok"
    bob.say("/msg alice three")
    world = cut(world, alice)
    again = world.connect()
    again.record(do="hello", version=1, name="alice", resume=secret)
    welcome, *mail = again.records()
    assert welcome["event"] == "welcome"
    assert [(record["text"], record["late"]) for record in mail] == [("two", True), ("three", True)]
    assert ask(again, "ack", seq=mail[-1]["seq"]) == "ok"
    again.drop()
    assert inbox(come(world, name="alice", resume=secret)[0]) == []
    world.close()


@CUTS
def test_what_it_wrote_is_stored_once_however_often_it_says_it(cut: Cut) -> None:
    world = World()
    account(world, "bob")
    alice, secret = come(world, name="alice")
    assert ask(alice, "message", user="bob", text="hello", id="mine") == "ok"
    world = cut(world, alice)
    again, _ = come(world, name="alice", resume=secret)
    assert ask(again, "message", user="bob", text="hello", id="mine") == "ok"
    bob = world.connect()
    bob.record(do="login", user="bob", password=PASSWORD)
    assert inbox(bob) == ["hello"]
    world.close()


@pytest.mark.parametrize("cut", [ghost, noticed])
def test_it_has_the_name_that_it_had(world: World, cut: Cut) -> None:
    for fields in ({}, {"name": "alice"}):
        client, secret = come(world, **fields)
        name = session_of(client).name
        cut(world, client)
        again, _ = come(world, resume=secret)
        assert session_of(again).name == name
        all_is_one(world)
        again.drop()


@pytest.mark.parametrize("fields", [{}, {"name": "alice"}], ids=["made", "chosen"])
def test_a_name_that_somebody_else_has_by_now_stays_theirs(world: World, fields: dict[str, str]) -> None:
    client, secret = come(world, **fields)
    id, handle = session_of(client).user_id, session_of(client).user.handle
    client.drop()
    other = world.program()
    world.chat.names.claim(session_of(other).user, handle)
    world.chat.connections.rename(session_of(other), handle)
    again, _ = come(world, resume=secret)
    assert session_of(again).user_id == id
    assert session_of(again).name not in ("alice", handle.shown)
    assert world.chat.names.get(handle.shown) is session_of(other).user
    all_is_one(world)


def test_a_name_that_is_an_accounts_by_now_is_not_had_again(world: World) -> None:
    alice, secret = come(world, name="alice")
    alice.drop()
    account(world, "alice")
    again, _ = come(world, resume=secret)
    assert session_of(again).name.startswith("guest-")


def test_it_answers_whoever_wrote_last(world: World) -> None:
    bob = world.person("bob")
    alice, secret = come(world, name="alice")
    bob.say("/msg alice hi")
    assert ask(alice, "ack", seq=alice.records()[0]["seq"]) == "ok"
    alice.drop()
    again, _ = come(world, name="alice", resume=secret)
    assert ask(again, "reply", text="hi yourself") == "ok"
    assert bob.lines()[-1] == "alice (private): hi yourself"


def test_mail_for_the_name_comes_again_until_it_is_acknowledged(world: World) -> None:
    bob = world.person("bob")
    alice, secret = come(world, name="alice")
    alice.drop()
    bob.say("/msg alice one", "/msg alice two")
    for _ in range(2):
        again = world.connect()
        again.record(do="hello", version=1, name="alice", resume=secret)
        mail = [record for record in again.records() if record["event"] == "private"]
        assert [(record["text"], record["late"]) for record in mail] == [("one", True), ("two", True)]
        again.drop()
    assert inbox(world.program("alice")) == [], "it has been given away"


def test_mail_for_the_name_comes_with_the_name_that_is_had_again(world: World) -> None:
    bob = world.person("bob")
    alice, secret = come(world, name="alice")
    alice.drop()
    bob.say("/msg alice one")
    assert inbox_of_hello(world, resume=secret) == ["one"]


def test_mail_for_a_name_that_is_taken_later_has_waited_too(world: World) -> None:
    """The inbox is open by then, and what comes into it is news but for that."""
    bob = world.person("bob")
    world.person("alice").drop()
    bob.say("/msg alice one")
    client, _ = come(world, name="zed")
    bob.say("/msg zed two")
    client.record(do="name", name="alice")
    bob.say("/msg alice three")
    heard = [(r["text"], r.get("late", False)) for r in client.records() if r["event"] == "private"]
    assert heard == [("two", False), ("one", True), ("three", False)]


def test_mail_for_the_name_that_cannot_be_stored_waits_on(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    alice, secret = come(moody, name="alice")
    alice.drop()
    bob.say("/msg alice one")
    append = engine.append

    def no_copies(log: str, event: Any, *args: Any, **options: Any) -> None:
        engine.broken = getattr(event, "late", False)
        append(log, event, *args, **options)
        engine.broken = False

    engine.append = no_copies  # type: ignore[method-assign]
    again, _ = come(moody, name="alice", resume=secret)
    again.drop()
    engine.append = append  # type: ignore[method-assign]
    assert inbox_of_hello(moody, name="alice", resume=secret) == ["one"]


def test_who_writes_to_whom_is_cut_off_that_moment_is_told_so(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    alice, secret = come(moody, name="alice")
    bob.say("/msg alice one")
    bob.lines()
    engine.holding = True
    bob.say("/msg alice two")
    alice.drop()
    engine.let_go()
    moody.settle()
    assert bob.lines() == ["alice is offline, and will read this on coming back."]
    assert inbox_of_hello(moody, resume=secret) == ["one", "two"]


def test_who_is_back_while_something_is_stored_for_it_has_it(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    _, secret = come(moody, name="alice")
    bob.say("/msg alice one")
    bob.lines()
    engine.holding = True
    bob.say("/msg alice two")
    again = moody.connect()
    again.record(do="hello", version=1, resume=secret)
    engine.let_go()
    moody.settle()
    assert bob.lines() == ["To alice (private): two"]
    assert inbox(again) == ["one", "two"]


def test_who_is_back_while_the_inbox_is_opened_has_what_is_written_then(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    alice, secret = come(moody)
    name = session_of(alice).name
    engine.slow = True
    bob.say(f"/msg {name} one")
    again = moody.connect()
    again.record(do="hello", version=1, resume=secret)
    while engine._held:
        engine.let_go()
        moody.settle()
    assert bob.lines() == [f"To {name} (private): one"]
    assert inbox(again) == ["one"]


def test_who_writes_to_it_before_it_is_welcomed_hides_nothing_of_what_waits(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    alice, secret = come(moody)
    name = session_of(alice).name
    bob.say(f"/msg {name} one")
    alice.drop()
    engine.slow = True
    again = moody.connect()
    again.record(do="hello", version=1, name="alice", resume=secret)
    bob.say(f"/msg {name} two")
    while engine._held:
        engine.let_go()
        moody.settle()
    assert inbox(again) == ["one", "two"]


def test_a_mark_that_is_under_way_counts(moody: World, engine: MoodyEngine) -> None:
    bob = moody.person("bob")
    alice, secret = come(moody, name="alice")
    bob.say("/msg alice one")
    seq = alice.records()[0]["seq"]
    engine.holding = True
    alice.record(do="ack", seq=seq)
    again = moody.connect()
    again.record(do="hello", version=1, resume=secret)
    engine.let_go()
    moody.settle()
    assert inbox(again) == []


def test_after_a_logout_it_is_the_guest_that_it_was(world: World) -> None:
    account(world, "zoe")
    alice, secret = come(world, name="alice")
    id = session_of(alice).user_id
    alice.drop()
    again, _ = come(world, name="alice", resume=secret)
    assert ask(again, "login", user="zoe", password=PASSWORD) == "ok"
    assert ask(again, "logout") == "ok"
    assert session_of(again).user_id == id
    bob = world.person("bob")
    bob.say(f"/msg {session_of(again).name} one", f"/msg {session_of(again).name} two")
    first, _ = [record["seq"] for record in again.records() if record["event"] == "private"]
    assert ask(again, "ack", seq=first) == "ok"
    again.drop()
    assert inbox_of_hello(world, resume=secret) == ["two"]


def test_a_file_for_it_waits_as_well(world: World) -> None:
    carol = world.program("carol")
    alice, secret = come(world, name="alice")
    share(carol, user="alice")
    alice.drop()
    world.pass_time(EVERY)
    again = world.connect()
    again.record(do="hello", version=1, resume=secret)
    (file,) = [record["file"] for record in hear(again) if record["event"] == "shared"]
    assert fetch(again, file=file) == DATA


def test_what_waits_is_kept_for_a_week(world: World) -> None:
    bob = world.person("bob")
    alice, secret = come(world, name="alice")
    bob.say("/msg alice one")
    log = session_of(alice).user.inbox_log
    alice.drop()
    world.pass_time(6.9 * DAY)
    assert len(world.engine._logs[log].rows) == 1  # type: ignore[attr-defined]
    world.pass_time(0.2 * DAY)
    assert log not in world.engine._logs  # type: ignore[attr-defined]
    assert inbox_of_hello(world, resume=secret) == []


def test_an_empty_inbox_whose_guest_comes_back_that_moment_stays(moody: World, engine: MoodyEngine) -> None:
    """It is looked into, and found empty; then it is followed, and must not be dropped any more."""
    bob = moody.person("bob")
    alice, secret = come(moody, name="alice")
    bob.say("/msg alice one")
    log = session_of(alice).user.inbox_log
    alice.drop()
    engine._logs[log].rows.clear()
    read = engine.read

    def coming_back(of: str, *args: Any, **options: Any) -> Any:
        found = read(of, *args, **options)
        if of == log:
            engine.read = read  # type: ignore[method-assign]
            come(moody, resume=secret)
        return found

    engine.read = coming_back  # type: ignore[method-assign]
    settled(moody, moody.chat._retention.go_round())
    assert engine.read == read, "nobody looked"
    assert log in engine._logs


def test_only_so_many_names_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_resume, "GUESTS", 2)
    secrets = []
    for name in ("alice", "bob", "carol"):
        client, secret = come(world, name=name)
        client.drop()
        secrets.append(secret)
    assert len(world.chat.returning._gone) == 2
    names = [session_of(come(world, resume=secret)[0]).name for secret in secrets]
    assert names[0].startswith("guest-")
    assert names[1:] == ["bob", "carol"]
