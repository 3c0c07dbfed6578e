"""The audit log of the chat: a line for every act that was done, none for what was refused, never a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from order import FAR, PASSWORD, account, ask, guest, owner
from twisted.internet.task import Clock
from twisted.logger import formatEvent

from chatroom.chat.limits import ACTS_OF_ADDRESS, ACTS_OF_ONE, ACTS_WINDOW
from chatroom.chat.operators.audit import MEMBERS, NAMESPACE
from chatroom.engines.memory import MemoryEngine
from chatroom.model.logger import watch


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines as they are written down."""
    lines: list[str] = []
    unwatch = [watch(name, lambda event: lines.append(formatEvent(event))) for name in (NAMESPACE, MEMBERS)]
    yield lines
    for stop in unwatch:
        stop()


@pytest.fixture
def operators_log() -> Iterator[list[str]]:
    """The lines of operators' acts alone."""
    lines: list[str] = []
    unwatch = watch(NAMESPACE, lambda event: lines.append(formatEvent(event)))
    yield lines
    unwatch()


IN_A_ROOM: list[tuple[dict[str, Any], str]] = [
    ({"do": "topic", "text": "cats"}, "alice topic: cats in den"),
    ({"do": "topic", "text": ""}, "alice topic in den"),
    ({"do": "kick", "user": "bob", "reason": "spam"}, "alice kicked bob: spam in den"),
    ({"do": "kick", "user": "bob"}, "alice kicked bob in den"),
    ({"do": "ban", "user": "bob", "seconds": 600, "reason": "spam"}, "alice banned bob for 10 minutes: spam in den"),
    ({"do": "ban", "user": FAR + "1"}, f"alice banned {FAR}1 in den"),
    ({"do": "mute", "user": "bob", "seconds": 7200}, "alice muted bob for 2 hours in den"),
    ({"do": "op", "user": "bob"}, "alice opped bob in den"),
    ({"do": "invite", "user": "bob"}, "alice invited bob in den"),
    ({"do": "lock"}, "alice locked in den"),
    ({"do": "unlock"}, "alice unlocked in den"),
    ({"do": "slow", "seconds": 30}, "alice slowed to one message every 30 seconds in den"),
    ({"do": "slow", "seconds": 0}, "alice slowed no more in den"),
    ({"do": "close", "reason": "moved"}, "alice closed: moved in den"),
    ({"do": "delete", "user": "bob"}, "alice deleted a message of bob in den"),
]
TAKEN_BACK = [("ban", "unban", "unbanned"), ("mute", "unmute", "unmuted"), ("op", "deop", "deopped")]


@pytest.mark.parametrize(("record", "line"), IN_A_ROOM, ids=lambda value: value if isinstance(value, str) else "")
def test_an_act_in_a_room_is_a_line(world: World, log: list[str], record: dict[str, Any], line: str) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="say", text="the words of bob")
    assert ask(alice, **record) == "ok"
    assert log == [line]


@pytest.mark.parametrize(("do", "undo", "word"), TAKEN_BACK)
def test_an_act_taken_back_is_a_line(world: World, log: list[str], do: str, undo: str, word: str) -> None:
    alice = guest(world, "alice", "den")
    guest(world, "bob", "den")
    assert (ask(alice, do, user="bob"), ask(alice, undo, user="bob")) == ("ok", "ok")
    assert log[1:] == [f"alice {word} bob in den"]


ON_THE_SERVER: list[tuple[dict[str, Any], str]] = [
    ({"do": "announce", "text": "cake"}, "root made an announcement"),
    ({"do": "add-account", "user": "nina", "password": PASSWORD}, "root made the account nina"),
    ({"do": "remove-account", "user": "mary"}, "root removed the account mary"),
    ({"do": "set-operator", "user": "mary", "on": True}, "root made mary an operator"),
    ({"do": "set-operator", "user": "mary", "on": False}, "root made mary an operator no more"),
    ({"do": "set-password", "user": "mary", "password": PASSWORD}, "root gave mary another password"),
    ({"do": "close", "room": "den", "reason": "loud"}, "root closed the room den: loud"),
]


