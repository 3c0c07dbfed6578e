"""Members whose connection was lost read what is said meanwhile, also by somebody whose client was started again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Line, Network
from twisted.internet.defer import Deferred, fail

from chatroom.client.connection import ServerConnection
from chatroom.client.crypto.contacts import Contact
from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.encryption import absent_members
from chatroom.client.encryption.absent_members import ABSENT, AbsentMembers
from chatroom.client.errors import Failed
from chatroom.model import events as e
from chatroom.model.device import Device

LAPTOP = Device("laptop", "1")


class OwnNetwork:
    """The network as one client sees it, which can be cut off.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._line: Line | None = None
        self._away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def dial(self) -> Deferred[ServerConnection]:
        """Connect the client, unless it is cut off."""
        if self._away:
            return fail(Failed("there is no network"))
        dialled = self._network.dial()
        self._line = self._network.lines[-1]
        return dialled

    def cut(self) -> None:
        """Cut the client off."""
        self._away = True
        assert self._line is not None
        self._line.end()
        self._network.flow()

    def back(self) -> None:
        """Let the client come back."""
        self._away = False
        self._network.pass_time(70)


@pytest.fixture
def alice(network: Network) -> KeyPerson:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True, device=LAPTOP).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    return person


@pytest.fixture
def own(network: Network) -> OwnNetwork:
    """The network as Bob sees it."""
    return OwnNetwork(network)


@pytest.fixture
def bob(own: OwnNetwork, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of the room, who can be cut off, and to whom Alice has spoken."""
    person = account(KeyPerson(own, name="bob", several=True).come(), "Bob")  # type: ignore[arg-type]
    person.do("join", room="den")
    say(alice, "one")
    yield person
    person.leave()


@pytest.fixture
def carol(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """Another member, who keeps the room open."""
    person = account(KeyPerson(network, name="carol", several=True).come(), "Carol")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def say(person: KeyPerson, text: str) -> None:
    """Say something in the room."""
    person.say_in("den", text)
    person.network.flow()


def started(person: KeyPerson) -> KeyPerson:
    """Start the client of somebody again who has left."""
    login = person.client.state.credentials.login
    fields: dict[str, Any] = {"several": True, "login": login, "device": LAPTOP, "room": "den"}
    again = KeyPerson(person.network, person.stores, **fields)
    again.come()
    return again


@pytest.mark.usefixtures("carol")
def test_a_sender_that_was_started_again_gives_the_key_to_the_absent(
    alice: KeyPerson, bob: KeyPerson, own: OwnNetwork
) -> None:
    own.cut()
    alice.leave()
    again = started(alice)
    say(again, "two")
    own.back()
    assert bob.texts == ["one", "two"]
    again.leave()


def test_also_if_nobody_was_in_the_room_meanwhile(alice: KeyPerson, bob: KeyPerson, own: OwnNetwork) -> None:
    own.cut()
    alice.leave()
    again = started(alice)
    say(again, "two")
    own.back()
    assert bob.texts == ["one", "two"]
    again.leave()


@pytest.mark.parametrize("put_out", [False, True])
def test_who_has_left_while_the_sender_was_away_gets_no_key(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, own: OwnNetwork, put_out: bool
) -> None:
    alice.do("op", user="Carol", room="den")
    own.cut()
    alice.leave()
    if put_out:
        carol.do("ban", user="Bob", room="den")
    else:
        own.back()
        bob.do("leave", room="den")
    again = started(alice)
    say(again, "two")
    assert again.driver.parts is not None
    room = again.client.rooms["den"]
    assert not again.driver.parts.absent.of(room.id)
    readers = again.decide(again.driver.parts.members.of(room))
    assert {user for user, _ in readers.devices} == {carol.client.state.user_id}
    again.leave()


@pytest.mark.usefixtures("carol")
def test_who_has_other_devices_than_before_gets_no_key(alice: KeyPerson, bob: KeyPerson, own: OwnNetwork) -> None:
    phone = KeyPerson(alice.network, login=("Bob", "a good password"), device=Device("phone", "one")).come()
    bob.decide(bob.encryption.link(phone.decide(phone.encryption.keys()).code))
    say(alice, "two")
    own.cut()
    alice.leave()
    phone.decide(phone.encryption.rename("another"))
    again = started(alice)
    assert again.driver.parts is not None
    readers = again.decide(again.driver.parts.members.of(again.client.rooms["den"]))
    assert bob.client.state.user_id not in {user for user, _ in readers.devices}
    phone.leave()
    again.leave()


@pytest.mark.usefixtures("bob", "carol")
def test_it_is_stored_at_once_who_is_absent(alice: KeyPerson, own: OwnNetwork) -> None:
    store = alice.stores[alice.client.state.user_id]
    before = store.commits
    own.cut()
    assert (store.commits, len(store.keys("absent"))) == (before + 1, 1)
    own.back()
    assert store.keys("absent") == []
    alice.leave()


# ---- by themselves ---------------------------------------------------------------------------------------------------


class KnowsNobody:
    """Contacts without device lists."""

    def get(self, user_id: str) -> Contact:
        """Return what is known of a user: nothing."""
        return Contact(user_id=user_id)


def absent(rows: MemoryRows, now: int) -> AbsentMembers:
    """Return what is in these rows at a time."""
    return AbsentMembers(rows, KnowsNobody(), lambda: now)  # type: ignore[arg-type]


def lost(user: str, at: int, seq: int = 7) -> e.Disconnected:
    """Return that somebody's connection was lost."""
    return e.Disconnected(f"lost-{user}", at, user.title(), user, session="s", room="den", seq=seq)


def test_the_absent_are_forgotten_in_time_whatever_time_the_server_names() -> None:
    rows = MemoryRows()
    assert absent(rows, 1000).note("den", lost("bob", 10**15))
    assert list(absent(rows, 999 + ABSENT).of("den")) == ["bob"]
    assert not absent(rows, 1000 + ABSENT).of("den")
    assert rows.keys("absent") == []


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent_members, "MOST", 1)
    rows = MemoryRows()
    assert absent(rows, 1000).note("den", lost("bob", 1000))
    assert not absent(rows, 1000).note("pub", lost("carol", 1000))
    assert absent(rows, 1000 + ABSENT).note("pub", lost("carol", 1000 + ABSENT))
    assert rows.keys("absent") == ["pub carol"]


def test_nobody_counts_if_the_server_does_not_know_who_has_left() -> None:
    there = absent(MemoryRows(), 1000)
    for user in ("bob", "carol"):
        there.note("den", lost(user, 1000))
    there.checked("den", there.of("den"), ["carol"], 9)
    assert {user: member.seq for user, member in there.of("den").items()} == {"bob": 9}
    there.checked("den", there.of("den"), None, 9)
    assert not there.of("den")
