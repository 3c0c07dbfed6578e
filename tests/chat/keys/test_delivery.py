"""What is on its way to a device, and what is remembered of its mailbox, is bounded."""

from __future__ import annotations

import pytest
from devices_with_keys import Keyed, connected, keyed, shown
from harness import World, result
from order import session_of

from chatroom.chat.keys import mailbox, watching
from chatroom.chat.limits import MAILBOX_WINDOW
from chatroom.chat.people.inbox_pages import AGAIN
from chatroom.model.log_names import device_log


def log_of(reader: Keyed) -> str:
    """Return the log of the mailbox of a device."""
    return device_log(reader.device.user_id, reader.device.id)


def test_a_device_that_is_here_and_acknowledges_nothing_is_sent_no_more_than_the_window(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    for number in range(MAILBOX_WINDOW + 5):
        alice.send(f"m{number}", bob.device.envelope(f"b{number}"))
    mail = bob.mail()
    assert len(mail) == MAILBOX_WINDOW
    bob.client.record(do="e2e-ack", seq=mail[-1]["seq"])
    assert bob.bodies() == [f"b{number}" for number in range(MAILBOX_WINDOW, MAILBOX_WINDOW + 5)]


def test_a_client_that_does_not_read_is_sent_nothing_more_until_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.send("m1", bob.device.envelope("one"))
    assert bob.bodies() == ["one"]
    out = session_of(bob.client).out
    monkeypatch.setattr(type(out), "holds", property(lambda self: self is out))
    alice.send("m2", bob.device.envelope("two"))
    assert bob.bodies() == []
    monkeypatch.undo()
    world.pass_time(AGAIN)
    assert bob.bodies() == ["two"]


def test_of_two_envelopes_for_one_device_the_last_is_stored(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.send("m1", bob.device.envelope("first"), bob.device.envelope("last"))
    assert bob.bodies() == ["last"]


def test_only_the_last_messages_that_were_fetched_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "REMEMBERED", 2)
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    for number in range(3):
        alice.send(f"m{number}", bob.device.envelope(f"b{number}"))
    bob.client.record(do="e2e-ack", seq=bob.mail()[-1]["seq"])
    box = result(world.chat.keys.mailboxes.of(log_of(bob)))
    assert list(box._fetched) == [f"{alice.device.user_id}/m{number}" for number in (1, 2)]


def test_a_mailbox_that_is_removed_is_not_followed_any_more(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.send("m1", bob.device.envelope())
    box = result(world.chat.keys.mailboxes.of(log_of(bob)))
    assert box.held.total == 1
    result(world.chat.keys.mailboxes.drop(log_of(bob)))
    assert (box.held.total, box._sub) == (0, None)


def test_the_end_of_a_feed_takes_the_device_from_nobody_else(world: World) -> None:
    first = keyed(world, "bob")
    (feed,) = world.chat.keys.holders
    client, user_id = connected(world, "bob", device="copy")
    second = Keyed(client, "bob", world.chat.server_id, user_id)
    second.publish()
    feed.stop()  # again
    alice = keyed(world, "alice")
    alice.send("m1", first.device.envelope("one"))
    assert second.bodies() == ["one"]


def test_only_what_was_sent_can_be_acknowledged(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    for number in range(MAILBOX_WINDOW + 5):
        alice.send(f"m{number}", bob.device.envelope(f"b{number}"))
    assert len(bob.mail()) == MAILBOX_WINDOW
    bob.client.record(do="e2e-ack", seq=2**53 - 1)
    assert bob.bodies() == [f"b{number}" for number in range(MAILBOX_WINDOW, MAILBOX_WINDOW + 5)]
    bob.client.drop()
    client, user_id = connected(world, "bob", device="bob")
    again = Keyed(client, "bob", world.chat.server_id, user_id)
    client.record(do="keys-publish", **shown(client, again.device))
    assert again.bodies() == [f"b{number}" for number in range(MAILBOX_WINDOW, MAILBOX_WINDOW + 5)]


def test_whoever_ignores_the_author_is_not_told_of_a_sealed_message(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    for ignores in (False, True):
        reader, _ = connected(world, "bob", device="telnet")
        if ignores:
            reader.record(do="ignore", user="alice")
        reader.records()
        alice.send(f"m{ignores}", bob.device.envelope(), notice="message", user="bob")
        assert ("e2e-notice" in [record["event"] for record in reader.records()]) is not ignores
        reader.drop()


def test_of_one_author_a_reader_without_keys_is_told_once_a_minute(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    reader, _ = connected(world, "bob", device="telnet")
    told = []
    for number in range(4):
        alice.send(f"m{number}", bob.device.envelope(), notice="message", user="bob")
        told.append([record["event"] for record in reader.records()].count("e2e-notice"))
        world.pass_time(29)
    assert told == [1, 0, 0, 1]


def test_a_reader_remembers_only_so_many_authors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_NOTICED", 2)
    bob = keyed(world, "bob")
    bob.client.drop()
    reader, _ = connected(world, "bob", device="telnet")
    for name in ("alice", "carol", "dora"):
        keyed(world, name).send("m1", bob.device.envelope(), notice="message", user="bob")
    assert [record["by"] for record in reader.records() if record["event"] == "e2e-notice"] == [
        "alice",
        "carol",
        "dora",
    ]
    assert len(session_of(reader).noticed) == 1
