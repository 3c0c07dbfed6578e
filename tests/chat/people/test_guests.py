"""What is written to a guest's name while nobody has it waits for whoever takes it next; but not for ever."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient
from harness import Client, World, result

from chatroom.chat.limits import INBOX_MESSAGES
from chatroom.chat.people.guests import Guests

DAY = 24 * 3600.0
WAITS = "zed is offline and not registered; whoever takes that name next will read this."
NOBODY = "Error: no user named zed; see /who."


@pytest.fixture
def bob(world: World) -> Client:
    """Who writes, when zed has been there."""
    world.person("zed").drop()
    return world.person("bob")


def write(client: Client, *texts: str) -> list[str]:
    """Write to zed, and return what the writer is told."""
    client.take()
    client.say(*(f"/msg zed {text}" for text in texts))
    return client.lines()


def heard(client: Client) -> list[str]:
    """Return the private messages that somebody has heard."""
    return [line.partition("(private): ")[2] for line in client.lines() if "(private)" in line]


def zed(world: World) -> Client:
    """Return who takes the name."""
    client = world.person()
    client.say("/name zed")
    return client


def test_a_name_that_was_never_seen_is_nobodys(world: World) -> None:
    assert write(world.person("bob"), "hello") == [NOBODY]


def test_what_waits_is_given_to_whoever_takes_the_name_once(world: World, bob: Client) -> None:
    assert write(bob, "one", "two") == [WAITS] * 2
    first = zed(world)
    lines = first.lines()
    assert lines[:2] == ["You are now zed.", "2 messages while you were away:"]
    assert [line[-18:] for line in lines[2:]] == ["bob (private): one", "bob (private): two"]
    assert write(bob, "three") == ["To zed (private): three"]
    assert first.lines() == ["bob (private): three"]
    first.drop()
    assert zed(world).lines() == ["You are now zed."]


def test_a_program_that_takes_the_name_in_its_hello_is_given_it(world: World, bob: Client) -> None:
    write(bob, "one")
    bot = world.connect()
    bot.record(do="hello", version=1, name="zed")
    records = bot.records()
    assert [record["event"] for record in records] == ["welcome", "private"]
    assert (records[1]["text"], records[1]["late"]) == ("one", True)


def test_it_expires_after_a_week_and_so_does_the_name(world: World, bob: Client) -> None:
    write(bob, "one")
    world.pass_time(6.9 * DAY)
    assert write(bob, "two") == [WAITS]
    world.pass_time(0.2 * DAY)
    assert write(bob, "three") == [NOBODY]
    assert heard(zed(world)) in ([], ["two"])


def test_it_is_gone_when_the_name_is_registered(world: World, bob: Client) -> None:
    write(bob, "one")
    owner = world.person()
    owner.say("/register zed secret")
    assert heard(owner) == []
    owner.say("/account delete secret")
    owner.drop()
    assert heard(zed(world)) == []


def test_a_box_takes_so_many(world: World, bob: Client) -> None:
    assert write(bob, *(f"m{i}" for i in range(INBOX_MESSAGES))) == [WAITS] * INBOX_MESSAGES
    assert write(bob, "more") == ["Error: the inbox of zed is full; write again when zed has been here."]
    assert heard(zed(world)) == [f"m{i}" for i in range(INBOX_MESSAGES)]


def test_much_mail_reaches_a_slow_guest(world: World, bob: Client) -> None:
    """By pages, and none of it is left out."""
    long = [f"{i:03} " + "x" * 4000 for i in range(200)]
    for text in long:
        write(bob, text)
    guest = SocketClient(world)
    world.pass_time(0.3)
    guest.socket.room = 0
    guest.say("/name zed")
    taken = b""
    for _ in range(150):
        world.pass_time(0.6)
        guest.transport.make_room(8000)
        taken += guest.take()
        assert guest.open
    found = [line.partition("(private): ")[2] for line in taken.decode().split("\r\n") if "(private)" in line]
    assert found == long


def test_mail_is_for_the_name_and_not_for_one_like_it(world: World, bob: Client) -> None:
    write(bob, "one")
    other = world.person()
    other.say("/name zed2")
    assert heard(other) == []
    assert heard(zed(world)) == ["one"]


def reading(engine: MoodyEngine, how: str) -> None:
    """Make the next reading wait, or fail, and nothing else."""
    read = engine.read

    def differently(*args: Any, **options: Any) -> Any:
        engine.read = read  # type: ignore[method-assign]
        setattr(engine, how, True)
        found = read(*args, **options)
        setattr(engine, how, False)
        return found

    engine.read = differently  # type: ignore[method-assign]


def test_mail_that_cannot_be_read_waits_for_the_next_time(moody: World, engine: MoodyEngine) -> None:
    zed(moody).drop()
    write(moody.person("bob"), "one")
    reading(engine, "broken")
    first = zed(moody)
    assert first.lines() == ["You are now zed."]
    first.drop()
    assert heard(zed(moody)) == ["one"]


def test_mail_of_who_goes_while_it_is_read_waits_for_the_next(moody: World, engine: MoodyEngine) -> None:
    zed(moody).drop()
    write(moody.person("bob"), "one")
    reading(engine, "slow")
    first = zed(moody)
    first.drop()
    engine.let_go()
    moody.settle()
    assert heard(zed(moody)) == ["one"]


def test_names_and_mail_are_remembered_by_the_next_daemon(world: World, bob: Client) -> None:
    """All that is known is in the log, and what was given away is not given again."""
    write(bob, "one")
    world.person("carol").drop()
    again = Guests(world.engine, world.chat.mint, world.chat.now, world.chat.next_id)
    result(again.start())
    found, known = again.find("zed"), again.find("carol")
    assert found is not None
    assert (found.mail, found) == (True, world.chat.guests.find("zed"))
    assert known is not None
    assert not known.mail
    zed(world)
    found = again.find("ZED")
    assert found is not None
    assert not found.mail, "it follows the log"


def test_a_guest_is_remembered_before_that_is_stored(moody: World, engine: MoodyEngine) -> None:
    """Who comes and goes within a moment was here all the same."""
    bob = moody.person("bob")
    engine.holding = True
    zed(moody).drop()
    bob.say("/msg zed hello")
    engine.let_go()
    moody.settle()
    assert bob.lines() == ["zed is offline and not registered; whoever takes that name next will read this."]
    assert heard(zed(moody)) == ["hello"]
