"""A log that cannot keep up: nobody is read who would fill the memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import Client, World


def test_while_the_log_is_pressed_nobody_is_read_and_nothing_is_lost(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    world.engine.on_pressure(True)
    late = world.person()
    alice.say("one", "two")
    late.say("/join lobby")
    assert bob.lines() == []
    world.engine.on_pressure(False)
    world.settle()
    assert sorted(bob.lines()) == sorted(["alice: one", "alice: two", f"{guest_of(late)} has joined the room."])


def guest_of(client: Client) -> str:
    """Return the name of somebody who has not chosen one."""
    name: str = client.transport.protocol._session.name
    return name


@pytest.mark.parametrize("ending", [Client.drop, Client.finish])
def test_an_end_while_the_log_is_pressed_is_an_end(world: World, ending: Callable[[Client], None]) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    world.engine.on_pressure(True)
    ending(alice)
    world.engine.on_pressure(False)
    world.settle()
    assert not alice.open
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]
