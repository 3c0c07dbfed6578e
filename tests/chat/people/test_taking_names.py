"""Names taken at once, taken over, taken back: each has one holder whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat.states import members, online, release, waits_for
from fakes import MoodyEngine
from harness import Client, World

NAME_IN_USE = "Error: username is already used; choose another with /name <name>."


@pytest.mark.parametrize(
    "name",
    [
        "admin",
        "Server",
        "guest-1",
        "/me",
        "#x",
        "a,b",
        "x" * 33,
        "x" * 4000,
        "al\u200dice",
        "\u202eecila",
        ".",
        "\u0430lice",
        "m" + "\u0301" * 9,
    ],
    ids=lambda name: ascii(name)[:16],
)
def test_a_bad_name_is_refused_and_changes_nothing(world: World, name: str) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.say(f"/name {name}")
    (error,) = alice.lines()
    assert error.startswith("Error: ")
    assert error.endswith("choose another with /name <name>.")
    alice.say("still me")
    assert bob.lines() == ["alice: still me"]


@pytest.mark.parametrize("taken", ["alice", "ALICE", "AlicE", "alic\u0435", "\uff41lice", "a1ice"])
def test_a_name_in_use_or_one_that_looks_like_it_is_refused(world: World, taken: str) -> None:
    world.person("alice")
    other = world.person("bob")
    other.say(f"/name {taken}")
    (error,) = other.lines()
    assert error.startswith("Error: ")
    other.say("/hello")
    assert other.lines() == ["Hello, bob!"]


def test_of_two_who_claim_a_name_at_once_one_gets_it(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    engine.holding = True
    alice.say("/name carol")
    bob.say("/name carol")
    assert bob.lines() == [NAME_IN_USE]
    assert alice.lines() == []
    release(moody)
    assert alice.lines() == ["You are now carol."]
    assert bob.lines() == ["alice is now known as carol."]


def test_the_name_that_is_being_given_up_is_not_free_before_it_is(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob")
    engine.holding = True
    alice.say("/name carol")
    bob.say("/name alice")
    assert bob.lines() == [NAME_IN_USE]
    release(moody)
    bob.say("/name alice")
    assert bob.lines() == ["You are now alice."]


@pytest.mark.parametrize("end", [Client.drop, lambda client: client.say("/quit")])
def test_a_name_is_free_when_who_had_it_has_gone(world: World, end: Callable[[Client], None]) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    end(alice)
    bob.say("/name alice")
    assert bob.lines() == ["alice has disconnected.", "You are now alice."]


@pytest.mark.parametrize("stored", [True, False])
def test_who_goes_while_taking_a_name_leaves_neither_the_old_nor_the_new_one(
    moody: World, engine: MoodyEngine, stored: bool
) -> None:
    alice = moody.person("alice", "lobby")
    engine.mute, engine.holding = stored, not stored
    alice.say("/name carol")
    alice.drop()
    release(moody)
    assert online(moody) == []
    for name in ("alice", "carol"):
        other = moody.person()
        other.say(f"/name {name}")
        assert other.lines() == [f"You are now {name}."]


@pytest.mark.parametrize("refused", [False, True])
def test_who_goes_while_taking_a_name_goes_under_the_one_the_room_knows(
    moody: World, engine: MoodyEngine, refused: bool
) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    engine.broken = refused
    alice.transport.protocol.dataReceived(b"/name carol\r\n")
    alice.drop()
    engine.broken = False
    for _ in range(12):
        moody.pass_time(10)
    renamed = [] if refused else ["alice is now known as carol."]
    assert bob.lines() == [*renamed, f"{'alice' if refused else 'carol'} has disconnected."]


def test_a_name_may_change_its_case(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.say("/name Alice", "/name Alice")
    assert alice.lines() == ["You are now Alice."] * 2
    assert bob.lines() == ["alice is now known as Alice."]
    bob.say("/name alice")
    assert bob.lines() == [NAME_IN_USE]


def test_a_new_name_is_seen_by_all_and_holds_for_all_that_follows(world: World) -> None:
    alice, bob, bot = world.person("alice", "lobby"), world.person("bob", "lobby"), world.program("bot", "lobby")
    for client in (alice, bob):
        client.take()
    alice.say("one", "/name carol", "two")
    assert alice.lines() == ["alice: one", "You are now carol.", "carol: two"]
    assert bob.lines() == ["alice: one", "alice is now known as carol.", "carol: two"]
    records = bot.records()
    assert [record["event"] for record in records] == ["said", "renamed", "said"]
    assert (records[1]["by"], records[1]["name"]) == ("alice", "carol")
    bob.say("/msg carol psst", "/msg alice psst")
    assert bob.lines() == ["To carol (private): psst", waits_for("alice")]
    assert members(world) == ["carol", "bob", "bot"]
    assert online(world) == ["bob  in lobby", "bot  in lobby", "carol  in lobby"]
