"""Files that are given up while they are finished, or begun again elsewhere: a file is all there, or nothing of it."""

from __future__ import annotations

import itertools
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from chat.files.about import blobs
from fakes import MoodyEngine
from harness import Client, World
from sharing import DATA, begin, chunk, hear, kept_files, offer, only, send, share
from stepping import SteppingEngine
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.engines.memory import MemoryEngine
from chatroom.model.shared_files import CHUNK, TRANSFERS


class SteppingBlobs(SteppingEngine):
    """What is done with the bytes of files are steps as well; not writing, which no engine does later than dropping."""

    def __init__(self, reactor: Clock) -> None:
        super().__init__(reactor)
        for name in ("seal", "drop", "size"):
            setattr(self.blobs, name, partial(self._blob_step, getattr(self.blobs, name)))

    def _blob_step(self, act: object, *args: object) -> object:
        return self.step(lambda: act(*args))  # type: ignore[operator]


def numbers(world: World) -> dict[str, int]:
    """Return the files that are known, with their numbers; each has all its bytes, and there are no others."""
    known = {record.id: record.number for record in kept_files(world)}
    assert blobs(world) == set(known)
    for id, number in known.items():
        assert not number or id in world.engine.blobs._whole  # type: ignore[attr-defined]
    return known


@pytest.mark.parametrize("user", ["", "bob"])
def test_a_file_that_is_given_up_while_it_is_finished_is_there_or_it_is_not(user: str) -> None:
    ends = set()
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock)) as world:
            alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
            file = begin(alice, **({"user": user} if user else {}))
            alice.send(chunk(file, 0) + chunk(file, 1))
            hear(alice)
            hear(bob)
            engine.arm(step)
            alice.send(chunk(file, 2) + b'{"do":"cancel","file":"%s","ref":7}\n' % file.encode())
            world.settle()
            reached = engine.reached
            engine.let_go()
            world.settle()
            known = numbers(world)
            told = [record["file"] for record in hear(bob) if record["event"] == "shared"]
            assert [record.get("re") for record in hear(alice)].count(7) == 1
            assert known in ({}, {file: 1})
            assert told == list(known), f"step {step}"
            assert world.chat.files._locks == {}
            assert world.chat.files.receiving == {}
            ends.add(len(known))
        if not reached:
            break
    assert step > 5


def test_room_that_somebody_is_about_to_use_is_not_given_to_others() -> None:
    """However far whoever announces a file has come: it is refused at once, or all of it is taken."""
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock, store=1000)) as world:
            alice, bob = world.program("alice", "lobby"), world.connect("10.0.0.2")
            bob.record(do="hello", version=1, name="bob")
            bob.record(do="join", room="lobby")
            hear(alice)
            engine.arm(step)
            offer(alice, b"a" * 950)
            reached = engine.reached
            offer(bob, b"b" * 90)
            engine.let_go()
            world.settle()
            begun = [record for record in hear(alice) if record["event"] == "upload"]
            for record in begun:
                send(alice, record["file"], b"a" * 950)
            assert [record["event"] for record in hear(alice)][-1:] == ["shared"] * len(begun), f"step {step}"
        if not reached:
            break
    assert step > 1


def test_a_file_whose_deletion_fails_can_be_deleted_again() -> None:
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock)) as world:
            alice = world.program("alice", "lobby")
            seq = share(alice)["seq"]
            engine.arm(step, failing=True)
            alice.record(do="delete", seq=seq, ref=1)
            failed = engine.reached
            engine.arm(None)
            if failed:
                alice.record(do="delete", seq=seq, ref=2)
            assert numbers(world) == {}, f"step {step}"
        if not failed:
            break
    assert step > 3


def test_a_file_that_everybody_sees_makes_room_for_the_next() -> None:
    clock = Clock()
    with closing(World(engine := MoodyEngine(clock), clock)) as world:
        alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
        files = [begin(alice, name=f"{number}.txt") for number in range(TRANSFERS)]
        hear(bob)
        engine.mute = True
        for file in files:
            send(alice, file)
        assert [record["file"] for record in hear(bob)] == files
        begin(alice, name="another.txt")
        engine.let_go()


