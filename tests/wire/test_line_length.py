"""How long a line may be: one that is longer is refused whole, and the next is read."""

from __future__ import annotations

import tracemalloc

import pytest
from harness import Client, World
from wire.framing import TOO_LONG

from chatroom.chat.limits import RECORD_BYTES, TEXT_BYTES

MEGABYTE = 1_000_000


def held_back(client: Client) -> int:
    """Return how many bytes the server holds of what the client sent."""
    protocol = client.transport.protocol
    return len(protocol._buffer) + len(protocol._rest)


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
@pytest.mark.parametrize("start", [b"", b"/say ", b"/me "])
def test_a_line_of_4096_bytes_is_said(world: World, start: bytes, end: bytes) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    text = b"x" * (TEXT_BYTES - len(start))
    alice.send(start + text + end)
    (line,) = bob.lines()
    assert line.endswith(text.decode())
    assert alice.lines() == [line]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
@pytest.mark.parametrize("start", [b"", b"//", b"/say ", b"/me ", b"/away ", b"/foo "])
def test_a_line_of_4097_bytes_is_refused_once_and_the_next_one_works(world: World, start: bytes, end: bytes) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(start + b"x" * (TEXT_BYTES + 1 - len(start)) + end + b"hello" + end)
    assert alice.lines() == [TOO_LONG, "alice: hello"]
    assert bob.lines() == ["alice: hello"]


def test_a_line_is_too_long_by_its_bytes_not_its_characters(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.say("é" * 2048)
    alice.say("é" * 2048 + "e")
    assert alice.lines() == ["alice: " + "é" * 2048, TOO_LONG]


@pytest.mark.parametrize("size", [1, 7, 1000, 4095, 4096, 4097, 4098, 4099])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
def test_packets_of_any_size_give_one_error_a_long_line(world: World, size: int, end: bytes) -> None:
    alice = world.person("alice", "lobby")
    data = (b"x" * (TEXT_BYTES + 3) + end + b"hello" + end) * 3
    for i in range(0, len(data), size):
        alice.send(data[i : i + size])
    assert alice.lines() == [TOO_LONG, "alice: hello"] * 3


def test_the_error_comes_before_the_end_of_the_line_does(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.send(b"x" * 5000)
    assert alice.lines() == [TOO_LONG]
    alice.send(b"x" * 5000)
    assert alice.lines() == []
    alice.send(b"\r\nhello\r\n")
    assert alice.lines() == ["alice: hello"]


def record_of(size: int, text: str) -> bytes:
    """Return a ``say`` of exactly that many bytes."""
    start = b'{"do":"say","text":"%s","pad":"' % text.encode()
    return start + b"x" * (size - len(start) - 2) + b'"}'


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_record_of_16_kib_is_read_and_one_byte_more_is_not(world: World, end: bytes) -> None:
    bot = world.program("bot", "lobby")
    bot.send(record_of(RECORD_BYTES, "fits") + end)
    assert [r["text"] for r in bot.records()] == ["fits"]
    bot.send(record_of(RECORD_BYTES + 1, "too much") + end + record_of(100, "next") + end)
    error, echo = bot.records()
    assert (error["event"], error["code"], error["text"]) == (
        "error",
        "too-long",
        "line too long (limit 16384 bytes).",
    )
    assert echo["text"] == "next"


@pytest.mark.parametrize("opening", [b"/name alice\r\n", b'{"do":"name","name":"alice"}\n'])
def test_100_mb_without_a_newline_take_no_memory(world: World, opening: bytes) -> None:
    alice = world.connect()
    alice.send(opening)
    alice.take()
    chunk = b"x" * 65_536
    protocol = alice.transport.protocol
    tracemalloc.start()
    for _ in range(100 * MEGABYTE // len(chunk) + 1):
        protocol.dataReceived(chunk)
        assert held_back(alice) < 2 * len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEGABYTE
    assert len(alice.lines()) == 1
    alice.send(b"\n" + opening)
    assert "alice" in alice.lines()[0]
