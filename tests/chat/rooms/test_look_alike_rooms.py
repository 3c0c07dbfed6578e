"""No room can be made that readers would take for another: not by letters, not by digits, not after a restart."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World
from order import ask, owner, restarted, settled
from twisted.internet.task import Clock

from chatroom.chat.rooms import room_lookalikes
from chatroom.model.names import room_looks, room_name

ALIKE = [
    ("lobby", "Iobby"),
    ("lobby", "l0bby"),
    ("lobby", "1obby"),
    ("lobby", "lo8by"),
    ("wiki", "w1k1"),
    ("wiki", "wik1"),
    ("sales", "5ales"),
    ("coffee", "c0ffee"),
    ("modern", "rnodern"),
    ("\u043a\u043e\u0442", "\u043a0\u0442"),
    ("zoo", "2oo"),
    ("OPS", "0ps"),
    ("scope", "\u0455\u0441\u043e\u0440\u0435"),  # all Cyrillic
]
DIFFERENT = [("lab5", "labs"), ("team2", "teamz"), ("u8", "ub"), ("mail", "mall"), ("room1", "room2"), ("a-b", "ab")]


def get(world: World, look: str) -> tuple[bytes, int]:
    """Return the record of a look, and its revision."""
    box: list[Any] = []
    world.engine.get(room_lookalikes.BUCKET, look).addCallback(box.append)
    world.settle()
    (held,) = box
    return held


def put(world: World, look: str, value: bytes | None) -> None:
    """Change the record of a look, or remove it."""
    world.engine.put(room_lookalikes.BUCKET, look, value, get(world, look)[1] if get(world, look) else 0)
    world.settle()


def told(room: str, name: str) -> str:
    return f"Error: {name} looks like the room {room}; join that with /join {room}, or choose another name."


@pytest.mark.parametrize(("room", "name"), ALIKE, ids=ascii)
def test_a_look_alike_is_refused_in_every_way_to_make_a_room(world: World, room: str, name: str) -> None:
    for first, second in ((room, name), (name, room)):
        anna, bob = owner(world, "anna", first), world.person("bob")
        bob.say(f"/create {second}", f"/join {second}", f"CREATE_ROOM {second}", f"join {second}")
        assert bob.lines() == [told(first, second)] * 4
        bob.say(f"JOIN_ROOM {second}")
        assert bob.lines() == [f"Error: no room named {second}; create it with /create {second}."]
        assert ask(anna, "close") == "ok"
        bob.say(f"/create {second}")
        assert f"Room {second} created." in bob.lines(), "the look is free with its room"
        boss = owner(world, "boss", operator=True)
        assert ask(boss, "close", room=second) == "ok"
        for client in (anna, bob, boss):
            client.drop()


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_rooms_that_look_different_stand_side_by_side(world: World, one: str, other: str) -> None:
    anna = owner(world, "anna")
    assert ask(anna, "create", room=one) == ask(anna, "create", room=other) == "ok"


def test_programs_get_a_code(world: World) -> None:
    anna = owner(world, "anna", "lobby")
    assert ask(anna, "create", room="l0bby") == ask(anna, "join", room="LO8BY") == "room-looks-alike"


def test_the_room_itself_is_found_by_every_spelling(world: World) -> None:
    anna = owner(world, "anna", "Lobby")
    anna.record(do="leave")
    assert ask(anna, "join", room="lOBBY") == "ok"


def test_it_holds_after_a_restart(clock: Clock) -> None:
    world = World(MoodyEngine(clock), clock)
    assert ask(owner(world, "anna", "l0bby"), "topic", text="kept") == "ok"
    again = restarted(world)
    bob = again.person("bob")
    bob.say("/join lobby")
    assert bob.lines() == [told("l0bby", "lobby")]
    again.close()


def test_rooms_of_an_older_chatroom_keep_their_looks_from_the_next_start_on(clock: Clock) -> None:
    world = World(MoodyEngine(clock), clock)
    for number in range(19):
        assert ask(owner(world, f"anna{number}"), "create", room=f"lobby-{number}") == "ok"
    pages: list[Any] = []
    world.engine.page(room_lookalikes.BUCKET).addCallback(pages.extend)
    world.settle()
    assert len(pages) > 19
    for look, _ in pages:
        put(world, look, None)
    again = restarted(world)
    bob = again.person("bob")
    bob.say("/join Iobby-0", "/join lo88y-7")
    assert bob.lines() == [told("lobby-0", "Iobby-0"), told("lobby-7", "lo88y-7")]
    again.close()


def test_a_second_start_reads_no_rooms(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(MoodyEngine(clock), clock)
    owner(world, "anna", "lobby")
    monkeypatch.setattr(world.engine, "page", None)
    settled(world, room_lookalikes.complete(world.engine))
    world.close()


def test_an_old_room_with_a_look_of_another_stays_and_frees_nothing_that_is_not_its_own(world: World) -> None:
    anna = owner(world, "anna", "lobby")
    put(world, "lobby", None)
    assert ask(anna, "join", room="l0bby") == "ok"  # as it was possible before
    put(world, "lobby", b"lobby")
    assert ask(anna, "close") == "ok"
    assert ask(anna, "join", room="lobby") == "ok"
    anna.record(do="leave")
    assert ask(anna, "create", room="Iobby") == "room-looks-alike"


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_made_at_the_same_time_one_is_made(clock: Clock, first: int) -> None:
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    people = [owner(world, "anna"), owner(world, "ben")]
    rooms = ["lobby", "l0bby"]
    engine.slow = True
    for who in (first, 1 - first):
        people[who].record(do="create", room=rooms[who], ref=1)
    for _ in range(20):  # each lets both take one step
        engine.let_go()
        engine.slow = True
    engine.let_go()
    world.settle()
    answers = [next(r for r in person.records() if r.get("re") == 1) for person in people]
    assert sorted(answer["event"] for answer in answers) == ["entered", "error"]
    assert [answer["code"] for answer in answers if answer["event"] == "error"] == ["room-looks-alike"]
    world.close()


def test_a_room_that_ends_by_itself_frees_its_look(world: World) -> None:
    gus = world.person("gus", "l0bby")
    gus.say("/leave")
    world.pass_time(11 * 60)
    gus.say("/join lobby")
    assert "Welcome to room lobby!" in gus.lines()


def test_a_room_has_few_looks() -> None:
    assert room_looks(room_name("lobby")) == ("lobby",)
    assert all(len(room_looks(room_name(text))) <= 4 for text in ("I1i1I", "B1G-1I", "Q1W2E3"))
