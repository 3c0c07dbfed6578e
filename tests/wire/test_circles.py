"""What a connection was goes when it ends, without the garbage collector.

Every circle that it leaves waits for a full collection; with 10,000 connections one of those holds the reactor for a
fifth of a second. Without circles the daemon can do without them.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from harness import Client, World
from sharing import begin, chunk, share

from chatroom.chat.people.inbox import Inbox


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only counting references frees anything."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(params=[0.0, 2.0], ids=["any pace", "usual pace"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A server with and without flood control, which belongs to a connection as well."""
    with closing(World(rate=request.param)) as made:
        yield made


def silent(world: World) -> Client:
    """Somebody who has connected, and was not greeted yet."""
    return world.connect()


def greeted(world: World) -> Client:
    """A person who has waited for the greeting."""
    return world.person()


def speaking(world: World) -> Client:
    """A person who has spoken before being greeted."""
    client = world.connect()
    client.say("/name alice", "/join lobby", "hello")
    return client


def program(world: World) -> Client:
    """A program in a room."""
    return world.program("alice", "lobby")


def asked(world: World) -> Client:
    """A program that is asked whether it is still there."""
    client = world.program("alice", "lobby")
    client.transport.protocol._session.check_alive(10.0)
    return client


def sharing(world: World) -> Client:
    """A program in the middle of an upload and of a download."""
    client = world.program("alice", "lobby")
    file = share(client, b"x" * 3_000_000)["file"]
    client.record(do="get", file=file)
    client.send(chunk(begin(client), 0)[:-1])
    return client


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("coming", [silent, greeted, speaking, program, asked, sharing])
def test_a_connection_leaves_no_circle(world: World, coming: Callable[[World], Client]) -> None:
    door = first_protocol(world)
    client = coming(world)
    left = [door(), weakref.ref(client.transport), weakref.ref(client.transport.protocol)]
    assert all(ref() is not None for ref in left[1:])
    client.drop()
    world.clients.remove(client)
    client.transport.protocol = None  # as the reactor does
    del client
    world.pass_time(1)
    assert [ref() for ref in left] == [None, None, None]


@pytest.mark.usefixtures("no_collector")
def test_a_guest_to_whom_nobody_wrote_leaves_no_inbox(world: World) -> None:
    world.program("bob", "lobby").drop()
    world.pass_time(1)
    assert not [it for it in gc.get_objects() if isinstance(it, Inbox)]


def first_protocol(world: World) -> Callable[[], weakref.ref[Any]]:
    """Return what tells, later, which protocol the next connection had first."""
    made: list[weakref.ref[Any]] = []
    build = world.factory.buildProtocol

    def building(address: Any) -> Any:
        protocol = build(address)
        made.append(weakref.ref(protocol))
        return protocol

    world.factory.buildProtocol = building  # type: ignore[method-assign]
    return lambda: made[0]