def test_a_file_that_is_something_else_leaves_nothing_in_memory(world: World) -> None:
    alice = world.program("alice", "lobby")
    for number in range(3):
        file = begin(alice, name=f"{number}.txt")
        send(alice, file, DATA[::-1])
        assert hear(alice)[-1]["code"] == "wrong-hash"
    assert world.chat.files._locks == {}


def two_of_alice(world: World) -> tuple[Client, Client]:
    """Return two connections of one account, in one room."""
    first = world.program()
    first.record(do="register", user="alice", password="secret")
    second = world.program()
    second.record(do="login", user="alice", password="secret")
    for client in (first, second):
        client.record(do="join", room="lobby")
        hear(client)
    return first, second


def test_whose_upload_another_goes_on_with_is_told_that_it_has_ended() -> None:
    with closing(World(sessions=0)) as world:
        first, second = two_of_alice(world)
        file = begin(first)
        first.send(chunk(file, 0))
        hear(first)
        offer(second)
        only(second, event="upload", file=file, have=1)
        only(first, event="error", code="taken-over", file=file)


def test_of_two_that_begin_at_the_same_time_one_goes_on() -> None:
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock, sessions=0)) as world:
            first, second = two_of_alice(world)
            engine.arm(step)
            offer(first)
            offer(second)
            reached = engine.reached
            engine.let_go()
            world.settle()
            heard = hear(first) + hear(second)
            assert [record["event"] for record in heard].count("upload") == 2
            assert [record.get("code") for record in heard].count("taken-over") == 1, f"step {step}"
        if not reached:
            break
    assert step > 3


def test_who_sends_on_while_another_begins_the_same_does_not_write_into_what_is_finished() -> None:
    clock = Clock()
    with closing(World(engine := MemoryEngine(clock), clock, sessions=0)) as world:
        first, second = two_of_alice(world)
        file = begin(first)
        first.send(chunk(file, 0))
        later: Deferred[int] = Deferred()
        engine.blobs.size = lambda id: later  # type: ignore[method-assign]
        offer(second)
        send(first, file, start=1)
        later.callback(CHUNK)
        (upload,) = [record for record in hear(second) if record["event"] == "upload"]
        send(second, file, start=upload["have"])
        assert hear(second)[-1]["event"] == "shared"
        assert numbers(world) == {file: 1}
        assert engine.blobs._parts == {}


def test_who_goes_on_with_what_is_given_up_that_moment_leaves_nothing_or_all_of_it() -> None:
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock, sessions=0)) as world:
            first, second = two_of_alice(world)
            file = begin(first)
            first.send(chunk(file, 0))
            engine.arm(step)
            first.record(do="cancel", file=file)
            offer(second)
            reached = engine.reached
            engine.let_go()
            world.settle()
            (upload,) = hear(second)
            send(second, upload["file"], start=upload["have"])
            known = numbers(world)
            assert (hear(second)[-1]["event"] == "shared") == bool(known), f"step {step}"
            assert world.chat.files.receiving == {}
        if not reached:
            break
    assert step > 3


class SteppingLists(SteppingBlobs):
    """To see what there is are steps as well."""

    def page(self, *args: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.page(self, *args))

    def logs(self, *args: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.logs(self, *args))


def test_a_file_of_a_room_that_is_made_while_the_old_ones_are_swept_away_stays() -> None:
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingLists(clock), clock)) as world:
            old = share(world.program("zoe", "den"))["file"]
            engine.arm(step)
            Deferred.fromCoroutine(world.chat._file_expiry.sweep())
            reached = engine.reached
            engine.arm(None)
            file = share(world.program("alice", "lobby"))["file"]
            engine.let_go()
            world.settle()
            assert numbers(world) == {old: 1, file: 1}, f"step {step}"
        if not reached:
            break
    assert step > 3


