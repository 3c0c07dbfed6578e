"""Becoming somebody else while something else happens, or stops in between: one is whole before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chat.people.becoming import NAME_IN_USE, WRONG, logged_in, made, whose
from fakes import MoodyEngine
from harness import Client, World, result
from stepping import HeldPasswords, SteppingEngine, SteppingPasswords, all_is_one, nobody_is_left
from twisted.internet.task import Clock

STEPS = 40  # more than anything here has

# ---- at once -----------------------------------------------------------------------------------------------------


@pytest.fixture
def passwords() -> HeldPasswords:
    return HeldPasswords()


@pytest.fixture
def held(passwords: HeldPasswords) -> Iterator[World]:
    """A server where passwords wait to be looked at when told."""
    made = World(passwords=passwords)
    yield made
    made.close()


def test_of_two_who_register_one_name_at_once_one_does(held: World, passwords: HeldPasswords) -> None:
    one, two = held.person(), held.person()
    passwords.holding = True
    one.say("/register alice the-one")
    two.say("/register alice the-two")
    passwords.let_go()
    held.settle()
    assert one.lines()[0] == "You are logged in as alice."
    assert two.lines() == [NAME_IN_USE, "alice has entered the chat."]
    two.say("/login alice two")
    assert two.lines() == [WRONG]
    all_is_one(held)
    nobody_is_left(held)


@pytest.mark.parametrize("first", range(12))
def test_of_two_who_register_names_that_look_alike_at_once_one_does(first: int) -> None:
    """Whichever step of the one is slow while the other is done."""
    clock = Clock()
    engine = SteppingEngine(clock)
    world = World(engine, clock)
    one, two = world.person(), world.person()
    engine.arm(first)
    one.say("/register alice secret")
    assert engine.reached or first > 5
    two.say("/register a1ice secret")
    engine.let_go()
    world.settle()
    accounts = [account.name for account in result(world.chat.accounts.all())]
    assert len(accounts) == 1, accounts
    assert sorted([whose(one)[1], whose(two)[1]]) == [False, True]
    all_is_one(world)
    nobody_is_left(world)
    world.close()


def test_of_two_who_have_seen_that_a_name_is_free_and_register_names_that_look_alike_one_does() -> None:
    clock, passwords = Clock(), HeldPasswords()
    for step in range(STEPS):
        world = World(engine := SteppingEngine(clock), clock, passwords=passwords)
        one, two = world.person(), world.person()
        passwords.holding = True
        one.say("/register alice secret")
        two.say("/register a1ice secret")
        first, second = passwords.waiting
        passwords.holding, passwords.waiting = False, []
        engine.arm(step)
        first()
        second()
        reached = engine.reached
        engine.let_go()
        world.settle()
        accounts = [account.name for account in result(world.chat.accounts.all())]
        assert len(accounts) == 1, f"step {step}: {accounts}"
        assert sorted([whose(one)[1], whose(two)[1]]) == [False, True]
        all_is_one(world)
        nobody_is_left(world)
        world.close()
        if not reached:
            break
    assert 0 < step < STEPS - 1


def test_of_two_who_log_in_at_once_one_does(held: World, passwords: HeldPasswords) -> None:
    made(held, "alice")
    one, two = held.person(), held.person()
    passwords.holding = True
    one.say("/login alice secret")
    two.say("/login alice secret")
    passwords.let_go()
    held.settle()
    assert "You are logged in as alice." in one.lines()
    assert "Error: alice is already logged in." in two.lines()
    all_is_one(held)
    nobody_is_left(held)


@pytest.mark.parametrize("room", ["", "lobby"])
@pytest.mark.parametrize("name", ["alice", "a1ice"])
@pytest.mark.parametrize("step", range(10))
def test_a_guest_takes_a_name_while_its_owner_logs_in(step: int, name: str, room: str) -> None:
    """Whichever step of the guest's is slow: the owner has the name, the guest another."""
    clock = Clock()
    engine = SteppingEngine(clock)
    world = World(engine, clock)
    made(world, "alice")
    guest, dave, owner = world.person("", room), world.person("dave", "lobby"), world.person()
    before = whose(guest)[0]
    engine.arm(step)
    guest.say(f"/name {name}")
    owner.say("/login alice secret")
    engine.let_go()
    world.settle()
    assert whose(owner) == ("alice", True)
    now, registered = whose(guest)
    assert (now == before, registered) == (True, False), "it never had the other"
    all_is_one(world)
    dave.take()
    if room:
        guest.say("hello")
        assert dave.lines() == [f"{before}: hello"]
    nobody_is_left(world)
    world.close()


