"""The secret of a guest makes nobody anybody else, evades no ban, and is never shown."""

from __future__ import annotations

from typing import Any

import pytest
from coming_back import Cut, come, ghost, noticed
from fakes import MoodyEngine
from harness import World, stored_records
from order import FAR, PASSWORD, account, ask, owner, record_of, session_of, settled
from stepping import all_is_one
from twisted.internet.defer import Deferred

from chatroom.chat.operators.service import Operations
from chatroom.chat.people.guest_resume import shared_key
from chatroom.chat.people.hello import welcome
from chatroom.engines.memory import MemoryEngine
from chatroom.model.commands import Hello


def test_a_secret_that_is_not_right_makes_nobody_somebody_else(world: World) -> None:
    account(world, "zoe")
    zoe = owner(world, "zoe")
    alice, secret = come(world, name="alice")
    _, other = come(world)
    (id, signature), (_, others) = secret.split("."), other.split(".")
    account_id = session_of(zoe).user_id
    taken = {session.user_id for session in world.chat.sessions.values()}
    assert {id, account_id} < taken
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
        assert mallory.user_id not in taken, wrong
        assert mallory.user.account is None
    assert alice.open
    assert zoe.open


def test_another_servers_secret_is_worth_nothing(world: World) -> None:
    _, secret = come(world)
    elsewhere = World()
    elsewhere.chat.mint(12)
    elsewhere.chat.returning._key = b"another"
    session = session_of(come(elsewhere, resume=secret)[0])
    assert session.user_id != secret.partition(".")[0]
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


def test_of_two_that_come_at_once_the_later_is_the_guest(moody: World, engine: MoodyEngine) -> None:
    """The first has not been welcomed yet when the second comes."""
    alice, secret = come(moody, name="alice")
    id = session_of(alice).user_id
    alice.drop()
    engine.slow = True
    first, second = moody.connect(), moody.connect()
    for client in (first, second):
        client.record(do="hello", version=1, name="alice", resume=secret)
    while engine._held:
        engine.let_go()
        moody.settle()
    assert [client.open for client in (first, second)] == [False, True]
    assert [session.user_id for session in moody.chat.sessions.values()] == [id]
    all_is_one(moody)


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
    assert secret not in repr(welcome(world.chat, session_of(alice), ()))
    alice.drop()
    come(world, name="alice", resume=secret)[0].record(do="join", room="den")
    signature = secret.partition(".")[2]
    stored = repr(world.engine._logs) + repr(stored_records(world))  # type: ignore[attr-defined]
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


def test_a_second_hello_gets_the_name_that_the_first_was_taking(moody: World, engine: MoodyEngine) -> None:
    first, second = moody.connect(), moody.connect()
    hello = {"do": "hello", "version": 1, "name": "rita", "resume": "a secret of mine that is long"}
    engine.slow = True
    first.record(**hello)
    second.record(**hello)
    while engine._held:
        engine.let_go()
        moody.settle()
    (welcome,) = [record for record in second.records() if record["event"] == "welcome"]
    assert welcome["you"] == "rita"
    assert not first.open
