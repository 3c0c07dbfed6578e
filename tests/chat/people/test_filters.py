"""Settings that filter: the echo and whom one ignores, each for oneself alone."""

from __future__ import annotations

import pytest
from chat.states import at_once
from harness import Client, World

from chatroom.chat.limits import IGNORED


@pytest.fixture
def four(world: World) -> list[Client]:
    """Alice, bob, carol and dave in a room."""
    people = [world.person(name, "lobby") for name in ("alice", "bob", "carol", "dave")]
    for client in people:
        client.take()
    return people


def mixed_talk(world: World, alice: Client, bob: Client, dave: Client) -> None:
    """One batch of talk, with comings and goings among it."""
    at_once(
        world,
        *((alice, "a1"), (bob, "b1"), (alice, "/me a2"), (dave, "d1"), (bob, "/me b2"), (dave, "/leave")),
        *((alice, "a3"), (bob, "b3")),
    )


TALK = ["alice: a1", "bob: b1", "* alice a2", "dave: d1", "* bob b2", "alice: a3", "bob: b3", "dave has left the room."]


def test_without_settings_all_hear_the_same_in_the_same_order(world: World, four: list[Client]) -> None:
    alice, bob, carol, dave = four
    mixed_talk(world, alice, bob, dave)
    heard = carol.lines()
    assert sorted(heard) == sorted(TALK)
    assert alice.lines() == heard == bob.lines()


def test_who_ignores_somebody_hears_all_the_others_in_order(world: World, four: list[Client]) -> None:
    alice, bob, carol, dave = four
    carol.say("/ignore bob")
    assert carol.lines() == ["You ignore bob."]
    mixed_talk(world, alice, bob, dave)
    assert carol.lines() == [line for line in alice.lines() if "bob" not in line]
    carol.say("/ignore bob off")
    assert carol.lines() == ["You ignore nobody."]
    bob.say("hello")
    assert carol.lines() == ["bob: hello"]


def test_who_is_ignored_stays_so_under_another_name_and_is_still_seen_to_come_and_go(
    world: World, four: list[Client]
) -> None:
    _, bob, carol, _ = four
    carol.say("/ignore bob")
    carol.lines()
    bob.say("/name rob", "hello", "/leave")
    assert carol.lines() == ["bob is now known as rob.", "rob has left the room."]


def test_who_is_ignored_stays_so_when_coming_back(world: World, four: list[Client]) -> None:
    _, bob, carol, _ = four
    carol.say("/ignore bob")
    bob.drop()
    carol.lines()
    bob = world.person("BOB", "lobby")
    bob.say("hello", "/msg carol hello")
    assert carol.lines() == ["BOB has joined the room."]


def test_who_ignores_somebody_hears_nothing_of_them_while_coming_going_or_taking_a_name(
    world: World, four: list[Client]
) -> None:
    _, bob, carol, _ = four
    carol.say("/ignore bob")
    carol.lines()
    at_once(world, (bob, "one"), (carol, "/leave"), (bob, "two"))
    assert carol.lines() == ["You have left room lobby."]
    at_once(world, (carol, "/join lobby 0"), (bob, "three"))
    at_once(world, (bob, "four"), (carol, "/name cleo"), (bob, "five"))
    assert [line for line in carol.lines() if "bob:" in line] == []


def test_without_echo_one_hears_the_others_in_order(world: World, four: list[Client]) -> None:
    alice, bob, carol, dave = four
    alice.say("/echo off")
    assert alice.lines() == ["Echo is off."]
    mixed_talk(world, alice, bob, dave)
    assert alice.lines() == [line for line in carol.lines() if not line.startswith(("alice", "* alice"))]
    alice.say("/name anna", "/join den")
    assert alice.lines()[:2] == ["You are now anna.", "You have left room lobby."]
    alice.say("/echo on", "hello")
    assert alice.lines() == ["Echo is on.", "anna: hello"]


def test_with_timestamps_one_hears_everything_in_order(world: World, four: list[Client]) -> None:
    alice, bob, carol, dave = four
    carol.say("/timestamps on")
    assert carol.lines() == ["Timestamps are on."]
    mixed_talk(world, alice, bob, dave)
    heard = carol.lines()
    assert all(line[0] == "[" and line[3] == ":" and line[6:8] == "] " for line in heard)
    assert [line[8:] for line in heard] == alice.lines()
    carol.say("/timestamps off", "hello")
    assert carol.lines() == ["Timestamps are off.", "carol: hello"]


@pytest.mark.parametrize("setting", ["/echo off", "/ignore bob", "/timestamps on"])
def test_settings_go_along_into_the_next_room(world: World, four: list[Client], setting: str) -> None:
    alice, bob, *_ = four
    alice.say(setting, "/join den")
    bob.say("/join den")
    alice.lines()
    bob.say("from bob")
    alice.say("from alice")
    heard = [line.split("] ")[-1] for line in alice.lines()]
    expected = {"/echo off": ["bob: from bob"], "/ignore bob": ["alice: from alice"]}
    assert heard == expected.get(setting, ["bob: from bob", "alice: from alice"])


def test_a_setting_changed_with_messages_under_way_loses_none(world: World, four: list[Client]) -> None:
    alice, _, carol, _ = four
    alice.say("one", "/echo off", "two", "/echo on", "three", "/timestamps on", "/timestamps off", "four")
    assert [line for line in alice.lines() if line.startswith("alice")] == ["alice: one", "alice: three", "alice: four"]
    assert carol.lines() == ["alice: one", "alice: two", "alice: three", "alice: four"]


def test_one_can_ignore_so_many_and_no_more(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    for i in range(IGNORED):
        bob.say(f"/name user{i}")
        alice.say(f"/ignore user{i}")
    alice.lines()
    bob.say("/name onemore")
    alice.say("/ignore onemore")
    assert alice.lines() == [f"Error: you ignore {IGNORED} people already; see /set."]


@pytest.mark.parametrize(
    ("setting", "shown", "changed"),
    [
        ("/echo", "Echo is on.", "/echo off"),
        ("/timestamps", "Timestamps are off.", "/timestamps on"),
        ("/ignore", "You ignore nobody.", "/ignore bob"),
    ],
)
def test_a_setting_alone_is_shown_and_stays(four: list[Client], setting: str, shown: str, changed: str) -> None:
    dave = four[3]
    dave.say(setting, setting)
    assert dave.lines() == [shown, shown]
    dave.say(changed)
    (now,) = dave.lines()
    assert now != shown
    dave.say(setting)
    assert dave.lines() == [now]


@pytest.mark.parametrize("setting", ["echo", "timestamps", "ignore"])
def test_a_program_asks_for_a_setting(world: World, setting: str) -> None:
    program = world.program("robo")
    program.record(do=setting, ref=7)
    (record,) = program.records()
    assert (record["event"], record["re"]) == ("settings", 7)
    assert record["changed"] == {"ignore": "ignored"}.get(setting, setting)
    assert (record["echo"], record["timestamps"], record["ignored"]) == (True, False, [])
