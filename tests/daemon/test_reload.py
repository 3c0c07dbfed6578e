"""Options that are read again hold at once for whom they can; the rest is said, and nobody is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import person_on_a_socket
from harness import World
from msgspec.structs import replace
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.python import usage

from chatroom.chat.retention import EVERY
from chatroom.daemon.options import DaemonSettings, motd
from chatroom.daemon.reload import LIVE, Reload, rules_of
from chatroom.model.errors import LOGIN_NEEDS_TLS, NEEDS_TLS
from chatroom.model.logger import logger, set_level


class Operator:
    """Changes the options of a world, and reads its log.

    Args:
        world: The world.

    Attributes:
        wanted: What is found when the options are read again, or what is wrong with them.
        logged: What reloading has logged, with how grave it is.
        renewals: How often the certificate was read again.
    """

    def __init__(self, world: World) -> None:
        self.holds = DaemonSettings(rate=0.0, per_address=0, sendq=0)
        self.wanted: DaemonSettings | usage.UsageError = self.holds
        self.logged: list[tuple[LogLevel, str]] = []
        self.renewals = 0
        self._reloading = Reload(
            self.holds,
            self._read,
            lambda it: rules_of(it, it.max_users),
            world.factory,
            world.factory.text,
            self._renew,
        )

    def change(self, **options: Any) -> None:
        """Let these options be read; what was changed before is as at the start again."""
        self.wanted = replace(self.holds, **options)
        self._reloading.reload()

    def breaks(self, why: str) -> None:
        """Let it be found that this is wrong with them."""
        self.wanted = usage.UsageError(why)
        self._reloading.reload()

    def observe(self, event: dict[str, Any]) -> None:
        """Keep what reloading logs."""
        if event["log_namespace"] == "chatroom.daemon.reload":
            self.logged.append((event["log_level"], formatEvent(event)))

    def _renew(self) -> None:
        self.renewals += 1

    def _read(self) -> DaemonSettings:
        if isinstance(self.wanted, usage.UsageError):
            raise self.wanted
        return self.wanted


@pytest.fixture
def operator(world: World) -> Iterator[Operator]:
    """The operator of the test's world."""
    made = Operator(world)
    globalLogPublisher.addObserver(made.observe)
    yield made
    globalLogPublisher.removeObserver(made.observe)
    set_level("info")


def test_what_can_change_is_an_option() -> None:
    assert set(DaemonSettings.__struct_fields__) >= LIVE


def test_who_comes_next_is_greeted_otherwise(world: World, operator: Operator, tmp_path: Path) -> None:
    alice = world.person("alice", "lobby")
    words = tmp_path / "motd"
    words.write_text("be \x1b[1mkind")
    operator.change(name="The Pub", motd=str(words))
    bob = world.connect()
    world.pass_time(0.3)
    assert bob.lines()[:2] == [f"Welcome to The Pub. You are {bob.transport.protocol._session.name}.", "be kind"]
    words.write_text("be quick")
    operator.change(name="The Pub", motd=str(words))
    carl = world.connect()
    world.pass_time(0.3)
    assert carl.lines()[1] == "be quick"
    assert operator.logged == [
        (LogLevel.info, "options read again; changed: motd, name"),
        (LogLevel.info, "options read again; changed: motd"),
    ]
    assert alice.open
    assert alice.lines() == []


