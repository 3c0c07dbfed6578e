"""Telling others that somebody is typing: who is told, how often, and that nothing of it is kept."""

from __future__ import annotations

from typing import Any

from harness import Client, World
from sharing import only

from chatroom.chat.limits import TYPING_IN_ROOM


def typists(client: Client) -> list[tuple[str, str]]:
    """Return the name and the room of each notice that the client has got since it last looked."""
    return [(r["by"], r.get("room", "")) for r in client.records() if r["event"] == "typing"]


def test_the_other_members_programs_are_told(world: World) -> None:
    alice, bob, paul = world.program("alice", "lobby"), world.program("bob", "lobby"), world.person("paul", "lobby")
    carol = world.program("carol")
    alice.records()
    alice.record(do="typing", ref=1)
    assert typists(bob) == [("alice", "lobby")]
    assert paul.lines() == []
    assert only(alice, re=1)["event"] == "ok"
    assert typists(carol) == []
    world.pass_time(3)
    alice.record(do="typing", ref=2)
    assert typists(alice) == []  # the typist is not told


def test_nothing_is_kept(world: World) -> None:
    alice = world.program("alice", "lobby")
    alice.record(do="typing")
    bob = world.program("bob")
    bob.record(do="join", room="lobby", after=0)
    assert typists(bob) == []


def test_one_user_is_told(world: World) -> None:
    alice, bob, carol = world.program("alice"), world.program("bob"), world.program("carol")
    alice.record(do="typing", user="bob")
    assert typists(bob) == [("alice", "")]
    assert carol.records() == []
    alice.record(do="typing", user="nobody", ref=1)
    assert only(alice, re=1)["event"] == "ok"  # tells nothing of who is there


def test_at_most_once_in_three_seconds_for_each_room(world: World) -> None:
    alice, bob = world.program("alice", "one"), world.program("bob", "one")
    for client in (alice, bob):
        client.record(do="join", room="two", stay=True)
        client.records()
    for room in ("one", "one", "two"):
        alice.record(do="typing", room=room)
    assert typists(bob) == [("alice", "one"), ("alice", "two")]
    world.pass_time(3)
    alice.record(do="typing", room="one")
    assert typists(bob) == [("alice", "one")]


def test_a_room_is_told_of_so_many_a_second(world: World) -> None:
    bob = world.program("bob", "lobby")
    crowd = [world.program(f"user{number}", "lobby") for number in range(TYPING_IN_ROOM + 5)]
    bob.records()
    for client in crowd:
        client.record(do="typing")
    assert len(typists(bob)) == TYPING_IN_ROOM


def test_the_muted_are_not_passed_on(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    alice.record(do="mute", user="bob")
    bob.record(do="typing")
    assert typists(alice) == []


def test_the_ignored_are_not_heard(world: World) -> None:
    alice, bob, carol = (world.program(name, "lobby") for name in ("alice", "bob", "carol"))
    alice.record(do="ignore", user="bob")
    alice.records()
    bob.record(do="typing")
    bob.record(do="typing", user="alice")
    assert typists(alice) == []
    assert typists(carol) == [("bob", "lobby")]


def test_it_needs_a_room_or_a_user(world: World) -> None:
    alice = world.program("alice")
    for room, code in (("", "not-in-room"), ("den", "not-in-that-room")):
        alice.record(do="typing", ref=1, **({"room": room} if room else {}))
        assert only(alice, re=1)["code"] == code


def queries(client: Client, *records: dict[str, Any]) -> None:
    for record in records:
        client.record(**record)


def test_queries_do_not_delay_messages() -> None:
    world = World(rate=2.0)
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    world.pass_time(60)
    bob.records()
    for number in range(25):
        queries(alice, {"do": "typing"}, {"do": "pong"}, {"do": "ack", "seq": number})
    alice.record(do="say", text="at once")
    assert [r["text"] for r in bob.records() if r["event"] == "said"] == ["at once"]
    world.close()


def test_queries_have_a_budget_of_their_own() -> None:
    world = World(rate=2.0)
    alice = world.program("alice", "lobby")
    world.pass_time(60)
    alice.records()
    for ref in range(30):  # each costs 1 + 200 / 20, and there are 200 at once, then 20 a second
        alice.record(do="history", messages=200, ref=ref)
    assert len(alice.records()) == 19
    world.pass_time(2.0)  # the first after half a second, and each further one after 0.55
    assert len(alice.records()) == 3
    world.pass_time(8 * 0.55)
    assert len(alice.records()) == 8
    world.close()


def test_a_message_of_many_lines_costs_more_than_one_line() -> None:
    world = World(rate=2.0)
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    world.pass_time(60)
    bob.records()
    text = "\n".join("x" * 50)
    for _ in range(3):  # each counts as ten; ten lines are free at once, then two a second
        alice.record(do="say", text=text)
    assert len(bob.records()) == 1
    world.pass_time(0.5)
    assert len(bob.records()) == 1
    world.pass_time(4.5)
    assert len(bob.records()) == 0
    world.pass_time(0.5)
    assert len(bob.records()) == 1
    world.close()


def test_going_to_and_fro_between_rooms_is_no_query() -> None:
    """With ``after`` and without ``stay`` a join leaves a room, of which all members of both are told."""
    world = World(rate=2.0)
    alice, bob = world.program("alice", "one"), world.program("bob", "one")
    world.pass_time(60)
    bob.records()
    for number in range(30):
        alice.record(do="join", room=("two", "one")[number % 2], after=0)
    assert len(bob.records()) <= 11  # ten lines at once, and the one that finds the budget spent
    world.close()
