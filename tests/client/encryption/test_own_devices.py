"""Our own devices: linked by a code or the recovery key, removed, and begun anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.crashing import SlowStore, SlowStores, mortal
from client.encryption.device_people import another, linked, write
from client.encryption.meddling import Meddler, false_list, false_seed, own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from msgspec import to_builtins
from twisted.internet.defer import Deferred

from chatroom.client.encryption.interface import Security
from chatroom.client.errors import Rejected
from chatroom.client.opened import OpenedOwn
from chatroom.client.status import SecurityNotice
from chatroom.model.device import Device


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    yield person
    person.leave()


@pytest.fixture
def alice(network: Network, bob: KeyPerson) -> Iterator[KeyPerson]:
    """Somebody with one device, who has written to Bob."""
    person = account(KeyPerson(network, name="alice", device=Device("laptop", "one")).come(), "Alice")  # type: ignore[arg-type]
    write(person, "Bob", "before")
    yield person
    person.leave()


def test_a_device_is_linked_by_the_recovery_key(alice: KeyPerson, bob: KeyPerson) -> None:
    key = alice.decide(alice.encryption.new_recovery_key())
    assert alice.decide(alice.encryption.keys()).recovery
    phone = another(alice, "phone")
    wrong = alice.decide(alice.encryption.new_recovery_key())
    with pytest.raises(Rejected):
        phone.decide(phone.encryption.recover(key))  # there is a newer one
    with pytest.raises(Rejected):
        phone.decide(phone.encryption.recover(wrong[:-1]))
    phone.decide(phone.encryption.recover(wrong))
    phone.network.flow()
    write(phone, "Bob", "from the phone")
    assert bob.private == ["before", "from the phone"]
    assert [event.text for event in alice.heard(OpenedOwn)] == ["from the phone"]
    write(bob, "Alice", "to both")
    assert alice.private == phone.private == ["to both"]
    assert not any("changed" in text for text in (*bob.notices, *alice.notices))
    phone.leave()


def test_a_removed_device_gets_nothing_and_contacts_see_a_changed_key(alice: KeyPerson, bob: KeyPerson) -> None:
    alice.decide(alice.encryption.new_recovery_key())
    phone, tablet = linked(alice, "phone"), linked(alice, "tablet")
    lost = next(line.device for line in phone.decide(phone.encryption.devices()) if line.this)
    before = own_list(alice).user_key
    words: list[str] = []
    tell = tablet.driver.port.tell
    tablet.driver.port.tell = lambda notice: (words.append(tablet.encryption.status("Bob")), tell(notice))[1]  # type: ignore[assignment, method-assign]
    alice.decide(alice.encryption.unlink(lost))
    alice.network.pass_time(3)
    assert words[-1] is not Security.NOT_LINKED  # what the bar says when it is drawn with the notice
    assert not alice.decide(alice.encryption.keys()).recovery
    assert own_list(alice).user_key == own_list(tablet).user_key != before
    assert lost not in {device.device for device in own_list(alice).devices}
    alice.network.pass_time(60)
    (told,) = [
        notice for notice in tablet.heard(SecurityNotice) if "user key" in notice.text or "key has" in notice.text
    ]
    assert "has made a new user key" in told.text
    assert not told.alarm
    with pytest.raises(Rejected, match="nothing to accept"):
        tablet.decide(tablet.encryption.sender_of_user_key())
    with pytest.raises(Rejected, match="key has changed"):
        bob.do("message", user="Alice", text="not before I know")
    digits = bob.decide(bob.encryption.verify("Alice")).digits
    bob.decide(bob.encryption.accept("Alice", digits))
    for author in (alice, tablet):
        write(author, "Bob", "still here")
    write(bob, "Alice", "for those that are left")
    assert bob.private == ["before", "still here", "still here"]
    assert alice.private == tablet.private == ["for those that are left"]
    assert phone.private == []
    with pytest.raises(Rejected):
        phone.do("message", user="Bob", text="from the thief")
    phone.network.flow()
    assert bob.private == ["before", "still here", "still here"]
    assert bob.plain == []
    phone.leave()
    tablet.leave()


def test_a_new_user_key_from_a_device_of_the_server_is_not_believed(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    """The server makes a user key and a device of ours, and lets that device send us the key."""
    parts = alice.driver.parts
    assert parts is not None
    before = own_list(alice)
    meddler = Meddler(alice)
    meddler.swap_list(user_id(alice), lambda listed: false_list(listed, before.rev + 1))
    ghost = parts.ring.contacts.get(user_id(alice)).changed
    assert ghost is not None
    inner = type(
        "Inner",
        (),
        {"body": {"seed": false_seed(to_builtins(before))}, "sender": (user_id(alice), ghost.devices[0].device)},
    )()
    parts.ring.identity.expect_user_key(ghost.user_key)
    parts.devices.take_user_key(inner, ghost.devices[0])
    assert any("not believed" in text for text in alice.notices)
    assert parts.ring.identity.user_key == before.user_key


def test_a_reset_begins_anew_and_contacts_see_that(alice: KeyPerson, bob: KeyPerson) -> None:
    alice.decide(alice.encryption.new_recovery_key())
    phone = another(alice, "phone")
    phone.decide(phone.encryption.reset())
    phone.network.flow()
    assert not phone.decide(phone.encryption.keys()).recovery
    assert len(own_list(phone).devices) == 1
    assert any("our own key has changed" in text for text in alice.notices)
    with pytest.raises(Rejected, match="key has changed"):
        bob.do("message", user="Alice", text="not before I know")
    assert bob.encryption.status("Alice") is Security.BLOCKED
    assert phone.private == []
    phone.leave()


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
def test_a_device_that_is_killed_while_it_begins_anew_goes_on(bob: KeyPerson, network: Network, stored: bool) -> None:
    for kill in range(1, 10):
        fields: dict[str, Any] = {"device": Device("laptop", "one")}
        name = f"Dora{kill}"
        first = account(mortal(network, SlowStores(network.world.clock), name=name.lower(), **fields), name)
        write(first, "Bob", f"from {name}")
        store = first.stores[user_id(first)]
        assert isinstance(store, SlowStore)
        store.kill_at, store.stored = store.commits + kill, stored
        Deferred.fromCoroutine(first.encryption.reset()).addErrback(lambda failure: None)
        network.pass_time(3)
        died = first.network.dead  # type: ignore[attr-defined]
        if not died:
            first.leave()
            break
        first.network.bury()  # type: ignore[attr-defined]
        login = (name, "a good password")
        again = mortal(network, first.stores.reopened(), login=login, **fields)  # type: ignore[attr-defined]
        network.pass_time(3)
        assert not any("own key has changed" in text for text in again.notices)
        assert not any("older" in text for text in again.notices)
        write(again, "Bob", f"again from {name}")
        again.leave()
    else:
        pytest.fail("it is killed for ever")
    assert kill > 2
    assert not bob.plain
