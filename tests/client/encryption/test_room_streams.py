"""What is said of messages of encrypted rooms that cannot be shown: it is true, and said once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson, account
from client.encryption.withholding import missing, say
from client.network import Network

from chatroom.client.plain_text import lines_of
from chatroom.model import events as e
from chatroom.model.device import Device

NOT_HERE = "What was said while this device was not in the room cannot be opened on it."


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True, device=Device("laptop", "one")).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of the room."""
    person = account(KeyPerson(network, name="bob", several=True, device=Device("laptop", "one")).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def again(person: KeyPerson, name: str, history: int = 0) -> KeyPerson:
    """Return the next run of a client that has left, in the room."""
    fields = {"login": (name, "a good password"), "device": Device("laptop", "one"), "room": "den", "several": True}
    new = KeyPerson(person.network, person.stores, history=history, **fields)
    new.come()
    new.network.pass_time(3)
    return new


def new_session(person: KeyPerson) -> None:
    """Let the next message of a person begin a new session."""
    parts = person.driver.parts
    assert parts is not None
    parts.ring.groups.outbound.forget(person.client.rooms["den"].id)


# ---- what was said before --------------------------------------------------------------------------------------------


def test_who_joins_is_told_once_that_earlier_messages_cannot_be_opened(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    for text in ("one", "two", "three"):
        say(alice, text)
        say(bob, text)
        new_session(alice)
        new_session(bob)
    dora = account(KeyPerson(network, name="dora", history=20).come(), "Dora")
    dora.do("join", room="den")
    network.pass_time(5)
    assert [text for text in dora.notices if "opened" in text or "missing" in text] == [NOT_HERE]
    answer = dora.do("history", room="den", messages=2)
    assert lines_of(answer) == [], answer
    assert [text for text in dora.notices if "opened" in text or "missing" in text] == [NOT_HERE] * 2
    say(alice, "after")
    assert dora.texts == ["after"]
    answer = dora.do("history", room="den", messages=50)
    assert [event.text for event in answer.events if isinstance(event, e.Said)] == ["after"]
    assert [text for text in dora.notices if "opened" in text or "missing" in text] == [NOT_HERE] * 3
    dora.leave()


def test_deleted_messages_are_shown_as_deleted_and_not_counted(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two", "three")
    alice.do("delete", room="den", seq=bob.heard(e.Said)[1].seq)
    answer = bob.do("history", room="den", messages=50)
    texts = [event.text for event in answer.events if isinstance(event, e.Said | e.SealedMessage)]
    assert texts == ["one", "", "three"]
    assert not [text for text in bob.notices if "opened" in text or "missing" in text]


def test_another_device_of_ours_may_have_the_keys(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "one", "two")
    say(alice, "three")
    assert bob.driver.parts is not None
    bob.driver.parts.mail.takers["room.key.request"] = lambda *args: None  # it does not answer now
    login = ("Bob", "a good password")
    phone = KeyPerson(network, login=login, device=Device("phone", "one"), history=20).come()
    bob.decide(bob.encryption.link(phone.decide(phone.encryption.keys()).code))
    phone.do("join", room="den")
    network.pass_time(3)
    assert [text for text in phone.notices if "opened" in text] == [
        f"{NOT_HERE.rstrip('.')} yet: your other devices were asked for the keys; "
        "/keys export FILE on one of them and /keys import FILE here bring them, too."
    ]
    phone.leave()


def test_keys_that_come_late_open_what_was_said_and_nothing_is_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, *(str(number) for number in range(8)))
    bob.do("read", room="den")
    login = ("Bob", "a good password")
    phone = KeyPerson(network, login=login, device=Device("phone", "one"), history=3).come()
    bob.decide(bob.encryption.link(phone.decide(phone.encryption.keys()).code))
    phone.do("join", room="den")
    network.pass_time(3)
    assert phone.texts == ["5", "6", "7"]
    assert not missing(phone)
    phone.leave()


def test_what_an_import_opens_is_shown(alice: KeyPerson, bob: KeyPerson, network: Network, tmp_path: Path) -> None:
    say(alice, "one")
    dora = account(KeyPerson(network, name="dora", history=20).come(), "Dora")
    dora.do("join", room="den")
    network.pass_time(3)
    path = tmp_path / "keys"
    bob.decide(bob.encryption.export_keys(path, "a long passphrase"))
    dora.decide(dora.encryption.import_keys(path, "a long passphrase"))
    assert dora.texts == ["one"]
    dora.leave()


# ---- what is missing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("history", [0, 2])
def test_what_a_client_has_not_asked_for_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network, history: int
) -> None:
    phone = _phone(bob)
    say(alice, "one")
    bob.leave()
    say(alice, *(str(number) for number in range(5)))
    phone.do("read", room="den")
    bob = again(bob, "Bob", history=history)
    say(alice, "after")
    assert bob.texts == [*["3", "4"][:history], "after"]
    assert not missing(bob)
    for device in (bob, phone):
        device.leave()


def test_what_a_server_withholds_of_the_latest_messages_is_told(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one")
    bob.leave()
    say(alice, *(str(number) for number in range(5)))
    fields = {"login": ("Bob", "a good password"), "device": Device("laptop", "one"), "several": True, "history": 4}
    new = KeyPerson(network, bob.stores, **fields)
    new.come()
    count = iter(range(100))

    def alter(record: Record) -> list[Record]:
        return [] if record.get("event") == "sealed" and next(count) == 2 else [record]

    Meddler(new).alter = alter
    new.do("join", room="den")
    network.pass_time(3)
    assert new.texts == ["one", "0", "2", "3", "4"]
    assert missing(new) == ["1 message of Alice is missing before this one."]
    new.leave()


def test_the_first_messages_of_a_session_that_a_server_withholds_are_told(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    meddler = Meddler(bob)
    meddler.alter = lambda record: [] if record.get("event") == "sealed" else [record]
    say(alice, "one", "two")
    meddler.alter = lambda record: [record]
    say(alice, "three")
    assert missing(bob) == ["2 messages of Alice are missing before this one."]


def test_a_message_that_was_deleted_while_we_were_away_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    phone = _phone(bob)
    say(alice, "one")
    network.lines[1].end()
    say(alice, "two", "three")
    alice.do("delete", room="den", seq=alice.heard(e.Said)[1].seq)
    network.pass_time(5)
    assert bob.texts == ["one", "three"]
    assert [event.ct for event in bob.heard(e.SealedMessage)] == [""]
    assert not missing(bob)
    phone.leave()


def _phone(bob: KeyPerson) -> KeyPerson:
    """Return another device of Bob in the room: so he is a member while the connection of this one is lost."""
    phone = KeyPerson(bob.network, login=("Bob", "a good password"), device=Device("phone", "one"))
    phone.come()
    bob.decide(bob.encryption.link(phone.decide(phone.encryption.keys()).code))
    phone.do("join", room="den")
    return phone


def test_the_messages_of_somebody_who_was_ignored_are_not_missing(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one")
    bob.do("ignore", user="Alice")
    say(alice, "two", "three")
    bob.do("ignore", user="Alice", on=False)
    say(alice, "four", "five")
    assert bob.texts == ["one", "four", "five"]
    assert not missing(bob)
