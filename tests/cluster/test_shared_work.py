"""Uploads and housekeeping, when several daemons share a store: none undoes or repeats the work of another."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from cluster.nodes import Nodes
from harness import Client
from twisted.internet.defer import Deferred

from chatroom.chat.leases import Leases
from chatroom.chat.retention import EVERY


@pytest.fixture(params=range(3), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons, with room for files of 1000 bytes."""
    nodes = Nodes(request.param, store=1000, max_file=1000)
    yield nodes
    nodes.close()


def announce(nodes: Nodes, client: Client, data: bytes) -> list[dict[str, Any]]:
    """Begin to share a file; return what was heard."""
    hashed = sha256(data).hexdigest()
    return nodes.ask(client, do="share", name="notes.txt", size=len(data), sha256=hashed)


def holds(nodes: Nodes, node: int) -> bool:
    """Return whether a daemon gets the lease of a piece of work for a minute."""
    chat = nodes.worlds[node].chat
    got: list[bool] = []
    Deferred.fromCoroutine(Leases(chat.engine, chat.now).hold("work", 60)).addCallback(got.append)
    nodes.settle()
    return got[0]


def test_a_daemon_in_want_of_space_does_not_take_the_upload_of_another(two: Nodes) -> None:
    data = b"x" * 100
    alice, bob = two.program(0, "alice", "lobby"), two.program(1, "bob", "attic")
    (upload,) = [each for each in announce(two, alice, data) if each["event"] == "upload"]
    announce(two, bob, b"y" * 950)
    file = upload["file"]
    alice.send(b'{"do":"chunk","file":"%s","index":0,"bytes":100}\n%s' % (file.encode(), data))
    two.settle()
    assert "shared" in [each["event"] for each in alice.records()]


def test_the_upload_of_a_daemon_that_died_is_given_up(two: Nodes) -> None:
    alice = two.program(0, "alice", "lobby")
    announce(two, alice, b"x" * 100)
    (before,) = two.store.engine._buckets["file"].records
    two.kill(0)
    chat = two.worlds[1].chat
    done = Deferred.fromCoroutine(chat.files.give_up(before))
    two.settle()
    assert done.called
    assert two.store.engine._buckets["file"].records == {}


def test_one_daemon_holds_a_lease_until_it_ends(two: Nodes) -> None:
    assert holds(two, 0)
    assert not holds(two, 1)
    assert holds(two, 0), "it renews it"
    two.settle(61)
    assert holds(two, 1), "it was not renewed in time"
    assert not holds(two, 0)


def test_the_leases_of_a_daemon_that_died_are_free(two: Nodes) -> None:
    assert holds(two, 0)
    two.kill(0)
    assert holds(two, 1)


def test_one_daemon_keeps_house(two: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    two.settle(EVERY)
    looked = []
    for world in two.worlds:
        retention: Any = world.chat._retention
        monkeypatch.setattr(retention, "_logs", lambda name=world.engine.node: looked.append(name) or nothing())
    two.settle(3 * EVERY)
    assert len(looked) >= 3
    assert len(set(looked)) == 1


async def nothing() -> Any:
    """Yield nothing."""
    for each in ():
        yield each
