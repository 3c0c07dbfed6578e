"""A guest's name belongs to one guest on all daemons, until the guest gives it up or the guest's daemon has died."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster.nodes import Nodes
from harness import Client

from chatroom.chat.people.shared_names import NAMES


@pytest.fixture(params=range(5), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons."""
    nodes = Nodes(request.param)
    yield nodes
    nodes.close()


def take(nodes: Nodes, client: Client, name: str) -> str:
    """Take a name; return the code of the refusal, empty if the name was given."""
    told = nodes.ask(client, do="name", name=name)
    return "".join(each["code"] for each in told if each["event"] == "error")


@pytest.mark.parametrize("name", ["alice", "ALICE", "a1ice"])
def test_a_name_and_what_looks_like_it_are_taken_everywhere(two: Nodes, name: str) -> None:
    two.program(0, "alice")
    other = two.program(1, "bob")
    assert take(two, other, name) == "name-in-use"
    assert take(two, other, "alina") == ""


def test_of_many_who_want_a_name_at_once_one_gets_it(two: Nodes) -> None:
    two.start()
    clients = [world.connect() for world in two.worlds for _ in range(10)]
    for client in clients:
        client.record(do="hello", version=1)
    two.settle()
    for client in clients:
        client.records()
        client.record(do="name", name="star")
    two.settle()
    told = [[each["event"] for each in client.records()] for client in clients]
    assert sorted("renamed" in each for each in told) == [False] * 29 + [True]
    assert sorted("error" in each for each in told) == [False] + [True] * 29


def test_a_name_that_is_given_up_is_free(two: Nodes) -> None:
    alice = two.program(0, "alice")
    other = two.program(1, "bob")
    assert take(two, alice, "Alice") == "", "with other capitals it is still this guest's"
    assert take(two, other, "alice") == "name-in-use"
    assert take(two, alice, "carol") == ""
    assert take(two, other, "alice") == ""
    other.drop()
    two.settle()
    assert take(two, alice, "alice") == ""
    alice.drop()
    two.settle()
    assert two.store.engine._buckets[NAMES].records == {}


def test_the_names_of_a_daemon_that_died_are_free(two: Nodes) -> None:
    two.program(0, "alice")
    other = two.program(1, "bob")
    two.worlds[0].engine.die()  # type: ignore[attr-defined]
    two.settle()
    assert take(two, other, "alice") == "name-in-use", "nobody knows yet"
    two.settle(20)
    assert take(two, other, "alice") == ""


def test_a_refused_name_leaves_no_record(two: Nodes) -> None:
    client = two.program(1, "bob")
    two.ask(client, do="register", user="bob", password="secret-1")
    guest = two.program(0, "eve")
    assert take(two, guest, "bob") == "name-in-use"
    kept = two.store.engine._buckets[NAMES].records
    assert [key for key in kept if key.startswith("name/")] == ["name/eve"]
