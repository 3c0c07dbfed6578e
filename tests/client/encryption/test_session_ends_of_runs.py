"""What a server withholds at the end of a session is told after a crash of the author, and with new keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.crashing import SlowStores, mortal
from client.encryption.meddling import Meddler
from client.encryption.people import KeyPerson, account
from client.encryption.withholding import Withholding, lost, missing, say
from client.network import Network

from chatroom.client.encryption.outbox import SealedOutbox
from chatroom.model.device import Device

LAPTOP = Device("laptop", "one")


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")  # type: ignore[arg-type]
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def dave(network: Network, bob: KeyPerson) -> KeyPerson:
    """Somebody with a vault."""
    stores = SlowStores(network.world.clock)
    person = account(mortal(network, stores, name="dave", several=True, device=LAPTOP), "Dave")
    person.do("join", room="den")
    say(person, "before")
    network.pass_time(3)
    return person


def run_of(person: KeyPerson, stores: SlowStores) -> KeyPerson:
    """Return another run of somebody's client."""
    network = person.network._network  # type: ignore[attr-defined]
    login = ("Dave", "a good password")
    new = mortal(network, stores, login=login, room="den", several=True, device=LAPTOP, history=20)  # type: ignore[arg-type]
    network.pass_time(5)
    return new


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_it_is_told_after_a_crash_of_the_author(
    dave: KeyPerson, bob: KeyPerson, network: Network, number: int, stored: bool
) -> None:
    server = Withholding(bob)
    server.on = True
    say(dave, *(f"withheld {i}" for i in range(number)))
    network.pass_time(3)
    server.on = False
    store = dave.stores[dave.client.state.user_id]
    store.kill_at, store.stored = store.commits + 1, stored  # type: ignore[attr-defined]
    dave.client.do("say", room="den", text="under way").addErrback(lambda failure: None)
    network.pass_time(3)
    dave.network.bury()  # type: ignore[attr-defined]
    again = run_of(dave, dave.stores.reopened())  # type: ignore[attr-defined]
    say(again, "after")
    network.pass_time(3)
    assert bob.texts == ["before", *["under way"][: int(stored)], "after"]
    assert missing(bob) == lost(number, "Dave")
    again.leave()


def test_a_message_that_a_crash_left_unconfirmed_is_told_if_it_is_withheld(
    dave: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    server = Withholding(bob)
    server.on = True
    own = Withholding(dave)
    own.on = True
    dave.client.do("say", room="den", text="withheld").addErrback(lambda failure: None)
    network.pass_time(3)
    dave.network.kill()  # type: ignore[attr-defined]
    dave.network.bury()  # type: ignore[attr-defined]
    again = run_of(dave, dave.stores.reopened())  # type: ignore[attr-defined]
    assert "withheld" in again.texts
    server.on = False
    say(again, "after")
    network.pass_time(3)
    assert bob.texts == ["before", "after"]
    assert missing(bob) == lost(1, "Dave")
    again.leave()


def test_an_echo_with_the_id_of_a_private_message_does_not_remove_that(dave: KeyPerson) -> None:
    parts = dave.driver.parts
    assert parts is not None
    outbox = SealedOutbox(parts.ring.store)
    outbox.put({"do": "message", "id": "x", "user": "Bob", "text": "private"}, to=("Bob", "1"))
    meddler = Meddler(dave)
    say(dave, "said")
    echo = meddler.last("sealed")
    meddler.say(**{**echo, "id": "x", "seq": echo["seq"] + 1})
    assert outbox.get("x") is not None
    outbox.remove("x")
    dave.leave()


@pytest.mark.parametrize("number", [0, 2])
def test_it_is_told_after_a_copied_vault_got_new_keys(
    dave: KeyPerson, bob: KeyPerson, network: Network, number: int
) -> None:
    server = Withholding(bob)
    server.on = True
    say(dave, *(f"withheld before {i}" for i in range(number)))
    network.pass_time(3)
    server.on = False
    dave.leave()
    first, second = dave.stores.reopened(), dave.stores.reopened()  # type: ignore[attr-defined]
    run_of(dave, first).leave()
    two = run_of(dave, second)
    assert any("new keys" in text for text in two.notices)
    say(two, "with new keys")
    assert missing(bob) == lost(number, "Dave")
    server.on = True
    say(two, *(f"withheld {i}" for i in range(number)))
    network.pass_time(3)
    server.on = False
    two.leave()
    three = run_of(dave, second.reopened())
    say(three, "after")
    network.pass_time(3)
    assert bob.texts == ["before", "with new keys", "after"]
    assert missing(bob) == lost(number, "Dave") * 2
    three.leave()