@pytest.mark.parametrize("room", ["", "lobby"])
@pytest.mark.parametrize("name", ["alice", "a1ice"])
@pytest.mark.parametrize("step", range(10))
def test_a_guest_takes_a_name_while_it_is_registered(step: int, name: str, room: str) -> None:
    """Whichever step of the guest's is slow, the account has the name in the end, and the room knows the guest's."""
    clock = Clock()
    engine = SteppingEngine(clock)
    world = World(engine, clock)
    guest, dave, owner = world.person("", room), world.person("dave", "lobby"), world.person()
    engine.arm(step)
    guest.say(f"/name {name}")
    owner.say("/register alice secret")
    engine.let_go()
    world.settle()
    world.pass_time(10)
    assert whose(owner) == ("alice", True)
    now, registered = whose(guest)
    assert now.startswith("guest-")
    assert not registered
    all_is_one(world)
    dave.take()
    if room:
        guest.say("hello")
        assert dave.lines() == [f"{now}: hello"]
        loaded = next(iter(world.chat.loaded_rooms.by_name.values()))
        assert now in [member.name for member in loaded.members.values()]
    nobody_is_left(world)
    world.close()


# ---- cut short ---------------------------------------------------------------------------------------------------


CUT = {
    "register": ([], "/register alice secret"),
    "login": (["/register alice secret", "/logout"], "/login alice secret"),
    "logout": (["/register alice secret"], "/logout"),
    "password": (["/register alice secret"], "/password secret better"),
    "delete": (["/register alice secret"], "/account delete secret"),
}


def stepping(before: list[str], room: str) -> tuple[World, SteppingEngine, Client]:
    """Return a server, its engine, and somebody who has said these lines."""
    clock = Clock()
    engine = SteppingEngine(clock)
    world = World(engine, clock, passwords=SteppingPasswords(engine), throttle=False)
    alice = world.person("", room)
    alice.say(*before)
    alice.take()
    return world, engine, alice


@pytest.mark.parametrize("room", ["", "lobby"])
@pytest.mark.parametrize("what", CUT)
def test_who_goes_at_any_step_leaves_no_seat_and_no_name_behind(what: str, room: str) -> None:
    before, line = CUT[what]
    for step in range(STEPS):
        world, engine, alice = stepping(before, room)
        engine.arm(step)
        alice.say(line)
        reached = engine.reached
        alice.drop()
        engine.let_go()
        world.settle()
        nobody_is_left(world)
        world.pass_time(10)
        after = world.person()
        after.say("/register alice secret", "/login alice secret", "/login alice better", "/account")
        assert "You are logged in as alice." in after.lines(), f"step {step}"
        all_is_one(world)
        nobody_is_left(world)
        world.close()
        if not reached:
            break
    assert 0 < step < STEPS - 1


@pytest.mark.parametrize("room", ["", "lobby"])
@pytest.mark.parametrize("what", CUT)
def test_what_fails_at_any_step_leaves_nobody_half_logged_in(what: str, room: str) -> None:
    before, line = CUT[what]
    for step in range(STEPS):
        world, engine, alice = stepping(before, room)
        engine.arm(step, failing=True)
        alice.say(line)
        reached = engine.reached
        engine.arm(None)
        assert alice.lines(), f"step {step}: an answer"
        world.pass_time(10)
        all_is_one(world)
        name, registered = whose(alice)
        there = [account.name for account in result(world.chat.accounts.all())]
        assert not registered or there == [name], f"step {step}: the owner of an account that is none"
        alice.drop()
        after = world.person()
        after.say("/register alice secret", "/login alice secret", "/login alice better", "/account")
        assert "You are logged in as alice." in after.lines(), f"step {step}"
        all_is_one(world)
        nobody_is_left(world)
        world.close()
        if not reached:
            break
    assert 0 < step < STEPS - 1


def test_an_account_that_is_deleted_while_the_log_fails_is_nobodys_all_the_same() -> None:
    """Its owner is a guest at once, so that whoever registers the name next can log in."""
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    made(world, "alice")
    alice = logged_in(world, "alice")
    append: Any = engine.append

    def failing(log: str, event: Any, done: Any = None, **options: Any) -> None:
        engine.broken = log == "server/all"
        append(log, event, done, **options)
        engine.broken = False

    engine.append = failing  # type: ignore[method-assign]
    alice.say("/account delete secret")
    world.settle()
    assert alice.lines()[-1] == "The account alice has been deleted."
    assert whose(alice)[1] is False
    other = world.person()
    other.say("/register alice another")
    assert whose(other) == ("alice", True)
    all_is_one(world)
    engine.append = append  # type: ignore[method-assign]
    world.pass_time(10)
    assert whose(other) == ("alice", True), "what is told late is about the first alice"
    nobody_is_left(world)
    world.close()
