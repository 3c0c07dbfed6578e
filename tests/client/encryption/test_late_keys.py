"""Messages from before a device came, whose keys come later: they are asked for, shown in order, and none is missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.encryption import words
from chatroom.model import events as e
from chatroom.model.device import Device


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of the room."""
    fields = {"name": "bob", "several": True, "device": Device("laptop", "one")}
    person = account(KeyPerson(network, **fields).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def say(person: KeyPerson, *texts: str) -> None:
    """Say something in the room."""
    for text in texts:
        person.say_in("den", text)
        person.network.flow()


def new_session(person: KeyPerson) -> None:
    """Let the next message of a person begin a new session."""
    parts = person.driver.parts
    assert parts is not None
    parts.ring.groups.outbound.forget(person.client.rooms["den"].id)


def linked(bob: KeyPerson) -> KeyPerson:
    """Return another device of Bob, linked, with no mail on its way to it any more, and not in the room."""
    fields = {"login": ("Bob", "a good password"), "device": Device("phone", "one"), "history": 50}
    phone = KeyPerson(bob.network, several=True, **fields).come()
    bob.decide(bob.encryption.link(phone.decide(phone.encryption.keys()).code))
    bob.network.pass_time(10)
    return phone


def delete(alice: KeyPerson, text: str) -> None:
    """Delete a message of Alice."""
    seq = next(event.seq for event in alice.heard(e.Said) if event.text == text)
    alice.do("delete", room="den", seq=seq)


def missing(person: KeyPerson) -> list[str]:
    """Return what was told of missing messages."""
    return [text for text in person.notices if "missing before" in text]


def test_the_keys_are_asked_for_though_no_mail_comes_and_the_window_is_filled_in_order(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    for number in range(3):
        say(alice, f"alice {number}")
        say(bob, f"bob {number}")
    new_session(alice)
    say(alice, "alice 3")
    phone = linked(bob)
    phone.do("join", room="den")
    assert phone.texts == []
    network.pass_time(3)
    assert phone.texts == ["alice 0", "bob 0", "alice 1", "bob 1", "alice 2", "bob 2", "alice 3"]
    phone.leave()


def test_a_search_finds_what_was_opened_late_in_the_order_of_the_room(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    for number in range(3):
        say(alice, f"alice {number}")
        new_session(alice)
    phone = linked(bob)
    phone.do("join", room="den")
    say(alice, "alice 3")
    network.pass_time(3)
    found = phone.do("search", room="den", words="alice")
    assert [event.text for event in found.events] == ["alice 0", "alice 1", "alice 2", "alice 3"]
    phone.leave()


def test_what_can_be_opened_is_shown_though_other_keys_never_come(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "alice 0")
    dora = account(KeyPerson(network, name="dora", several=True, device=Device("laptop", "d")).come(), "Dora")
    dora.do("join", room="den")
    say(dora, "dora 0")
    say(alice, "alice 1")
    parts = bob.driver.parts
    assert parts is not None
    inbound = parts.ring.groups.inbound
    dora_id = next(event.by_id for event in bob.heard(e.Said) if event.text == "dora 0")
    inbound.forget(next(name for name in inbound.names() if name.owner[0] == dora_id))
    dora.leave()
    phone = linked(bob)
    phone.do("join", room="den")
    network.pass_time(6)
    assert phone.texts == ["alice 0", "alice 1"]
    phone.leave()


def test_what_was_opened_is_shown_when_the_connection_is_lost_before_the_other_keys_come(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    phone = linked(bob)
    parts = phone.driver.parts
    assert parts is not None
    told: list[object] = []
    parts.news.held.add("den", 2, [e.Said("b", 1, "Alice", "a", room="den", seq=2, text="two")])
    parts.news.held.add("den", 1, [e.Said("a", 1, "Alice", "a", room="den", seq=1, text="one")])
    phone.driver.port.handle = lambda event, re, *, late=False: told.append(event.text)  # type: ignore
    phone.driver.opening.lost()
    assert told == ["one", "two"]
    phone.leave()


def test_that_earlier_messages_cannot_be_opened_yet_is_told_once_in_a_room(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one")
    assert bob.driver.parts is not None
    bob.driver.parts.mail.takers["room.key.request"] = lambda *args: None  # it does not answer
    phone = linked(bob)
    for _ in range(2):
        phone.do("join", room="den")
        network.pass_time(3)
        phone.do("leave", room="den")
    assert [text for text in phone.notices if "opened" in text] == [words.not_here(others=True)]
    phone.leave()


def test_a_deleted_message_between_messages_whose_keys_come_late_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two", "three", "four", "five")
    delete(alice, "two")
    delete(alice, "four")
    phone = linked(bob)
    phone.do("join", room="den")
    network.pass_time(3)
    shown = [event for event in phone.told if isinstance(event, e.Said | e.SealedMessage)]
    assert [event.text for event in shown] == ["one", "", "three", "", "five"]
    assert not missing(phone)
    phone.leave()


def test_a_message_that_is_deleted_while_it_waits_for_its_key_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two", "three")
    phone = linked(bob)
    phone.do("join", room="den")
    delete(alice, "two")
    network.pass_time(3)
    assert phone.texts == ["one", "three"]
    assert not missing(phone)
    phone.leave()


def test_a_message_that_the_server_withholds_beside_a_deleted_one_is_told(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two", "three", "four", "five")
    delete(alice, "two")
    withheld = next(event.id for event in alice.heard(e.Said) if event.text == "four")

    def alter(record: Record) -> list[Record]:
        return [] if record.get("event") == "sealed" and record.get("id") == withheld else [record]

    phone = linked(bob)
    Meddler(phone).alter = alter
    phone.do("join", room="den")
    network.pass_time(3)
    assert phone.texts == ["one", "three", "five"]
    assert missing(phone) == ["1 message of Alice is missing before this one."]
    phone.leave()
