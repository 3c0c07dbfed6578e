"""What somebody with bad intentions tries: each test is an attack that once worked."""

from __future__ import annotations

import pytest
from fakes import MoodyEngine
from harness import World
from twisted.internet.task import Clock


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture
def moody():
    clock = Clock()
    world = World(MoodyEngine(clock), clock)
    yield world
    world.engine.let_go()
    world.close()


def at(world: World, host: str, name: str, room: str = ""):
    """Return a person who comes from there."""
    client = world.connect(host)
    world.pass_time(0.3)
    client.say(f"/name {name}")
    if room:
        client.say(f"/join {room}")
    client.lines()
    return client


# ---- into rooms --------------------------------------------------------------------------------------------------


def test_a_lock_holds_for_whoever_comes_from_another_room(world):
    alice = world.person("alice", "den")
    alice.say("/lock")
    mallory = world.person("mallory", "hall")
    mallory.say("/join den")
    assert mallory.lines() == ["Error: den is locked; ask a moderator to invite you."]


def test_a_ban_holds_for_whoever_is_just_leaving_another_room(moody):
    alice = moody.person("alice", "den")
    mallory = moody.person("mallory", "hall")
    moody.engine.holding = True
    mallory.say("/join den")  # its leaving waits to be stored
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    alice.say("/ban mallory")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: you are banned from den."
    alice.lines()
    alice.say("/who")
    assert "  mallory" in alice.lines()


# ---- rights ------------------------------------------------------------------------------------------------------


def test_a_moderator_cannot_put_out_the_owner_by_the_address(world):
    owner = at(world, "10.0.0.1", "owner", "den")
    mallory = at(world, "10.0.0.2", "mallory", "den")
    owner.say("/op mallory")
    owner.lines()
    mallory.say("/ban 10.0.0.1")
    assert not [line for line in owner.lines() if "kicked" in line]
    owner.say("still here")
    assert owner.lines() == ["owner: still here"]


# ---- another's name ----------------------------------------------------------------------------------------------


def account(world: World, name: str):
    """Return a person with an account of that name, logged in."""
    client = world.person()
    client.say(f"/register {name} secret")
    client.lines()
    return client


def test_who_asks_for_an_accounts_name_does_not_get_its_mail(moody):
    account(moody, "bob").drop()
    mallory, alice = moody.person("mallory"), moody.person("alice")
    moody.engine.slow = True
    mallory.say("/name bob")  # whether the name is an account's is being looked up
    alice.say("/msg bob the key is under the mat")
    moody.engine.let_go()
    assert mallory.lines() == ["Error: username is already used; choose another with /name <name>."]
    assert alice.lines() == ["bob is offline; the message will be delivered when bob returns."]


def test_who_asks_for_an_accounts_name_does_not_keep_its_owner_out(moody):
    account(moody, "bob").drop()
    mallory, bob = moody.person("mallory"), moody.person()
    bob.say("/login bob wrong")
    bob.lines()
    chat, authenticate = moody.chat, moody.chat.authenticator.authenticate

    async def late(*args):
        found = await authenticate(*args)
        moody.engine.slow = True
        mallory.say("/name bob")
        return found

    chat.authenticator.authenticate = late
    bob.say("/login bob secret")
    moody.engine.let_go()
    assert bob.lines()[0] == "You are logged in as bob."
    assert chat.names.get("bob") is chat.users[next(id for id, u in chat.users.items() if u.account)]
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."


@pytest.mark.parametrize("name", ["bob", "b0b"])
def test_who_is_about_to_have_a_name_that_is_registered_does_not_get_it(moody, name):
    alice = moody.person("alice", "lobby")
    mallory = moody.person("mallory", "lobby")
    alice.lines()
    moody.engine.holding = True
    mallory.say(f"/name {name}")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."
    mallory.say("who am I")
    assert mallory.lines() == ["mallory: who am I"]
    assert alice.lines()[-2:] == [f"{name} is now known as mallory.", "mallory: who am I"]
    assert moody.chat.names.get("mallory") is not None


def test_who_loses_a_name_while_taking_another_is_called_the_same_everywhere(moody):
    mallory = moody.person("bob", "lobby")
    moody.engine.holding = True
    mallory.say("/name carl")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    mallory.lines()
    mallory.say("who am I", "/account")
    said, called = mallory.lines()
    assert called == f"You are now {said.partition(':')[0]}."
