"""Raw bytes between records: taken out exactly as announced, however they are cut, and whatever is wrong with them."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from harness import World
from sharing import DATA, begin, chunk, header, hear, only, send, sha256

from chatroom.model.shared_files import CHUNK

HELLO = b'{"do":"hello","ref":"next"}\n'
SMALL = b'no line\n{"do":"quit"}\n\xff\xfb\x01\r\n'  # everything that means something elsewhere


def goes_on(*records: dict[str, object]) -> bool:
    """Whether the last answer is that of the record that was sent behind."""
    return records[-1].get("re") == "next"


def test_raw_bytes_are_nothing_but_bytes(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice, SMALL)
    alice.send(header(file, 0, len(SMALL)) + SMALL + HELLO)
    acknowledged, answered, shared = sorted(hear(alice), key=lambda record: str(record["event"]))
    assert (acknowledged["index"], answered["re"], shared["sha256"]) == (0, "next", sha256(SMALL))


def test_a_chunk_may_be_cut_anywhere(world: World) -> None:
    alice = world.program("alice", "lobby")
    whole = len(header("?" * 16, 0, len(SMALL)) + SMALL + HELLO)
    for cut in range(1, whole):
        data = SMALL + b"%d" % cut  # another file each time
        file = begin(alice, data)
        stream = header(file, 0, len(data)) + data + HELLO
        alice.send(stream[:cut])
        alice.send(stream[cut:])
        assert {record["event"] for record in hear(alice)} == {"chunk", "shared", "ok"}, cut


def test_a_chunk_may_come_byte_by_byte(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice, SMALL)
    for byte in header(file, 0, len(SMALL)) + SMALL + HELLO:
        alice.send(bytes([byte]))
    assert {record["event"] for record in hear(alice)} == {"chunk", "shared", "ok"}


def test_two_uploads_and_talk_between_their_chunks(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    one, two = begin(alice, DATA, "1"), begin(alice, DATA[::-1], "2")
    for index in range(3):
        alice.send(chunk(one, index, DATA) + b'{"do":"say","text":"%d"}\n' % index + chunk(two, index, DATA[::-1]))
    hear(alice)
    heard = hear(bob)
    assert [record["text"] for record in heard if record["event"] == "said"] == ["0", "1", "2"]
    assert [record["name"] for record in heard if record["event"] == "shared"] == ["1", "2"]


# ---- what is wrong with them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "number"), [(0, 10), (0, CHUNK - 1), (1, CHUNK), (7, CHUNK), (2**53, CHUNK), (0, 0)], ids=str
)
def test_a_chunk_that_is_not_due_is_refused_and_its_bytes_thrown_away(world: World, index: int, number: int) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(header(file, index, number) + b"\n" * number + HELLO)
    error, answered = hear(alice)
    assert error["text"] == f"the next chunk of notes.txt is number 0 and has {CHUNK} bytes."
    assert goes_on(answered)
    send(alice, file)
    assert hear(alice)[-1]["event"] == "shared"


def test_a_chunk_that_comes_twice_or_after_the_last_is_refused(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0) + chunk(file, 0))
    assert {record.get("code") for record in hear(alice)} == {None, "wrong-chunk"}
    alice.send(chunk(file, 1) + chunk(file, 2) + header(file, 3, 5) + b"hello" + HELLO)
    assert "shared" in {record["event"] for record in hear(alice)}


def test_a_file_that_nobody_announced_or_somebody_else_did(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    theirs = begin(alice)
    hear(bob)
    for file in (theirs, "nothing", "../../etc"):
        bob.send(header(file, 0, CHUNK) + b"x" * CHUNK + HELLO)
        error, answered = hear(bob)
        assert (error["code"], goes_on(answered)) == ("no-transfer", True)


def test_a_chunk_that_is_longer_than_it_said_is_followed_by_no_record(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0) + b"too much\n" + HELLO)
    events = [record.get("code") or record.get("re") or record["event"] for record in hear(alice)]
    assert sorted(events) == ["bad-record", "chunk", "next"]


def test_a_chunk_that_is_shorter_than_it_said_swallows_and_is_found_out(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice, SMALL * 10)
    alice.send(header(file, 0, len(SMALL) * 10) + SMALL)
    assert hear(alice) == [], "the rest may still come"
    alice.send(SMALL * 8 + HELLO * 3)
    error, *others = [record for record in hear(alice) if record.get("code") == "wrong-hash"]
    assert (error["file"], others) == (file, [])


@pytest.mark.parametrize("number", [CHUNK + 1, 2**53])
def test_what_can_be_no_chunk_ends_the_connection_with_a_reason(world: World, number: int) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(header(file, 0, number) + b"x" * 1000)
    error = only(alice, event="error", code="chunk-too-long")
    assert error["text"] == f"a chunk may have at most {CHUNK} bytes; reconnect and resume there."
    assert not alice.open


@pytest.mark.parametrize(
    "line",
    [
        '{"do":"chunk"}',
        '{"do":"chunk","file":"f","index":0}',
        '{"do": "chunk","file":"f","index":0,"bytes":"10"}',
        '{"do":"chunk","file":"f","index":-1,"bytes":10}',
        '{"do":"chunk","file":"f","index":0,"bytes":-1}',
        '{"do":"chunk","file":"f","index":0,"bytes":1e30}',
        '{"do":"chunk","file":3,"index":0,"bytes":10}',
    ],
)
def test_a_record_of_a_chunk_that_cannot_be_read_ends_the_connection_with_a_reason(world: World, line: str) -> None:
    alice = world.program("alice", "lobby")
    alice.send(line.encode() + b"\n")
    only(alice, event="error", code="bad-record")
    assert not alice.open


def test_what_is_only_said_is_no_chunk(world: World) -> None:
    alice = world.program("alice", "lobby")
    alice.send(json.dumps({"do": "say", "text": '"do":"chunk"', "ref": []}).encode() + b"\n" + HELLO)
    error, answered = hear(alice)
    assert (error["code"], goes_on(answered)) == ("bad-record", True)


def test_the_connection_ends_in_the_middle_of_a_chunk(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    file = begin(alice)
    hear(bob)
    alice.send(chunk(file, 0)[:-5])
    alice.finish()
    assert not alice.open
    alice.drop()
    assert [record["event"] for record in hear(bob)] == ["disconnected"]


# ---- how fast ----------------------------------------------------------------------------------------------------


def test_files_do_not_count_as_talk() -> None:
    with closing(World(rate=2.0)) as world:
        alice = world.program("alice", "lobby")
        data = bytes(range(256)) * 20 * CHUNK
        data = data[: 20 * CHUNK]
        file = begin(alice, data)
        send(alice, file, data)
        assert hear(alice)[-1]["event"] == "shared", "without any time passing"
        alice.record(do="get", file=file)
        for index in range(20):
            alice.record(do="got", file=file, index=index)
        assert sum(record["event"] == "chunk" for record in hear(alice)) == 20


def test_a_chunk_that_is_refused_counts_as_talk() -> None:
    with closing(World(rate=2.0)) as world:
        alice = world.program("alice", "lobby")
        world.pass_time(60)
        alice.send(b"".join(header("f", 0, 4) + b"\n\n\n\n" for _ in range(20)))
        assert len(hear(alice)) == 10
        world.pass_time(0.5)
        assert len(hear(alice)) == 1
        assert alice.open, "and its bytes are no lines"


@pytest.mark.parametrize(("lines", "stays"), [(20, True), (40, False)])
def test_the_lines_of_a_text_that_is_refused_are_no_talk_and_those_behind_it_are(lines: int, stays: bool) -> None:
    with closing(World(rate=2.0)) as world:
        alice = world.program("alice", "lobby")
        world.pass_time(60)
        alice.send(HELLO * 10)
        hear(alice)
        alice.send(header("f", 0, 1000) + b"\n" * 1000 + HELLO * lines)
        world.pass_time(0.5)
        assert hear(alice)[0]["code"] == "no-transfer"
        assert alice.open is stays


def test_a_chunk_waits_whole_while_its_connection_is_held_back() -> None:
    with closing(World(rate=2.0)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, b"\n" * 1000)
        world.pass_time(60)
        alice.send(HELLO * 12 + chunk(file, 0, b"\n" * 1000) + HELLO)
        assert {record["event"] for record in hear(alice)} == {"ok"}
        world.pass_time(5)
        assert {record["event"] for record in hear(alice)} == {"ok", "chunk", "shared"}


def test_a_programs_talk_still_counts_by_bytes() -> None:
    with closing(World(rate=2.0)) as world:
        alice = world.program("alice", "lobby")
        world.pass_time(60)
        line = b'{"do":"hello","ref":1,"unknown":"%s"}\n' % (b"x" * 12_000)
        alice.send(line * 8)
        assert len(hear(alice)) == 6, "64 kB"
        world.pass_time(0.5)
        assert hear(alice) == []
        world.pass_time(0.5)
        assert len(hear(alice)) == 1
        world.pass_time(5)
        assert len(hear(alice)) == 1
