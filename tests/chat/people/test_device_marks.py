"""Each device of an account gets its own mail: what it has not acknowledged, whatever other devices have read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from fakes import MoodyEngine, SocketClient
from harness import NOON, Client, World, result, stored_records
from hypothesis import given, settings
from stepping import nobody_is_left
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.limits import DEVICES_REMEMBERED, INBOX_MESSAGES, SHARE_OF_SENDER
from chatroom.chat.people.device_feed import READ_AT_ONCE
from chatroom.chat.people.device_marks import BUCKET, DeviceMarks
from chatroom.chat.retention import EVERY
from chatroom.chat.retry_queue import AGAIN, RetryQueue

DAY = 24 * 3600.0


def made(engine: MoodyEngine, **rules: Any) -> World:
    """Return a server with the accounts alice and bob."""
    world = World(engine, engine._reactor, announce=False, throttle=False, **rules)
    for name in ("alice", "bob"):
        maker = world.person()
        maker.say(f"/register {name} secret")
        maker.drop()
    return world


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail, with the accounts alice and bob."""
    world = made(engine)
    yield world
    engine.let_go()
    world.pass_time(AGAIN)
    nobody_is_left(world)
    world.close()


@pytest.fixture
def bob(moody: World) -> Client:
    """Who writes."""
    client = moody.person()
    client.say("/login bob secret")
    client.take()
    return client


class Program:
    """A program on a device of alice's, just logged in; what came with that is still to be heard.

    Args:
        world: The server.
        device: The name of the device.
        tab: The name of the tab.
        client: Its connection; a new one if not given.
    """

    def __init__(self, world: World, device: str, tab: str = "", client: Client | None = None) -> None:
        self.client = client or world.connect()
        self.seqs: list[int] = []  # of what was given last
        self.record(do="hello", version=1, device=device, tab=tab)
        self.record(do="login", user="alice", password="secret")

    def record(self, **fields: Any) -> None:
        """Send a record."""
        self.client.record(**fields)

    def drop(self) -> None:
        """End the connection abruptly."""
        self.client.drop()

    def given(self, *, late: bool | None = None) -> list[str]:
        """Return the private messages that came; all of them late, or none, if that is given."""
        found = [record for record in self.client.records() if record["event"] == "private"]
        if late is not None:
            assert {record.get("late", False) for record in found} <= {late}
        self.seqs = [record["seq"] for record in found] or self.seqs
        return [record["text"] for record in found]

    def ack(self, number: int = -1) -> None:
        """Acknowledge what was given last, or all up to a message of it."""
        self.record(do="ack", seq=self.seqs[number])
        self.client.take()

    def read(self) -> list[str]:
        """Return what came, and acknowledge it."""
        texts = self.given()
        if texts:
            self.ack()
        return texts


def write(bob: Client, *texts: str) -> None:
    """Write to alice."""
    bob.say(*(f"/msg alice {text}" for text in texts))
    assert not any("Error" in line for line in bob.lines())


def marks(world: World) -> dict[str, int]:
    """Return the stored marks, by device."""
    held = [value for (bucket, _), (value, _) in stored_records(world).items() if bucket == BUCKET]
    return {device: mark[0] for record in held for device, mark in json.loads(record).items()}


# ---- each its own ----------------------------------------------------------------------------------------------------


def test_what_one_device_has_read_waits_for_the_other(moody: World, bob: Client) -> None:
    phone, laptop = Program(moody, "phone"), Program(moody, "laptop")
    laptop.given()
    laptop.drop()
    write(bob, "one", "two")
    assert phone.read() == ["one", "two"]
    laptop = Program(moody, "laptop")
    assert laptop.given(late=True) == ["one", "two"]
    write(bob, "three")
    assert laptop.given(late=False) == ["three"]
    laptop.ack()
    laptop.drop()
    assert phone.read() == ["three"]
    for device in ("laptop", "phone"):
        assert Program(moody, device, "2").given() == []


def test_what_is_not_acknowledged_comes_again_in_order_and_the_rest_does_not(moody: World, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, "one", "two", "three")
    assert phone.given() == ["one", "two", "three"]
    phone.ack(0)
    phone.drop()
    write(bob, "four")
    phone = Program(moody, "phone")
    assert phone.given() == ["two", "three", "four"]
    phone.ack(1)
    write(bob, "five")
    phone.given()
    phone.ack()
    phone.drop()
    assert Program(moody, "phone").given() == []


