"""Joining while joining, going while coming: one is in one room, and everybody sees the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat.states import NOT_CONFIRMED, at_once, members, online, release, waits_for
from fakes import MoodyEngine
from harness import Client, World


def test_a_second_join_waits_for_the_first(moody: World, engine: MoodyEngine) -> None:
    alice, bob, carol = moody.person("alice"), moody.person("bob", "lobby"), moody.person("carol", "den")
    engine.holding = True
    alice.say("/join lobby")
    alice.say("/join den", "hello")
    assert alice.lines() == []
    release(moody)
    assert alice.lines() == [
        "Welcome to room lobby!",
        "Current users: bob, alice",
        "You have left room lobby.",
        "Welcome to room den!",
        "Current users: carol, alice",
        "alice: hello",
    ]
    assert bob.lines() == ["alice has joined the room.", "alice has left the room."]
    assert carol.lines() == ["alice has joined the room.", "alice: hello"]


def test_many_who_make_the_same_room_at_once_are_in_the_same_room(world: World) -> None:
    people = [world.person(f"user{i}") for i in range(10)]
    at_once(world, *((client, "/create den" if i % 2 else "/join den") for i, client in enumerate(people)))
    for client in people:
        client.say("/join den")
    for client in people:
        client.lines()
    people[0].say("hello")
    for client in people:
        assert client.lines() == ["user0: hello"]


ARRIVING = ["/join den", "/create den", "/join den 5"]


@pytest.mark.parametrize("line", ARRIVING)
def test_who_comes_while_a_room_is_being_looked_up_waits_and_comes_into_the_same(
    moody: World, engine: MoodyEngine, line: str
) -> None:
    people = [moody.person(f"user{i}") for i in range(5)]
    engine.slow = True
    people[0].say(line)
    for client in people[1:]:
        client.say("/join den")
    while engine.slow or engine._held:
        release(moody)
    for client in people:
        assert "Welcome to room den!" in client.lines()
    people[0].say("hello")
    for client in people:
        assert client.lines()[-1] == "user0: hello"
    assert sorted(members(moody, "den")) == [f"user{i}" for i in range(5)]
    people[0].say("/rooms")
    assert people[0].lines()[-2].startswith("Rooms (1)")


def test_of_two_who_make_a_room_at_once_one_makes_it(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice"), moody.person("bob")
    engine.slow = True
    alice.say("/create den")
    bob.say("/create Den")
    release(moody)
    assert alice.lines() == ["Room den created.", "Welcome to room den!", "Current users: alice"]
    assert bob.lines() == ["Error: room den already exists; join it with /join den."]
    assert members(moody, "den") == ["alice"]


def test_who_waits_for_a_room_that_cannot_be_loaded_tries_in_turn(moody: World, engine: MoodyEngine) -> None:
    people = [moody.person(f"user{i}") for i in range(3)]
    engine.slow = True
    for client in people:
        client.say("/join den")
    engine.slow, engine.broken = False, True
    held, engine._held = engine._held, []
    for act in held:
        act()
    moody.settle()
    for client in people:
        assert client.lines() == [NOT_CONFIRMED]
    engine.broken = False
    people[2].say("/join den")
    assert people[2].lines() == ["Welcome to room den!", "Current users: user2"]


@pytest.mark.parametrize("line", ARRIVING)
@pytest.mark.parametrize("room", ["", "lobby"])
def test_who_goes_while_a_room_is_being_looked_up_leaves_no_ghost(
    moody: World, engine: MoodyEngine, line: str, room: str
) -> None:
    moody.person("bob", "lobby")
    alice = moody.person("alice", room)
    engine.slow = True
    alice.say(line)
    alice.drop()
    release(moody)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]
    assert members(moody, "den") == []
    assert set(moody.chat.loaded_rooms.by_name) == {"lobby"}


COMING = {
    "held": ("holding", "/join lobby"),
    "stored and not yet told": ("mute", "/join lobby"),
    "a new room, held": ("holding", "/create den"),
    "a new room, not yet told": ("mute", "/create den"),
}


@pytest.mark.parametrize(("mood", "line"), COMING.values(), ids=COMING)
@pytest.mark.parametrize("end", [Client.drop, lambda client: client.finish() or client.drop()])
def test_who_goes_while_coming_leaves_no_ghost(
    moody: World, engine: MoodyEngine, mood: str, line: str, end: Callable[[Client], None]
) -> None:
    bob, alice = moody.person("bob", "lobby"), moody.person("alice")
    setattr(engine, mood, True)
    alice.say(line)
    end(alice)
    release(moody)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]
    heard = bob.lines()
    assert heard.count("alice has joined the room.") == heard.count("alice has disconnected.")
    assert members(moody, "den") == []
    assert set(moody.chat.loaded_rooms.by_name) == {"lobby"}


MOVING = ["/leave", "/join den", "/create den", "/join lobby2 5"]


@pytest.mark.parametrize("mood", ["holding", "mute"])
@pytest.mark.parametrize("line", MOVING)
def test_who_goes_while_leaving_leaves_no_ghost(moody: World, engine: MoodyEngine, mood: str, line: str) -> None:
    bob, alice = moody.person("bob", "lobby"), moody.person("alice", "lobby")
    bob.lines()
    setattr(engine, mood, True)
    alice.say(line)
    alice.drop()
    release(moody)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]
    assert bob.lines()[0] in ("alice has left the room.", "alice has disconnected.")
    assert set(moody.chat.loaded_rooms.by_name) == {"lobby"}


@pytest.mark.parametrize("mood", ["holding", "mute"])
@pytest.mark.parametrize("line", ["hello", "/me waves", "/msg bob hello", "/msg alice hello", "/name carol", "/quit"])
def test_who_goes_with_something_under_way_leaves_no_ghost(
    moody: World, engine: MoodyEngine, mood: str, line: str
) -> None:
    moody.person("bob", "lobby")
    alice = moody.person("alice", "lobby")
    setattr(engine, mood, True)
    alice.say(line)
    alice.drop()
    release(moody)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]


def test_whom_one_writes_to_may_go_before_there_is_an_inbox(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice"), moody.person("bob")
    engine.slow = True
    alice.say("/msg bob hello")
    bob.drop()
    release(moody)
    assert alice.lines() == ["Error: no user named bob; see /who."]
    assert engine.followed == set()


def test_two_who_are_the_first_to_write_to_somebody_are_heard_once_each(moody: World, engine: MoodyEngine) -> None:
    alice, bob, carol = (moody.person(name) for name in ("alice", "bob", "carol"))
    engine.slow = True
    alice.say("/msg carol one")
    bob.say("/msg carol two")
    release(moody)
    assert carol.lines() == ["alice (private): one", "bob (private): two"]
    alice.say("/msg carol three")
    assert carol.lines() == ["alice (private): three"]


def test_whom_one_writes_to_may_go_while_the_message_is_under_way(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice"), moody.person("bob")
    engine.holding = True
    alice.say("/msg bob hello")
    bob.drop()
    release(moody)
    # A guest's inbox is this connection's alone: it is stored, but nobody will ever come for it.
    assert alice.lines() == ["Error: no user named bob; see /who."]
    alice.say("/msg bob hello")
    assert alice.lines() == [waits_for("bob")]


def test_who_makes_a_room_by_joining_it_is_told_so_in_the_record_alone(world: World) -> None:
    def entered(name: str, **command: str) -> dict[str, object]:
        program = world.program(name)
        program.record(**command)
        (record,) = [record for record in program.records() if record["event"] == "entered"]
        return record

    assert entered("una", do="join", room="attic")["made"] is True
    assert "made" not in entered("dos", do="join", room="attic")
    created = entered("tre", do="create", room="cellar")
    assert (created["made"], created["created"]) == (True, True)
    person = world.person("quad")
    person.say("/join pantry")
    assert person.lines() == ["Welcome to room pantry!", "Current users: quad"]
