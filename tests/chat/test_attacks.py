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