def test_a_new_device_begins_with_what_no_session_has_read(moody: World, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, "one", "two")
    phone.given()
    phone.ack(0)
    laptop = Program(moody, "laptop")
    assert laptop.given(late=True) == ["two"]
    laptop.drop()
    write(bob, "three")
    assert phone.read() == ["three"]
    assert Program(moody, "laptop").given() == ["two", "three"], "it was there once, and has acknowledged nothing"
    assert Program(moody, "tablet").given() == []


def test_what_waited_while_nobody_was_here_comes_to_each_device(moody: World, bob: Client) -> None:
    for device in ("phone", "laptop"):
        Program(moody, device).drop()
    write(bob, "one")
    assert [Program(moody, device).read() for device in ("phone", "laptop", "tablet")] == [["one"], ["one"], []]


def test_tabs_of_a_device_share_its_mark(moody: World, bob: Client) -> None:
    first = Program(moody, "laptop", "1")
    write(bob, "one")
    second = Program(moody, "laptop", "2")
    assert second.given() == ["one"]
    assert first.read() == ["one"]
    assert Program(moody, "laptop", "3").given() == []
    write(bob, "two")
    assert [first.given(), second.given()] == [["two"], ["two"]]


def test_a_program_that_takes_its_own_place_loses_nothing(moody: World, bob: Client) -> None:
    old = Program(moody, "laptop", "1")
    write(bob, "one")
    old.given()
    new = Program(moody, "laptop", "1")
    assert not old.client.open
    write(bob, "two")
    assert new.given() == ["one", "two"]


def test_who_logs_out_and_becomes_somebody_else_is_given_nothing_more(moody: World, bob: Client) -> None:
    program = Program(moody, "laptop")
    other = Program(moody, "phone")
    program.record(do="logout")
    program.given()
    write(bob, "one")
    assert program.given() == []
    assert other.given() == ["one"]
    program.record(do="ack", seq=99)
    assert marks(moody)["laptop"] == 0


# ---- acknowledging ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [10**9, 2**53])
def test_nothing_is_acknowledged_before_it_was_shown(moody: World, bob: Client, seq: int) -> None:
    phone = Program(moody, "phone")
    phone.record(do="ack", seq=seq)
    write(bob, "one")
    assert phone.given() == ["one"]
    phone.drop()
    assert Program(moody, "phone").given() == ["one"]


def test_a_mark_never_goes_back(moody: World, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, "one", "two")
    phone.given()
    phone.ack()
    phone.ack(0)
    phone.record(do="ack", seq=0)
    phone.drop()
    assert Program(moody, "phone").given() == []


def test_two_tabs_that_acknowledge_in_any_order_keep_the_greater_mark(moody: World, bob: Client) -> None:
    tabs = [Program(moody, "laptop", tab) for tab in ("1", "2")]
    write(bob, "one", "two")
    for tab in tabs:
        tab.given()
    tabs[0].ack()
    tabs[1].ack(0)
    for tab in tabs:
        tab.drop()
    assert Program(moody, "laptop").given() == []


# ---- people and programs without a device ----------------------------------------------------------------------------


def test_a_person_is_shown_what_no_device_has_read(moody: World, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, "one", "two")
    phone.given()
    phone.ack(0)
    phone.drop()
    alice = moody.person()
    alice.say("/login alice secret")
    lines = alice.lines()
    assert lines[2] == "1 message while you were away:"
    assert lines[3].endswith("bob (private): two")
    assert len(lines) == 4
    alice.drop()
    assert Program(moody, "phone").given() == ["two"], "a device has its own mark"


def test_what_a_person_has_read_waits_for_a_device_that_was_there_before(moody: World, bob: Client) -> None:
    Program(moody, "phone").drop()
    write(bob, "one")
    alice = moody.person()
    alice.say("/login alice secret")
    write(bob, "two")
    assert [line.partition("(private): ")[2] for line in alice.lines()[3:]] == ["one", "two"]
    assert Program(moody, "phone").given() == ["one", "two"]
    assert Program(moody, "laptop").given() == []


