"""After a device has begun anew, the others are linked again by their codes; and devices are renamed and refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.device_people import another, code_of, device_of, link, linked, write
from client.encryption.meddling import Meddler, false_list, false_seed, own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from msgspec import to_builtins
from twisted.internet.defer import Deferred

from chatroom.client.encryption.device_labels import checked_label, shown_label
from chatroom.client.encryption.interface import Security
from chatroom.client.errors import Rejected
from chatroom.model.device import Device
from chatroom.model.signed_bytes import unb64


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


def accept_key_of_alice(bob: KeyPerson) -> None:
    """Accept the changed key of Alice."""
    bob.decide(bob.encryption.accept("Alice", bob.decide(bob.encryption.verify("Alice")).digits))


# ---- begun anew


def test_the_other_devices_are_linked_again_by_code_after_a_reset(alice: KeyPerson, bob: KeyPerson) -> None:
    tablet, phone = linked(alice, "tablet"), another(alice, "phone")
    before = own_list(alice).user_key
    phone.decide(phone.encryption.reset())
    phone.network.pass_time(1)
    assert {line.device for line in phone.decide(phone.encryption.devices()) if line.pending} == {
        device_of(alice),
        device_of(tablet),
    }
    for old in (alice, tablet):
        parts = old.driver.parts
        assert parts is not None
        assert not parts.devices.linked
        assert any(f"/devices link {code_of(old)}" in text for text in old.notices)
        link(phone, old)
        assert parts.ring.identity.user_key == before  # until the user says so
        assert any("/devices accept" in text for text in old.notices)
        assert old.decide(old.encryption.sender_of_user_key()) == ("a laptop", device_of(phone))
        old.decide(old.encryption.accept_user_key())
        assert parts.ring.identity.user_key == own_list(phone).user_key != before
        assert parts.devices.linked
    assert {device.device for device in own_list(alice).devices} == {device_of(each) for each in (alice, tablet, phone)}
    with pytest.raises(Rejected, match="key has changed"):
        bob.do("message", user="Alice", text="not before I know")
    accept_key_of_alice(bob)
    for author in (alice, tablet, phone):
        write(author, "Bob", "still here")
    assert bob.private == ["before", "still here", "still here", "still here"]
    assert bob.encryption.status("Alice") is Security.ENCRYPTED  # it has changed once
    write(bob, "Alice", "to all")
    assert alice.private == tablet.private == phone.private == ["to all"]
    for person in (tablet, phone):
        person.leave()


def test_a_code_links_nothing_if_the_server_names_another_key(alice: KeyPerson, bob: KeyPerson) -> None:
    """The server shows a false list to the laptop while the phone begins anew."""
    phone = another(alice, "phone")
    phone.decide(phone.encryption.reset())
    genuine = own_list(phone)
    meddler = Meddler(alice)
    meddler.swap_list(user_id(alice), lambda listed: false_list(to_builtins(genuine), genuine.rev + 1))
    alice.network.pass_time(1)
    with pytest.raises(Rejected, match="No device that waits has this code"):
        phone.decide(phone.encryption.link(code_of(alice)))
    with pytest.raises(Rejected, match="No other device has sent"):
        alice.decide(alice.encryption.accept_user_key())
    phone.leave()


def test_a_user_key_that_was_not_accepted_yet_ends_with_the_next_one(alice: KeyPerson, bob: KeyPerson) -> None:
    phone = another(alice, "phone")
    phone.decide(phone.encryption.reset())
    phone.network.pass_time(1)
    link(phone, alice)
    phone.decide(phone.encryption.unlink(device_of(alice)))
    phone.network.pass_time(1)
    laptop = another(phone, "laptop", alice.stores)
    with pytest.raises(Rejected, match="No other device has sent"):
        laptop.decide(laptop.encryption.accept_user_key())
    link(phone, laptop)
    laptop.decide(laptop.encryption.accept_user_key())
    assert own_list(laptop) == own_list(phone)
    for person in (laptop, phone):
        person.leave()


def test_a_device_that_never_got_the_user_key_gets_it_by_its_code(alice: KeyPerson, bob: KeyPerson) -> None:
    """Its mail was dropped, such as after 30 days in a drawer."""
    phone, tablet = linked(alice, "phone"), linked(alice, "tablet")
    meddler = Meddler(tablet)
    meddler.alter = lambda record: [] if record.get("event") == "e2e-from" else [record]
    alice.decide(alice.encryption.unlink(device_of(phone)))
    alice.network.pass_time(3)
    assert code_of(tablet)
    assert not any("own key has changed" in text for text in tablet.notices)
    tablet.driver.conversation.drop("a test")
    alice.network.pass_time(30)
    tablet.driver.conversation.drop("a test")
    alice.network.pass_time(30)
    assert sum("own key has changed" in text for text in tablet.notices) == 1
    meddler.alter = lambda record: [record]
    link(alice, tablet)
    assert own_list(tablet).user_key == own_list(alice).user_key
    assert not code_of(tablet)
    for person in (phone, tablet):
        person.leave()


def test_a_device_that_is_not_linked_links_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    phone, tablet = another(alice, "phone"), another(alice, "tablet")
    with pytest.raises(Rejected, match="not linked"):
        phone.decide(phone.encryption.link(code_of(tablet)))
    for person in (phone, tablet):
        person.leave()


def test_a_false_key_is_only_kept_until_the_user_decides(alice: KeyPerson, bob: KeyPerson) -> None:
    """The server makes a user key and a device of ours, and lets that device send us the key."""
    parts = alice.driver.parts
    assert parts is not None
    before = own_list(alice)
    meddler = Meddler(alice)
    meddler.swap_list(user_id(alice), lambda listed: false_list(to_builtins(before), before.rev + 1))
    assert any("your own key has changed" in text for text in alice.notices)
    assert parts.ring.identity.user_key == before.user_key
    assert unb64(false_seed(to_builtins(before))) != parts.ring.identity.user_seed()
    with pytest.raises(Rejected, match="own key has changed"):
        alice.do("message", user="Bob", text="not under that key")


def test_a_device_that_was_linked_before_gives_its_new_key_without_a_question(alice: KeyPerson, bob: KeyPerson) -> None:
    phone = linked(alice, "phone")
    alice.decide(alice.encryption.reset())
    alice.network.pass_time(1)
    (told,) = [text for text in phone.notices if "own key has changed" in text]
    assert "this one then links itself" in told
    assert "/devices accept" not in told
    link(alice, phone)
    assert own_list(phone) == own_list(alice)
    with pytest.raises(Rejected, match="nothing to accept: this device has your present user key"):
        phone.decide(phone.encryption.sender_of_user_key())
    phone.leave()


# ---- names of devices


def test_a_device_is_renamed_in_the_signed_list(alice: KeyPerson, bob: KeyPerson) -> None:
    phone = linked(alice, "phone")
    rev = own_list(alice).rev
    alice.decide(alice.encryption.rename("  the laptop in the kitchen "))
    alice.network.pass_time(1)
    for person in (alice, phone):
        found = own_list(person).keys_of(device_of(alice))
        assert found is not None
        assert found.label == "the laptop in the kitchen"
        assert own_list(person).rev == rev + 1
    write(alice, "Bob", "as before")
    assert bob.private[-1] == "as before"
    assert not any("changed" in text for text in (*bob.notices, *phone.notices))
    alice.decide(alice.encryption.unlink(device_of(phone)))
    assert own_list(alice).devices[0].label == "the laptop in the kitchen"
    phone.leave()


def test_a_device_that_waits_is_renamed_and_keeps_its_name(alice: KeyPerson, bob: KeyPerson) -> None:
    phone = another(alice, "phone")
    phone.decide(phone.encryption.rename("my phone"))
    assert "my phone" in {line.label for line in alice.decide(alice.encryption.devices())}
    link(alice, phone)
    found = own_list(alice).keys_of(device_of(phone))
    assert found is not None
    assert found.label == "my phone"
    phone.leave()


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200b", "a\u202eb", "a\x1b[31mb", "two\nlines", "x" * 65, "z" + "\u0301" * 30]
)
def test_a_name_that_cannot_be_shown_is_refused(alice: KeyPerson, bob: KeyPerson, name: str) -> None:
    before = own_list(alice)
    with pytest.raises(Rejected):
        checked_label(name)  # and not only the server
    with pytest.raises(Rejected):
        alice.decide(alice.encryption.rename(name))
    assert own_list(alice) == before


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("\x1b]0;title\x07\u202eevil\nname", "evil\ufffdname"),
        ("a" * 90, "a" * 61 + "..."),
        ("\u200b \u2060", "(no name)"),
        ("", "(no name)"),
        ("left\u200fright", "leftright"),
    ],
)
def test_the_name_of_a_strange_device_is_harmless_on_the_screen(label: str, shown: str) -> None:
    assert shown_label(label) == shown


# ---- devices that wait


def test_the_user_is_told_of_devices_that_wait_without_a_flood(alice: KeyPerson, bob: KeyPerson) -> None:
    def told() -> list[str]:
        return [text for text in alice.notices if "to be linked" in text]

    phones = [another(alice, f"phone{i}") for i in range(4)]
    assert len(told()) == 1
    alice.network.pass_time(3600, 60)
    phones.append(another(alice, "phone5"))
    assert told()[1:] == ["4 devices have logged in as you, and wait to be linked; /devices says more."]
    alice.decide(alice.encryption.devices())
    phones.append(another(alice, "phone6"))
    assert len(told()) == 3  # the user had seen all others
    alice.driver.conversation.drop("a test")
    alice.network.pass_time(5)
    assert len(told()) == 3
    for phone in phones:
        phone.leave()


def test_a_device_that_came_while_we_were_away_is_told_on_the_next_connection(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    phone = linked(alice, "phone")
    phone.leave()
    tablet, stranger = linked(alice, "tablet"), another(alice, "stranger")
    again = another(alice, "phone", phone.stores)
    assert any("waits to be linked" in text for text in again.notices)
    assert any("is linked to your account now" in text and device_of(tablet) in text for text in again.notices)
    for person in (tablet, stranger, again):
        person.leave()


def test_a_refused_device_is_not_listed_and_its_code_links_it_all_the_same(alice: KeyPerson, bob: KeyPerson) -> None:
    phone = another(alice, "phone")
    rev, key = own_list(alice).rev, own_list(alice).user_key
    alice.decide(alice.encryption.unlink(device_of(phone)))
    assert device_of(phone) not in {line.device for line in alice.decide(alice.encryption.devices())}
    assert (own_list(alice).rev, own_list(alice).user_key) == (rev, key)
    link(alice, phone)
    assert own_list(phone) == own_list(alice)
    phone.leave()


def test_a_device_that_others_push_out_waits_again_when_its_user_looks(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    """Others who know the password push it out again and again: it answers a few times, and not for ever."""
    directory = network.world.chat.keys.directory
    phone = another(alice, "phone")
    publish, times = directory.publish, 0

    async def pushed_out(user: str, command: Any) -> Any:
        nonlocal times
        times += 1
        before = await publish(user, command)
        await directory.forget_device(user, command.device.device)
        return before

    directory.publish = pushed_out
    Deferred.fromCoroutine(directory.forget_device(user_id(alice), device_of(phone)))
    other = another(alice, "other")  # all devices are told of it
    network.pass_time(60)
    assert 0 < times < 20
    directory.publish = publish
    with pytest.raises(Rejected, match="type /devices there"):
        alice.decide(alice.encryption.link(code_of(phone)))
    phone.decide(phone.encryption.devices())
    link(alice, phone)
    assert own_list(phone) == own_list(alice)
    for person in (phone, other):
        person.leave()
