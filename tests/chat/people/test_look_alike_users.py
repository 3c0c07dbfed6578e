"""No user can be called what readers would take for another's name: not by digits, not after a restart."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World, stored_records
from order import PASSWORD, account, ask, guest, owner, restarted, settled
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet.task import Clock

from chatroom.chat.people import account_lookalikes
from chatroom.model.account import LOOK_RULES, LOOKS
from chatroom.model.names import user_looks, user_name

NAME_IN_USE = "Error: username is already used; choose another with /name <name>."
ALIKE = [("erik", "er1k"), ("Alice", "Al1ce"), ("liz", "1iz"), ("zoe", "2oe"), ("susan", "5u5an"), ("bob", "8ob")]
# Cyrillic with palochka and with soft signs, Latin turned l, Lisu: each a whole name in one script.
ALIKE += [
    ("alice", "\u0430\u04cf\u0456\u0441\u0435"),
    ("alice", "a\ua781ice"),
    ("alice", "\ua4ee\ua4e1\ua4f2\ua4da\ua4f0"),
]
ALIKE += [("lobby", "\u04cf\u043e\u044c\u044c\u0443")]
DIFFERENT = [("bob", "bob2"), ("user", "user5"), ("lab", "lab10"), ("users", "user5"), ("erik", "er-ik")]


def age(world: World) -> None:
    """Leave the records of looks as a chatroom would that took digits for nothing but digits."""
    for bucket, look in stored_records(world):
        if bucket == LOOKS:
            world.engine.put(LOOKS, look, None, stored_records(world)[bucket, look][1])
    for bucket, name in list(stored_records(world)):
        if bucket == "account":
            world.engine.put(LOOKS, user_name(name).look, f'"{name}"'.encode(), 0)
    world.engine.put(LOOK_RULES, "digits-as-letters", None, stored_records(world)[LOOK_RULES, "digits-as-letters"][1])
    world.settle()


@pytest.mark.parametrize(("name", "other"), ALIKE)
@pytest.mark.parametrize("kind", ["guest", "owner", "away"])
def test_a_guest_cannot_look_like_somebody(world: World, name: str, other: str, kind: str) -> None:
    for first, second in ((name, other), (other, name)):
        there = guest(world, first) if kind == "guest" else owner(world, first)
        if kind == "away":
            there.drop()
        bob = world.person()
        bob.say(f"/name {second}")
        assert bob.lines() == [NAME_IN_USE]
        if kind != "guest":
            bob.say(f"/register {second} s3cret-enough")
            assert bob.lines() == [NAME_IN_USE]
            assert settled(world, world.chat.accounts.owns(user_name(second)))
            kept = settled(world, world.chat.accounts.get(user_name(first)))
            assert settled(world, world.chat.accounts.remove(kept))
        there.drop()
        bob.drop()
        assert not settled(world, world.chat.accounts.owns(user_name(second))), "the look is free with its account"


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_by_a_number_or_a_hyphen_stand_side_by_side(world: World, one: str, other: str) -> None:
    account(world, one)
    bob = world.person()
    bob.say(f"/name {other}")
    assert bob.lines() == [f"You are now {other}."]
    account(world, other)


def test_a_name_is_free_again_with_all_its_looks(world: World) -> None:
    ann = world.person("er1k")
    ann.say("/name ann")
    bob = world.person("erik")
    bob.say("/name er1k")
    assert bob.lines()[-1] == "You are now er1k.", "it is one's own look"
    bob.drop()
    assert world.chat.names._by_look.keys() == {"ann"}


def test_a_guest_gives_way_to_an_account_that_looks_the_same(world: World) -> None:
    bob = world.person("er1k")
    account(world, "erik")
    assert bob.lines()[0] == "er1k belongs to an account now."


def test_old_accounts_that_look_alike_stay_and_nobody_else_looks_like_them(clock: Clock) -> None:
    world = World(MoodyEngine(clock), clock)
    account(world, "susan")
    account(world, "b1ll")
    world.engine.put(LOOKS, "bill", None, stored_records(world)[LOOKS, "bill"][1])
    account(world, "bill")  # as it was possible before
    for number in range(19):
        account(world, f"ne1l-{number}")
    age(world)
    again = restarted(world)
    first, second = again.program(), again.program()
    for client, name in ((first, "b1ll"), (second, "bill")):
        assert ask(client, "login", user=name, password=PASSWORD) == "ok", name
    bob = again.person()
    bob.say("/name 5usan", "/name neil-3", "/name nei1-3", "/name BiLl")
    assert bob.lines() == [NAME_IN_USE] * 4
    first.drop()
    bob.lines()
    bob.say("/name b1ll", "/name bi1l")
    assert bob.lines() == [NAME_IN_USE] * 2
    assert settled(again, again.chat.accounts.remove(settled(again, again.chat.accounts.get(user_name("b1ll")))))
    assert settled(again, again.chat.accounts.owns(user_name("b1ll"))), "bill is still there"
    again.close()


def test_a_second_start_reads_no_accounts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(MoodyEngine(clock), clock)
    account(world, "erik")
    monkeypatch.setattr(world.engine, "page", None)
    settled(world, account_lookalikes.complete(world.engine))
    world.close()


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_registered_at_the_same_time_one_is_made(clock: Clock, first: int) -> None:
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    people, names = [world.program(), world.program()], ["neil", "ne1l"]
    engine.slow = True
    for who in (first, 1 - first):
        people[who].record(do="register", user=names[who], password="s3cret-enough", ref=1)
    for _ in range(20):  # each lets both take one step
        engine.let_go()
        engine.slow = True
    engine.let_go()
    world.settle()
    answers: list[dict[str, Any]] = [next(r for r in it.records() if r.get("re") == 1) for it in people]
    assert sorted(answer["event"] for answer in answers) == ["account", "error"]
    assert [answer["code"] for answer in answers if answer["event"] == "error"] == ["name-in-use"]
    world.close()


def test_a_name_that_looks_like_one_of_a_checker_is_refused() -> None:
    world = World(checkers=[InMemoryUsernamePasswordDatabaseDontUse(ne1l=b"s3cret-enough")])
    bob = world.person()
    bob.say("/name neil")
    assert bob.lines() == [NAME_IN_USE]
    world.close()


def test_a_user_has_few_looks() -> None:
    assert user_looks(user_name("erik")) == ("erik",)
    assert all(len(user_looks(user_name(text))) <= 5 for text in ("I1i1I", "B1G-1I", "Q1W2E3"))