def test_a_person_and_a_device_each_hear_what_comes(moody: World, bob: Client) -> None:
    alice, phone = moody.person(), Program(moody, "phone")
    alice.say("/login alice secret")
    alice.take()
    write(bob, "one")
    assert alice.lines() == ["bob (private): one"]
    assert phone.given(late=False) == ["one"]
    alice.drop()
    phone.drop()
    assert Program(moody, "phone").given() == ["one"], "it has acknowledged nothing"


def test_a_reply_goes_to_the_newest_message_while_a_slow_device_is_given_older_ones(moody: World, bob: Client) -> None:
    Program(moody, "laptop").drop()
    alice = moody.person()
    alice.say("/login alice secret")
    for _ in range(40):
        write(bob, "x" * 4000)
    write(moody.person("carol"), "the newest")
    alice.take()
    slow = SocketClient(moody)
    slow.socket.room = 20_000
    laptop = Program(moody, "laptop", client=slow)
    assert b"the newest" not in slow.take()
    alice.say("/reply me?")
    assert alice.lines() == ["To carol (private): me?"]
    laptop.drop()


def test_a_device_that_comes_alone_replies_to_what_it_is_given(moody: World, bob: Client) -> None:
    Program(moody, "laptop").drop()
    write(bob, "one")
    laptop = Program(moody, "laptop")
    assert laptop.given() == ["one"]
    laptop.record(do="reply", text="yes?")
    assert bob.lines() == ["alice (private): yes?"]


def test_programs_without_a_device_share_one_mark(moody: World, bob: Client) -> None:
    moody.rules.sessions = 2
    Program(moody, "phone").drop()
    one = Program(moody, "")
    write(bob, "one")
    assert one.read() == ["one"]
    two = Program(moody, "")
    assert two.given() == []
    two.record(do="ack", seq=10**6)
    assert Program(moody, "phone").given() == ["one"]


def test_the_quota_counts_what_no_device_has_read(moody: World, bob: Client) -> None:
    Program(moody, "laptop").drop()
    phone = Program(moody, "phone")
    for _ in range(3):
        write(bob, *(f"{number}" for number in range(SHARE_OF_SENDER)))
        assert len(phone.read()) == SHARE_OF_SENDER
    phone.drop()
    write(bob, *(f"{number}" for number in range(SHARE_OF_SENDER)))
    bob.say("/msg alice one more")
    assert bob.lines()[0].startswith("Error: alice has not read the last")
    laptop = Program(moody, "laptop")
    assert len(laptop.given()) == 4 * SHARE_OF_SENDER
    bob.say("/msg alice one more")
    assert bob.lines()[0].startswith("Error: alice has not read the last")
    laptop.ack()
    write(bob, "one more")


# ---- stored ----------------------------------------------------------------------------------------------------------


def test_marks_are_there_after_a_restart(engine: MoodyEngine) -> None:
    world = made(engine)
    bob = world.person()
    bob.say("/login bob secret")
    bob.take()
    Program(world, "laptop").drop()
    phone = Program(world, "phone")
    write(bob, "one", "two")
    phone.given()
    phone.ack(0)
    phone.drop()
    bob.drop()
    again = World(engine, engine._reactor, announce=False, first_id=10_000)
    assert Program(again, "phone").given() == ["two"]
    assert Program(again, "laptop").given() == ["one", "two"]
    world.close(again)


def test_a_crash_before_the_mark_is_stored_shows_a_message_twice_and_loses_none(engine: MoodyEngine) -> None:
    world = made(engine)
    bob = world.person()
    bob.say("/login bob secret")
    bob.take()
    phone, laptop = Program(world, "phone"), Program(world, "laptop")
    write(bob, "one")
    assert phone.read() == ["one"]
    engine.broken = True  # from here on nothing reaches the disk
    assert laptop.read() == ["one"]
    world.end()
    engine.broken = False
    again = World(engine, engine._reactor, announce=False, first_id=10_000)
    assert Program(again, "laptop").given() == ["one"]
    assert Program(again, "phone").given() == []
    again.close()


