"""Who has no name yet, or no room: every command is answered, and none does harm."""

from __future__ import annotations

import pytest
from harness import World

NOT_IN_ROOM = "Error: you are not in a room; join one with /join <room>."


@pytest.mark.parametrize("line", ["/say hello", "/me waves", "/leave", "LEAVE_ROOM", "leave", "/topic x", "hello?"])
def test_what_needs_a_room_is_refused_without_one(world: World, line: str) -> None:
    client = world.person()
    client.say(line)
    assert client.lines() == [NOT_IN_ROOM]


def test_private_messages_are_searched_without_a_room(world: World) -> None:
    client = world.person()
    client.say("/search x", "/history", "/conversations")
    assert client.lines() == ["No messages found.", "No private messages.", "No private messages."]


def test_a_guest_may_do_everything_that_needs_no_account(world: World) -> None:
    bob = world.person("bob", "lobby")
    guest = world.person()
    name = guest.transport.protocol._session.name
    guest.say("/join lobby", "hello", "/msg bob psst", "/away lunch", "/leave")
    assert bob.lines() == [
        f"{name} has joined the room.",
        f"{name}: hello",
        f"{name} (private): psst",
        f"{name} has left the room.",
    ]


def test_a_reply_to_nobody_is_refused(world: World) -> None:
    alice = world.person("alice")
    alice.say("/reply hello")
    assert alice.lines() == ["Error: nobody has written to you yet; use /msg <user> <text>."]


def test_a_room_left_twice_is_left_once(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.say("/leave", "/leave")
    assert alice.lines() == ["You have left room lobby.", NOT_IN_ROOM]
    assert bob.lines() == ["alice has left the room."]


def test_the_room_one_is_in_cannot_be_joined(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    for line in ("/join lobby", "JOIN_ROOM LOBBY"):
        alice.say(line)
        assert alice.lines() == ["Error: you are already in room lobby."]
    assert bob.lines() == []


def test_a_room_that_exists_cannot_be_made_and_one_that_does_not_cannot_be_found(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.say("/create Lobby")
    assert alice.lines() == ["Error: room lobby already exists; join it with /join lobby."]
    alice.say("JOIN_ROOM den")
    assert alice.lines() == ["Error: no room named den; create it with /create den."]
    alice.say("still here?")
    assert alice.lines() == ["alice: still here?"]
