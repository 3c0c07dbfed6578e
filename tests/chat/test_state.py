"""Commands out of place, at once, twice or cut short, and a log that is slow or fails: nobody is left half anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient, person_on_a_socket
from harness import Client, World
from twisted.internet.task import Clock

from chatroom.chat.limits import IGNORED, LISTED

NOT_IN_ROOM = "Error: you are not in a room; join one with /join <room>."
NOT_CONFIRMED = "Error: not confirmed: the message may not have been stored; send it again."
NAME_IN_USE = "Error: username is already used; choose another with /name <name>."


def release(world: World) -> None:
    """Let the engine go on, and everything happen that then happens."""
    world.engine.let_go()  # type: ignore[attr-defined]
    world.settle()


def waits_for(name: str) -> str:
    """Return what a writer is told when a guest of that name was here, and is not now."""
    return f"{name} is offline and not registered; whoever takes that name next will read this."


def online(world: World) -> list[str]:
    """Return what ``/who`` says, to somebody who has only come to look."""
    looker = world.person("looker")
    looker.say("/who")
    lines = looker.lines()
    looker.drop()
    return [line.strip() for line in lines[1:] if line != "  looker"]


def members(world: World, room: str = "lobby") -> list[str]:
    """Return who is in the room, as somebody sees who joins it, and goes again."""
    looker = world.person("looker")
    looker.say(f"/join {room} 0")
    (users,) = (line for line in looker.lines() if line.startswith("Current users: "))
    looker.say("/leave")
    looker.drop()
    return users.removeprefix("Current users: ").split(", ")[:-1]


def at_once(world: World, *sayings: tuple[Client, str]) -> None:
    """Let several say something in one turn of the reactor, so that it is one batch."""
    for client, line in sayings:
        client.transport.protocol.dataReceived(f"{line}\r\n".encode())
    world.settle()


# ---- before there is a name or a room ----------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["/say hello", "/me waves", "/leave", "LEAVE_ROOM", "leave", "/search x", "hello?"])
def test_what_needs_a_room_is_refused_without_one(world: World, line: str) -> None:
    client = world.person()
    client.say(line)
    assert client.lines() == [NOT_IN_ROOM]


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


# ---- names -------------------------------------------------------------------------------------------------------


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


# ---- leaving in the middle of things -----------------------------------------------------------------------------


def fan_out_with(world: World, act: Callable[[SocketClient], None]) -> tuple[list[Client], SocketClient]:
    """Let somebody do something in the very moment in which a message is written to them."""
    people: list[Client] = [world.person("alice", "lobby")]
    odd = person_on_a_socket(world, "odd", "lobby")
    people += [world.person(f"user{i}", "lobby") for i in range(3)]
    for client in [*people, odd]:
        client.take()

    def once() -> None:
        odd.socket.before = lambda: None
        act(odd)

    odd.socket.before = once
    people[0].say("hello")
    people[0].say("again")
    odd.flush()
    return people, odd


@pytest.mark.parametrize(
    ("line", "seen"),
    [("/quit", "odd has disconnected."), ("/leave", "odd has left the room."), ("/join den", "odd has left the room.")],
)
def test_who_goes_in_the_middle_of_a_fan_out_disturbs_nobody(world: World, line: str, seen: str) -> None:
    people, odd = fan_out_with(world, lambda odd: odd.transport.protocol.dataReceived(f"{line}\r\n".encode()))
    for client in people:
        assert client.lines() == ["alice: hello", seen, "alice: again"]
    assert "alice: again" not in odd.transport.value().decode()
    odd.drop()
    assert members(world) == ["alice", "user0", "user1", "user2"]


def test_who_is_cut_off_in_the_middle_of_a_fan_out_disturbs_nobody(world: World) -> None:
    people, _ = fan_out_with(world, lambda odd: odd.transport.end())
    for client in people:
        assert client.lines() == ["alice: hello", "odd has disconnected.", "alice: again"]
    assert members(world) == ["alice", "user0", "user1", "user2"]


def test_a_message_and_a_quit_in_one_packet_are_both_done(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.say("hello", "/quit", "never")
    assert alice.lines() == ["alice: hello", "Goodbye!"]
    assert bob.lines() == ["alice: hello", "alice has disconnected."]
    assert not alice.open


def test_a_private_message_and_a_quit_in_one_packet_are_both_answered_in_order(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob hello", "/quit")
    assert alice.lines() == ["To bob (private): hello", "Goodbye!"]
    assert bob.lines() == ["alice (private): hello"]


def test_a_private_message_is_answered_before_the_command_that_waits_for_it(world: World) -> None:
    alice = world.person("alice")
    world.person("bob")
    alice.say("/msg bob hello", "/who")
    assert alice.lines()[:2] == ["To bob (private): hello", "Users online (2):"]


def test_what_waits_for_a_message_is_not_done_for_who_has_gone(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob")
    engine.holding = True
    alice.say("hello", "/create den")
    alice.drop()
    release(moody)
    bob.say("/rooms")
    assert [line.split()[0] for line in bob.lines()[1:]] == ["lobby"]


def test_quitting_is_told_once(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.transport.protocol.dataReceived(b"/quit\r\n")
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]
    bot = world.program("bot")
    bot.record(do="join", room="lobby", after=0)
    assert [record["event"] for record in bot.records()].count("disconnected") == 1


def test_who_quits_and_stays_on_the_line_is_gone_all_the_same(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.say("/quit")
    assert alice.transport.connected
    assert bob.lines() == ["alice has disconnected."]
    assert online(world) == ["bob  in lobby"]
    bob.say("/msg alice hello?")
    assert bob.lines() == [waits_for("alice")]


def test_everybody_leaving_at_once_leaves_nobody(world: World) -> None:
    people = [world.person(f"user{i}", "lobby") for i in range(20)]
    for client in people:
        client.transport.end()
    world.settle()
    assert not world.chat.directory._rooms
    assert not world.chat.who()


def test_who_has_gone_is_followed_no_more(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "den")
    alice.say("/msg bob hello", "/msg alice hello")
    assert len(engine.followed) == 4  # two rooms, two inboxes
    engine.slow = True
    carol = moody.person("carol")
    alice.say("/msg carol hello")
    for client in (alice, bob, carol):
        client.drop()
    release(moody)
    assert engine.followed == set()


# ---- joining while joining, going while coming -------------------------------------------------------------------


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
    assert set(moody.chat.directory._rooms) == {"lobby"}


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
    assert set(moody.chat.directory._rooms) == {"lobby"}


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
    assert set(moody.chat.directory._rooms) == {"lobby"}


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


# ---- the same id twice -------------------------------------------------------------------------------------------


def said(records: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return texts and places of what was said."""
    return [(record["text"], record["seq"]) for record in records if record["event"] in ("said", "acted")]


