"""What is too old or too much goes; rooms of which nothing is left are forgotten; what fails is tried again."""

from __future__ import annotations

from typing import Any

from harness import World
from twisted.internet.defer import fail

from chatroom.chat.retention import EVERY
from chatroom.model.log import Unavailable

DAY = 24 * 3600.0


def history(world: World, room: str) -> list[str]:
    """Return what a newcomer is told of a room."""
    reader = world.person(f"reader{len(world.clients)}")
    reader.say(f"/join {room} 200")
    lines = [line.partition("] ")[2] for line in reader.lines()[2:]]
    reader.say("leave")
    reader.drop()
    return lines


def test_only_so_many_messages_are_kept() -> None:
    world = World(keep=3)
    alice = world.person("alice", "lobby")
    for i in range(6):
        alice.say(f"m{i}")
    world.pass_time(EVERY)
    assert history(world, "lobby") == ["alice: m3", "alice: m4", "alice: m5"]
    world.close()


def test_messages_are_kept_for_so_many_days() -> None:
    world = World(keep_days=2)
    alice = world.person("alice", "lobby")
    alice.say("old")
    world.pass_time(1.5 * DAY)
    alice.say("young")
    world.pass_time(1.0 * DAY)
    assert history(world, "lobby") == ["alice: young"]
    world.close()


def test_private_messages_of_guests_are_kept_for_a_week() -> None:
    world = World(keep_days=0)
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob psst")
    bob.take()
    (inbox,) = [log for log in world.engine._logs if log.startswith("guest/")]  # type: ignore[attr-defined]
    world.pass_time(6.9 * DAY)
    assert world.engine._logs[inbox].rows  # type: ignore[attr-defined]
    world.pass_time(0.2 * DAY)
    assert not world.engine._logs[inbox].rows  # type: ignore[attr-defined]
    bob.drop()
    world.pass_time(EVERY)
    assert inbox not in world.engine._logs  # type: ignore[attr-defined]
    world.close()


def test_a_room_of_which_nothing_is_left_is_forgotten_and_its_namesake_is_new() -> None:
    world = World(keep_days=1)
    alice = world.person("alice", "lobby")
    id = alice.transport.protocol._session.room.id
    quiet = world.person("bob", "quiet")
    alice.say("leave")
    world.pass_time(2 * DAY)
    alice.take()
    alice.say("/rooms")
    assert alice.lines() == ["Rooms (1):", "  quiet  1 user"], "somebody is in the other"
    alice.say("/join lobby")
    assert alice.transport.protocol._session.room.id != id
    assert quiet.open
    world.close()


def test_a_round_that_fails_is_tried_again(monkeypatch: Any) -> None:
    world = World(keep=1)
    alice = world.person("alice", "lobby")
    alice.say("one")
    alice.say("two")
    expire = world.engine.expire
    monkeypatch.setattr(world.engine, "expire", lambda *args: fail(Unavailable("disk full")))
    world.pass_time(EVERY)
    assert len(history(world, "lobby")) == 2
    monkeypatch.setattr(world.engine, "expire", expire)
    world.pass_time(EVERY)
    assert len(history(world, "lobby")) == 1
    world.close()