def test_who_joins_next_is_shown_as_much(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    for i in range(3):
        alice.say(f"m{i}")
    operator.change(replay=2)
    bob = world.person("bob")
    bob.say("/join lobby")
    assert [line.partition("] ")[2] for line in bob.lines()[2:]] == ["alice: m1", "alice: m2"]


def test_a_new_password_must_be_so_long_from_then_on(world: World, operator: Operator) -> None:
    zoe = world.person()
    operator.change(min_password=13)
    zoe.say("/register zoe twelve-chars")
    assert zoe.lines() == ["Error: a password has at least 13 characters."]


def test_the_rate_is_for_those_who_come(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    operator.change(rate=1.0)
    bob = world.person("bob", "lobby")
    alice.take()
    for client in (alice, bob):
        client.say(*["hi"] * 20)
    said = alice.lines()
    assert said.count("alice: hi") == 20
    assert said.count("bob: hi") == 8  # a burst of 10, his name and his joining with them
    bob.drop()
    operator.change()
    carl = world.person("carl", "lobby")
    carl.say(*["hi"] * 20)
    assert carl.lines() == ["carl: hi"] * 20


def test_so_many_may_come_from_one_address(world: World, operator: Operator) -> None:
    first = [world.connect("10.0.0.1") for _ in range(3)]
    operator.change(per_address=1)
    assert all(client.open for client in first)
    world.connect("10.0.0.1")  # the first that is counted
    refused = world.connect("10.0.0.1")
    assert refused.lines() == ["Error: too many connections from your address; try again later."]
    operator.change(per_address=0)
    assert world.connect("10.0.0.1").lines() == []
    world.pass_time(3.0)


def test_so_much_is_held_for_who_comes_and_reads_slowly(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    patient = person_on_a_socket(world, "patient", "lobby")
    operator.change(sendq=1000)
    hasty = person_on_a_socket(world, "hasty", "lobby")
    for client in (patient, hasty):
        client.socket.room = 0
    alice.say("x" * 900, "x" * 900)
    world.settle()
    assert (patient.transport.connected, hasty.transport.connected) == (True, False)
    patient.transport.make_room()
    assert patient.lines()[-3:-1] == ["alice: " + "x" * 900] * 2


def test_there_may_be_so_many_users(world: World, operator: Operator) -> None:
    people = [world.person(f"p{i}") for i in range(3)]
    operator.change(max_users=2)
    late = world.connect()
    world.pass_time(0.3)
    assert late.lines() == ["Error: the chat is full (max users 2)."]
    assert all(person.open for person in people)
    operator.change(max_users=4)
    assert world.person("late").open
    world.pass_time(3.0)


def test_an_account_may_be_in_use_on_so_many_devices(world: World, operator: Operator) -> None:
    world.person().say("/register alice secret", "/logout")

    def come(device: str) -> str:
        program = world.connect()
        program.record(do="hello", version=1, device=device)
        program.record(do="login", user="alice", password="secret", ref=1)
        (answer,) = [record for record in program.records() if record.get("re") == 1]
        return str(answer.get("code", answer["event"]))

    operator.change(devices=2)
    assert [come("one"), come("two"), come("three")] == ["account", "account", "too-many-devices"]
    operator.change(devices=1)
    alice = world.chat.names.get("alice")
    assert alice is not None
    assert len(alice.sessions) == 2, "nobody is dropped"
    operator.change(devices=0)
    assert come("four") == "account"


def test_so_much_is_kept(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    alice.say("m0", "m1", "m2")
    operator.change(keep=1)
    world.pass_time(EVERY)
    alice.take()
    alice.say("/history")
    assert [line.partition("] ")[2] for line in alice.lines()] == ["alice: m2"]


def test_messages_read_otherwise_with_and_without_the_time(world: World, operator: Operator) -> None:
    """For those as well who have been there; and as before when the form is taken back."""
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    bob.say("/timestamps on")
    alice.take()
    bob.take()
    operator.change(message_format="<{user}@{room}> {text}")
    alice.say("hi")
    assert alice.lines() == ["<alice@lobby> hi"]
    assert [line.partition("] ")[2] for line in bob.lines()] == ["<alice@lobby> hi"]
    operator.change()
    alice.say("hi")
    assert alice.lines() == ["alice: hi"]


def test_the_log_level_changes(operator: Operator) -> None:
    heard: list[str] = []
    globalLogPublisher.addObserver(observer := lambda event: heard.append(event.get("log_format", "")))
    operator.change(log_level="error")
    logger("chatroom.daemon.reload").warn("a warning")
    operator.change(log_level="debug")
    logger("chatroom.daemon.reload").debug("a detail")
    globalLogPublisher.removeObserver(observer)
    assert "a warning" not in heard
    assert "a detail" in heard


def test_what_needs_a_restart_is_said_and_not_obeyed(operator: Operator) -> None:
    """Each time, for as long as it differs from what runs."""
    for _ in range(2):
        operator.change(port=1, data="/x", metrics="1", ephemeral=True, interface="x", replay=3)
    assert operator.logged == [
        (LogLevel.info, "options read again; changed: replay"),
        (LogLevel.warn, "changed, but only a restart makes it so: data, ephemeral, interface, metrics, port"),
        (LogLevel.info, "options read again; changed: nothing"),
        (LogLevel.warn, "changed, but only a restart makes it so: data, ephemeral, interface, metrics, port"),
    ]


def test_what_is_wrong_is_said_in_one_sentence_and_changes_nothing(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    operator.change(name="The Pub")
    operator.breaks("--config c.toml: rate: Expected `float` >= 0.0")
    assert operator.logged[1:] == [
        (
            LogLevel.warn,
            "nothing is changed, for the options cannot be read again: --config c.toml: rate: Expected `float` >= 0.0",
        )
    ]
    assert world.rules.name == "The Pub"
    assert alice.open


def test_words_of_greeting_that_are_gone_change_nothing(world: World, operator: Operator, tmp_path: Path) -> None:
    operator.change(name="The Pub", motd=str(tmp_path / "gone"))
    assert world.rules.name == "chatroom"
    ((level, sentence),) = operator.logged
    assert level == LogLevel.warn
    assert str(tmp_path / "gone") in sentence
    with pytest.raises(usage.UsageError):
        motd(DaemonSettings(motd=str(tmp_path / "gone")))


def test_the_certificate_is_read_again_whatever_becomes_of_the_options(operator: Operator) -> None:
    operator.change()
    operator.breaks("--config c.toml: no")
    assert operator.renewals == 2


def test_tls_may_be_required_of_those_who_come_and_of_logins(world: World, operator: Operator) -> None:
    alice = world.person("alice", "lobby")
    operator.change(require_tls="all")
    bob = world.connect()
    bob.say("/name bob")
    assert bob.lines() == [f"Error: {NEEDS_TLS.text}"]
    alice.say("/login alice secret")
    assert alice.lines() == [f"Error: {LOGIN_NEEDS_TLS.text}"]
    operator.change()
    assert world.person("carl").open
    world.pass_time(3.0)