@pytest.mark.parametrize(("record", "line"), ON_THE_SERVER, ids=lambda value: value if isinstance(value, str) else "")
def test_an_act_on_the_server_is_a_line(world: World, log: list[str], record: dict[str, Any], line: str) -> None:
    guest(world, "gus", "den")
    account(world, "mary")
    root = owner(world, "root", operator=True)
    assert ask(root, **record) == "ok"
    assert log == [line]


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ({"do": "kick", "user": "gus", "reason": "spam"}, ("gus", "the server", "spam")),
        ({"do": "ban", "user": "gus", "seconds": 3600, "reason": "spam"}, ("gus", "the server", "1 hour", "spam")),
        ({"do": "ban", "user": FAR + "1"}, (FAR + "1", "the server")),
    ],
)
def test_who_is_put_off_the_server_is_in_a_line(
    world: World, log: list[str], record: dict[str, Any], names: tuple[str, ...]
) -> None:
    guest(world, "gus", "den")
    root = owner(world, "root", operator=True)
    assert ask(root, **record) == "ok"
    (line,) = log
    assert line.startswith("root ")
    assert all(name in line for name in names), line
    if record["do"] == "ban":
        assert ask(root, "unban", user=record["user"]) == "ok"
        assert len(log) == 2
        assert record["user"] in log[1]


@pytest.mark.parametrize("act", [{"do": "lock"}, {"do": "kick", "user": "bob"}, {"do": "delete", "user": "bob"}])
def test_an_act_is_written_down_before_anybody_sees_it(log: list[str], act: dict[str, Any]) -> None:
    """Else one that was seen could be missing after a crash."""
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="say", text="hello")
    bob.records()
    engine.holding = True
    alice.record(**act)
    assert len(log) == 1
    assert bob.records() == []
    engine.let_go()
    world.settle()
    assert len(bob.records()) == 1
    world.close()


OPERATORS_ACTS: list[dict[str, Any]] = [
    {"do": "announce", "text": "cake"},
    {"do": "kick", "user": "bob"},
    {"do": "ban", "user": "bob"},
    {"do": "close", "room": "den"},
]


@pytest.mark.parametrize("act", OPERATORS_ACTS)
def test_an_operators_act_is_written_down_before_anybody_sees_it(log: list[str], act: dict[str, Any]) -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    root, bob = owner(world, "root", operator=True), guest(world, "bob", "den")
    engine.holding = True
    root.record(**act)
    assert len(log) == 1
    assert bob.records() == []
    while engine._held:
        engine.let_go()
        world.settle()
    assert len(bob.records()) == 1
    world.close()


def test_an_act_that_may_not_have_been_stored_is_written_down_as_that(log: list[str]) -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    engine.broken = True
    assert ask(alice, "kick", user="bob") == "not-confirmed"
    assert log == [], "the record could not even be looked at"
    get = MemoryEngine.get
    engine.get = lambda *args: get(engine, *args)  # type: ignore[method-assign]
    assert ask(alice, "kick", user="bob") == "not-confirmed"
    assert log == ["alice kicked bob in den", "alice was not told whether this was stored: kicked bob in den"]
    assert bob.records() == []
    engine.let_go()
    world.close()


def test_draining_is_two_lines(world: World, log: list[str]) -> None:
    """It makes an announcement, which is an act itself; what changes nothing is none."""
    root = owner(world, "root", operator=True)
    for on in (True, True, False, False):
        assert ask(root, "drain", on=on) == "ok"
    assert log == ["root began to drain the server", "root made an announcement", "root let people in again"]


def test_what_was_refused_and_what_was_only_looked_at_is_no_line(world: World, log: list[str]) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    for record, _ in (*IN_A_ROOM, *ON_THE_SERVER):
        ask(bob, **record)
    for name in ("alice", "zed", "127.0.0.1", "a,b"):
        ask(alice, "kick", user=name)
    for do in ("topic", "ban", "mute"):
        assert ask(alice, do) == "ok"
    assert log == []


NASTY = "one\r\nroot made mallory an operator\x85two\u2028three\x1b[2J\x00"


@pytest.mark.parametrize("do", ["topic", "kick", "ban", "mute", "close"])
def test_what_is_given_as_a_reason_or_a_topic_makes_no_second_line(world: World, log: list[str], do: str) -> None:
    alice = guest(world, "alice", "den")
    guest(world, "bob", "den")
    more: dict[str, Any] = {"text": NASTY} if do == "topic" else {"reason": NASTY}
    assert ask(alice, do, **more, **({"user": "bob"} if do in ("kick", "ban", "mute") else {})) == "ok"
    assert len(log) == 1
    assert log[0].isprintable()


def test_no_reason_is_longer_than_it_may_be(world: World, log: list[str]) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "kick", user="bob", reason="x" * 4000) == "ok"
    assert [len(record["reason"]) for record in bob.records() if record["event"] == "kicked"] == [200]
    assert len(log[0]) < 250


