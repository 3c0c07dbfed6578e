"""What has been told is acknowledged, to the inbox that it came from and to no other."""

from __future__ import annotations

from typing import Any

import pytest
from client.network import Network, Person
from harness import World
from sharing import share
from twisted.internet.task import Clock

from chatroom.client.acks import ACK_AFTER, Acks
from chatroom.model import events as e


def deliver(network: Network) -> None:
    """Let what the client has sent come to the server, and nothing come back."""
    (line,) = network.lines
    sent = line.transport.value()
    line.transport.clear()
    line.server.send(sent)


def mail_of(world: World) -> list[str]:
    """Return what zoe has not acknowledged."""
    program = world.program()
    program.record(do="login", user="zoe", password="secret")
    return [record["text"] for record in program.records() if record["event"] == "private"]


def left(world: World) -> None:
    """Zoe has an account, and mail in it."""
    zoe = world.program()
    zoe.record(do="register", user="zoe", password="secret")
    zoe.drop()
    world.person("bob").say("/msg zoe waits")


def test_a_guests_messages_are_acknowledged(network: Network, world: World) -> None:
    alice = Person(network, name="alice").come()
    world.person("bob").say("/msg alice one")
    network.pass_time(1)
    log = network.lines[0].server.transport.protocol._session.user.inbox_log
    rows = world.engine._logs[log].rows  # type: ignore[attr-defined]
    assert [b'"read"' in row[4] for row in rows] == [False, True]
    alice.leave()


@pytest.mark.parametrize("what", [e.Shared, e.Invited])
def test_so_is_all_else_that_is_for_one_alone(network: Network, world: World, what: type) -> None:
    left(world)
    carol = world.program("carol", "den")
    if what is e.Invited:
        carol.record(do="invite", user="zoe")
    else:
        share(carol, user="zoe")
    zoe = Person(network, login=("zoe", "secret"), room="lobby").come()
    for _ in range(2):
        network.pass_time(1)
        network.lines[0].end()
        network.pass_time(2)
    assert len(zoe.heard(what)) == 1
    zoe.leave()
    again = Person(network, login=("zoe", "secret"), room="lobby").come()
    assert again.heard(what) == []
    again.leave()


def test_what_the_guest_has_read_is_not_acknowledged_to_the_account(network: Network, world: World) -> None:
    """The login is on its way while the guest's message is due; the account's mail gets lost with the line."""
    left(world)
    alice = Person(network, name="alice").come()
    world.person("carol").say("/msg alice one")
    network.flow()
    alice.client.do("login", user="zoe", password="secret").addErrback(lambda failure: None)
    world.person("dan").say("/msg alice two")
    deliver(network)
    for _ in range(2):
        world.pass_time(1)
        deliver(network)
    network.lines[0].end()
    alice.leave()
    assert mail_of(world) == ["waits"]


def test_what_comes_while_logging_in_is_not_either(network: Network, world: World) -> None:
    left(world)
    alice = Person(network, name="alice").come()
    alice.client.do("login", user="zoe", password="secret").addErrback(lambda failure: None)
    (line,) = network.lines
    world.person("carol").say("/msg alice one")
    line.client.dataReceived(line.server.take())
    assert [event.text for event in alice.heard(e.Private)] == ["one"]
    for _ in range(2):
        deliver(network)
        world.pass_time(1)
    deliver(network)
    line.end()
    alice.leave()
    assert mail_of(world) == ["waits"]


def test_after_the_login_the_accounts_mail_is_acknowledged(network: Network, world: World) -> None:
    """However low its numbers are: the guest's were of another inbox."""
    left(world)
    alice = Person(network, name="alice").come()
    world.person("carol").say("/msg alice one")
    network.pass_time(1)
    alice.do("login", user="zoe", password="secret")
    network.pass_time(1)
    assert [event.text for event in alice.heard(e.Private)] == ["one", "waits"]
    alice.leave()
    assert mail_of(world) == []


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """What is sent."""
    return []


def test_nothing_is_acknowledged_while_it_is_held_and_all_when_it_is_released(sent: list[dict[str, Any]]) -> None:
    clock = Clock()
    acknowledging = Acks(clock, sent.append)
    acknowledging.told(1)
    acknowledging.hold()
    assert sent == [{"do": "ack", "seq": 1}]
    acknowledging.told(2)
    clock.advance(2 * ACK_AFTER)
    assert len(sent) == 1
    acknowledging.release()
    clock.advance(2 * ACK_AFTER)
    assert sent[1:] == [{"do": "ack", "seq": 2}]


def test_a_refused_login_holds_nothing_any_more(network: Network, world: World) -> None:
    alice = Person(network, name="alice").come()
    bob = world.person("bob")
    with pytest.raises(Exception, match="wrong"):
        alice.do("login", user="zoe", password="secret")
    bob.say("/msg alice one")
    network.pass_time(1)
    log = network.lines[0].server.transport.protocol._session.user.inbox_log
    assert len(world.engine._logs[log].rows) == 2  # type: ignore[attr-defined]
    alice.leave()
