"""Uploads and downloads that are cut, cancelled, and gone on with."""

from __future__ import annotations

from contextlib import closing

from chat.files.about import BIG, account, refused
from fakes import MoodyEngine
from harness import World
from order import restarted
from sharing import DATA, begin, chunk, fetch, hear, offer, only, send, sha256, share
from twisted.internet.defer import fail
from twisted.internet.task import Clock

from chatroom.chat.files.upload_limits import RECLAIM_EVERY
from chatroom.chat.files.uploads import STALLED_AFTER
from chatroom.engines.memory import MemoryEngine
from chatroom.model.log import Unavailable
from chatroom.model.shared_files import CHUNK


def test_an_upload_goes_on_where_it_was_cut(world: World) -> None:
    alice = account(world, "alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0) + chunk(file, 1)[:-1])
    assert len(hear(alice)) == 1
    alice.drop()
    alice = world.program()
    alice.record(do="login", user="alice", password="secret")
    alice.record(do="join", room="lobby")
    hear(alice)
    offer(alice)
    only(alice, event="upload", file=file, have=1)
    send(alice, file, start=1)
    assert [record["event"] for record in hear(alice)] == ["chunk", "chunk", "shared"]
    assert fetch(alice, number=1) == DATA


def test_somebody_elses_same_file_is_another(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    file = begin(alice)
    assert begin(bob) != file


def test_a_connection_that_is_dead_but_not_gone_loses_its_upload_to_the_next() -> None:
    with closing(World(sessions=0)) as world:
        before = account(world, "alice", "lobby")
        file = begin(before)
        before.send(chunk(file, 0))
        after = world.program()
        after.record(do="login", user="alice", password="secret")
        after.record(do="join", room="lobby")
        hear(after)
        offer(after)
        only(after, event="upload", file=file, have=1)
        hear(before)
        before.send(chunk(file, 1))
        refused(before, "no-transfer")
        send(after, file, start=1)
        assert hear(after)[-1]["event"] == "shared"


def test_a_file_is_shared_by_whom_its_sender_is_at_its_end(world: World) -> None:
    zoe, mallory = world.program("zoe", "lobby"), world.program("alice", "lobby")
    file = begin(mallory)
    mallory.record(do="name", name="mallory")
    account(world, "alice")
    hear(zoe)
    send(mallory, file)
    assert only(zoe, event="shared", file=file)["by"] == "mallory", "alice is somebody else by now"
    zoe.record(do="files")
    assert only(zoe, event="files")["files"][0]["by"] == "mallory"


def test_who_logs_in_while_sending_has_sent_it_as_the_owner_of_the_account(world: World) -> None:
    bob, alice = world.program("bob", "lobby"), world.program("guest", "lobby")
    file = begin(alice, user="bob")
    alice.record(do="register", user="alice", password="secret")
    hear(bob)
    send(alice, file)
    assert only(bob, event="shared", file=file)["by"] == "alice"
    hear(alice)
    assert fetch(alice, file=file) == DATA


def test_what_is_shared_already_is_told_again_and_not_sent_again(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    shared = share(alice)
    hear(bob)
    offer(alice)
    upload, again = hear(alice)
    assert (upload["file"], upload["have"]) == (shared["file"], 3)
    assert again == shared
    assert hear(bob) == []


def test_a_download_goes_on_where_it_was_cut(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", file=file, **{"from": 1}, ref=3)
    download, first, second = hear(alice)
    assert (download["from"], download["re"], first["index"]) == (1, 3, 1)
    assert first["raw"] + second["raw"] == DATA[CHUNK:]
    alice.record(do="get", file=file, **{"from": 3})
    refused(alice, "no-file")


def test_a_cancelled_download_ends(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice, BIG)["file"]
    alice.record(do="get", file=file)
    hear(alice)
    alice.record(do="cancel", file=file)
    alice.record(do="got", file=file, index=0)
    refused(alice, "no-transfer")


def test_what_it_is_can_be_asked_before_it_is_sent(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", number=1, send=False, ref=1)
    only(alice, event="download", file=file, sha256=sha256(DATA), re=1)
    alice.record(do="got", file=file, index=0)
    refused(alice, "no-transfer")


def test_a_cancelled_upload_takes_up_no_room() -> None:
    with closing(World(store=1000)) as world:
        alice = world.program("alice", "lobby")
        begin(alice, b"a" * 60)
        file = begin(alice, b"b" * 40)
        offer(alice, b"c" * 40)
        refused(alice, "too-many-files")
        alice.record(do="cancel", file=file, ref=1)
        only(alice, event="ok")
        begin(alice, b"c" * 40)


def test_whose_half_is_closed_after_the_last_chunk_is_told_before_the_other(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    file = begin(alice)
    hear(bob)
    alice.transport.protocol.dataReceived(b"".join(chunk(file, index) for index in range(3)))
    alice.transport.protocol.readConnectionLost()
    world.settle()
    assert [event["event"] for event in hear(alice)] == ["chunk", "chunk", "chunk", "shared"]
    assert not alice.open
    assert [event["event"] for event in hear(bob)] == ["shared"]


def test_room_that_is_kept_for_nothing_is_given_to_others() -> None:
    """Of a file that was announced, and of which nothing came; unless whoever announced it is there still."""
    with closing(World(store=1000)) as world:
        alice, bob = world.program("alice", "lobby"), world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        begin(alice, b"a" * 950)
        offer(bob, b"b" * 90)
        refused(bob, "store-full")
        alice.drop()
        hear(bob)
        share(bob, b"b" * 90)
        alice = world.program("alice", "lobby")
        share(alice, b"a" * 900)


def test_of_an_upload_that_was_cut_only_what_has_come_takes_room() -> None:
    with closing(World(store=len(DATA) + 1000)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, DATA)
        alice.send(chunk(file, 0))
        alice.drop()
        bob = world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        left = len(DATA) + 1000 - CHUNK
        offer(bob, b"b" * (left + 1))
        refused(bob, "store-full")
        theirs = begin(bob, b"b" * left)
        again = world.program("alice", "lobby")
        offer(again, DATA)
        refused(again, "store-full")
        bob.record(do="cancel", file=theirs, ref=1)
        offer(again, DATA)
        assert only(again, event="upload", file=file)["have"] == 1


def test_room_kept_for_an_upload_that_does_not_go_on_is_given_to_others() -> None:
    with closing(World(store=len(DATA) + 1000)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, DATA)
        alice.send(chunk(file, 0))
        hear(alice)
        bob = world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        hear(alice)
        world.clock.advance(STALLED_AFTER)
        offer(bob, b"b" * 1001)
        refused(bob, "store-full")
        assert hear(alice) == []
        world.clock.advance(RECLAIM_EVERY)
        begin(bob, b"b" * 1001)
        only(alice, event="error", code="stalled", file=file)


def test_what_is_taken_of_the_store_is_known_after_a_restart() -> None:
    world = World(store=2000)
    share(world.program("alice", "lobby"), b"a" * 900)
    half = world.connect("10.0.0.2")
    half.record(do="hello", version=1, name="bob")
    half.record(do="join", room="lobby")
    hear(half)
    begin(half, b"b" * 1000)
    half.drop()
    with closing(restarted(world)) as again:
        again.rules.store = 2000
        carl = again.connect("10.0.0.2")
        carl.record(do="hello", version=1, name="carl")
        carl.record(do="join", room="lobby")
        hear(carl)
        offer(carl, b"c" * 1101)
        refused(carl, "store-full")
        begin(carl, b"c" * 1100)


def test_a_file_that_is_all_there_is_not_cancelled(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", file=file)
    hear(alice)
    alice.record(do="cancel", file=file, ref=1)
    only(alice, event="ok")
    assert fetch(alice, file=file) == DATA


def test_a_store_that_takes_no_more_says_so_and_it_can_be_gone_on_with() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice)
        alice.send(chunk(file, 0))
        hear(alice)
        write = engine.blobs.write
        engine.blobs.write = lambda *_: fail(Unavailable("the disk is full"))  # type: ignore[method-assign]
        alice.send(chunk(file, 1))
        error = only(alice, event="error", code="not-stored", file=file)
        assert error["text"] == "notes.txt could not be stored; share it again to go on."
        engine.blobs.write = write  # type: ignore[method-assign]
        offer(alice)
        assert only(alice, event="upload", file=file)["have"] == 1


def test_a_log_that_fails_at_the_end_can_be_asked_again() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, b"x")
        engine.broken = True
        alice.send(chunk(file, 0, b"x"))
        assert hear(alice)[-1]["code"] == "not-stored"
        engine.let_go()
        offer(alice, b"x")
        assert [record["event"] for record in hear(alice)] == ["upload", "shared"]
