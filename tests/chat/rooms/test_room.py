"""A batch of a room's log reaches each member as one write, and each sees just what happened while it was there."""

from __future__ import annotations

from typing import Any

from harness import World

from chatroom.chat.limits import CATCH_UP
from chatroom.model.events import Said
from chatroom.wire.dialects.text import TextDialect


class Writes:
    """Counts the writes that reach a client, and takes what they hold."""

    def __init__(self, client: Any) -> None:
        self.taken: list[str] = []
        outbox = client.transport.protocol._outbox
        send = outbox._send

        def write(data: bytes) -> int:
            self.taken.append(data.decode())
            return int(send(data))

        outbox._send = write


def at_once(world: World, *sayings: tuple[Any, str]) -> None:
    """Let several clients send lines in one turn of the reactor, so that they are one batch."""
    for client, line in sayings:
        client.transport.protocol.dataReceived(f"{line}\r\n".encode())
    world.settle()


def test_two_people_and_a_program_talk(world: World) -> None:
    alice = world.person("alice", "lobby")
    bob = world.person("bob")
    bob.say("/join lobby")
    assert bob.lines() == ["Welcome to room lobby!", "Current users: alice, bob"]
    assert alice.lines() == ["bob has joined the room."]
    bot = world.program("bot", "lobby")
    bob.say("hello")
    assert alice.lines() == ["bot has joined the room.", "bob: hello"] == bob.lines()
    assert [record["text"] for record in bot.records()] == ["hello"]
    bob.say("leave")
    assert bob.lines() == ["You have left room lobby."]
    assert [record["event"] for record in bot.records()] == ["left"]


def test_a_batch_is_one_write_a_member_and_rendered_once_a_dialect(world: World, monkeypatch: Any) -> None:
    people = [world.person(f"p{i}", "lobby") for i in range(5)]
    for person in people:
        person.take()
    rendered: list[Any] = []
    render = TextDialect.render

    def counting(self: TextDialect, room: str, entry: Any) -> bytes:
        rendered.append(entry.seq)
        return render(self, room, entry)

    monkeypatch.setattr(TextDialect, "render", counting)
    writes = [Writes(person) for person in people]
    at_once(world, *[(person, f"from {i}") for i, person in enumerate(people)])
    expected = "".join(f"p{i}: from {i}\r\n" for i in range(5))
    assert [one.taken for one in writes] == [[expected]] * 5
    assert len(rendered) == len(set(rendered)) == 5


