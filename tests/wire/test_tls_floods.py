"""Floods of TLS records that bring little or nothing: they are charged, or they end the connection, and cost little."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from forging import Forger
from harness import Client, World
from tls_client import SecureClient

from chatroom.chat.limits import BYTES_BURST, READ_COST
from chatroom.wire.tls import AT_ONCE, EMPTY_BURST, TLSConnection
from chatroom.wire.tls_records import TLSRecords


class Flooder(SecureClient):
    """A client whose records are forged once its handshake is done.

    Args:
        world: The server.
        old: Speak TLS 1.2.
    """

    def __init__(self, world: World, *, old: bool = False) -> None:
        super().__init__(world, shake=False)
        self.forger = Forger(self._trade, old=old)
        world.settle()

    def _trade(self, data: bytes) -> bytes:
        Client.send(self, data)
        return Client.take(self)

    def say(self, *lines: str) -> None:
        """Say lines, each in a record of its own."""
        self.raw(b"".join(self.forger.application(f"{line}\r\n".encode()) for line in lines))


def tls_of(client: Client) -> Any:
    """Return the server's TLS protocol of a client."""
    return client.transport.protocol


@pytest.fixture
def decrypted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is given to OpenSSL: the length of each piece."""
    pieces: list[int] = []
    write = TLSConnection.bio_write

    def counted(connection: TLSConnection, data: bytes) -> int:
        pieces.append(len(data))
        return write(connection, data)

    monkeypatch.setattr(TLSConnection, "bio_write", counted)
    return pieces


# ---- records without anything in them ----------------------------------------------------------------------------

FLOODS: dict[str, Callable[[Forger], bytes]] = {
    "key updates": lambda forger: forger.key_update(),
    "key updates to be answered": lambda forger: forger.key_update(answer=True),
    "empty records": lambda forger: forger.application(),
    "warnings": lambda forger: forger.warning(),
    "renegotiations": lambda forger: forger.renegotiation(),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_records_without_data_ends_the_connection(world: World, kind: str, decrypted: list[int]) -> None:
    bob = world.person("bob", "lobby")
    client = Flooder(world, old=kind == "renegotiations")
    client.say("/name eve", "/join lobby")
    records = [FLOODS[kind](client.forger) for _ in range(5000)]
    decrypted.clear()
    client.raw(b"".join(records))
    client.flush()
    assert not client.transport.connected
    assert sum(decrypted) <= len(records[0]) * (EMPTY_BURST + AT_ONCE)
    assert bob.lines() == ["eve has joined the room.", "eve has disconnected."]


@pytest.mark.parametrize("kind", ["key updates", "key updates to be answered", "renegotiations"])
def test_such_a_flood_is_counted(world: World, kind: str) -> None:
    """The other kinds are ended by OpenSSL itself."""
    client = Flooder(world, old=kind == "renegotiations")
    client.raw(b"".join(FLOODS[kind](client.forger) for _ in range(EMPTY_BURST + 1)))
    assert world.factory.counters.drops["tls-flood"] == 1


def test_records_without_data_among_lines_are_counted_all_the_same(world: World) -> None:
    client = Flooder(world)
    sent = 0
    while client.transport.connected and sent < 10_000:
        client.say("/hello")
        client.raw(client.forger.key_update())
        client.flush()
        sent += 1
    assert EMPTY_BURST - 10 < sent <= EMPTY_BURST + 1


def test_a_key_change_now_and_then_is_no_flood(world: World) -> None:
    client = Flooder(world)
    client.say("/name alice", "/join lobby")
    bob = world.person("bob", "lobby")
    for number in range(3 * EMPTY_BURST):
        client.raw(client.forger.key_update())
        client.say(str(number))
        world.pass_time(2)
    assert bob.lines() == [f"alice: {number}" for number in range(3 * EMPTY_BURST)]


@pytest.mark.parametrize("old", [False, True])
def test_records_that_bring_lines_are_not_counted(world: World, old: bool) -> None:
    client = Flooder(world, old=old)
    client.say("/name alice", "/join lobby")
    bob = world.person("bob", "lobby")
    lines = [str(number) for number in range(20 * EMPTY_BURST)]
    client.say(*lines)
    assert bob.lines() == [f"alice: {line}" for line in lines]


# ---- records with little in them ---------------------------------------------------------------------------------


def tiny(client: Flooder, data: bytes) -> bytes:
    """Return records of one byte each."""
    return b"".join(client.forger.application(bytes((byte,))) for byte in data)


def test_tiny_records_are_charged_and_wait_before_they_are_decrypted(paced: World, decrypted: list[int]) -> None:
    client = Flooder(paced)
    packet = tiny(client, b"x" * 4000)
    decrypted.clear()
    client.raw(packet)
    at_once = BYTES_BURST // READ_COST + AT_ONCE
    assert sum(decrypted) <= len(packet) // 4000 * at_once
    paced.pass_time(1)
    assert sum(decrypted) <= len(packet) // 4000 * (at_once + 10_000 // READ_COST + AT_ONCE)


def test_nothing_in_tiny_records_is_lost(paced: World) -> None:
    bob = paced.person("bob", "lobby")
    client = Flooder(paced)
    client.say("/name alice", "/join lobby")
    text = "".join(chr(97 + number % 26) for number in range(3000))
    client.raw(tiny(client, text.encode() + b"\r\n"))
    assert bob.lines() == ["alice has joined the room."]
    for _ in range(20):
        paced.pass_time(1)
    assert bob.lines() == [f"alice: {text}"]


def test_tiny_packets_without_tls_are_charged_too(paced: World) -> None:
    client = paced.connect()
    sent = 0
    while client.transport.readable():
        client.send(b"x")
        sent += 1
    assert BYTES_BURST // READ_COST - 2 < sent < BYTES_BURST // READ_COST + 2


def test_a_program_is_charged_for_tiny_packets_too(paced: World) -> None:
    bot = paced.program("bot")
    sent = 0
    while bot.transport.readable():
        bot.send(b" ")
        sent += 1
    assert sent <= BYTES_BURST // (READ_COST - 1) + 1


def test_a_typist_whose_every_key_is_a_record_is_never_slowed(paced: World) -> None:
    client = Flooder(paced)
    client.say("/name alice", "/join lobby")
    for _ in range(1000):
        client.raw(client.forger.application(b"x"))
        paced.pass_time(0.05)
        assert client.transport.readable()


def test_what_is_said_to_a_connection_that_was_turned_away_is_soon_not_read(world: World, decrypted: list[int]) -> None:
    client = Flooder(world)
    client.raw(client.forger.application(b"GET / HTTP/1.1\r\n"))
    decrypted.clear()
    packet = tiny(client, b"x" * 4000)
    client.raw(packet)
    assert sum(decrypted) <= len(packet) // 4000 * (64 * 1024 // READ_COST + AT_ONCE)
    assert not client.transport.readable()


def test_lines_in_many_records_are_done_in_order_when_reading_stops_in_between() -> None:
    with closing(World(rate=5.0)) as world:
        bob = world.person("bob", "lobby")
        client = Flooder(world)
        client.say("/name alice", "/join lobby")
        client.say(*map(str, range(200)))
        for _ in range(60):
            world.pass_time(1)
        assert [line for line in bob.lines() if "alice: " in line] == [f"alice: {number}" for number in range(200)]


# ---- before the handshake is over --------------------------------------------------------------------------------


def test_a_hello_in_tiny_records_is_soon_given_up(world: World, decrypted: list[int]) -> None:
    client = SecureClient(world, shake=False)
    record = b"\x16\x03\x01\0\1"
    client.raw(record + b"\1" + record + b"\0" + record + b"\x40" + (record + b"\0") * 3000)
    client.flush()
    assert not client.transport.connected
    assert sum(decrypted) <= 6 * (EMPTY_BURST + AT_ONCE)


# ---- where records end -------------------------------------------------------------------------------------------


def stream(lengths: list[int]) -> bytes:
    """Return records of such lengths."""
    return b"".join(b"\x17\x03\x03" + length.to_bytes(2, "big") + b"\x17" * length for length in lengths)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 11, 1000])
def test_every_record_is_counted_once_wherever_the_stream_is_cut(size: int) -> None:
    lengths = [0, 1, 5, 0, 0, 300, 17, 4, 0]
    data, records = stream(lengths), TLSRecords()
    ended = 0
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        end, more = records.pass_over(piece, 0, 100)
        assert end == len(piece)
        ended += more
    assert ended == len(lengths)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_records_are_passed_at_once_than_asked_for(most: int) -> None:
    data, records = stream([3] * 6), TLSRecords()
    at, ends = 0, []
    while at < len(data):
        at, ended = records.pass_over(data, at, most)
        ends.append((at, ended))
    assert ends == [(8 * most * number, most) for number in range(1, 6 // most + 1)]


def test_a_record_is_not_counted_before_its_last_byte() -> None:
    data, records = stream([40]), TLSRecords()
    assert records.pass_over(data[:-1], 0, 1) == (44, 0)
    assert records.pass_over(data[-1:], 0, 1) == (1, 1)