def in_packets(batch: str, *records: dict[str, Any]) -> list[bytes]:
    """Return the records as packets: all in one, or each in its own."""
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    return lines if batch == "later" else [b"".join(lines)]


@pytest.mark.parametrize("batch", ["the same", "later"])
@pytest.mark.parametrize("word", ["say", "me"])
def test_the_same_id_twice_is_stored_once_and_acknowledged_twice(world: World, batch: str, word: str) -> None:
    bot, alice, other = world.program("bot", "lobby"), world.person("alice", "lobby"), world.program("other", "lobby")
    for client in (bot, alice):
        client.take()
    record = {"do": word, "text": "hello", "id": "one"}
    for packet in in_packets(batch, record, {**record, "text": "not this"}, {"do": word, "text": "next", "id": "two"}):
        bot.send(packet)
    heard = bot.records()
    assert sorted(r["id"] for r in heard) == ["one", "one", "two"]
    first, second = (r for r in heard if r["id"] == "one")
    assert first == second
    assert [text for text, _ in said(other.records())] == ["hello", "next"]
    assert len(alice.lines()) == 2
    bot.record(do="history")
    assert [r["text"] for r in bot.records()[0]["events"]] == ["hello", "next"]


def test_anothers_same_id_is_another_message(world: World) -> None:
    one, two, alice = world.program("one", "lobby"), world.program("two", "lobby"), world.person("alice", "lobby")
    for client in (one, two):
        client.take()
    one.record(do="say", text="mine", id="x")
    two.record(do="say", text="mine too", id="x")
    one.record(do="say", text="again", id="x")
    assert alice.lines() == ["one: mine", "two: mine too"]
    assert [record["text"] for record in one.records()] == ["mine", "mine too", "mine"]
    assert [record["text"] for record in two.records()] == ["mine", "mine too"]


@pytest.mark.parametrize("batch", ["the same", "later"])
def test_a_private_message_with_the_same_id_is_delivered_once_and_acknowledged_twice(world: World, batch: str) -> None:
    bot, alice = world.program("bot"), world.person("alice")
    record = {"do": "message", "user": "alice", "text": "hello", "id": "one"}
    for packet in in_packets(batch, {**record, "ref": 1}, {**record, "ref": 2}):
        bot.send(packet)
    assert alice.lines() == ["bot (private): hello"]
    assert [(r["event"], r["id"], r["re"]) for r in bot.records()] == [("sent", "one", 1), ("sent", "one", 2)]


