"""A device that is not linked, or was removed, or has no keys, and a guest: what they are told is true for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import World
from twisted.internet.defer import Deferred, fail

from chatroom.client.encryption.commands import EncryptionCommands
from chatroom.client.encryption.device_command import listed
from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import Security
from chatroom.client.encryption.words import state_of_keys
from chatroom.client.errors import Rejected
from chatroom.client.status import Ended
from chatroom.client.vault.errors import VaultInUse
from chatroom.model import events as e
from chatroom.model.device import Device
from chatroom.model.replies import Sessions


class InUse(KeyPerson):
    """Somebody whose vault another process has open."""

    def _open(self, server: str, user_id: str) -> Deferred[Any]:
        return fail(VaultInUse(4711))


def device(network: Network, name: str, kind: type[KeyPerson] = KeyPerson, stores: Any = None) -> KeyPerson:
    """Return another device of Alice, which is not linked; or one that has these stores."""
    person = kind(network, stores, login=("Alice", "a good password"), device=Device(name, "one"), several=True)
    person.come()
    return person


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    """Somebody with keys, in an encrypted room."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")  # type: ignore[arg-type]
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    yield person
    person.leave()


@pytest.fixture
def alice(network: Network, bob: KeyPerson) -> Iterator[KeyPerson]:
    """Somebody with a device, who has written to Bob."""
    made = KeyPerson(network, name="alice", device=Device("laptop", "one"), several=True)
    person = account(made.come(), "Alice")  # type: ignore[arg-type]
    person.do("message", user="Bob", text="before")
    yield person
    person.leave()


@pytest.fixture
def phone(alice: KeyPerson) -> Iterator[KeyPerson]:
    """A device of Alice that is not linked."""
    person = device(alice.network, "phone")
    yield person
    person.leave()


def link(alice: KeyPerson, phone: KeyPerson) -> None:
    """Link a device of Alice by the code that it shows."""
    alice.decide(alice.encryption.link(phone.decide(phone.encryption.keys()).code))
    alice.network.flow()


@pytest.fixture
def removed(alice: KeyPerson, phone: KeyPerson) -> Iterator[KeyPerson]:
    """A device of Alice that was linked and removed, and has logged in with the password again."""
    link(alice, phone)
    alice.decide(alice.encryption.unlink(phone.decide(phone.encryption.keys()).fingerprint))
    alice.network.pass_time(3)
    person = device(alice.network, "phone", stores=phone.stores)
    yield person
    person.leave()


def refused(person: KeyPerson, do: str, **fields: Any) -> str:
    """Return why a command is refused."""
    with pytest.raises(Rejected) as caught:
        person.do(do, **fields)
    return caught.value.text


def test_the_bar_says_that_a_device_is_not_linked(phone: KeyPerson, world: World) -> None:
    world.person("tel")
    assert phone.decide(phone.encryption.learn("Bob")) is Security.NOT_LINKED
    assert phone.decide(phone.encryption.learn("tel")) is Security.PLAIN


def test_a_removed_device_is_logged_out_and_does_not_come_back_by_itself(alice: KeyPerson, phone: KeyPerson) -> None:
    link(alice, phone)
    alice.decide(alice.encryption.unlink(phone.decide(phone.encryption.keys()).fingerprint))
    alice.network.pass_time(600)
    (told,) = [each.why for each in phone.heard(Ended)]
    assert "log in with the password" in told
    phone.client.try_now()
    alice.network.pass_time(5)
    alice.do("sessions")
    assert len(alice.heard(Sessions)[-1].sessions) == 1


def test_a_removed_device_that_logs_in_again_is_no_stranger(alice: KeyPerson, removed: KeyPerson) -> None:
    alice.network.pass_time(3600, 600)  # a notice of the same kind came when it logged in for the first time
    alice.decide(alice.encryption.devices())
    assert any('"a laptop", which was removed, has logged in again' in text for text in alice.notices)


def test_the_bar_says_that_a_device_was_removed(alice: KeyPerson, removed: KeyPerson) -> None:
    assert removed.decide(removed.encryption.learn("Bob")) is Security.NOT_LINKED
    assert alice.decide(alice.encryption.learn("Bob")) is Security.ENCRYPTED
    devices = removed.decide(removed.encryption.devices())
    assert [line.pending for line in devices if line.this] == [True]
    assert any("/devices link" in line for line in listed(devices))


