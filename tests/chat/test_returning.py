"""A guest whose program shows its secret is the same guest: id, name, inbox and rooms. Nobody becomes anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from order import FAR, PASSWORD, account, ask, owner, record_of, restarted, session_of, settled
from sharing import DATA, fetch, hear, share
from stepping import all_is_one, nobody_is_left
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat import returning
from chatroom.chat.commands import Hello
from chatroom.chat.operations import Operations
from chatroom.chat.retention import EVERY
from chatroom.chat.returning import shared_key
from chatroom.engines.memory import MemoryEngine

DAY = 24 * 3600.0


def come(world: World, *, host: str = "127.0.0.1", **fields: Any) -> tuple[Client, str]:
    """Return a program that has said hello, and the secret it was told; the welcome has been heard."""
    client = world.connect(host)
    client.record(do="hello", version=1, **fields)
    (welcome, *_) = records = client.records()
    assert welcome["event"] == "welcome", records
    return client, welcome["resume"]


def inbox(client: Client) -> list[str]:
    """Return the private messages that a program has heard."""
    return [record["text"] for record in client.records() if record["event"] == "private"]


def ghost(world: World, client: Client) -> World:
    """The server has not noticed the cut."""
    return world


def noticed(world: World, client: Client) -> World:
    """It has."""
    client.drop()
    return world


def after_restart(world: World, client: Client) -> World:
    """It has even been started again."""
    return restarted(world)


CUTS = pytest.mark.parametrize("cut", [ghost, noticed, after_restart])
Cut = Callable[[World, Client], World]


@pytest.fixture
def engine() -> MoodyEngine:
    return MoodyEngine(Clock())


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail."""
    world = World(engine, engine._reactor)
    yield world
    engine.let_go()
    world.close()


# ---- the same guest ----------------------------------------------------------------------------------------------


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
    world.chat.rename(session_of(other), handle)
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


def inbox_of_hello(world: World, **fields: Any) -> list[str]:
    """Return the private messages that a program hears with its welcome."""
    client = world.connect()
    client.record(do="hello", version=1, **fields)
    return inbox(client)


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
    assert bob.lines() == ["alice has just been cut off, and will read this on coming back."]
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
    world.person("bob").say(f"/msg {session_of(again).name} hi")
    again.drop()
    assert inbox_of_hello(world, resume=secret) == ["hi"]


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
    monkeypatch.setattr(returning, "GUESTS", 2)
    secrets = []
    for name in ("alice", "bob", "carol"):
        client, secret = come(world, name=name)
        client.drop()
        secrets.append(secret)
    assert len(world.chat.returning._gone) == 2
    names = [session_of(come(world, resume=secret)[0]).name for secret in secrets]
    assert names[0].startswith("guest-")
    assert names[1:] == ["bob", "carol"]


# ---- and nobody else ---------------------------------------------------------------------------------------------


def test_a_secret_that_is_not_right_changes_nothing(world: World) -> None:
    account(world, "zoe")
    zoe = owner(world, "zoe")
    alice, secret = come(world, name="alice")
    _, other = come(world)
    (id, signature), (_, others) = secret.split("."), other.split(".")
    account_id = session_of(zoe).user_id
    for wrong in (
        f"{id}.{others}",
        f"{account_id}.{signature}",
        f"{id}.",
        f"{id}",
        f".{signature}",
        ".",
        f"{id}.{signature}x",
        f"{id}.{signature}.{signature}",
        f"{id.upper()}é.{signature}",
        f"{id}.{signature[:-1]}é",
    ):
        mallory = session_of(come(world, resume=wrong)[0])
        assert mallory.user_id == mallory.id, wrong
        assert mallory.user.account is None
    assert alice.open
    assert zoe.open


def test_another_servers_secret_is_worth_nothing(world: World) -> None:
    _, secret = come(world)
    elsewhere = World()
    elsewhere.chat.mint(12)
    elsewhere.chat.returning._key = b"another"
    session = session_of(come(elsewhere, resume=secret)[0])
    assert session.user_id == session.id
    elsewhere.close()


def test_whose_connection_was_an_accounts_comes_back_as_a_guest(world: World) -> None:
    """The account is not the secret's to give."""
    account(world, "zoe")
    zoe, secret = come(world)
    ask(zoe, "login", user="zoe", password=PASSWORD)
    ask(zoe, "create", room="den")
    again, _ = come(world, resume=secret)
    assert not zoe.open
    assert session_of(again).user.account is None
    assert session_of(again).user_id != record_of(world, "den").owner_id
    assert ask(again, "join", room="den") == "ok"
    assert ask(again, "topic", text="mine") == "not-moderator"
    all_is_one(world)