def test_what_is_all_there_is_not_taken_over_any_more() -> None:
    clock = Clock()
    with closing(World(engine := MoodyEngine(clock), clock, sessions=0)) as world:
        first, second = two_of_alice(world)
        file = begin(first)
        engine.holding = True
        send(first, file)
        hear(first)
        offer(second)
        only(second, event="upload", file=file, have=3)
        engine.let_go()
        world.settle()
        for client in (first, second):
            assert {(record["event"], record["file"]) for record in hear(client)} == {("shared", file)}
        assert world.chat.files.receiving == {}


def test_who_shares_the_same_again_on_one_connection_goes_on_there(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0))
    hear(alice)
    assert begin(alice) == file
    send(alice, file, start=1)
    assert hear(alice)[-1]["event"] == "shared"


@pytest.mark.parametrize("act", ["chunk", "got"])
def test_what_belongs_to_nothing_is_said_to_have_ended(world: World, act: str) -> None:
    alice = world.program("alice", "lobby")
    alice.send(chunk("nothing", 0) if act == "chunk" else b'{"do":"got","file":"nothing","index":0}\n')
    only(alice, event="error", code="no-transfer", file="nothing")
    if act == "got":
        alice.record(do="got", file="nothing", index=0, ref=3)
        only(alice, event="error", code="no-transfer", file="nothing", re=3)


def test_asking_what_it_is_tells_nothing_to_others(world: World) -> None:
    alice, eve = world.program("alice", "lobby"), world.program("eve", "den")
    file = share(alice)["file"]
    unfinished = begin(alice, b"x", "secret.txt")
    answers = []
    for which in (file, unfinished, "nothing"):
        eve.record(do="get", file=which, send=False)
        answers.append(only(eve, event="error", code="no-file"))
    eve.record(do="get", number=1, send=False)
    answers.append(only(eve, event="error", code="no-file"))
    assert answers == answers[:1] * 4


def test_asking_what_it_is_takes_its_time_like_all_that_is_asked() -> None:
    with closing(World(rate=2)) as world:
        alice = world.program("alice", "lobby")
        file = share(alice)["file"]
        for _ in range(30):
            alice.record(do="get", file=file, send=False)
        at_once = len(hear(alice))
        assert at_once < 10
        for _ in range(20):
            world.pass_time(1)
        assert at_once + len(hear(alice)) == 30


def test_an_account_is_deleted_while_files_are_given_to_it() -> None:
    """Whichever step of the deletion is slow, its owner hears that it is done, and of its files none is left."""
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingLists(clock), clock)) as world:
            alice, vic = world.program("alice"), world.program()
            vic.record(do="register", user="vic", password="secret")
            share(alice, b"first", user="vic")
            second = begin(alice, b"second", user="vic")
            hear(vic)
            engine.arm(step)
            vic.record(do="delete-account", password="secret", ref=1)
            reached = engine.reached
            send(alice, second, b"second")
            engine.let_go()
            world.settle()
            answers = [record for record in hear(vic) if record.get("re") == 1]
            assert [record["event"] for record in answers] == ["ok"], f"step {step}: {answers}"
            Deferred.fromCoroutine(world.chat._file_expiry.sweep())
            finished = [record.get("file") for record in hear(alice) if record["event"] == "shared"]
            assert [id for id in numbers(world) if id != second] == [], f"step {step}: {finished}"
        if not reached:
            break
    assert step > 5


@pytest.mark.parametrize("again", ["the upload is begun again", "the file is finished"])
def test_a_file_is_removed_although_its_record_changes_meanwhile(again: str) -> None:
    for step in itertools.count():
        clock = Clock()
        with closing(World(engine := SteppingBlobs(clock), clock, sessions=0)) as world:
            first, second = two_of_alice(world)
            file = begin(first)
            log = file_log(world)
            engine.arm(step)
            done: list[object] = []
            Deferred.fromCoroutine(world.chat.files.remove_of(log)).addBoth(done.append)
            reached = engine.reached
            if again == "the file is finished":
                send(first, file)
            else:
                offer(second)
            engine.let_go()
            world.settle()
            assert done == [None], f"step {step}"
        if not reached:
            break
    assert step > 2


def file_log(world: World) -> str:
    """Return the log of the one file."""
    (record,) = kept_files(world)
    return record.log
