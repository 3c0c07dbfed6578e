"""An encrypted room in which a member's key has changed: what is held back, and what is shown once it is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.status import SecurityNotice
from chatroom.model import events as e


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True, history=20).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of the room, to whom Alice has spoken, and whose key has changed since."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")
    person.do("join", room="den")
    say(alice, "before")
    person.decide(person.encryption.reset())
    network.pass_time(3)
    yield person
    person.leave()


def say(person: KeyPerson, text: str) -> None:
    """Say something in the room."""
    person.say_in("den", text)
    person.network.flow()


def accept(alice: KeyPerson) -> None:
    """Accept the changed key of Bob."""
    alice.decide(alice.encryption.accept("Bob", alice.decide(alice.encryption.verify("Bob")).digits))
    alice.network.flow()


def test_what_was_said_under_a_changed_key_is_shown_when_it_is_accepted(alice: KeyPerson, bob: KeyPerson) -> None:
    say(bob, "under the new key")
    bob.do("message", user="Alice", text="in private")
    say(alice, "meanwhile")
    bob.network.pass_time(5)
    assert (alice.texts, alice.private) == (["before", "meanwhile"], [])
    accept(alice)
    assert (alice.texts, alice.private) == (["before", "meanwhile", "under the new key"], ["in private"])


def test_what_was_said_before_a_device_had_the_key_is_no_alarm(alice: KeyPerson, bob: KeyPerson) -> None:
    for text in ("not for bob", "nor that"):
        say(alice, text)
    accept(alice)
    say(alice, "for bob again")
    bob.network.pass_time(5)
    assert bob.texts == ["before", "for bob again"]
    (told,) = [each for each in bob.heard(SecurityNotice) if "before it was given" in each.text]
    assert (told.alarm, told.room) == (False, "den")
    assert not [text for text in bob.notices if "was not shown" in text or "missing before" in text]


def test_a_page_says_once_that_some_of_it_was_said_before_a_device_had_the_key(
    alice: KeyPerson, bob: KeyPerson
) -> None:
    for text in ("not for bob", "nor that"):
        say(alice, text)
    accept(alice)
    say(alice, "for bob again")
    bob.told.clear()
    page = bob.do("history", room="den", last=4)
    assert [event.text for event in page.events if isinstance(event, e.Said)] == ["before", "for bob again"]
    assert [each.alarm for each in bob.heard(SecurityNotice) if "before it was given" in each.text] == [False]
