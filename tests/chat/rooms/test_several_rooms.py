"""A program in several rooms at once: which room a command means, what members are told, and the limits."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from order import PASSWORD, account, owner
from sharing import only


def staying(world: World, name: str, *rooms: str) -> Client:
    """Return a program that is in all these rooms, and has read what it was told."""
    client = world.program(name)
    for room in rooms:
        client.record(do="join", room=room, stay=True)
    client.records()
    return client


def heard(client: Client, *fields: str) -> list[tuple[Any, ...]]:
    """Return these fields of each record that the client has got since it last looked."""
    return [tuple(record.get(field) for field in ("event", *fields)) for record in client.records()]


def code(client: Client, **record: Any) -> str:
    """Return the code of the error by which a record is answered; empty if it is not refused."""
    client.record(**record, ref="?")
    return next((r["code"] for r in client.records() if r.get("re") == "?" and r["event"] == "error"), "")


def test_a_join_that_stays_keeps_the_other_rooms(world: World) -> None:
    alice = staying(world, "alice", "one", "two", "three")
    bob, carol = world.program("bob", "one"), world.program("carol", "two")
    alice.records()
    alice.record(do="say", text="to one", room="one")
    alice.record(do="say", text="to two", room="TWO")
    assert heard(bob, "room", "text") == [("said", "one", "to one")]
    assert heard(carol, "room", "text") == [("said", "two", "to two")]
    assert heard(alice, "room", "text") == [("said", "one", "to one"), ("said", "two", "to two")]


def test_a_program_in_several_rooms_must_say_which_one_it_means(world: World) -> None:
    alice = staying(world, "alice", "one", "two")
    alice.record(do="say", text="?", ref=1)
    (refused,) = alice.records()
    assert refused["code"] == "which-room"
    assert refused["text"] == "you are in several rooms (one, two); say which one you mean."
    assert code(alice, do="say", text="?", room="four") == "not-in-that-room"
    assert code(alice, do="history") == "which-room"
    assert code(alice, do="say", text="fine", room="two") == ""
    alice.record(do="leave", room="two")
    alice.records()
    assert code(alice, do="say", text="only one left") == ""


@pytest.mark.parametrize(
    "command",
    [
        {"do": "get", "file": "nothing"},
        {"do": "get", "number": 1, "given": True},
        {"do": "unshare", "name": "x.txt"},
        {"do": "share", "name": "x", "size": 1, "sha256": "0" * 64, "user": "alice"},
    ],
)
def test_what_is_about_no_room_needs_none(world: World, command: dict[str, Any]) -> None:
    alice = staying(world, "alice", "one", "two")
    assert code(alice, **command) != "which-room"


def test_a_classic_join_leaves_all_rooms(world: World) -> None:
    alice = staying(world, "alice", "one", "two")
    bob, carol = world.program("bob", "one"), world.program("carol", "two")
    alice.records()
    alice.record(do="join", room="three", ref=1)
    assert heard(alice, "room") == [("left", "one"), ("left", "two"), ("entered", "three")]
    assert heard(bob, "by") == [("left", "alice")]
    assert heard(carol, "by") == [("left", "alice")]


def test_a_person_is_in_one_room_at_a_time(world: World) -> None:
    paul = world.person("paul", "one")
    paul.say("/join two")
    assert paul.lines()[0] == "You have left room one."
    paul.say("here")
    assert paul.lines() == ["paul: here"]


def test_the_number_of_rooms_is_bounded(world: World) -> None:
    world.rules.rooms = 2
    alice = staying(world, "alice", "one", "two")
    alice.record(do="join", room="three", stay=True, ref=1)
    (refused,) = alice.records()
    assert (refused["code"], refused["text"]) == (
        "too-many-joined",
        "you are in 2 rooms, which is the most allowed; leave one first.",
    )
    assert code(alice, do="join", room="two", stay=True) == "already-there"
    assert code(alice, do="join", room="three") == ""


def test_with_rooms_1_the_classic_rule_holds_for_everybody(world: World) -> None:
    world.rules.rooms = 1
    alice = world.program("alice")
    alice.record(do="join", room="one", stay=True)
    alice.record(do="join", room="two", stay=True)
    assert heard(alice, "room") == [("entered", "one"), ("left", "one"), ("entered", "two")]
    alice.drop()
    again = world.connect()
    again.record(do="hello", version=1)
    assert only(again, event="welcome")["limits"]["rooms"] == 1


def test_who_is_kicked_from_one_room_stays_in_the_others(world: World) -> None:
    boss = world.program("boss", "one")
    alice = staying(world, "alice", "one", "two")
    boss.records()
    boss.record(do="kick", user="alice")
    assert heard(alice, "room", "user") == [("kicked", "one", "alice")]
    assert code(alice, do="say", text="?", room="one") == "not-in-that-room"
    assert code(alice, do="say", text="still here") == ""
    boss.record(do="close", room="one")
    alice.record(do="join", room="one", stay=True)
    alice.record(do="say", text="and back", room="one")
    assert heard(alice, "text")[-1] == ("said", "and back")


def test_a_room_that_is_closed_leaves_the_others(world: World) -> None:
    boss = world.program("boss", "one")
    alice = staying(world, "alice", "two", "one")
    boss.record(do="close", room="one")
    alice.records()
    alice.record(do="say", text="where?")
    assert heard(alice, "room") == [("said", "two")]


def test_a_rename_is_told_once_in_each_room_and_answered_once(world: World) -> None:
    alice = staying(world, "alice", "one", "two")
    bob = staying(world, "bob", "one", "two")
    paul = world.person("paul", "two")
    alice.records()
    alice.record(do="name", name="alicia", ref=1)
    assert heard(alice, "name", "re") == [("renamed", "alicia", 1)]
    told = [record for record in bob.records() if record["event"] == "renamed"]
    assert [record["room"] for record in told] == ["one", "two"]
    assert (
        len({record["id"].partition(".")[0] for record in told}) == 1
    )  # by which a program knows that it is one happening
    assert "alice is now known as alicia." in paul.lines()


def test_the_end_of_a_connection_is_told_in_each_room(world: World) -> None:
    alice = staying(world, "alice", "one", "two")
    bob, paul = world.program("bob", "one"), world.person("paul", "two")
    alice.drop()
    assert heard(bob, "by") == [("disconnected", "alice")]
    assert paul.lines() == ["alice has disconnected."]


def test_who_and_whois_show_all_rooms(world: World) -> None:
    staying(world, "alice", "one", "two")
    bob, paul = world.program("bob"), world.person("paul")
    bob.record(do="who")
    (line, *_) = only(bob, event="users")["users"]
    assert line == {"name": "alice", "room": "two", "rooms": ["one", "two"]}
    paul.say("/who")
    assert "  alice  in one and two" in paul.lines()
    bob.record(do="whois", user="alice")
    assert only(bob, event="person")["rooms"] == ["one", "two"]
    paul.say("/rooms")
    assert paul.lines() == ["Rooms (2):", "  one  1 user", "  two  1 user"]


def test_settings_hold_in_all_rooms(world: World) -> None:
    alice, bob = staying(world, "alice", "one", "two"), staying(world, "bob", "one", "two")
    alice.records()
    alice.record(do="echo", on=False)
    alice.record(do="ignore", user="bob")
    alice.records()
    for room in ("one", "two"):
        alice.record(do="say", text="mine", room=room)
        bob.record(do="say", text="his", room=room)
    assert heard(alice) == []
    alice.record(do="echo", on=True)
    alice.record(do="ignore", user="bob", on=False)
    alice.records()
    for room in ("one", "two"):
        bob.record(do="say", text="his", room=room)
    assert heard(alice, "room") == [("said", "one"), ("said", "two")]


def test_a_ban_of_the_account_in_one_room_refuses_the_login(world: World) -> None:
    boss = world.program("boss", "one")
    account(world, "mallory")
    boss.record(do="ban", user="mallory")
    guest = staying(world, "guest", "two", "one")
    assert code(guest, do="login", user="mallory", password=PASSWORD) == "banned"


# ---- several sessions of one person ------------------------------------------------------------------------------


@pytest.fixture
def two(world: World) -> tuple[Client, Client]:
    """Two sessions of alice, who has an account; neither is in a room."""
    world.rules.sessions = 0
    return owner(world, "alice"), owner(world, "alice")


def test_two_sessions_of_a_person_are_one_member(world: World, two: tuple[Client, Client]) -> None:
    first, second = two
    bob = world.program("bob", "lobby")
    paul = world.person("paul", "lobby")
    bob.records()
    first.record(do="join", room="lobby")
    assert heard(bob, "by") == [("joined", "alice")]
    second.record(do="join", room="lobby")
    assert heard(bob, "by") == []
    assert only(second, event="entered")["users"] == ["bob", "paul", "alice"]
    paul.say("/names", "/rooms")
    assert paul.lines()[1:] == [
        "Users in lobby (3): bob, paul, alice",
        "Rooms (1):",
        "  lobby  3 users",
    ]
    second.drop()
    assert heard(bob, "by") == []
    first.record(do="leave")
    assert heard(bob, "by") == [("left", "alice")]


def test_a_kick_puts_all_sessions_out_and_is_told_once(world: World, two: tuple[Client, Client]) -> None:
    first, second = two
    bob = world.program("bob", "lobby")
    for session in two:
        session.record(do="join", room="lobby", stay=True)
        session.record(do="join", room="other", stay=True)
        session.records()
    bob.records()
    bob.record(do="kick", user="alice")
    assert heard(bob, "user") == [("kicked", "alice")]
    assert heard(first, "user") == heard(second, "user") == [("kicked", "alice")]
    for session in two:
        assert code(session, do="say", text="?", room="lobby") == "not-in-that-room"
        assert code(session, do="say", text="here") == ""


def test_a_logout_of_one_of_two_sessions_leaves_the_person_there(world: World, two: tuple[Client, Client]) -> None:
    first, second = two
    for session in two:
        session.record(do="join", room="lobby")
    bob, paul = world.program("bob", "lobby"), world.person("paul", "lobby")
    bob.records()
    second.record(do="logout")
    (renamed,) = [record for record in bob.records() if record["event"] == "renamed"]
    assert (renamed["by"], renamed["again"]) == ("alice", True)
    assert paul.lines()[-1].endswith(" has joined the room.")
    bob.record(do="names")
    assert "alice" in only(bob, event="members")["users"]
    first.record(do="say", text="still me")
    assert heard(bob, "by") == [("said", "alice")]


def test_what_is_caught_up_tells_no_further_sessions(world: World, two: tuple[Client, Client]) -> None:
    first, second = two
    bob = world.program("bob", "lobby")
    first.record(do="join", room="lobby")
    seen = bob.records()[-1]["seq"]
    bob.drop()
    second.record(do="join", room="lobby")
    second.record(do="leave")
    first.record(do="say", text="hi")
    again = world.program("robert")
    again.record(do="join", room="lobby", after=seen)
    told = [record["event"] for record in again.records() if record["event"] in ("joined", "left", "said")]
    assert told == ["said"]


def test_sessions_that_come_and_go_at_the_same_moment_are_told_once(moody: World, engine: MoodyEngine) -> None:
    """Also to who was away meanwhile, and the last that goes is told as one who has gone."""
    moody.rules.sessions, moody.rules.announce = 0, False
    three = [owner(moody, "alice") for _ in range(3)]
    bob = moody.program("bob")
    bob.record(do="join", room="lobby")
    seen = only(bob, event="entered")["seq"]
    engine.holding = True
    for session in three:
        session.record(do="join", room="lobby")
    engine.let_go()
    moody.settle()
    assert heard(bob, "by", "again") == [("joined", "alice", None)]
    engine.holding = True
    for session in three:
        session.drop()
    engine.let_go()
    moody.settle()
    assert heard(bob, "by", "again") == [("disconnected", "alice", None)]
    again = moody.program("robert")
    again.record(do="join", room="lobby", after=seen)
    told = [record["event"] for record in again.records() if record.get("by") == "alice"]
    assert told == ["joined", "disconnected"]


def test_a_session_on_another_daemon_counts(moody: World, engine: MoodyEngine) -> None:
    there = World(engine, moody.clock, first_id=10_000, announce=False)
    moody.rules.announce = False
    near, far = owner(moody, "alice"), owner(there, "alice")
    bob = moody.program("bob")
    bob.record(do="join", room="lobby")
    seen = only(bob, event="entered")["seq"]
    for session in (far, near):
        session.record(do="join", room="lobby")
    for session in (near, far):
        session.drop()
        moody.settle()
    assert heard(bob, "by") == [("joined", "alice"), ("disconnected", "alice")]
    again = moody.program("robert")
    again.record(do="join", room="lobby", after=seen)
    told = [record["event"] for record in again.records() if record.get("by") == "alice"]
    assert told == ["joined", "disconnected"]
    for client in there.clients:
        client.drop()
    there.end()


def test_resuming_says_which_rooms_there_were(world: World) -> None:
    alice = world.connect()
    alice.record(do="hello", version=1, name="alice")
    secret = only(alice, event="welcome")["resume"]
    for room in ("one", "two"):
        alice.record(do="join", room=room, stay=True)
    seqs = {record["room"]: record["seq"] for record in alice.records() if record["event"] == "entered"}
    bob = staying(world, "bob", "one", "two")
    alice.drop()
    for room in seqs:
        bob.record(do="say", text=f"in {room}", room=room)
    again = world.connect()
    again.record(do="hello", version=1, name="alice", resume=secret)
    assert only(again, event="welcome")["rooms"] == ["one", "two"]
    for room, seq in seqs.items():
        again.record(do="join", room=room, after=seq, stay=True)
    said = [(r["room"], r["text"]) for r in again.records() if r["event"] == "said"]
    assert said == [("one", "in one"), ("two", "in two")]


def test_a_late_end_of_the_old_connection_changes_nothing(world: World) -> None:
    alice = world.connect()
    alice.record(do="hello", version=1, name="alice")
    secret = only(alice, event="welcome")["resume"]
    alice.record(do="join", room="one", stay=True)
    bob = world.program("bob", "one")
    bob.records()
    again = world.connect()
    again.record(do="hello", version=1, name="alice", resume=secret)
    again.record(do="join", room="one", stay=True)
    bob.records()
    alice.drop()  # the old socket notices only now
    assert heard(bob) == []
    again.record(do="say", text="me")
    assert heard(bob, "by") == [("said", "alice")]


def test_who_is_kicked_from_a_room_on_the_way_to_another_does_not_leave_it_as_well(
    moody: World, engine: MoodyEngine
) -> None:
    alice, boss = staying(moody, "alice", "one"), moody.program("boss", "two")
    alice.record(do="join", room="two", stay=True)
    alice.records()
    boss.records()
    engine.holding = True
    alice.record(do="join", room="three")  # her leaving of the first room is being stored
    boss.record(do="kick", user="alice")
    engine.let_go()
    moody.settle()
    told = [fields for fields in heard(alice, "room") if fields[0] in ("left", "kicked", "entered")]
    assert told == [("left", "one"), ("kicked", "two"), ("entered", "three")] or told == [
        ("kicked", "two"),
        ("left", "one"),
        ("entered", "three"),
    ]


def test_nobody_edits_in_a_room_that_one_was_put_out_of_meanwhile(moody: World, engine: MoodyEngine) -> None:
    boss, alice = moody.program("boss", "one"), staying(moody, "alice", "one", "two")
    alice.record(do="say", text="mine", room="one")
    alice.records()
    engine.slow = True
    alice.record(do="edit", text="not mine any more", room="one", ref=1)  # its message is being looked for
    engine.slow = False
    boss.record(do="kick", user="alice")
    engine.let_go()
    moody.settle()
    assert [record["code"] for record in alice.records() if record.get("re") == 1] == ["not-in-room"]
    assert "edited" not in [record["event"] for record in boss.records()]


@pytest.mark.parametrize("rooms", [("one",), ("one", "two")])
def test_private_messages_are_found_and_read_in_whatever_rooms_one_is(world: World, rooms: tuple[str, ...]) -> None:
    alice, bob = staying(world, "alice", *rooms), world.program("bob")
    bob.record(do="message", user="alice", text="a private word")
    alice.record(do="say", text="a word for all", room="one")
    alice.records()
    alice.record(do="search", words="word", private=True)
    assert [event["text"] for event in only(alice, event="found")["events"]] == ["a private word"]
    alice.record(do="history", private=True)
    assert [event["text"] for event in only(alice, event="history")["events"]] == ["a private word"]