def test_only_the_devices_that_were_here_last_are_remembered(moody: World, bob: Client) -> None:
    Program(moody, "old").drop()
    for number in range(DEVICES_REMEMBERED):
        moody.pass_time(1)
        Program(moody, f"device-{number}").drop()
    assert set(marks(moody)) == {f"device-{number}" for number in range(DEVICES_REMEMBERED)}
    moody.pass_time(DAY + 1)
    Program(moody, "device-0").drop()  # it is among those that were here last now
    Program(moody, "new").drop()
    assert set(marks(moody)) == {"new", "device-0", *(f"device-{number}" for number in range(2, DEVICES_REMEMBERED))}


def test_marks_go_with_the_account(moody: World) -> None:
    phone = Program(moody, "phone")
    assert set(marks(moody)) == {"phone"}
    phone.record(do="delete-account", password="secret")
    assert marks(moody) == {}
    assert phone.client.open
    moody.engine.put(BUCKET, "nobodys", b"{}", 0)
    moody.pass_time(EVERY)
    assert [key for key in stored_records(moody) if key[0] == BUCKET] == []


def test_a_failed_acknowledgement_is_stored_when_the_store_works_again(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    phone = Program(moody, "phone")
    write(bob, "one")
    phone.given()
    engine.broken = True
    phone.ack()
    phone.drop()
    moody.pass_time(AGAIN * 2.5)
    assert marks(moody) == {"phone": 0}
    engine.broken = False
    moody.pass_time(AGAIN)
    assert marks(moody) == {"phone": phone.seqs[0]}
    assert Program(moody, "phone").given() == []


def test_who_comes_back_while_the_mark_is_stored_is_given_nothing_twice(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    phone = Program(moody, "phone")
    write(bob, "one")
    phone.given()
    change, held = engine.change, []

    def slowly(*args: Any) -> Any:
        held.append(lambda: change(*args))
        from twisted.internet.defer import Deferred

        later: Deferred[Any] = Deferred()
        held[-1] = lambda: change(*args).chainDeferred(later)
        return later

    engine.change = slowly  # type: ignore[method-assign]
    phone.ack()
    phone.drop()
    again = Program(moody, "phone")
    assert again.given() == []
    engine.change = change  # type: ignore[method-assign]
    for act in held:
        act()
    moody.settle()
    assert marks(moody) == {"phone": phone.seqs[0]}


def test_acknowledgements_while_one_is_stored_are_stored_as_one(moody: World, engine: MoodyEngine, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, *"abcdefgh")
    phone.given()
    stored = engine.change
    calls: list[Any] = []

    def counting(*args: Any) -> Any:
        calls.append(args)
        return stored(*args)

    engine.change = counting  # type: ignore[method-assign]
    engine.slow = True
    for number in range(8):
        phone.ack(number)
    moody.engine.let_go()  # type: ignore[attr-defined]
    moody.settle()
    engine.change = stored  # type: ignore[method-assign]
    assert len(calls) == 2
    assert marks(moody) == {"phone": phone.seqs[-1]}


def test_two_daemons_lose_no_mark_of_each_other(engine: MoodyEngine) -> None:
    idle: list[DeviceMarks] = []
    clock: Clock = engine._reactor
    both = [DeviceMarks(engine, RetryQueue(engine, clock), lambda: int(NOON), "alice", idle.append) for _ in range(2)]
    for each in both:
        each.hold(each)
    assert result(both[0].begin("phone", 3)) == 3
    assert result(both[1].begin("laptop", 5)) == 5
    both[0].advance("phone", 7)
    both[1].advance("laptop", 9)
    assert result(both[0].begin("laptop", 99)) == 9
    assert result(both[1].begin("phone", 99)) == 7
    assert idle == []
    for each in both:
        each.release(each)
        each.release(each)
    assert idle[0] in both


# ---- while something goes wrong, or is under way ---------------------------------------------------------------------


def test_an_inbox_that_cannot_be_read_is_read_when_the_next_message_comes(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    Program(moody, "phone").drop()
    write(bob, "one")
    read_page = engine.read

    def failing(*args: Any, **options: Any) -> Any:
        engine.broken = True
        try:
            return read_page(*args, **options)
        finally:
            engine.broken = False

    engine.read = failing  # type: ignore[method-assign]
    phone = Program(moody, "phone")
    assert phone.given() == []
    phone.record(do="ack", seq=5)
    engine.read = read_page  # type: ignore[method-assign]
    write(bob, "two")
    assert phone.given() == ["one", "two"]


@pytest.mark.parametrize("steps", range(1, 8))
def test_what_comes_while_the_device_catches_up_comes_once_and_in_order(
    moody: World, engine: MoodyEngine, bob: Client, steps: int
) -> None:
    """Whatever is under way when the message is stored."""
    other = Program(moody, "laptop")
    Program(moody, "phone").drop()
    write(bob, "one", "two")
    other.read()
    plain = {name: getattr(engine, name) for name in ("read", "get", "follow", "change")}
    left = [steps]

    def meanwhile(name: str) -> Any:
        def act(*args: Any, **options: Any) -> Any:
            found = plain[name](*args, **options)
            left[0] -= 1
            if left[0] == 0:
                for each, function in plain.items():
                    setattr(engine, each, function)
                bob.say("/msg alice three")
            return found

        return act

    for name in plain:
        setattr(engine, name, meanwhile(name))
    phone = Program(moody, "phone")
    for each, function in plain.items():
        setattr(engine, each, function)
    write(bob, "four")
    texts = phone.given()
    assert texts == ["one", "two", *(["three"] if left[0] <= 0 else []), "four"]
    phone.ack()
    phone.drop()
    assert Program(moody, "phone").given() == []


def test_a_session_that_goes_while_its_inbox_is_read_leaves_nothing_behind(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    Program(moody, "phone").drop()
    write(bob, "one")
    phone = moody.connect()
    phone.record(do="hello", version=1, device="phone")
    engine.slow = True
    phone.record(do="login", user="alice", password="secret")
    phone.drop()
    engine.let_go()
    moody.settle()
    assert Program(moody, "phone").given() == ["one"]


def test_who_logs_out_while_the_inbox_is_read_is_given_nothing_of_it(
    moody: World, engine: MoodyEngine, bob: Client
) -> None:
    Program(moody, "phone").drop()
    write(bob, "one")
    read_page, held = engine.read, []

    def slowly(*args: Any, **options: Any) -> Any:
        later: Deferred[Any] = Deferred()
        held.append(lambda: read_page(*args, **options).chainDeferred(later))
        return later if options.get("oldest") else read_page(*args, **options)

    engine.read = slowly  # type: ignore[method-assign]
    phone = Program(moody, "phone")
    assert "account" in {record["event"] for record in phone.client.records()}
    phone.record(do="logout")
    engine.read = read_page  # type: ignore[method-assign]
    for act in held:
        act()
    moody.settle()
    assert phone.given() == []
    assert phone.client.open


def test_an_entry_that_was_read_before_it_is_delivered_is_shown_once(moody: World, bob: Client) -> None:
    phone = Program(moody, "phone")
    write(bob, "one")
    assert phone.given() == ["one"]
    user: Any = moody.chat.names.get("alice")
    (feed,) = user.inbox._feeds.values()
    page: Any = []
    moody.engine.read(user.inbox_log, limit=5).addCallback(page.append)
    feed.deliver(page[0].entries)
    assert phone.given() == []


def test_a_slow_device_that_goes_is_waited_for_no_longer(moody: World, bob: Client) -> None:
    Program(moody, "phone").drop()
    write(bob, "x" * 4000)
    slow = SocketClient(moody)
    slow.socket.room = 0
    Program(moody, "phone", client=slow)
    assert moody.chat.sessions[slow.transport.protocol._session.id].out.holds
    slow.drop()
    assert Program(moody, "phone").given() == ["x" * 4000]


def test_all_that_waited_reaches_a_slow_device_and_holds_up_nobody(engine: MoodyEngine) -> None:
    world = made(engine, send_queue=256 * 1024)
    phone = Program(world, "phone")
    Program(world, "laptop").drop()
    texts = [f"{number:03} " + "x" * 4000 for number in range(INBOX_MESSAGES - 1)]
    for text, writer in zip(texts, world.writers(len(texts), SHARE_OF_SENDER // 2), strict=True):
        writer.say(f"/msg alice {text}")
        assert phone.read() == [text]
    slow = SocketClient(world)
    slow.socket.room = 0
    Program(world, "laptop", client=slow)
    writer = world.person("zoe")
    writer.say("/msg alice the last")
    assert phone.read() == ["the last"]
    taken = b""
    for number in range(500):
        world.pass_time(0.6)
        if number % 100 == 0:
            slow.record(do="pong")
        slow.transport.make_room(8000)
        taken += slow.take()
        assert slow.open, f"dropped after {len(taken)} bytes"
    found = [record["text"] for record in map(json.loads, taken.splitlines()) if record["event"] == "private"]
    assert found == [*texts, "the last"]
    nobody_is_left(world)
    world.close()


def test_a_page_of_marks_only_is_skipped(moody: World, bob: Client) -> None:
    Program(moody, "laptop").drop()
    phone = Program(moody, "phone")
    for number in range(READ_AT_ONCE + 5):
        write(bob, f"{number}")
        phone.read()
    laptop = Program(moody, "laptop")
    assert laptop.given() == [f"{number}" for number in range(READ_AT_ONCE + 5)]


# ---- any order -------------------------------------------------------------------------------------------------------

NAMES = ("phone", "laptop", "tablet")
ACTS = st.one_of(
    st.just(("write", "")),
    st.tuples(st.sampled_from(("come", "come", "go", "lose", "ack", "ack half", "log out")), st.sampled_from(NAMES)),
    st.tuples(st.just("restart"), st.just("")),
)


class Device:
    """What one device should have been given, and what it has acknowledged, counted in messages."""

    def __init__(self, begins: int) -> None:
        self.program: Program | None = None
        self.acked = self.given = begins


class Model:
    """The server, and what should be true of each device."""

    def __init__(self, engine: MoodyEngine) -> None:
        self.engine = engine
        self.world = made(engine)
        self.worlds = [self.world]
        self.written: list[str] = []
        self.furthest = 0
        self.devices: dict[str, Device] = {}
        self.bob = self._bob()

    def _bob(self) -> Client:
        bob = self.world.person()
        bob.say("/login bob secret")
        bob.take()
        return bob

    def act(self, do: str, name: str) -> None:
        """Do one thing, and check what each device is given."""
        device = self.devices.get(name)
        program = device.program if device is not None else None
        if do == "write":
            self.written.append(f"message {len(self.written)}")
            write(self.bob, self.written[-1])
        elif do == "restart":
            self.restart()
        elif do == "come":
            self.come(name)
        elif device is not None and program is not None:
            self._act(do, device, program)
        self.check()

    def _act(self, do: str, device: Device, program: Program) -> None:
        if do in ("go", "lose", "log out"):
            program.record(do="logout") if do == "log out" else program.drop()
            device.program = None
        elif program.seqs:
            program.ack(-1 if do == "ack" else len(program.seqs) // 2)
            left = 0 if do == "ack" else len(program.seqs) - len(program.seqs) // 2 - 1
            device.acked = max(device.acked, device.given - left)
            self.furthest = max(self.furthest, device.acked)

    def come(self, name: str) -> None:
        """Let a device come, or come again while its last session is still here."""
        device = self.devices.setdefault(name, Device(self.furthest))
        device.program = Program(self.world, name)
        device.given = device.acked

    def restart(self) -> None:
        """End all connections to the daemon, and start another one on the same engine."""
        nobody_is_left(self.world)
        self.world = World(self.engine, self.engine._reactor, announce=False, first_id=1000 * len(self.worlds) + 1000)
        self.worlds.append(self.world)
        self.bob = self._bob()
        for device in self.devices.values():
            device.program = None

    def check(self) -> None:
        """Assert that each device that is here is given all that is new to it, in order."""
        for name, device in self.devices.items():
            if device.program is not None:
                assert device.program.given() == self.written[device.given :], name
                device.given = len(self.written)


@settings(max_examples=80, deadline=None)
@given(st.lists(ACTS, min_size=10, max_size=40))
def test_whatever_happens_each_device_is_given_what_it_has_not_acknowledged(acts: list[tuple[str, str]]) -> None:
    model = Model(MoodyEngine(Clock()))
    for each in acts:
        model.act(*each)
    nobody_is_left(model.world)
    model.world.close(*model.worlds[:-1])