def test_one_guest_has_one_connection(world: World) -> None:
    """However often, and from wherever, it comes."""
    first, secret = come(world, name="alice")
    id = session_of(first).user_id
    clients = [first, *(come(world, name="alice", resume=secret)[0] for _ in range(4))]
    assert [client.open for client in clients] == [False] * 4 + [True]
    assert [session.user_id for session in world.chat.sessions.values()].count(id) == 1
    assert world.chat.seats._shared == 1
    all_is_one(world)


def test_who_has_been_refused_a_name_is_not_its_own_ghost(world: World) -> None:
    alice, secret = come(world, name="alice")
    id = session_of(alice).user_id
    world.person("bob")
    again = world.connect()
    again.record(do="hello", version=1, name="bob", resume=secret)
    assert again.records()[-1]["code"] == "name-in-use"
    again.record(do="hello", version=1, resume=secret)
    assert [record["event"] for record in again.records()] == ["welcome"]
    assert session_of(again).user_id == id
    all_is_one(world)


@pytest.mark.parametrize("where", ["welcomed", "in a room", "logged in"])
def test_only_who_has_just_come_becomes_somebody_else(world: World, where: str) -> None:
    """Its room, and who writes to it, know it already; the other connection ends all the same."""
    account(world, "zoe")
    alice, secret = come(world, name="alice")
    mallory = world.connect()
    if where == "welcomed":
        mallory.record(do="hello", version=1)
    elif where == "in a room":
        mallory.record(do="join", room="den")
    else:
        mallory.record(do="login", user="zoe", password=PASSWORD)
    mallory.records()
    id, name = session_of(mallory).user_id, session_of(mallory).name
    mallory.record(do="hello", version=1, resume=secret)
    assert (session_of(mallory).user_id, session_of(mallory).name) == (id, name)
    assert not alice.open
    all_is_one(world)


def test_a_banned_name_does_not_come_back_under_another(world: World) -> None:
    """From elsewhere: there the address is no hindrance."""
    alice, secret = come(world, name="alice", host=f"{FAR}1")
    settled(world, Operations(world.chat, "op").ban("alice", None, "spam"))
    assert not alice.open
    mallory = world.connect(f"{FAR}200")
    mallory.record(do="hello", version=1, name="mallory", resume=secret)
    assert mallory.records()[-1]["code"] == "server-banned"
    assert session_of(mallory).user_id == session_of(mallory).id


@pytest.mark.parametrize("cut", [ghost, noticed])
def test_a_ban_of_the_account_that_it_was_holds(world: World, cut: Cut) -> None:
    account(world, "zoe")
    op = owner(world, "op", "den")
    mallory, secret = come(world)
    for command in ({"do": "login", "user": "zoe", "password": PASSWORD}, {"do": "join", "room": "den"}):
        mallory.record(**command)
    assert ask(op, "ban", user="zoe") == "ok"
    cut(world, mallory)
    again, _ = come(world, resume=secret)
    assert ask(again, "join", room="den") == "banned"


def test_a_ban_of_the_name_or_the_address_holds_in_its_room(world: World) -> None:
    op = owner(world, "op", "den")
    alice, secret = come(world, name="alice", host=f"{FAR}1")
    ask(alice, "join", room="den")
    assert ask(op, "ban", user="alice") == "ok"
    for host, name in ((f"{FAR}1", "other"), (f"{FAR}200", "alice")):
        again, _ = come(world, name=name, host=host, resume=secret)
        assert ask(again, "join", room="den") == "banned"


def test_a_secret_is_never_shown(world: World) -> None:
    alice, secret = come(world, name="alice")
    assert secret not in repr(Hello(version=1, resume=secret))
    assert secret not in repr(world.chat.welcome(session_of(alice)))
    alice.drop()
    come(world, name="alice", resume=secret)[0].record(do="join", room="den")
    signature = secret.partition(".")[2]
    stored = repr(world.engine._logs) + repr(world.engine._records)  # type: ignore[attr-defined]
    assert signature not in stored


def test_two_daemons_of_one_engine_sign_alike(world: World) -> None:
    """Both start for the first time, and neither has found a key yet."""
    engine = MemoryEngine(world.clock)
    find = engine.get
    asked: list[Deferred[None]] = []

    def slowly(bucket: str, key: str) -> Any:
        found = find(bucket, key)
        asked.append(Deferred())
        return asked[-1].addCallback(lambda _: found)

    engine.get = slowly  # type: ignore[method-assign]
    both = [Deferred.fromCoroutine(shared_key(engine, world.chat.mint)) for _ in range(2)]
    while asked:
        asked.pop(0).callback(None)
    one, two = (deferred.result for deferred in both)
    assert one == two
    assert len(one) == 32
