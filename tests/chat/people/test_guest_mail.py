"""What is written to a guest's name while nobody has it waits for whoever takes it next; but not for ever."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient
from harness import Client, World, result
from twisted.internet.defer import fail

from chatroom.chat.limits import GUESTS, INBOX_MESSAGES, MAILBOXES_OF_ONE, NAMES_A_DAY, SHARE_OF_SENDER
from chatroom.chat.people.guest_mail import GuestMail
from chatroom.chat.retention import EVERY
from chatroom.model.log import Unavailable
from chatroom.model.names import user_name

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


def test_mail_for_a_name_has_the_id_of_the_guest_who_took_it(world: World, bob: Client) -> None:
    alice = world.program("alice")
    alice.drop()
    bob.say("/msg alice hi")
    back = world.program()
    back.record(do="hello", version=1, name="alice")
    (told,) = (record for record in back.records() if record["event"] == "private")
    alice_id = next(user.id for user in world.chat.users.values() if user.name == "alice")
    assert told["to_id"] == alice_id


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
    for i, writer in enumerate(world.writers(INBOX_MESSAGES, SHARE_OF_SENDER)):
        assert write(writer, f"m{i}") == [WAITS]
    assert write(bob, "more") == ["Error: the inbox of zed is full; write again after zed has read it."]
    assert heard(zed(world)) == [f"m{i}" for i in range(INBOX_MESSAGES)]


def test_much_mail_reaches_a_slow_guest(world: World, bob: Client) -> None:
    """By pages, and none of it is left out."""
    long = [f"{i:03} " + "x" * 4000 for i in range(200)]
    for text, writer in zip(long, world.writers(len(long), SHARE_OF_SENDER), strict=True):
        write(writer, text)
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
    again = GuestMail(world.engine, world.chat.mint, world.chat.now, world.chat.next_id)
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


# ---- under attack ------------------------------------------------------------------------------------------------


def cycle(world: World, names: int, via: str = "") -> None:
    """Let a guest take so many names, one after the other, and others expire."""
    for number in range(names):
        world.chat.guests.seen(user_name(f"cycled{number}"), "somebody", via)
        if not number % 500:
            world.settle()
    world.pass_time(EVERY)


def test_mail_waits_however_many_names_were_taken_since(world: World, bob: Client) -> None:
    write(bob, "one")
    cycle(world, GUESTS + 100)
    assert write(bob, "two") == [WAITS]
    assert heard(zed(world)) == ["one", "two"]


def test_mail_waits_for_the_next_daemon_however_many_names_were_taken_since(world: World, bob: Client) -> None:
    write(bob, "one")
    cycle(world, GUESTS + 100)
    assert len(world.engine._logs["server/guests"].rows) <= GUESTS  # type: ignore[attr-defined]
    again = World(world.engine, world.clock, first_id=10**6)
    assert heard(zed(again)) == ["one"]
    again.end()
    third = World(world.engine, world.clock, first_id=2 * 10**6)
    assert heard(zed(third)) == [], "it has been given away"
    third.end()


def test_one_address_does_not_make_the_names_of_others_forgotten(world: World, bob: Client) -> None:
    mallory = world.person(host="192.0.2.9")
    for number in range(NAMES_A_DAY + 5):
        mallory.say(f"/name mal{number}")
    mallory.take()
    mallory.drop()
    bob.take()
    bob.say(f"/msg mal{NAMES_A_DAY - 1} hello", f"/msg mal{NAMES_A_DAY} hello")
    assert {line.partition(";")[0] for line in bob.lines()} == {
        f"mal{NAMES_A_DAY - 1} is offline and not registered",
        f"Error: no user named mal{NAMES_A_DAY}",
    }
    world.pass_time(DAY)
    mallory = world.person(host="192.0.2.9")
    mallory.say(f"/name mal{NAMES_A_DAY}")
    mallory.drop()
    bob.take()
    bob.say(f"/msg mal{NAMES_A_DAY} hello")
    assert "will read this" in bob.lines()[0]


def test_one_address_fills_only_so_many_mailboxes(world: World, bob: Client) -> None:
    write(bob, "one")
    mallory = world.person(host="192.0.2.9")
    for number in range(MAILBOXES_OF_ONE + 1):
        mallory.say(f"/name mal{number}")
    mallory.say("/name mallory")
    mallory.take()
    for number in range(MAILBOXES_OF_ONE):
        mallory.say(f"/msg mal{number} hello")
        assert "will read this" in mallory.lines()[0]
    last = f"mal{MAILBOXES_OF_ONE}"
    mallory.say(f"/msg {last} hello")
    assert mallory.lines() == [f"Error: too much mail waits for guests already; write to {last} when {last} is here."]
    assert write(mallory, "hello") == [WAITS], "somebody else's mail waits there already"
    mallory.say("/name mal0", f"/msg {last} hello")
    assert f"{last} is offline and not registered" in mallory.lines()[-1]


def test_a_mailbox_goes_when_its_mail_has_expired(world: World, bob: Client) -> None:
    write(bob, "one")
    (box,) = world.chat.guests._mail.values()
    world.pass_time(7 * DAY + EVERY)
    assert not world.chat.guests.has(box.log)
    again = World(world.engine, world.clock, first_id=10**6)
    assert not again.chat.guests.has(box.log)
    again.end()
    assert heard(zed(world)) == []


def test_mail_is_refused_when_its_mailbox_cannot_be_kept(moody: World, engine: MoodyEngine) -> None:
    zed(moody).drop()
    bob = moody.person("bob")
    put = engine.put
    engine.put = lambda *args: fail(Unavailable("disk full"))  # type: ignore[method-assign]
    assert write(bob, "one") == ["Error: not confirmed: the message may not have been stored; send it again."]
    engine.put = put  # type: ignore[method-assign]
    assert write(bob, "two") == [WAITS]
    assert heard(zed(moody)) == ["two"]


def test_a_program_that_acknowledges_nothing_gets_no_more_mail_of_other_names(world: World) -> None:
    bot = world.program("bot")
    for writer in world.writers(INBOX_MESSAGES, SHARE_OF_SENDER):
        writer.say("/msg bot hello")
    seqs = [record["seq"] for record in bot.records() if record["event"] == "private"]
    world.person("zed").drop()
    write(world.person("bob"), "one")
    bot.record(do="name", name="zed")
    assert "private" not in [record["event"] for record in bot.records()]
    bot.record(do="ack", seq=seqs[0])
    bot.record(do="name", name="bot")
    bot.record(do="name", name="zed")
    assert [record["text"] for record in bot.records() if record["event"] == "private"] == ["one"]
