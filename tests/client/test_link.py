"""A link: what it has on the server it has again after a cut, and what it tells."""

from __future__ import annotations

import pytest
from client.network import Network, Person

from chatroom.client.notices import Connected


@pytest.fixture
def alice(network: Network) -> Person:
    """Alice is in the lobby with the client."""
    return Person(network, name="alice", room="lobby").come()


def test_it_comes_under_its_name_into_its_room(alice: Person) -> None:
    link = alice.link
    assert link.online
    assert (link.name, link.guest, link.server, link.room) == ("alice", True, "chatroom", "lobby")
    assert link.users == ["alice"]
    assert alice.heard(Connected) == [Connected("chatroom", "alice", True, "plain")]
    assert link.lag == 0
    alice.leave()
    assert not link.online


def test_what_is_said_is_acknowledged_by_its_echo(alice: Person) -> None:
    alice.say("hello", "world")
    assert alice.said == []
    alice.network.flow()
    assert alice.said == ["hello", "world"]
    assert alice.texts == ["hello", "world"]
    alice.leave()
