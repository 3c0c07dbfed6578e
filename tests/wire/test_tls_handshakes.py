"""Handshakes of TLS that nobody finishes: they keep nobody out, and take nothing that others need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from forging import Forger
from harness import Client, World
from tls_client import SecureClient, secure_person

from chatroom.wire.connection_limits import NEW, WINDOW
from chatroom.wire.tls import HANDSHAKE
from chatroom.wire.tls_handshakes import FAILED, IN_ALL, PER_ADDRESS

HOST = "203.0.113.77"
HELLO = b"\x16\x03\x01\x02\x00\x01"  # how a handshake begins
ALERT = bytes.fromhex("15 0301 0002 02 28")


@pytest.fixture
def world() -> Iterator[World]:
    """A server that counts two guests an address."""
    with closing(World(per_address=2)) as made:
        yield made


def begin(world: World, number: int, host: str = "127.0.0.1") -> list[Client]:
    """Return clients that have begun a handshake, the oldest first."""
    clients = []
    for _ in range(number):
        client = world.connect(host)
        client.send(HELLO)
        clients.append(client)
    return clients


def finish(world: World, host: str) -> Client:
    """Return a client that has finished a handshake."""
    client = world.connect(host)

    def exchange(data: bytes) -> bytes:
        client.send(data)
        return client.take()

    Forger(exchange)
    return client


def under_way(clients: list[Client]) -> list[bool]:
    """Return which of them have not been ended."""
    return [client.transport.connected for client in clients]


def test_three_hundred_keep_no_newcomer_out(world: World) -> None:
    clients = begin(world, 300)
    assert under_way(clients) == [False] * (300 - IN_ALL) + [True] * IN_ALL
    alice, bob = world.person("alice", "lobby"), secure_person(world, "bob", "lobby")
    bob.say("hi")
    assert alice.lines() == ["bob has joined the room.", "bob: hi"]
    assert len(world.chat.sessions) == 2
    assert world.factory.counters.drops["tls-unfinished"] == 300 - IN_ALL + 1


def test_three_hundred_from_ones_own_address_keep_no_newcomer_out(world: World) -> None:
    """Somebody attacks from behind the address that a whole school has."""
    clients = begin(world, 300, HOST)
    assert under_way(clients) == [False] * (300 - PER_ADDRESS) + [True] * PER_ADDRESS
    plain = world.connect(HOST)
    plain.say("/hello")
    assert plain.lines()[-1].startswith("Hello, ")
    secure = SecureClient(world, HOST)
    secure.say("/hello")
    assert secure.lines()[-1].startswith("Hello, ")


def test_one_address_ends_only_its_own(world: World) -> None:
    others = begin(world, 5, "203.0.113.78")
    begin(world, 100, HOST)
    assert all(under_way(others))


def test_in_all_the_address_with_most_of_them_makes_way(world: World) -> None:
    few = [begin(world, 1, f"198.51.100.{number}")[0] for number in range(40)]
    many = begin(world, IN_ALL)
    assert all(under_way(few))
    assert under_way(many).count(True) == IN_ALL - 40


def test_one_network_of_ipv6_is_one_address(world: World) -> None:
    clients = [begin(world, 1, f"2001:db8:1:7:{number:x}::1")[0] for number in range(1, PER_ADDRESS + 2)]
    assert under_way(clients) == [False] + [True] * PER_ADDRESS


def test_an_unfinished_one_takes_no_slot_of_its_address(world: World) -> None:
    begin(world, PER_ADDRESS, HOST)
    people = [world.connect(HOST) for _ in range(3)]
    assert people[2].lines() == ["Error: too many connections from your address; try again later."]
    assert [client.take() for client in people[:2]] == [b"", b""]


def test_a_finished_one_takes_a_slot_and_is_refused_in_words_when_there_is_none(world: World) -> None:
    late = SecureClient(world, HOST, shake=False)
    late.raw(late.hello())
    first, second = SecureClient(world, HOST), world.connect(HOST)
    late.shake()
    world.pass_time(0.3)
    assert late.lines() == ["Error: too many connections from your address; try again later."]
    assert first.transport.connected
    first.drop()
    third = SecureClient(world, HOST)
    third.say("/hello")
    assert third.lines()[-1].startswith("Hello, ")
    assert second.open


def test_a_program_that_is_refused_inside_is_told_so_in_a_record(world: World) -> None:
    late = SecureClient(world, HOST, shake=False)
    late.raw(late.hello())
    for _ in range(2):
        world.connect(HOST)
    late.shake()
    late.record(do="hello", version=1)
    (error,) = late.records()
    assert error["code"] == "too-many-connections"


def test_they_end_after_ten_seconds(world: World) -> None:
    clients = begin(world, 7, HOST)
    world.pass_time(HANDSHAKE + 0.1)
    assert not any(under_way(clients))
    assert not world.factory.handshakes._places
    assert not world.factory._addresses.connections


def test_so_many_that_are_never_finished_and_then_they_count_as_connections(world: World) -> None:
    begin(world, FAILED, HOST)
    refused = begin(world, 2, HOST)
    assert [client.take() for client in refused] == [ALERT] * 2
    assert world.connect(HOST).lines() == ["Error: too many connections from your address; try again later."]
    for client in refused:
        client.drop()
    world.pass_time(WINDOW + 1)
    assert under_way(begin(world, 1, HOST)) == [True]


def test_those_that_are_finished_are_not_counted_so() -> None:
    with closing(World(per_address=2 * FAILED)) as world:
        for number in range(FAILED + 2):
            client = finish(world, HOST)
            assert client.transport.connected, number
            client.drop()
            if number % NEW == NEW - 1:
                world.pass_time(WINDOW + 1)
        assert not world.factory.handshakes._begun._times


# ---- descriptors -------------------------------------------------------------------------------------------------


def test_they_make_way_when_descriptors_run_short() -> None:
    with closing(World(most_connections=50)) as world:
        members = [world.person() for _ in range(30)]
        clients = begin(world, 60)
        assert world.factory._addresses.connections <= 50
        newcomers = [world.person(), secure_person(world)]
        world.settle()
        assert [client.open for client in (*members, newcomers[0])] == [True] * 31
        assert newcomers[1].transport.connected
        assert under_way(clients).count(True) == 18
        for client in clients:
            client.drop()
        assert world.factory._addresses.connections == 32


def test_without_any_to_make_way_a_connection_too_many_is_closed_at_once() -> None:
    with closing(World(most_connections=3)) as world:
        members = [world.person() for _ in range(3)]
        assert world.factory.buildProtocol(members[0].transport.getPeer()) is None
        assert world.factory.counters.drops["no-descriptors"] == 1
        members[0].drop()
        assert world.person().open