def test_an_id_is_not_confirmed_and_sent_again_is_stored_once(moody: World, engine: MoodyEngine) -> None:
    bot, alice = moody.program("bot", "lobby"), moody.person("alice", "lobby")
    bot.take()
    engine.broken = True
    bot.record(do="say", text="hello", id="one", ref=1)
    assert [(r["event"], r["code"], r["re"]) for r in bot.records()] == [("error", "not-confirmed", 1)]
    engine.broken = False
    for _ in range(2):
        bot.record(do="say", text="hello", id="one", ref=1)
    assert alice.lines() == ["bot: hello"]
    assert [r["id"] for r in bot.records()] == ["one", "one"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"do": "say", "text": "hello"}, {"do": "message", "user": "alice", "text": "psst"}),
        ({"do": "message", "user": "alice", "text": "psst"}, {"do": "say", "text": "hello"}),
        ({"do": "message", "user": "alice", "text": "psst"}, {"do": "me", "text": "waves"}),
    ],
)
def test_an_id_used_for_two_things_is_answered_each_time(
    world: World, first: dict[str, Any], second: dict[str, Any]
) -> None:
    # It is the client's mistake; but one who waits for an answer must get one, and the room nothing that is private.
    bot, alice, other = world.program("bot", "lobby"), world.person("alice", "lobby"), world.program("other", "lobby")
    bot.take()
    bot.record(**first, id="x", ref=1)
    assert bot.records()
    bot.record(**second, id="x", ref=2)
    assert bot.records()
    assert all("psst" not in json.dumps(record) for record in other.records())
    assert len(alice.lines()) <= 3


def test_an_id_said_again_in_another_room_is_acknowledged_as_what_it_was(world: World) -> None:
    bot = world.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    (echo,) = bot.records()
    bot.record(do="join", room="den")
    bot.take()
    bot.record(do="say", text="hello", id="x")
    assert bot.records() == [echo]


# ---- settings that filter ----------------------------------------------------------------------------------------


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


# ---- private messages --------------------------------------------------------------------------------------------


