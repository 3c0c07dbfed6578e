"""What happens to a session, or to a list, while the server waits for its store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from devices_with_keys import Keyed, connected, keyed, shown
from fakes import SocketClient
from harness import World, result, stored_records

from chatroom.chat.keys.claiming import OneTimeKeys
from chatroom.chat.people.inbox_pages import AGAIN
from chatroom.chat.retention import EVERY
from chatroom.model.key_events import DevicesListed
from chatroom.model.log import Unavailable
from chatroom.model.log_names import device_log


def meanwhile(monkeypatch: pytest.MonkeyPatch, of: Any, method: str, happen: Callable[[], None]) -> None:
    """Let something happen once, before a method of a part of the chat gives its result."""
    true = getattr(of, method)

    async def given(*args: Any) -> Any:
        monkeypatch.undo()
        found = await true(*args)
        happen()
        return found

    monkeypatch.setattr(of, method, given)


def held(world: World) -> list[str]:
    """Return the devices that sessions have."""
    return [feed.device for feed in world.chat.keys.holders]


def test_keys_are_none_of_a_session_that_has_another_user_by_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, user_id = connected(world, "alice")
    alice = Keyed(client, "alice", world.chat.server_id, user_id)
    (session,) = world.chat.sessions.values()
    meanwhile(monkeypatch, world.chat.keys.one_time, "count", lambda: world.chat.connections.log_out(session))
    assert alice.publish()["code"] == "bad-keys"
    assert (held(world), session.keys_device) == ([], "")


def test_keys_are_none_of_a_session_that_is_over_by_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, user_id = connected(world, "alice")
    alice = Keyed(client, "alice", world.chat.server_id, user_id)
    meanwhile(monkeypatch, world.chat.keys.one_time, "count", client.transport.end)
    client.record(do="keys-publish", **shown(client, alice.device))
    world.settle()
    assert held(world) == []


def test_a_device_that_another_session_took_meanwhile_is_not_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keyed(world, "alice")
    client, user_id = connected(world, "alice", device="copy")
    second = Keyed(client, "alice", world.chat.server_id, user_id)

    def take() -> None:
        session = next(s for s in world.chat.sessions.values() if s.device.name == "alice")
        world.chat.keys.holders.attach(session, first.device.id)

    meanwhile(monkeypatch, world.chat.keys.directory, "list_of", take)
    assert second.publish()["code"] == "no-keys"
    (feed,) = world.chat.keys.holders
    assert feed.session.device.name == "alice"


def test_who_lost_the_mailbox_while_it_was_read_is_sent_nothing_more(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    alice.send("m1", bob.device.envelope("one"))
    first, _ = connected(world, "bob", device="bob")
    second, _ = connected(world, "bob", device="copy")
    read, reads = world.engine.read, []

    def slow(*args: Any, **kwargs: Any) -> Any:
        """Let the second session take the mailbox while a page of it is read for the first one."""
        page = read(*args, **kwargs)
        if args[0].startswith("device/") and not reads:
            reads.append(True)
            second.record(do="keys-publish", **shown(second, bob.device))
        return page

    world.engine.read = slow  # type: ignore[method-assign]
    first.record(do="keys-publish", **shown(first, bob.device))
    told = [record["event"] for record in first.records()]
    assert told.count("e2e-from") == 0
    assert [record["body"] for record in second.records() if record["event"] == "e2e-from"] == ["one"]


def test_keys_published_again_send_nothing_twice_and_follow_nothing_twice(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.send("m1", bob.device.envelope("one"))
    assert bob.bodies() == ["one"]
    bob.client.record(do="keys-publish", **shown(bob.client, bob.device), one_time=bob.device.one_time(1))
    assert bob.bodies() == []
    log = device_log(bob.device.user_id, bob.device.id)
    world.chat.keys.mailboxes._open.pop(log).close()  # it follows the log as well, to count what waits
    followers: Any = world.engine._followers._of  # type: ignore[attr-defined]
    assert len(followers[log]) == 1
    bob.client.drop()
    assert log not in followers


def test_an_older_list_that_is_heard_of_later_changes_nothing(world: World) -> None:
    alice = keyed(world, "alice")
    alice.list_devices(5)
    (session,) = world.chat.sessions.values()
    who = "id", world.chat.now(), "alice", alice.device.user_id
    world.chat.keys.watching.listed(DevicesListed(*who, rev=4, devices=()))
    assert session.keyed
    world.chat.keys.watching.listed(DevicesListed(*who, rev=6, devices=()))
    assert (session.keyed, session.keys_device) == (False, "")


def test_what_cannot_be_stored_is_not_confirmed_and_holds_no_place(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    world.engine.most_bytes = 1
    assert alice.send("m1", bob.device.envelope("one"))["code"] == "not-confirmed"
    assert bob.bodies() == []
    world.engine.most_bytes = 0
    mailbox = result(world.chat.keys.mailboxes.of(device_log(bob.device.user_id, bob.device.id)))
    assert mailbox.held.total == 0
    assert alice.send("m1", bob.device.envelope("one"))["event"] == "e2e-sent"
    assert bob.bodies() == ["one"]


def test_a_guest_who_comes_back_has_the_same_mailbox(world: World) -> None:
    alice = keyed(world, "alice")
    client = world.connect()
    secret = "a secret that the program chose"
    client.record(do="hello", version=1, name="bob", resume=secret)
    bob = Keyed(client, "bob", world.chat.server_id, client.records()[0]["you_id"])
    bob.publish()
    bob.list_devices(1)
    client.drop()
    alice.send("m1", bob.device.envelope("one"))
    again = world.connect()
    again.record(do="hello", version=1, name="bob", resume=secret)
    assert again.records()[0]["you_id"] == bob.device.user_id
    again.record(do="keys-publish", **shown(again, bob.device))
    assert [record.get("body") for record in again.records()][-1] == "one"


def test_a_mailbox_longer_than_the_queue_reaches_a_slow_device(world: World) -> None:
    """What the client does not take is not read from the mailbox yet, so the client is not ended as too slow."""
    slowly = World(world.engine, world.clock, first_id=10**6, send_queue=256 * 1024)
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    carol = keyed(world, "carol")
    bodies = [f"{number:02}" + "x" * 8000 for number in range(60)]
    for number, body in enumerate(bodies):
        (alice, carol)[number % 2].send(f"m{number}", bob.device.envelope(body))
    slow = SocketClient(slowly)
    slow.record(do="hello", version=1, device="bob")
    slow.record(do="login", user="bob", password="secret-1")
    slow.take()
    slow.socket.room = 0
    slow.record(do="keys-publish", **shown(slow, bob.device))
    assert slow.open
    came = b""
    while slow.open and came.count(b"e2e-from") < len(bodies):
        slow.socket.room = 30_000
        slow.flush()
        came += slow.take()
        slowly.pass_time(AGAIN)
    mail = [json.loads(line) for line in came.splitlines() if b"e2e-from" in line]
    assert [one["body"] for one in mail] == bodies
    slow.socket.room = 0
    alice.send("last", bob.device.envelope("last"))
    slow.drop()
    slowly.end()


@pytest.mark.parametrize("going", [True, False])
def test_who_goes_while_the_client_is_slow_is_waited_for_no_longer(world: World, going: bool) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    alice.send("m0", bob.device.envelope("x" * 8000))
    slow = SocketClient(world)
    slow.record(do="hello", version=1, device="bob")
    slow.socket.room = 0
    slow.record(do="login", user="bob", password="secret-1")
    slow.record(do="keys-publish", **shown(slow, bob.device))
    (feed,) = [feed for feed in world.chat.keys.holders if feed.session.name == "bob"]
    assert feed._timer is not None
    if going:
        slow.drop()
    else:
        slow.record(do="logout")
    assert feed._timer is None
    slow.drop()


def test_a_key_that_somebody_took_after_it_was_listed_is_not_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = keyed(world, "bob")
    bob.publish(1, 2)
    where = bob.device.user_id, bob.device.id
    keys, second, taken = world.chat.keys.one_time, OneTimeKeys(world.engine, world.chat.now), []
    read = world.engine.page

    def page(*args: Any) -> Any:
        found = read(*args)
        monkeypatch.undo()
        taken.append(result(second.take(*where)))
        return found

    monkeypatch.setattr(world.engine, "page", page)
    taken.append(result(keys.take(*where)))
    assert [key.key for key in taken] == [bob.device.key(number)["key"] for number in (1, 2)]


def test_a_device_that_was_taken_out_never_looks_like_a_new_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if nobody could be told, and nothing else of it could be removed; that is done later."""
    alice = keyed(world, "alice")
    phone = keyed(world, "alice", "phone", listed=False)
    phone.publish(1, 2)
    alice.list_devices(2, alice.device, phone.device)
    alice.send("m1", phone.device.envelope(), revs={alice.device.user_id: 2})
    phone.client.drop()

    async def fails(*args: Any) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(world.chat, "tell_all_surely", fails)
    assert alice.list_devices(3, alice.device)["event"] == "ok"
    assert alice.ask("keys-query", users=[])["pending"] == []
    assert [key for _, key in stored_records(world) if phone.device.id in key]
    monkeypatch.undo()
    world.pass_time(EVERY + 1)
    assert [key for _, key in stored_records(world) if phone.device.id in key] == []
