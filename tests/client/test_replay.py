"""What was said before one came: people are shown as much as the server shows people, programs what they ask for."""

from __future__ import annotations

from client.network import Network, Person
from harness import World

from chatroom.client.joined_rooms import JoinedRooms
from chatroom.model import events as e
from chatroom.model import replies as a


def talk(world: World, count: int) -> None:
    """Let that many things be said in the lobby, and in the den."""
    for room in ("lobby", "den"):
        talker = world.program("talker", room)
        for i in range(count):
            talker.record(do="say", text=f"{room} {i}", id=f"{room}{i}")
        world.settle()
        talker.drop()


def test_people_are_shown_what_the_server_shows_people(network: Network, world: World) -> None:
    talk(world, 15)
    bob = Person(network, name="bob", room="lobby", history=None).come()
    assert bob.texts == [f"lobby {i}" for i in range(5, 15)]
    bob.do("join", room="den")
    network.flow()
    assert bob.texts[10:] == [f"den {i}" for i in range(5, 15)]
    bob.do("join", room="lobby", messages=2)
    network.flow()
    assert bob.texts[20:] == ["lobby 13", "lobby 14"]
    bob.leave()


def test_programs_are_shown_what_they_ask_for(network: Network, world: World) -> None:
    talk(world, 15)
    for history in (0, 3):
        bob = Person(network, name="bob", room="lobby", history=history).come()
        assert bob.texts == [f"lobby {i}" for i in range(15 - history, 15)]
        bob.leave()


def test_what_was_said_before_one_came_is_no_news_and_what_one_missed_is(network: Network, world: World) -> None:
    talk(world, 2)
    bob = Person(network, name="bob", room="lobby", history=None).come()
    place = bob.client.place
    assert [place.replayed(event) for event in bob.heard(e.Said)] == [True, True]
    talker = world.program("talker", "lobby")
    talker.record(do="say", text="now", id="now")
    network.flow()
    assert [place.replayed(event) for event in bob.heard(e.Said)] == [True, True, False]
    network.lines[-1].end()
    talker.record(do="say", text="missed", id="missed")
    network.pass_time(5)
    assert bob.texts == ["lobby 0", "lobby 1", "now", "missed"]
    assert not place.replayed(bob.heard(e.Said)[-1])
    assert len(bob.heard(a.Entered)) == 2
    bob.leave()


def test_what_is_given_to_somebody_who_has_left_is_news() -> None:
    rooms = JoinedRooms(["lobby"], several=False)
    here = a.Entered(room="lobby", room_id="r", topic="", users=["me"], seq=50, complete=True)
    rooms.entered(here, again=False, stay=False)
    rooms.leave("lobby")
    given = e.Shared("x", 1, "ann", "a", seq=3, file="f", number=1, name="n", size=1, sha256="0", to="me")
    assert not rooms.replayed(given)  # its place is one in the inbox
