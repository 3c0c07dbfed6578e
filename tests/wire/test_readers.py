"""Connections that end, and readers that are broken, gone or slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from fakes import SocketClient, person_on_a_socket
from harness import Client, World
from wire.framing import said

from chatroom.chat.limits import LINES_BURST


@pytest.fixture
def narrow() -> Iterator[World]:
    """A server that holds little for those who do not read."""
    with closing(World(send_queue=1000)) as world:
        yield world


# ---- connections that end ----------------------------------------------------------------------------------------


def test_an_abrupt_end_frees_the_name_and_is_told_to_the_room(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]
    bob.say("/name alice")
    assert bob.lines() == ["You are now alice."]


def test_an_unfinished_line_is_not_said_by_who_is_cut_off(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"I will tell you ever")
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]


def test_lines_that_wait_for_the_budget_are_not_said_by_who_is_cut_off(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.say(*map(str, range(20)))
    alice.drop()
    for _ in range(12):
        paced.pass_time(0.5)
    assert bob.lines() == [*(f"alice: {i}" for i in range(LINES_BURST)), "alice has disconnected."]


# ---- readers that are broken, gone or slow -----------------------------------------------------------------------


def with_one_on_a_socket(world: World, others: int = 3) -> tuple[list[Client], SocketClient]:
    """Return some people in a room, and one among them on a socket of its own."""
    before = world.person("alice", "lobby")
    odd = person_on_a_socket(world, "odd", "lobby")
    people = [before, *(world.person(f"user{i}", "lobby") for i in range(others))]
    odd.take()
    for client in people:
        client.lines()
    return people, odd


def test_a_recipient_that_raises_does_not_stop_the_others(world: World, errors: object) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.failure = RuntimeError("a bug")
    people[0].say("hello")
    for client in people:
        assert client.lines() == ["alice: hello"]
    errors.expect(RuntimeError)  # type: ignore[attr-defined]
    odd.socket.failure = None


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError])
def test_a_reset_in_the_middle_of_a_fan_out_is_noticed_by_nobody(world: World, error: type[OSError]) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.failure = error()
    people[0].say("hello")
    odd.drop()
    people[0].say("again")
    for client in people:
        assert client.lines() == ["alice: hello", "odd has disconnected.", "alice: again"]


def test_a_connection_that_ends_while_it_is_written_to_disturbs_nobody(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.before = odd.transport.end
    people[0].say("hello")
    people[-1].say("again")
    for client in people:
        heard = client.lines()
        assert heard[0] == "alice: hello"
        assert sorted(heard[1:]) == ["odd has disconnected.", "user2: again"]


def test_a_slow_reader_gets_everything_in_order_once_it_reads(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 5
    for i in range(100):
        people[i % 3].say(str(i))
    assert bytes(odd.socket.taken) == b"alice"
    for _ in range(200):
        odd.transport.make_room(9)
    assert said(odd) == [str(i) for i in range(100)]
    people[0].say("and now at once")
    assert said(odd) == ["and now at once"]


def test_a_reader_that_is_too_slow_is_dropped_and_the_others_hear_everything(narrow: World) -> None:
    people, odd = with_one_on_a_socket(narrow)
    odd.socket.room = 0
    for i in range(50):
        people[0].say(f"{i} " + "x" * 50)
    assert odd.transport.aborted
    for client in people:
        heard = client.lines()
        assert "odd has disconnected." in heard
        heard.remove("odd has disconnected.")
        assert [line.split()[1] for line in heard] == [str(i) for i in range(50)]


def test_what_is_held_for_a_slow_reader_stays_within_the_bound(narrow: World) -> None:
    people, odd = with_one_on_a_socket(narrow)
    odd.socket.room = 0
    for _ in range(9):
        people[0].say("x" * 90)
    assert not odd.transport.aborted
    people[0].say("x" * 90, "x" * 90)
    assert odd.transport.aborted


def test_a_slow_program_is_held_four_times_as_much(narrow: World) -> None:
    slow = SocketClient(narrow)
    slow.record(do="join", room="lobby")
    quick = narrow.program("quick", "lobby")
    alice = narrow.person("alice", "lobby")
    slow.take()
    quick.take()
    slow.socket.room = 0
    held = 0
    while held + (size := talk(alice, quick)) <= 4000:
        held += size
        assert not slow.transport.aborted
    assert slow.transport.aborted


def talk(alice: Client, quick: Client) -> int:
    """Let alice say something; return how long a record of it is."""
    alice.say("x" * 300)
    return len(quick.take().partition(b"\r\n")[0]) + 2


@pytest.mark.parametrize("room", [0, 1, 10, 100])
def test_what_is_held_is_sent_before_the_connection_is_closed(world: World, room: int) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = room
    for i in range(10):
        people[0].say(str(i))
    odd.say("/quit")
    assert odd.transport.connected
    odd.transport.make_room()
    assert odd.lines() == [*(f"alice: {i}" for i in range(10)), "Goodbye!"]
    assert not odd.transport.connected


def test_who_never_takes_the_last_words_is_cut_off(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 0
    people[0].say("hello")
    odd.say("/quit")
    world.pass_time(10)
    world.pass_time(10)
    assert odd.transport.aborted


def test_the_server_stopping_sends_what_is_held_first(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 3
    people[0].say("hello")
    world.factory.stop()
    assert odd.transport.connected
    odd.transport.make_room()
    assert odd.lines() == ["alice: hello"]
    assert not odd.transport.connected
