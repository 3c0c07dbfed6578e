"""A new user key: ours when the server has it, whatever is refused, cut off or killed meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from client.encryption.crashing import SlowStore, SlowStores, mortal
from client.encryption.device_people import PASSWORD, another, code_of, device_of, linked, write
from client.encryption.meddling import own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from twisted.internet.defer import Deferred

from chatroom.client.errors import Rejected
from chatroom.model.device import Device

Begin = Callable[[KeyPerson, str], Any]
FIELDS: dict[str, Any] = {"device": Device("laptop", "one")}


async def unlink(person: KeyPerson, phone: str) -> None:
    await person.encryption.unlink(phone)


async def reset(person: KeyPerson, phone: str) -> None:
    await person.encryption.reset()


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    yield person
    person.leave()


@pytest.fixture
def alice(network: Network, bob: KeyPerson) -> KeyPerson:
    """Somebody whose client can be killed."""
    return account(mortal(network, SlowStores(network.world.clock), name="alice", **FIELDS), "Alice")


def run_of(alice: KeyPerson, stores: Any) -> KeyPerson:
    """Return the next run of a client of Alice."""
    return mortal(alice.network._network, stores, login=("Alice", PASSWORD), **FIELDS)  # type: ignore[attr-defined]


def refuse_lists(alice: KeyPerson, refused: bool = True) -> None:
    """Let the server refuse all lists, as if they had changed too often, or take them again."""
    alice.network.world.chat.keys.lists.wait = lambda who: 60.0 if refused else 0.0


def server_list(alice: KeyPerson) -> Any:
    """Return the list that the server has."""
    box: list[Any] = []
    directory = alice.network.world.chat.keys.directory
    Deferred.fromCoroutine(directory.list_of(user_id(alice))).addBoth(box.append)
    alice.network.flow()
    return box[0]


def agrees(person: KeyPerson) -> bool:
    """Return whether a client and the server agree about the list and the user key."""
    parts = person.driver.parts
    assert parts is not None
    present = server_list(person)
    return bool(own_list(person) == present and parts.ring.identity.user_key == present.user_key)


@pytest.mark.parametrize("begin", [unlink, reset])
def test_a_refused_change_changes_nothing(alice: KeyPerson, bob: KeyPerson, begin: Begin) -> None:
    phone = linked(alice, "phone")
    before = own_list(alice)
    refuse_lists(alice)
    with pytest.raises(Rejected, match="too often"):
        alice.decide(begin(alice, device_of(phone)))
    assert own_list(alice) == before
    assert agrees(alice)
    write(alice, "Bob", "from the laptop")
    write(phone, "Bob", "from the phone")
    assert bob.private == ["from the laptop", "from the phone"]
    alice.leave()
    again = run_of(alice, alice.stores.reopened())  # type: ignore[attr-defined]
    alice.network.pass_time(3)
    assert agrees(again)
    assert not any("changed" in text or "does not work" in text for text in (*again.notices, *phone.notices))
    write(again, "Bob", "after a restart")
    assert bob.private[-1] == "after a restart"
    again.leave()
    phone.leave()


@pytest.mark.parametrize("begin", [unlink, reset])
@pytest.mark.parametrize("refused", [False, True], ids=["taken", "refused"])
def test_what_a_lost_connection_leaves_is_ended_on_the_next_one(
    alice: KeyPerson, bob: KeyPerson, network: Network, begin: Begin, refused: bool
) -> None:
    ends = []
    for cut in range(30):
        phone = linked(alice, f"phone{cut}")
        before = server_list(alice)
        told = len(alice.notices)
        network.cut_after = network.packets + cut
        box: list[Any] = []
        Deferred.fromCoroutine(begin(alice, device_of(phone))).addBoth(box.append)
        network.pass_time(0.1)
        was_cut, network.cut_after = network.cut_after is None, None
        taken = server_list(alice) != before
        if refused:
            refuse_lists(alice)
        network.pass_time(10)
        assert agrees(alice), cut
        now = server_list(alice)
        if box[0] is None:
            assert now.user_key != before.user_key, cut
        else:
            ends.append(now != before)
            told_later = any("as you wanted" in text or "is done" in text for text in alice.notices[told:])
            assert told_later == ends[-1], cut
            assert taken or not (refused and ends[-1]), cut
        refuse_lists(alice, refused=False)
        phone.leave()
        network.pass_time(3)
        if not was_cut:
            break
    assert len(ends) > 2
    assert any(ends)
    alice.leave()


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("begin", [unlink, reset])
def test_a_client_is_killed_at_every_commit_of_a_change(
    bob: KeyPerson, network: Network, begin: Begin, stored: bool
) -> None:
    for kill in itertools.count(1):
        name = f"Dora{kill}"
        first = account(mortal(network, SlowStores(network.world.clock), name=name.lower(), **FIELDS), name)
        others = []
        for other in ("phone", "tablet"):
            login = (name, PASSWORD)
            person = KeyPerson(network, login=login, device=Device(other, "one")).come()  # type: ignore[arg-type]
            assert isinstance(person, KeyPerson)
            first.decide(first.encryption.link(person.decide(person.encryption.keys()).code))
            network.pass_time(1)
            others.append(person)
        phone, tablet = others
        store = first.stores[user_id(first)]
        assert isinstance(store, SlowStore)
        store.kill_at, store.stored = store.commits + kill, stored
        Deferred.fromCoroutine(begin(first, device_of(phone))).addErrback(lambda failure: None)
        network.pass_time(3)
        died, store.kill_at = first.network.dead, None  # type: ignore[attr-defined]
        again = first
        if died:
            first.network.bury()  # type: ignore[attr-defined]
            again = mortal(network, first.stores.reopened(), login=(name, PASSWORD), **FIELDS)  # type: ignore[attr-defined]
            network.pass_time(3)
        assert agrees(again), kill
        assert not any("own key has changed" in text or "older" in text for text in again.notices), kill
        in_list = {device.device for device in own_list(again).devices}
        if begin is unlink:  # the tablet stays, and has the user key
            assert agrees(tablet), kill
            assert device_of(tablet) in in_list
        write(again, "Bob", f"from {name}")
        assert bob.private[-1] == f"from {name}"
        for person in (again, phone, tablet):
            person.leave()
        if not died:
            break
    assert kill > 3


def killed_at(person: KeyPerson, kill: int, stored: bool, begun: Any, device: str = "laptop") -> KeyPerson:
    """Begin something, kill the client at a commit, and return its next run; the same if it lives to the end."""
    store = person.stores[user_id(person)]
    assert isinstance(store, SlowStore)
    store.kill_at, store.stored = store.commits + kill, stored
    Deferred.fromCoroutine(begun).addErrback(lambda failure: None)
    person.network.pass_time(3)
    died, store.kill_at = person.network.dead, None  # type: ignore[attr-defined]
    if not died:
        return person
    person.network.bury()  # type: ignore[attr-defined]
    fields: Any = {"login": ("Alice", PASSWORD), "device": Device(device, "one")}
    again = mortal(person.network._network, person.stores.reopened(), **fields)  # type: ignore[attr-defined]
    again.network.pass_time(3)
    return again


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
def test_a_client_is_killed_at_every_commit_of_linking_another(alice: KeyPerson, stored: bool) -> None:
    for kill in itertools.count(1):
        phone = another(alice, f"phone{kill}")
        run = killed_at(alice, kill, stored, alice.encryption.link(code_of(phone)))
        assert agrees(run), kill
        if own_list(run).keys_of(device_of(phone)) is None:
            run.decide(run.encryption.link(code_of(phone)))
            run.network.pass_time(1)
        assert agrees(phone), kill
        phone.leave()
        if run is alice:
            break
        alice = run
    assert kill > 2
    alice.leave()


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
def test_a_client_is_killed_at_every_commit_of_a_recovery(alice: KeyPerson, network: Network, stored: bool) -> None:
    key = alice.decide(alice.encryption.new_recovery_key())
    network.world.chat.keys.backups.wait = lambda who: 0.0
    for kill in itertools.count(1):
        fields: Any = {"login": ("Alice", PASSWORD), "device": Device(f"phone{kill}", "one")}
        phone = mortal(network, SlowStores(network.world.clock), **fields)
        network.pass_time(1)
        run = killed_at(phone, kill, stored, phone.encryption.recover(key), f"phone{kill}")
        if code_of(run):
            run.decide(run.encryption.recover(key))
            network.pass_time(1)
        assert agrees(run), kill
        assert agrees(alice), kill
        run.leave()
        if run is phone:
            break
    assert kill > 2
    alice.leave()


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
def test_a_client_is_killed_at_every_commit_of_renaming(alice: KeyPerson, stored: bool) -> None:
    for kill in itertools.count(1):
        run = killed_at(alice, kill, stored, alice.encryption.rename(f"name {kill}"))
        assert agrees(run), kill
        parts = run.driver.parts
        assert parts is not None
        assert own_list(run).devices[0].label == parts.devices.publication.label, kill
        if run is alice:
            break
        alice = run
    assert kill > 2
    assert own_list(alice).devices[0].label == f"name {kill}"
    alice.leave()


def test_a_device_gets_the_user_key_later_if_it_could_not_be_sent(alice: KeyPerson, network: Network) -> None:
    phone = another(alice, "phone")
    code = phone.decide(phone.encryption.keys()).code
    world = alice.network.world
    claims = world.chat.keys.claims
    claims.exhausted, exhausted = (lambda *who: True), claims.exhausted  # no one-time keys are given
    alice.decide(alice.encryption.link(code))
    assert not phone.decide(phone.encryption.keys()).linked
    claims.exhausted = exhausted
    alice.driver.conversation.drop("a test")
    network.pass_time(5)
    assert phone.decide(phone.encryption.keys()).linked
    assert agrees(phone)
    alice.leave()
    phone.leave()
