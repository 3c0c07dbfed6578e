"""Leaving in the middle of things: what was begun ends as it should, and nobody is left half anywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat.states import members, online, release, waits_for
from fakes import MoodyEngine, SocketClient, person_on_a_socket
from harness import Client, World


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
    assert not world.chat.loaded_rooms.by_name
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
