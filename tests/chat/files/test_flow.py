"""How chunks go: in turns, within a window, past people who read slowly."""

from __future__ import annotations

from contextlib import closing

from chat.files.about import BIG, refused
from fakes import SocketClient
from harness import World
from sharing import begin, chunk, hear, share
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.engines.memory import MemoryEngine
from chatroom.model.shared_files import CHUNK, WINDOW


def test_no_more_than_eight_chunks_are_on_their_way(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice, BIG)["file"]
    alice.record(do="get", file=file)
    assert [record.get("index") for record in hear(alice)[1:]] == list(range(WINDOW))
    alice.record(do="got", file=file, index=1)
    assert [record["index"] for record in hear(alice)] == [8, 9]
    alice.record(do="got", file=file, index=10)
    refused(alice, "no-transfer")


def test_reading_stops_while_chunks_are_being_written() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, BIG)
        written: list[Deferred[None]] = []
        engine.blobs.write = lambda *_: written.append(Deferred()) or written[-1]  # type: ignore[method-assign,func-returns-value,return-value]
        alice.send(b"".join(chunk(file, i, BIG) for i in range(8)))
        assert len(written) == 2, "the rest waits in the network"
        assert not alice.transport.readable()
        written[0].callback(None)
        alice.send(b"")
        assert len(written) == 3
        assert [record["index"] for record in hear(alice)] == [0]
        alice.drop()
        for one in written[1:]:
            one.callback(None)


def test_a_slow_reader_is_sent_the_next_chunk_when_it_has_taken_the_last() -> None:
    with closing(World(send_queue=1024)) as world:
        share(world.program("alice", "lobby"), BIG)
        bob = SocketClient(world)
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        bob.socket.room = 1000
        bob.record(do="get", number=1)
        assert bob.open, "a chunk is not counted as what a slow reader leaves lying"
        assert len(bob.socket.taken) == 1000
        data, chunks = bytes(bob.take()), 0
        while True:
            bob.transport.make_room(CHUNK)
            world.settle()
            more = bytes(bob.take())
            if not more:
                break
            data, chunks = data + more, chunks + 1
        assert chunks >= WINDOW
        assert data.count(b'"event":"chunk"') == WINDOW


def test_two_downloads_take_turns(world: World) -> None:
    alice = world.program("alice", "lobby")
    one, two = share(alice, BIG, "1")["file"], share(alice, BIG[::-1], "2")["file"]
    alice.record(do="get", file=one)
    hear(alice)
    alice.record(do="get", file=two)
    hear(alice)
    alice.send(b"".join(b'{"do":"got","file":"%s","index":2}\n' % file.encode() for file in (one, two)))
    order = [record["file"] for record in hear(alice)]
    assert sorted(order) == sorted([one] * 3 + [two] * 3)
    assert order[1] != order[2] != order[3], "neither waits for the other's end"