def test_a_private_message_to_oneself_arrives(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.say("/msg alice note to self")
    assert alice.lines() == ["alice (private): note to self", "To alice (private): note to self"]
    alice.say("/echo off", "/msg alice again")
    assert alice.lines()[1:] == ["alice (private): again", "To alice (private): again"]


@pytest.mark.parametrize("name", ["zed", "/me", "#x", "", "admin", "x" * 300, "alice2", "guest-none"])
def test_a_private_message_to_nobody_is_refused(world: World, name: str) -> None:
    bot = world.program("bot")
    bot.record(do="message", user=name, text="hello", ref=1)
    (error,) = bot.records()
    assert (error["event"], error["re"]) == ("error", 1)
    assert error["code"] == ("bad-record" if len(name) > 256 else "no-user")


def test_a_private_message_to_nobody_says_so_to_people(world: World) -> None:
    alice = world.person("alice")
    alice.say("/msg zed hello")
    assert alice.lines() == ["Error: no user named zed; see /who."]


def test_who_is_ignored_is_not_told_so(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    bob.say("/ignore alice")
    bob.lines()
    alice.say("/msg bob hello")
    assert alice.lines() == ["To bob (private): hello"]
    assert bob.lines() == []
    bob.say("/reply what?")
    assert bob.lines() == ["Error: nobody has written to you yet; use /msg <user> <text>."]


def test_a_private_message_is_seen_by_nobody_else(world: World) -> None:
    alice, bob, carol = (world.person(name, "lobby") for name in ("alice", "bob", "carol"))
    bot = world.program("bot", "lobby")
    for client in (alice, bob, carol):
        client.take()
    alice.say("/msg bob secret")
    bob.say("/reply mine, too")
    assert alice.lines() == ["To bob (private): secret", "bob (private): mine, too"]
    assert carol.take() == b"" == bot.take()
    carol.say("/history", "/search secret")
    assert "secret" not in carol.take().decode()


def test_private_messages_follow_a_new_name(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob one")
    bob.say("/name rob")
    alice.say("/msg rob two")
    assert bob.lines() == ["alice (private): one", "You are now rob.", "alice (private): two"]


def test_private_messages_do_not_reach_the_next_of_that_name(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob one")
    bob.drop()
    other = world.person("bob")
    alice.say("/msg bob two")
    assert other.lines() == ["alice (private): two"]


# ---- a log that fails --------------------------------------------------------------------------------------------

IN_ROOM = {
    "a message": ("hello", ["alice: hello"], ["alice: hello"]),
    "an act": ("/me waves", ["* alice waves"], ["* alice waves"]),
    "a private message": ("/msg bob psst", ["To bob (private): psst"], ["alice (private): psst"]),
    "a name": ("/name carol", ["You are now carol."], ["alice is now known as carol."]),
    "leaving": ("/leave", ["You have left room lobby."], ["alice has left the room."]),
}


@pytest.mark.parametrize(("line", "answer", "seen"), IN_ROOM.values(), ids=IN_ROOM)
def test_what_the_log_refuses_is_not_confirmed_not_seen_and_works_later(
    moody: World, engine: MoodyEngine, line: str, answer: list[str], seen: list[str]
) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    engine.broken = True
    for _ in range(3):
        alice.say(line)
        assert alice.lines() == [NOT_CONFIRMED]
    assert bob.lines() == []
    engine.broken = False
    assert members(moody) == ["alice", "bob"]
    assert online(moody) == ["alice  in lobby", "bob  in lobby"]
    for client in (alice, bob):
        client.take()
    alice.say(line)
    assert alice.lines() == answer
    assert bob.lines() == seen


ENTERING = {
    "joining": ("/join lobby", ["Welcome to room lobby!", "Current users: bob, alice"]),
    "joining what exists": ("JOIN_ROOM lobby", ["Welcome to room lobby!", "Current users: bob, alice"]),
    "a new room by joining": ("/join den", ["Welcome to room den!", "Current users: alice"]),
    "a new room": ("/create den", ["Room den created.", "Welcome to room den!", "Current users: alice"]),
}


@pytest.mark.parametrize(("line", "answer"), ENTERING.values(), ids=ENTERING)
@pytest.mark.parametrize("before", ["", "cellar"])
def test_a_room_that_cannot_be_entered_is_not_entered_and_can_be_later(
    moody: World, engine: MoodyEngine, before: str, line: str, answer: list[str]
) -> None:
    alice, bob = moody.person("alice", before), moody.person("bob", "lobby")
    engine.broken = True
    alice.say(line)
    assert alice.lines() == [NOT_CONFIRMED]
    engine.broken = False
    assert members(moody) == ["bob"]
    bob.take()
    alice.say(line)
    heard = alice.lines()
    assert heard == ([f"You have left room {before}."] if before else []) + answer
    assert bob.lines() == (["alice has joined the room."] if "lobby" in line else [])


def test_a_room_whose_last_step_failed_can_still_be_made(moody: World, engine: MoodyEngine) -> None:
    alice = moody.person("alice")
    append, engine.append = engine.append, lambda *args, **options: fail_once(engine, append, args, options)  # type: ignore[method-assign]
    alice.say("/create den")
    assert alice.lines() == [NOT_CONFIRMED]
    assert not moody.chat.directory._rooms
    alice.say("/join den")
    assert alice.lines() == ["Welcome to room den!", "Current users: alice"]


def fail_once(engine: MoodyEngine, append: Any, args: Any, options: Any) -> None:
    """Fail this one append and no other."""
    del engine.append  # type: ignore[attr-defined]
    engine.broken = True
    append(*args, **options)
    engine.broken = False


@pytest.mark.parametrize("word", ["rooms", "history", "search"])
def test_what_cannot_be_read_is_refused_and_works_later(moody: World, engine: MoodyEngine, word: str) -> None:
    bot = moody.program("bot", "lobby")
    bot.record(do="say", text="hello")
    bot.take()
    fields = {"words": "hello"} if word == "search" else {}
    engine.broken = True
    bot.record(do=word, ref=1, **fields)
    assert [(r["event"], r["code"], r["re"]) for r in bot.records()] == [("error", "not-confirmed", 1)]
    engine.broken = False
    bot.record(do=word, ref=2, **fields)
    (answer,) = bot.records()
    assert (answer["event"], answer["re"]) == ({"search": "found"}.get(word, word), 2)


@pytest.mark.parametrize("end", [Client.drop, lambda client: client.say("/quit")])
def test_who_goes_while_the_log_fails_is_gone_when_it_works_again(
    moody: World, engine: MoodyEngine, end: Callable[[Client], None]
) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    engine.broken = True
    end(alice)
    moody.pass_time(1)
    engine.broken = False
    for _ in range(12):
        moody.pass_time(10)
    assert online(moody) == ["bob  in lobby"]
    assert members(moody) == ["bob"]
    bob.drop()
    assert not moody.chat.directory._rooms


def test_a_server_that_stops_while_its_log_fails_waits_for_nothing() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.person("alice", "lobby")
        engine.broken = True
        alice.drop()
    # World.close looks for delayed calls


def test_messages_on_either_side_of_a_failure_keep_their_order(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    for i, broken in enumerate([False, True, False, True, False]):
        engine.broken = broken
        alice.say(str(i))
    assert bob.lines() == ["alice: 0", "alice: 2", "alice: 4"]
    assert alice.lines() == ["alice: 0", NOT_CONFIRMED, "alice: 2", NOT_CONFIRMED, "alice: 4"]


# ---- bounds of answers -------------------------------------------------------------------------------------------


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
    makers = [world.person(f"maker{i}") for i in range(12)]
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
    monkeypatch.setattr("chatroom.chat.directory.ROOMS", 3)
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
