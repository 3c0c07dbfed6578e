"""A private message reaches its reader on whatever daemon the reader is, and its writer is told the truth about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cluster.nodes import Nodes
from harness import Client
from twisted.internet.defer import Deferred

from chatroom.model.names import user_name


@pytest.fixture(params=range(5), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons."""
    nodes = Nodes(request.param)
    yield nodes
    nodes.close()


def account(nodes: Nodes, node: int, name: str, **more: Any) -> Client:
    """Return a program on a daemon that is logged in, and has heard all."""
    client = nodes.worlds[node].connect()
    client.record(do="hello", version=1, device=f"{name}-{node}")
    nodes.settle()
    heard = nodes.ask(client, do="register", user=name, password="secret-1")
    if any(each["event"] == "error" for each in heard):
        heard = nodes.ask(client, do="login", user=name, password="secret-1")
        assert not any(each["event"] == "error" for each in heard), heard
    return client


def private(client: Client) -> list[tuple[str, str]]:
    """Return the writers and texts of the private messages that have come."""
    return [(each["by"], each["text"]) for each in client.records() if each["event"] == "private"]


@pytest.mark.parametrize("kind", ["account", "guest"])
def test_a_message_reaches_a_reader_on_another_daemon(two: Nodes, kind: str) -> None:
    reader = account(two, 0, "alice") if kind == "account" else two.program(0, "alice")
    reader.records()
    bob = two.program(1, "bob")
    (sent,) = [each for each in two.ask(bob, do="message", user="alice", text="psst") if each["event"] != "arrived"]
    assert (sent["event"], sent["to"], sent.get("waits", "")) == ("sent", "alice", "")
    assert private(reader) == [("bob", "psst")]
    two.ask(reader, do="message", user="bob", text="yes?")
    assert private(bob) == [("alice", "yes?")]


def test_a_reader_elsewhere_who_is_away_is_said_to_be_away(two: Nodes) -> None:
    alice = account(two, 0, "alice")
    two.ask(alice, do="away", text="lunch")
    bob = two.program(1, "bob")
    told = two.ask(bob, do="message", user="alice", text="psst")
    assert [(each["user"], each["text"]) for each in told if each["event"] == "away"] == [("alice", "lunch")]


def test_both_sessions_of_an_account_on_two_daemons_get_a_message(two: Nodes) -> None:
    first, second = account(two, 0, "alice"), account(two, 1, "alice")
    bob = two.program(1, "bob")
    for client in (first, second):
        client.records()
    two.ask(bob, do="message", user="alice", text="psst")
    assert [private(client) for client in (first, second)] == [[("bob", "psst")]] * 2


def test_a_message_to_a_guest_elsewhere_who_has_just_left_is_refused(two: Nodes) -> None:
    alice = two.program(0, "alice")
    bob = two.program(1, "bob")
    reads = two.worlds[1].chat.shared_names.find

    async def late(name: str) -> Any:
        found = await reads(name)
        alice.drop()
        return found

    two.worlds[1].chat.shared_names.find = late  # type: ignore[method-assign]
    told = two.ask(bob, do="message", user="alice", text="psst")
    assert [each.get("code") for each in told] == ["no-user"]


def test_the_mail_of_a_guests_name_is_given_to_one_daemon(two: Nodes) -> None:
    two.program(0, "zed").drop()
    two.settle()
    pat = two.program(0, "pat")
    assert [each["event"] for each in two.ask(pat, do="message", user="zed", text="once")] == ["sent"]
    given: list[Any] = []
    for world in two.worlds:
        taking = world.chat.guests.take(user_name("zed"), "somebody")
        Deferred.fromCoroutine(taking).addCallback(given.append)
    two.settle()
    assert sorted(box is None for box in given) == [False, True]
