"""What a review of the races found: each of these was wrong once."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World, result
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.rooms.record import RoomRecord
from chatroom.engines import base
from chatroom.engines.memory import MemoryEngine


def members(world: World) -> list[str]:
    """Return the names in the one room that is loaded."""
    (room,) = world.chat.loaded_rooms.by_name.values()
    return [member.name for member in room.members.values()]


def test_a_program_cannot_use_up_the_ids_of_its_own_departure(world: World) -> None:
    alice, bot = world.person("alice", "lobby"), world.program("bot", "lobby")
    own = bot.transport.protocol._session.id
    for i in range(10):
        for id in (f"{own}-{i}", f"{own}:{i}", f"{own} {i}"):
            bot.record(do="say", text="x", id=id)
    alice.take()
    bot.drop()
    assert alice.lines() == ["bot has disconnected."]
    assert members(world) == ["alice"]


def test_a_reply_goes_to_who_wrote_and_not_to_who_has_the_name_now(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob what is it?")
    alice.drop()
    mallory = world.person("alice")
    bob.take()
    bob.say("/reply it is a secret")
    assert bob.lines() == ["Error: no user named alice; see /who."]
    assert mallory.lines() == []


def test_a_reply_may_say_for_whom_it_is(world: World) -> None:
    alice, bob, carol = world.program("alice"), world.person("bob"), world.person("carol")
    bob.say("/msg alice one")
    (one,) = alice.records()
    carol.say("/msg alice two")
    alice.record(do="reply", text="hi", to=one["by_id"])
    assert bob.lines()[-1] == "alice (private): hi"
    bob.drop()
    alice.records()
    alice.record(do="reply", text="hi again", to=one["by_id"])
    assert [record["code"] for record in alice.records()] == ["writer-gone"]
    assert carol.lines() == ["To alice (private): two"]


def test_a_reply_reaches_who_wrote_under_a_new_name(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob hi", "/name carol")
    alice.take()
    bob.say("/reply hi yourself")
    assert alice.lines() == ["bob (private): hi yourself"]


def test_pressure_that_comes_back_while_it_is_let_go_holds_for_everybody(monkeypatch: Any) -> None:
    monkeypatch.setattr(base, "MOST_WAITING", 20)
    monkeypatch.setattr(base, "MOST_IN_A_BATCH", 10)
    clock = Clock()
    engine = MemoryEngine(clock)
    world = World(engine, clock)
    programs = [world.program(f"p{i}", "lobby") for i in range(40)]
    for program in programs:
        program.transport.protocol.dataReceived(b'{"do":"say","text":"hello"}\n' * 30)
    store, pressed = engine._store, []

    def watching(batch: list[Any]) -> None:
        if engine._pressed:
            pressed.append(len(batch))
            assert all(program.transport.protocol.stops for program in programs), "somebody is read all the same"
        store(batch)

    monkeypatch.setattr(engine, "_store", watching)
    world.settle()
    assert len(pressed) > 10, "it was hardly ever pressed: this shows nothing"
    said = [record for record in programs[0].records() if record["event"] == "said"]
    assert len(said) == 40 * 30, "nothing was dropped"
    world.close()


def test_many_wait_for_a_room_that_is_not_there_and_are_told_once() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    people = [world.person(f"p{i}") for i in range(200)]
    reads: list[str] = []
    get = engine.get

    def counting(bucket: str, key: str) -> Any:
        reads.append(key)
        return get(bucket, key)

    engine.get = counting  # type: ignore[method-assign]
    engine.slow = True
    for person in people:
        person.transport.protocol.dataReceived(b"JOIN_ROOM nosuch\r\n")
    while engine._held:
        engine.let_go()
        world.settle()
    told = ["Error: no room named nosuch; create it with /create nosuch."]
    assert [person.lines() for person in people] == [told] * 200
    assert len(reads) < 5
    world.close()


def test_a_room_that_is_being_forgotten_is_not_joined_on_the_way() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    alice = world.person("alice", "lobby")
    alice.say("leave")
    (record,) = result(world.chat.room_records.all())
    engine.expire(f"room/{record.id}", 1 << 60, 0)
    change = engine.change

    def somebody_comes(*args: Any) -> Any:
        """Just when the record is about to be removed."""
        engine.change = change  # type: ignore[method-assign]
        alice.transport.protocol.dataReceived(b"/join lobby\r\n")
        return change(*args)

    async def nothing_left(record: RoomRecord) -> bool:
        return True

    engine.change = somebody_comes  # type: ignore[method-assign]
    Deferred.fromCoroutine(world.chat.directory.forget(record.id, record.name, nothing_left))
    world.settle()
    loaded = [room.id for room in world.chat.loaded_rooms.by_name.values()]
    assert [record.id for record in result(world.chat.room_records.all())] == loaded
    assert len(loaded) == 1
    world.close()


def test_one_address_cannot_fill_the_server_with_refusals() -> None:
    from chatroom.wire.factory import MOST_LINGERING

    world = World(per_address=1)
    host = "192.0.2.7"
    world.connect(host)
    address = world.clients[0].transport.getPeer()
    refused = [world.factory.buildProtocol(address) for _ in range(MOST_LINGERING + 10)]
    assert [protocol is None for protocol in refused] == [False] * MOST_LINGERING + [True] * 10
    world.close()


def test_who_is_not_read_is_not_called_silent(world: World) -> None:
    bot = world.program("bot", "lobby")
    bot.transport.protocol.press(True)
    for _ in range(20):
        world.pass_time(10)
    assert bot.open
    bot.transport.protocol.press(False)
    assert bot.records() == []


def test_a_corked_welcome_is_not_lost_when_the_server_stops(world: World) -> None:
    alice = world.person("alice", "lobby")
    outbox = alice.transport.protocol._outbox
    outbox.cork()
    outbox.write(b"The server is shutting down.\r\n")
    outbox.close()
    assert alice.lines() == ["The server is shutting down."]


@pytest.mark.parametrize("before", [0, 1])
def test_nothing_was_before_the_first(world: World, before: int) -> None:
    bot = world.program("bot", "lobby")
    bot.record(do="say", text="hello")
    bot.take()
    bot.record(do="history", before=before)
    (page,) = bot.records()
    assert (page["events"], page["complete"]) == ([], True)