def test_a_removed_device_is_linked_again_by_its_code(alice: KeyPerson, removed: KeyPerson, bob: KeyPerson) -> None:
    link(alice, removed)
    assert removed.decide(removed.encryption.learn("Bob")) is Security.ENCRYPTED
    digits = bob.decide(bob.encryption.verify("Alice")).digits
    bob.decide(bob.encryption.accept("Alice", digits))
    removed.do("message", user="Bob", text="back again")
    assert bob.private == ["before", "back again"]


def test_a_removed_device_shows_no_digits_of_its_old_key(removed: KeyPerson) -> None:
    with pytest.raises(Rejected, match="own key has changed"):
        removed.decide(removed.encryption.verify("Bob"))


def test_what_is_typed_on_a_device_that_is_not_linked_is_answered_with_the_next_step(phone: KeyPerson) -> None:
    assert "/devices says how to link it" in refused(phone, "message", user="Bob", text="hello")
    door = "den is encrypted, and this device is not linked; /devices says how to link it."
    assert refused(phone, "join", room="den") == door


def test_a_direct_link_is_refused_on_a_device_that_is_not_linked(phone: KeyPerson) -> None:
    links = phone.client.privacy.links
    assert links is not None
    with pytest.raises(Rejected, match="not linked"):
        phone.decide(links.addresses("Bob"))


def test_whoever_is_put_out_with_a_device_that_is_not_listed_any_more_is_told_why(
    alice: KeyPerson, phone: KeyPerson, bob: KeyPerson
) -> None:
    link(alice, phone)
    phone.do("join", room="den")
    alice.decide(alice.encryption.reset())
    alice.network.pass_time(3)
    (own,) = phone.heard(e.Kicked)
    assert "; /devices says " in own.reason
    (seen,) = bob.heard(e.Kicked)
    assert seen.reason == "the room is encrypted, and this session has no linked device any more"


def test_without_the_vault_the_bar_and_the_door_say_so(alice: KeyPerson) -> None:
    other = device(alice.network, "tablet", InUse)
    assert other.encryption.status("Bob") is Security.NO_KEYS
    assert refused(other, "join", room="den").startswith(
        "den is encrypted, and encryption does not work here: your keys are in use by process 4711, "
    )
    other.leave()


def test_who_links_a_device_is_not_alarmed_by_that(alice: KeyPerson, phone: KeyPerson) -> None:
    link(alice, phone)
    alice.network.pass_time(3)
    assert not any("is linked to your account now" in text for text in alice.notices)


def test_a_guest_is_told_of_no_recovery_key_and_of_no_other_devices(network: Network) -> None:
    gus = KeyPerson(network, name="gus")
    gus.come()
    lines = state_of_keys(gus.decide(gus.encryption.keys()), gus.encryption.guest())
    assert lines[2:] == [
        "  remembered: the keys of nobody",
        "  your keys belong to gus, a guest, and end with the name; after /register you have keys that last.",
    ]
    commands = EncryptionCommands(gus.client.privacy, Dialogue(lambda text: None, lambda *found: None))
    for line in ("keys recovery", "keys recover", "keys reset", "devices link 12345", "devices remove phone"):
        word, _, rest = line.partition(" ")
        with pytest.raises(Rejected, match="a guest cannot"):
            gus.decide(commands.run(word, rest))
    gus.leave()


def test_the_server_s_words_for_programs_reach_nobody(alice: KeyPerson, world: World) -> None:
    me = alice.client.state.user_id
    (session,) = (one for one in world.chat.sessions.values() if one.user_id == me)
    session.leave_mailbox()  # as if another client had the keys
    told = refused(alice, "message", user="Bob", text="hello")
    assert told.startswith("the server has no keys of this device at the moment")
    with pytest.raises(Rejected, match="the server has no keys of this device at the moment"):
        alice.decide(alice.encryption.new_recovery_key())


def test_somebody_without_keys_has_nothing_to_compare(alice: KeyPerson, world: World) -> None:
    world.person("tel")
    with pytest.raises(Rejected, match="tel has no keys, as on telnet, so there is nothing to compare"):
        alice.decide(alice.encryption.verify("tel"))


def test_a_vault_that_is_in_use_names_the_option_for_a_second_client() -> None:
    assert "start this one with --state DIR, as a device of its own" in VaultInUse(4711).text
