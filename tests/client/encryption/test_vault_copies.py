"""A vault that was copied, or restored from a backup: its device makes new keys before it seals anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.crashing import SlowStores, Wiretap, mortal
from client.encryption.device_people import device_of
from client.encryption.meddling import own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.encryption.outbox import SealedOutbox
from chatroom.client.errors import Rejected
from chatroom.model.device import Device


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap(monkeypatch)


@pytest.fixture
def bob(network: Network, tap: Wiretap) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")  # type: ignore[arg-type]
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    yield person
    person.leave()


@pytest.fixture
def alice(network: Network, bob: KeyPerson) -> KeyPerson:
    person = account(
        mortal(network, SlowStores(network.world.clock), name="alice", several=True, device=Device("laptop", "one")),
        "Alice",
    )
    person.do("join", room="den")
    write(person, "before")
    return person


def write(person: KeyPerson, text: str) -> None:
    """Write to Bob and in the room."""
    person.do("message", user="Bob", text=text)
    person.do("say", room="den", text=text)
    person.network.pass_time(3)


def run_of(person: KeyPerson, stores: Any, device: str = "laptop") -> KeyPerson:
    """Return another run of somebody's client."""
    fields: Any = {
        "login": ("Alice", "a good password"),
        "room": "den",
        "several": True,
        "device": Device(device, "one"),
    }
    return mortal(person.network._network, stores, **fields)  # type: ignore[attr-defined]


def renewed(person: KeyPerson) -> int:
    """Return how often somebody was told that the device has new keys."""
    return len([text for text in person.notices if "this device has made new keys" in text])


@pytest.mark.parametrize("starts", [0, 1, 2])
def test_a_restored_vault_makes_new_keys_and_goes_on(
    alice: KeyPerson, bob: KeyPerson, network: Network, starts: int
) -> None:
    backup = alice.stores.reopened()  # type: ignore[attr-defined]
    present = alice.stores
    old = own_list(alice).devices[0].device
    alice.leave()
    for i in range(starts):
        present = present.reopened()  # type: ignore[attr-defined]
        run = run_of(alice, present)
        write(run, f"after the backup {i}")
        assert renewed(run) == 0
        run.leave()
    restored = run_of(alice, backup)
    network.pass_time(3)
    assert renewed(restored) == (starts > 0)
    write(restored, "after the restoring")
    assert bob.private[-1] == bob.texts[-1] == "after the restoring"
    bob.do("message", user="Alice", text="an answer")
    network.pass_time(3)
    assert restored.private == ["an answer"]
    assert not any("changed" in text for text in bob.notices)
    devices = [device.device for device in own_list(restored).devices]
    assert len(devices) == 1
    assert (old in devices) == (starts == 0)
    restored.leave()


def test_two_clients_with_copies_of_one_vault_get_keys_of_their_own(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    copy = alice.stores.reopened()  # type: ignore[attr-defined]
    other = run_of(alice, copy, "copy")
    network.pass_time(3)
    write(other, "from the copy")
    alice.driver.conversation.drop("a test")
    network.pass_time(5)
    alice.do("join", room="den")  # the copy took its keys, and with them its place
    write(alice, "from the first one")
    assert renewed(alice) + renewed(other) >= 1
    assert bob.private == ["before", "from the copy", "from the first one"] == bob.texts
    bob.do("message", user="Alice", text="to both")
    network.pass_time(3)
    assert (alice.private, other.private) == (["to both"], ["to both"])
    assert len(own_list(alice).devices) == 2
    assert not any("changed" in text for text in bob.notices)
    alice.leave()
    other.leave()


def test_a_copy_of_a_closed_vault_is_found_whichever_is_started_first(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    alice.leave()
    first, second = alice.stores.reopened(), alice.stores.reopened()  # type: ignore[attr-defined]
    one = run_of(alice, first)
    write(one, "from the first")
    one.leave()
    two = run_of(alice, second)
    write(two, "from the second")
    assert (renewed(one), renewed(two)) == (0, 1)
    assert bob.private == ["before", "from the first", "from the second"] == bob.texts
    two.leave()


def test_what_was_not_sent_before_new_keys_is_told_with_its_text(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    alice.leave()
    first, second = alice.stores.reopened(), alice.stores.reopened()  # type: ignore[attr-defined]
    run_of(alice, first).leave()
    SealedOutbox(second[alice.client.state.user_id]).put(
        {"do": "message", "id": "x", "user": "Bob", "text": "never sent"}, to=("Bob", "1")
    )
    two = run_of(alice, second)
    network.pass_time(3)
    assert "A message was not sent, because this device has new keys. It was: never sent" in two.notices
    two.leave()


def test_a_start_that_the_server_did_not_confirm_is_no_copy(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    alice.leave()
    network.cut_after = network.packets + 9
    run = run_of(alice, alice.stores.reopened())  # type: ignore[attr-defined]
    network.pass_time(5)
    run.network.kill()  # type: ignore[attr-defined]
    run.network.bury()  # type: ignore[attr-defined]
    again = run_of(alice, run.stores.reopened())  # type: ignore[attr-defined]
    write(again, "after")
    assert (renewed(run), renewed(again)) == (0, 0)
    again.leave()


@pytest.mark.parametrize("first", ["copy", "original"])
def test_no_key_seals_twice_after_a_copy_was_made_of_a_vault_in_use(
    alice: KeyPerson, bob: KeyPerson, network: Network, first: str
) -> None:
    """The copy is older than what the original has sealed since; the tap of the fixture sees a key that seals twice."""
    copy = alice.stores.reopened()  # type: ignore[attr-defined]
    write(alice, "from the original, after it was copied")
    alice.leave()
    original = alice.stores.reopened()  # type: ignore[attr-defined]
    runs = {"copy": copy, "original": original}
    one = run_of(alice, runs.pop(first))
    write(one, "from the first")
    one.leave()
    (stores,) = runs.values()
    two = run_of(alice, stores)
    write(two, "from the second")
    assert bob.private[-2:] == ["from the first", "from the second"] == bob.texts[-2:]
    assert renewed(two) == 1
    assert any("/keys reset" in text and "change your password" in text for text in two.notices)
    bob.do("message", user="Alice", text="an answer")
    network.pass_time(3)
    assert two.private == ["an answer"]
    two.leave()


def test_both_copies_are_told_and_the_keys_of_a_thief_end(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    copy = alice.stores.reopened()  # type: ignore[attr-defined]
    thief = run_of(alice, copy, "copy")
    network.pass_time(3)
    alice.driver.conversation.drop("a test")
    network.pass_time(5)
    assert renewed(alice) == 1
    linked = [text for text in alice.notices if "is linked to your account now" in text]
    assert len(linked) == renewed(thief)
    before = own_list(alice).user_key
    alice.decide(alice.encryption.reset())
    network.pass_time(3)
    assert own_list(alice).user_key != before
    assert [device.device for device in own_list(alice).devices] == [device_of(alice)]
    with pytest.raises(Rejected):
        thief.do("message", user="Bob", text="from the thief")
    thief.leave()
    alice.leave()


def test_a_clean_start_goes_on_in_the_same_sessions(
    alice: KeyPerson, bob: KeyPerson, tap: Wiretap, network: Network
) -> None:
    alice.leave()
    run = run_of(alice, alice.stores.reopened())  # type: ignore[attr-defined]
    tap.records.clear()
    write(run, "in the same session")
    assert not [record for record in tap.of("keys-claim") if record["user_id"] == user_id(bob)]
    assert bob.private[-1] == "in the same session"
    run.leave()
