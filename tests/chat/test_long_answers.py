"""The bounds of answers: of long lists so much is told as anybody can use."""

from __future__ import annotations

import pytest
from harness import World

from chatroom.chat.limits import LISTED


def test_only_so_many_users_are_named_to_who_joins(world: World) -> None:
    for i in range(299):
        world.person(f"user{i:03}", "lobby")
    late = world.person("late")
    late.say("/join lobby 0")
    welcome, users = late.lines()
    assert welcome == "Welcome to room lobby!"
    names = ", ".join(f"user{i:03}" for i in range(LISTED))
    assert users == f"Current users: {names} and 100 more"


def test_only_so_many_users_are_listed(world: World) -> None:
    for i in range(249):
        world.person(f"user{i:03}")
    alice, bot = world.person("alice"), world.program("bot")
    alice.say("/who")
    first, *lines, last = alice.lines()
    assert (first, len(lines), last) == ("Users online (251):", LISTED, "  and 51 more")
    assert lines[0] == "  alice"
    bot.record(do="who")
    (users,) = bot.records()
    assert (len(users["users"]), users["total"]) == (LISTED, 251)


def test_only_so_many_rooms_are_listed(world: World) -> None:
    alice, bot = world.person("alice"), world.program("bot")
    makers = [world.person(f"maker{i}", host=f"192.0.2.{i}") for i in range(12)]
    for i in range(230):
        (alice if i == 229 else makers[i // 20]).say(f"/join room{i:03}")
    for maker in makers:
        maker.say("/leave")
    alice.lines()
    alice.say("/rooms")
    first, *lines, last = alice.lines()
    assert (first, len(lines), last) == ("Rooms (230):", LISTED, "  and 30 more")
    assert lines[0].split() == ["room229", "1", "user"]
    bot.record(do="rooms")
    (rooms,) = bot.records()
    assert (len(rooms["rooms"]), rooms["more"]) == (LISTED, 30)


def test_there_can_be_only_so_many_rooms(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.chat.rooms.directory.ROOMS", 3)
    alice = world.person("alice")
    alice.say("/join one", "/join two", "/join three")
    alice.lines()
    alice.say("/join four", "/create four")
    assert alice.lines() == ["Error: there are too many rooms (3); join one of them, see /rooms."] * 2
    alice.say("still in three")
    assert alice.lines() == ["alice: still in three"]


@pytest.mark.parametrize("number", [0, 1, 200, 201, 10**9 - 1, 2**53])
def test_a_history_has_only_so_many_messages(world: World, number: int) -> None:
    bot = world.program("bot", "lobby")
    for i in range(210):
        bot.record(do="say", text=str(i))
    bot.take()
    bot.record(do="history", messages=number)
    (history,) = bot.records()
    assert len(history["events"]) == max(1, min(number, 200))
    assert history["events"][-1]["text"] == "209"


def test_an_away_text_has_only_so_many_characters(world: World) -> None:
    alice = world.person("alice")
    alice.say("/away " + "x" * 4000)
    assert alice.lines() == ["You are away: " + "x" * 200]
