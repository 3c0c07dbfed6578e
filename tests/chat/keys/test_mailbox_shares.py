"""Strangers cannot fill a whole mailbox, and a full mailbox does not silence a room."""

from __future__ import annotations

import pytest
from devices_with_keys import Keyed, connected, keyed
from harness import World, result, stored_records

from chatroom.chat.keys import known_people, mailbox
from chatroom.chat.keys.known_people import BUCKET
from chatroom.chat.limits import KEYS_WITHIN


def send(sender: Keyed, reader: Keyed, id: str) -> str:
    """Write to somebody; return the code with which that is refused, empty if it is not."""
    told = sender.send(id, reader.device.envelope(), user=reader.device.word)
    return str(told.get("code", ""))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a mailbox have six places, of which strangers may fill four."""
    monkeypatch.setattr(mailbox, "MAILBOX_MESSAGES", 6)
    monkeypatch.setattr(mailbox, "MAILBOX_OF_STRANGERS", 4)


def strangers(world: World, number: int) -> list[Keyed]:
    """Return so many users, each at an address of its own."""
    return [keyed(world, f"mallory{i}", f"mallory{chr(97 + i)}", host=f"198.51.100.{i}") for i in range(number)]


@pytest.mark.usefixtures("small")
def test_strangers_do_not_crowd_out_people_whom_the_reader_knows(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    assert send(bob, alice, "hello") == ""
    bob.client.drop()
    assert [send(each, bob, "m1") for each in strangers(world, 6)] == [""] * 4 + ["mailbox-full"] * 2
    assert [send(alice, bob, f"m{i}") for i in range(3)] == ["", "", "mailbox-full"]


@pytest.mark.usefixtures("small")
def test_the_bytes_of_a_mailbox_are_shared_like_its_places(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAILBOX_BYTES", 3000)
    alice, bob, mallory = (keyed(world, name) for name in ("alice", "bob", "mallory"))
    send(bob, alice, "hello")
    bob.client.drop()

    def codes(sender: Keyed, number: int) -> list[str]:
        bodies = [bob.device.envelope("x" * 1000) for _ in range(number)]
        return [sender.send(f"m{i}", body, user="bob").get("code", "") for i, body in enumerate(bodies)]

    assert codes(mallory, 3) == ["", "", "mailbox-full"]
    assert codes(alice, 2) == ["", "mailbox-full"]
    bob = keyed(world, "bob", listed=False)
    bob.ask("e2e-ack", seq=2**53)
    assert send(mallory, bob, "later") == ""


def test_strangers_at_the_same_address_do_not_crowd_out_somebody_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAILBOX_OF_ADDRESS", 2)
    alice, mallory = (keyed(world, name, host="198.51.100.7") for name in ("alice", "mallory"))
    bob = keyed(world, "bob")
    assert send(bob, alice, "hello") == ""
    assert [send(mallory, bob, f"m{i}") for i in range(3)] == ["", "", "mailbox-full"]
    assert send(alice, bob, "m1") == ""


@pytest.mark.usefixtures("small")
def test_nobody_is_known_by_writing_or_because_a_program_has_answered_by_itself(world: World) -> None:
    """A program answers what it cannot open, and gives out the keys of rooms, without its user."""
    bob = keyed(world, "bob")
    mallory, *others = strangers(world, 4)
    assert send(mallory, bob, "m1") == ""
    bob.send("reset", mallory.device.envelope())
    assert not result(world.chat.keys.known.knows(bob.device.user_id, mallory.device.user_id))
    assert result(world.chat.keys.known.knows(mallory.device.user_id, bob.device.user_id))
    bob.client.drop()
    assert [send(each, bob, "m1") for each in others] == [""] * 3
    assert send(mallory, bob, "m2") == "mailbox-full"


def test_only_the_last_people_are_remembered_and_go_with_the_user(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_people, "WRITTEN_TO", 2)
    alice, *others = (keyed(world, name) for name in ("alice", "bob", "carol", "dora"))
    for each in (*others, others[0]):
        send(alice, each, "m1")
    known = [result(world.chat.keys.known.knows(alice.device.user_id, each.device.user_id)) for each in others]
    assert known == [True, False, True]
    alice.ask("delete-account", password="secret-1")
    assert [key for bucket, key in stored_records(world) if bucket == BUCKET] == []


@pytest.mark.usefixtures("small")
def test_one_full_mailbox_does_not_keep_the_key_of_a_room_from_the_others(world: World) -> None:
    """Its owner may have filled it on purpose."""
    alice, bob, mallory = (keyed(world, name) for name in ("alice", "bob", "mallory"))
    mallory.client.drop()
    for i in range(4):
        alice.send(f"m{i}", mallory.device.envelope())
    told = alice.send("key", bob.device.envelope("key"), mallory.device.envelope("key"))
    assert (told["event"], told["full"]) == ("e2e-sent", [mallory.device.id])
    assert bob.bodies() == ["key"]
    told = alice.send("private", mallory.device.envelope(), user="mallory")
    assert told["code"] == "mailbox-full"


def test_a_message_for_nobody_is_refused_and_what_it_waits_for_is_said_truly(world: World) -> None:
    """The copies for the author's own devices may come in a record of their own."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    connected(world, "carol")
    own = alice.device.envelope()
    assert alice.send("m1", own, user="nobody")["code"] == "no-user"
    assert alice.send("m1", own, user="no name")["code"] == "no-user"
    assert alice.mail() == []
    assert alice.send("m1", own, user="carol")["waits"] == "", "a program publishes its keys a moment after the login"
    world.pass_time(KEYS_WITHIN / 1000)
    assert alice.send("m5", own, user="carol")["waits"] == "keys"
    assert alice.send("m2", own, user="bob")["waits"] == ""
    bob.client.drop()
    assert alice.send("m3", own, user="bob")["waits"] == "account"
    assert alice.send("m4", own)["waits"] == ""


def test_the_share_of_a_sender_counts_bytes_as_well(world: World) -> None:
    """Two hundred small messages are as much as a few dozen large ones."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    (stranger,) = strangers(world, 1)
    large = bob.device.envelope("x" * 8000)
    told = [stranger.send(f"m{i}", large, user="bob").get("code", "") for i in range(60)]
    assert told.index("mailbox-full") == -(-mailbox.MAILBOX_BYTES // 5 // 8000)
    assert send(alice, bob, "small") == ""


def test_the_bytes_are_free_again_when_the_mail_was_fetched(world: World) -> None:
    bob = keyed(world, "bob")
    (stranger,) = strangers(world, 1)
    large = bob.device.envelope("x" * 8000)
    for number in range(150):
        assert stranger.send(f"m{number}", large, user="bob")["event"] == "e2e-sent"
        bob.ask("e2e-ack", seq=bob.mail()[-1]["seq"])
    (held,) = [each.held for each in world.chat.keys.mailboxes._open.values()]
    assert (held.bytes, dict(held.bytes_of)) == (0, {})