def test_who_comes_inside_a_batch_sees_what_follows_and_who_goes_what_was_before(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    carol = world.person("carol")
    for client in (alice, bob, carol):
        client.take()
    at_once(world, (alice, "one"), (carol, "/join lobby 0"), (alice, "two"), (bob, "leave"), (alice, "three"))
    everything = [
        "alice: one",
        "carol has joined the room.",
        "alice: two",
        "bob has left the room.",
        "alice: three",
    ]
    assert alice.lines() == everything
    assert bob.lines() == [*everything[:3], "You have left room lobby."]
    assert carol.lines() == ["Welcome to room lobby!", "Current users: alice, bob, carol", *everything[2:]]


def test_a_new_name_holds_from_its_place_in_the_log(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.take()
    at_once(world, (bob, "before"), (bob, "/name rob"), (bob, "after"))
    assert alice.lines() == ["bob: before", "bob is now known as rob.", "rob: after"]
    assert bob.lines() == ["bob: before", "You are now rob.", "rob: after"]


def test_a_thousand_join_one_room_and_each_is_written_to_a_few_times(world: World) -> None:
    people = [world.person(f"p{i}") for i in range(300)]
    writes = [Writes(person) for person in people]
    at_once(world, *[(person, "/join lobby 0") for person in people])
    assert all(len(one.taken) == 1 for one in writes)
    assert writes[0].taken[0].count("has joined") == 299
    assert writes[299].taken[0].endswith("and 100 more\r\n")


def test_what_the_history_holds_is_what_was_seen(world: World) -> None:
    alice = world.person("alice", "lobby")
    at_once(world, *[(alice, f"m{i}") for i in range(30)])
    alice.take()
    alice.say("/history 3")
    assert [line.partition("] ")[2] for line in alice.lines()] == ["alice: m27", "alice: m28", "alice: m29"]
    late = world.person("late")
    late.say("/join lobby 2")
    assert [line.partition("] ")[2] for line in late.lines()[2:]] == ["alice: m28", "alice: m29"]


def test_a_program_is_told_everything_since_or_that_there_is_a_gap(world: World) -> None:
    alice = world.person("alice", "lobby")
    seen = world.program("seen", "lobby")
    alice.say("one")
    (one,) = seen.records()
    seen.drop()
    at_once(world, *[(alice, f"m{i}") for i in range(5)])
    back = world.program("back")
    back.record(do="join", room="lobby", after=one["seq"], ref=1)
    entered, *missed = back.records()
    assert (entered["event"], entered["complete"], "gone" in entered) == ("entered", True, False)
    assert [record["event"] for record in missed] == ["disconnected", *["said"] * 5]
    assert all(one["seq"] < record["seq"] < entered["seq"] for record in missed)
    world.engine.expire(alice.transport.protocol._session.room.log, 1 << 60, 0)
    again = world.program("again")
    again.record(do="join", room="lobby", after=one["seq"])
    assert [(record["complete"], record["gone"]) for record in again.records()] == [(False, True)]


def test_what_is_too_much_to_follow_can_be_read_on_from_where_one_was(world: World) -> None:
    alice = world.person("alice", "lobby")
    seen = world.program("seen", "lobby")
    alice.say("one")
    (one,) = seen.records()
    seen.drop()
    alice.say(*[f"m{i}" for i in range(CATCH_UP + 50)])
    back = world.program("back")
    back.record(do="join", room="lobby", after=one["seq"])
    entered, *missed = back.records()
    assert (entered["complete"], "gone" in entered) == (False, False)
    assert missed[0]["seq"] > one["seq"] + 50
    back.record(do="history", after=one["seq"], messages=200)
    (page,) = back.records()
    assert ([event["text"] for event in page["events"]], page["complete"]) == ([f"m{i}" for i in range(200)], False)
    last = one["seq"] + CATCH_UP + 40
    back.record(do="history", after=last, messages=200)
    (page,) = back.records()
    assert (page["events"][0]["seq"], page["events"][-1]["text"]) == (last + 1, f"m{CATCH_UP + 49}")
    assert page["complete"]


def test_a_history_is_bounded_in_bytes(world: World) -> None:
    alice = world.person("alice", "lobby")
    for _ in range(40):
        alice.say("x" * 4000)
    alice.take()
    alice.say("/history 200")
    assert 15 < len(alice.lines()) < 30


def test_a_room_is_let_go_when_the_last_has_gone_and_is_the_same_when_somebody_returns(world: World) -> None:
    alice = world.person("alice", "lobby")
    room = alice.transport.protocol._session.room
    alice.say("hello")
    alice.say("leave")
    assert not world.chat.loaded_rooms.by_name
    assert room.log not in world.engine._followers._of  # type: ignore[attr-defined]
    alice.take()
    alice.say("/join LOBBY")
    assert alice.lines()[0] == "Welcome to room lobby!"
    assert alice.transport.protocol._session.room.id == room.id


def test_events_of_a_member_that_never_was_change_nothing(world: World) -> None:
    """The end of a connection whose joining could not be stored comes to a room that does not know it."""
    alice = world.person("alice", "lobby")
    room = alice.transport.protocol._session.room
    from chatroom.model.events import Disconnected, Renamed

    for event in (
        Disconnected("x-1", 0, "ghost", "x", session="x"),
        Renamed("x-2", 0, "ghost", "x", session="x", name="spook"),
        Said("x-3", 0, "real", "x", text="still heard"),
    ):
        world.engine.append(room.log, event)
    world.settle()
    assert alice.lines() == ["real: still heard"]