@pytest.mark.parametrize("text", ["{by}", "{", "}", "{0}", "{log_failure}", "%s"])
def test_what_looks_like_a_format_is_written_as_it_is(world: World, log: list[str], text: str) -> None:
    alice = guest(world, "alice", "den")
    guest(world, "bob", "den")
    assert ask(alice, "kick", user="bob", reason=text) == "ok"
    assert log == [f"alice kicked bob: {text} in den"]


def test_no_password_and_nothing_said_is_in_any_log(world: World, log: list[str]) -> None:
    """Whatever way a password is given; the daemon's own log is looked at, too."""
    everything: list[str] = []
    from twisted.logger import globalLogPublisher

    def observe(event: dict[str, Any]) -> None:
        everything.append(f"{formatEvent(event)} {[value for value in event.values() if isinstance(value, str)]}")

    globalLogPublisher.addObserver(observe)
    try:
        root, gus = owner(world, "root", operator=True), guest(world, "gus", "den")
        for do in ("add-account", "set-password"):
            assert ask(root, do, user="nina", password="sesame-1") == "ok"
        assert ask(root, "add-account", user="nina", password="sesame-2") == "name-in-use"
        gus.record(do="say", text="sesame-3")
        gus.record(do="delete")
        assert ask(gus, "login", user="nina", password="sesame-4") == "wrong-password"
        assert ask(gus, "register", user="gustav", password="sesame-5") == "ok"
        assert ask(gus, "password", old="sesame-5", new="sesame-6") == "ok"
        person = world.person()
        person.say("/login nina sesame-7", "login", "nina,sesame-8", "/add-account x sesame-9")
    finally:
        globalLogPublisher.removeObserver(observe)
    assert len(log) == 3
    assert len(everything) > 3
    assert not re.search("sesame", "\n".join([*log, *everything]))


# ---- what members do pushes out nothing --------------------------------------------------------------------------


def test_an_operators_act_in_a_room_is_among_operators_acts_and_a_members_is_not(
    world: World, log: list[str], operators_log: list[str]
) -> None:
    alice, root = guest(world, "alice", "den"), owner(world, "root", operator=True)
    root.record(do="join", room="den")
    assert (ask(alice, "topic", text="dogs"), ask(root, "topic", text="cats")) == ("ok", "ok")
    assert log == ["alice topic: dogs in den", "root topic: cats in den"]
    assert operators_log == ["root topic: cats in den"]


def topics(client: Client, number: int) -> None:
    """Change the topic so many times."""
    for i in range(number):
        assert ask(client, "topic", text=f"topic {i}") == "ok"


def come(world: World, name: str, host: str) -> Client:
    """Return a program from that address that has made a room of its own."""
    client = world.connect(host)
    client.record(do="hello", version=1, name=name)
    client.record(do="join", room=f"room-of-{name}")
    return client


def test_so_many_acts_of_one_member_are_written_down(world: World, log: list[str]) -> None:
    alice, carol = come(world, "alice", "192.0.2.7"), come(world, "carol", "192.0.2.8")
    topics(alice, ACTS_OF_ONE + 5)
    assert len(log) == ACTS_OF_ONE + 1
    assert log[-1] == "alice does more than is written down; further acts are only counted for a while"
    topics(carol, 1)
    assert log[-1] == "carol topic: topic 0 in room-of-carol"
    world.pass_time(ACTS_WINDOW)
    alice = come(world, "alice2", "192.0.2.7")
    topics(alice, 2)
    assert log[-2:] == [
        "alice2 topic: topic 0 in room-of-alice2 (5 acts before this one were only counted)",
        "alice2 topic: topic 1 in room-of-alice2",
    ]


def test_neither_other_names_nor_other_connections_nor_accounts_are_a_way_round(world: World, log: list[str]) -> None:
    for number in range(ACTS_OF_ONE + 3):
        member = come(world, f"guy{number}", f"2001:db8::{number:x}")
        topics(member, 1)
        member.drop()
    assert len(log) == ACTS_OF_ONE + 1
    for number in range(ACTS_OF_ADDRESS // ACTS_OF_ONE + 1):
        topics(owner(world, f"acc{number}", f"hall{number}", host="2001:db8::ffff"), ACTS_OF_ONE)
    written = [line for line in log if "does more than" not in line]
    assert len(written) == ACTS_OF_ADDRESS


def test_all_that_an_operator_does_is_written_down(world: World, operators_log: list[str]) -> None:
    root = owner(world, "root", operator=True)
    root.record(do="join", room="den")
    topics(root, ACTS_OF_ADDRESS + 5)
    assert len(operators_log) == ACTS_OF_ADDRESS + 5
