"""The database has a bound: near it the oldest history of the largest room goes; what people rely on never does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from harness import Client, World
from order import ask, guest, history, owner
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from chatroom.chat.disk_limit import EVERY, TOLD_EVERY
from chatroom.engines.base import TRIM_STEP
from chatroom.engines.memory import MemoryEngine
from chatroom.model.logger import watch

KILOBYTE = "k" * 1000


@pytest.fixture
def told() -> Iterator[list[LogEvent]]:
    """What the operators are told in the daemon's log."""
    events: list[LogEvent] = []
    stop = watch("chatroom.chat.disk_limit", events.append)
    yield events
    stop()


def used(world: World) -> int:
    found: list[int] = []
    world.engine.usage().addCallback(found.append)
    return found[0]


def fill(client: Client, number: int, text: str = KILOBYTE) -> None:
    for n in range(number):
        client.record(do="say", text=f"{n} {text}")
    client.records()


def test_the_largest_room_loses_its_oldest_history_and_nobody_else_anything(told: list[LogEvent]) -> None:
    with closing(World(disk=6_000_000)) as world:
        small = owner(world, "alice", "small")
        small.record(do="say", text="kept")
        small.record(do="ban", user="mallory")
        account = owner(world, "dora")
        account.drop()
        small.record(do="message", user="dora", text="mail apple")
        large = guest(world, "bob", "large")
        fill(large, 4550)
        assert 5_000_000 < used(world) < 5_400_000
        fill(large, 200)
        assert 5_000_000 < used(world) < 5_400_000, "history has gone, and no more than was wanted"
        large.record(do="history", messages=200)
        texts = [event["text"] for event in large.records()[-1]["events"]]
        assert texts[-1].startswith("199 ")
        large.record(do="history", messages=1, after=0)
        oldest = int(large.records()[-1]["events"][0]["text"].split()[0])
        assert 0 < oldest < TRIM_STEP
        assert history(small) == ["kept"]
        assert ask(guest(world, "mallory"), "join", room="small") == "banned"
        again = world.program()
        again.record(do="login", user="dora", password="correct horse")
        assert "mail apple" in [record.get("text") for record in again.records()]
        assert len(told) == 1
        assert told[0]["rooms"] == 1


def test_what_went_is_told_to_who_comes_back() -> None:
    with closing(World(disk=6_000_000)) as world:
        large = guest(world, "bob", "large")
        fill(large, 4550)
        world.pass_time(EVERY)
        again = world.program("carl")
        again.record(do="join", room="large", after=3)
        (entered,) = [record for record in again.records() if record["event"] == "entered"]
        assert not entered["complete"]


def test_when_no_history_is_left_nothing_is_stored_and_it_is_said(told: list[LogEvent]) -> None:
    with closing(World(disk=20_000)) as world:
        alice = owner(world, "alice")
        owner(world, "dora").drop()
        for n in range(19):
            alice.record(do="message", user="dora", text=f"{n} {KILOBYTE}")
        alice.records()
        alice.record(do="message", user="dora", text="one more", ref=1)
        world.settle()
        assert [record.get("code") for record in alice.records()] == ["not-confirmed"]
        world.pass_time(EVERY)
        assert [event["log_level"].name for event in told] == ["error"]
        world.rules.disk = 0
        world.pass_time(EVERY)
        alice.record(do="message", user="dora", text="now", ref=2)
        world.settle()
        assert [record["event"] for record in alice.records()] == ["sent"]


def test_the_operators_are_told_once_an_hour(told: list[LogEvent]) -> None:
    with closing(World(disk=300_000)) as world:
        bob = guest(world, "bob", "large")
        for _ in range(6):
            fill(bob, 280)
            world.pass_time(EVERY)
        assert len(told) == 1
        fill(bob, 280)
        world.pass_time(TOLD_EVERY)
        assert len(told) == 2
        assert told[1]["removed"] > told[0]["removed"]


def test_no_limit_is_no_limit(told: list[Any]) -> None:
    with closing(World(disk=0)) as world:
        bob = guest(world, "bob", "large")
        fill(bob, 100)
        world.pass_time(EVERY)
        assert world.chat.disk_limit.used > 100_000
        assert told == []


def test_whoever_fills_the_database_waits_while_history_goes() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    trim, held = engine.trim, []

    def slowly(wanted: int) -> Any:
        later: Deferred[Any] = Deferred()
        held.append(lambda: trim(wanted).chainDeferred(later))
        return later

    engine.trim = slowly  # type: ignore[method-assign]
    with closing(World(engine, clock, disk=3_000_000)) as world:
        bob, alice = guest(world, "bob", "large"), guest(world, "alice", "small")
        fill(bob, 2480)
        assert len(held) == 1
        alice.records()
        alice.record(do="say", text="not refused", ref=1)
        assert alice.records() == []
        while held:
            held.pop()()
            world.settle()
        assert [record["event"] for record in alice.records()] == ["said"]


def test_a_look_in_vain_is_not_repeated_with_every_message() -> None:
    with closing(World(disk=40_000)) as world:
        alice = owner(world, "alice")
        owner(world, "dora").drop()
        for n in range(33):
            alice.record(do="message", user="dora", text=f"{n} {KILOBYTE}")
        looks: list[int] = []
        usage = world.engine.usage
        world.engine.usage = lambda: looks.append(0) or usage()  # type: ignore[method-assign, func-returns-value]
        for n in range(5):
            alice.record(do="message", user="dora", text=f"{n}")
        world.settle()
        assert len(looks) <= 1
