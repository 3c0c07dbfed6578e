"""Sealed messages to people on another daemon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster.nodes import Nodes
from devices_with_keys import keyed


@pytest.fixture
def two() -> Iterator[Nodes]:
    """Two daemons on a store that answers at once."""
    nodes = Nodes(0)
    for world in nodes.worlds:
        world.engine.instant = True  # type: ignore[attr-defined]
    yield nodes
    nodes.close()


def test_a_message_from_one_daemon_comes_to_a_device_on_another(two: Nodes) -> None:
    alice, bob = keyed(two.worlds[0], "alice"), keyed(two.worlds[1], "bob")
    assert alice.send("m1", bob.device.envelope("across"))["waits"] == ""
    assert bob.bodies() == ["across"]
    alice.ask("keys-query", users=[f"id:{bob.device.user_id}"])
    bob.list_devices(2)
    assert [record["event"] for record in alice.client.records()] == ["keys-changed"]


def test_a_reader_on_another_daemon_is_told_there(two: Nodes) -> None:
    alice, bob = keyed(two.worlds[0], "alice"), keyed(two.worlds[0], "bob")
    bob.client.drop()
    telnet = two.worlds[1].person()
    telnet.say("/login bob secret-1")
    telnet.lines()
    alice.send("m1", bob.device.envelope(), user="bob", notice="message")
    assert telnet.lines() == ["alice sent you an encrypted message; read it in chatroom-client."]
