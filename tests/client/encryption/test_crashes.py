"""Clients are killed at each commit, lines cut at each packet: no key is used twice, nothing is lost or doubled."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.crashing import MortalNetwork, SlowStore, SlowStores, Wiretap, mortal
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import QuickPasswords, World
from msgspec.json import decode

PASSWORD = "a good password"
MOST_COMMITS = 80
MOST_PACKETS = 200
ROUNDS = 3


class Mortal:
    """A user whose client is started again after each crash.

    Args:
        network: The network.
        name: The name of the account, which exists.
        stores: The stores of the first run.
    """

    def __init__(self, network: Network, name: str, stores: SlowStores) -> None:
        self._network = network
        self.name = name
        self.stores = stores
        self.deaths = 0
        self.answered: list[str] = []  # texts of which the client said that they were sent
        self.given: list[str] = []  # all
        self._start()

    def _start(self) -> None:
        fields: dict[str, Any] = {"login": (self.name, PASSWORD), "room": "den", "history": 50, "several": True}
        self.person = mortal(self._network, self.stores, **fields)

    @property
    def _own(self) -> MortalNetwork:
        network = self.person.network
        assert isinstance(network, MortalNetwork)
        return network

    def revive(self) -> None:
        """Start the client again if it was killed."""
        while self._own.dead:
            self.deaths += 1
            self._own.bury()
            self.stores = self.stores.reopened()
            self._start()

    def give(self, do: str, text: str, **fields: Any) -> None:
        """Give a message; it may be lost in a crash only if it is never said to be sent."""
        self.revive()
        self.given.append(text)
        done = self.person.client.do(do, text=text, **fields)
        done.addCallbacks(lambda answer: self.answered.append(text), lambda failure: None)
        self._network.flow()
        self.revive()

    def read(self) -> list[str]:
        """Return the texts of the history of this device."""
        (store,) = (store for id, store in self.stores.items() if not id.startswith("guest"))
        return [decode(kept.value)["text"] for kept in store._history.values()]


def conversation(
    monkeypatch: pytest.MonkeyPatch,
    victim: str,
    *,
    kill_at: int | None = None,
    stored: bool = True,
    cut: int | None = None,
    noticed: bool = True,
) -> tuple[bool, Wiretap, Mortal, Mortal]:
    """Have two people write to each other and in a room while one is killed, or a line is cut.

    Returns:
        Whether that happened; everything that left; and the two.
    """
    world = World(passwords=QuickPasswords())
    network, tap = Network(world), Wiretap(monkeypatch)
    carol = account(KeyPerson(network, name="carol", several=True).come(), "Carol")  # type: ignore[arg-type]
    carol.do("create", room="den")
    carol.do("encrypt", room="den", yes=True)
    for name in ("Alice", "Bob"):
        world.program().record(do="register", user=name, password=PASSWORD)
        world.clients[-1].drop()
    clock = world.clock
    network.noticed = noticed
    network.cut_after = None if cut is None else network.packets + cut
    alice, bob = (
        Mortal(network, name, SlowStores(clock, kill_at if name == victim else None, stored=stored))
        for name in ("Alice", "Bob")
    )
    for mortal_ in (alice, bob):
        mortal_.revive()
    network.pass_time(5)
    for i in range(ROUNDS):
        alice.give("message", f"from alice {i}", user="Bob")
        bob.give("say", f"in the den by bob {i}", room="den")
        bob.give("message", f"from bob {i}", user="Alice")
        alice.give("say", f"in the den by alice {i}", room="den")
        for mortal_ in (alice, bob):
            mortal_.revive()
        network.pass_time(3)
    network.pass_time(70)
    happened = bool(alice.deaths or bob.deaths) if cut is None else network.cut_after is None
    for person in (alice.person, bob.person, carol):
        assert not [text for text in person.notices if "missing before" in text]
    for person in (alice.person, bob.person, carol):
        person.leave()
    world.close()
    return happened, tap, alice, bob


def check(alice: Mortal, bob: Mortal, where: str) -> None:
    """See that both have everything once that was said to be sent, and nothing twice."""
    for reader in (alice, bob):
        read = Counter(reader.read())
        assert set(read.values()) == {1}, f"doubled: {where}"
        for author in (alice, bob):
            if author is not reader:
                missing = set(author.answered) - set(read)
                assert not missing, f"lost: {where}"
    for person in (alice, bob):
        if not person.deaths:
            assert sorted(person.answered) == sorted(person.given), where


@pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("victim", ["Alice", "Bob"])
def test_a_client_is_killed_at_every_commit(monkeypatch: pytest.MonkeyPatch, victim: str, stored: bool) -> None:
    killed = 0
    for kill_at in itertools.count(1):
        with monkeypatch.context() as patches:
            happened, tap, alice, bob = conversation(patches, victim, kill_at=kill_at, stored=stored)
        check(alice, bob, f"{victim} is killed at commit {kill_at}")
        if not happened:
            break
        killed += 1
        assert tap.sealed > 4 * ROUNDS - 1
    assert 10 < killed < MOST_COMMITS


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "ghost"])
def test_a_line_is_cut_at_every_packet(monkeypatch: pytest.MonkeyPatch, noticed: bool) -> None:
    cuts = 0
    for cut in itertools.count():
        with monkeypatch.context() as patches:
            happened, _, alice, bob = conversation(patches, "", cut=cut, noticed=noticed)
        check(alice, bob, f"cut at packet {cut}")
        if not happened:
            break
        cuts += 1
    assert 10 < cuts < MOST_PACKETS


# ---- what waits for the store ----------------------------------------------------------------------------------------


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap(monkeypatch)


@pytest.fixture
def pair(tap: Wiretap, network: Network) -> Iterator[tuple[KeyPerson, KeyPerson]]:
    """Alice and Bob in an encrypted room; each has the key of the other, and stores that take time."""
    people = []
    for name in ("Alice", "Bob"):
        person = mortal(network, SlowStores(network.world.clock), name=name.lower(), several=True)
        people.append(account(person, name))
    alice, bob = people
    alice.do("create", room="den")
    alice.do("encrypt", room="den", yes=True)
    bob.do("join", room="den")
    for author, reader in ((alice, "Bob"), (bob, "Alice")):
        author.do("message", user=reader, text="before")
        author.do("say", room="den", text="before")
    network.pass_time(3)
    yield alice, bob
    for person in people:
        if not person.network.dead:  # type: ignore[attr-defined]
            person.leave()


def store_of(person: KeyPerson) -> SlowStore:
    """Return the store of somebody with an account."""
    store = person.stores[person.client.state.user_id]
    assert isinstance(store, SlowStore)
    return store


@pytest.mark.parametrize(
    "command",
    [
        {"do": "message", "user": "Bob", "text": "sealed"},
        {"do": "say", "room": "den", "text": "sealed"},
        {"do": "edit", "user": "Bob", "text": "changed"},
        {"do": "react", "user": "Bob", "last": 1, "emoji": "👍"},
    ],
    ids=lambda command: command["do"],
)
def test_nothing_sealed_leaves_before_it_is_stored(
    pair: tuple[KeyPerson, KeyPerson], tap: Wiretap, network: Network, command: dict[str, Any]
) -> None:
    alice, _ = pair
    store_of(alice).held = True
    tap.records.clear()
    box: list[Any] = []
    alice.client.do(**command).addBoth(box.append)
    network.pass_time(5)
    assert not tap.of("e2e-send", "say-sealed")
    assert not box
    store_of(alice).release()
    network.pass_time(5)
    assert tap.of("e2e-send", "say-sealed")
    assert box


def test_a_room_key_does_not_leave_before_it_is_stored(
    pair: tuple[KeyPerson, KeyPerson], tap: Wiretap, network: Network
) -> None:
    alice, _ = pair
    carol = account(KeyPerson(network, name="carol", several=True).come(), "Carol")  # type: ignore[arg-type]
    carol.do("join", room="den")
    network.pass_time(3)
    store_of(alice).held = True
    tap.records.clear()
    alice.client.do("say", room="den", text="with a new key")
    network.pass_time(5)
    assert not tap.of("e2e-send", "say-sealed")
    store_of(alice).release()
    network.pass_time(5)
    assert carol.texts == ["with a new key"]
    carol.leave()


def test_one_time_keys_do_not_leave_before_they_are_stored(tap: Wiretap, network: Network) -> None:
    stores = SlowStores(network.world.clock)
    person = account(mortal(network, stores, name="alice"), "Alice")
    login = person.client.state.credentials.login
    person.leave()
    other = SlowStores(network.world.clock)
    other.setdefault(person.client.state.user_id).held = True
    tap.records.clear()
    again = mortal(network, other, login=login)
    network.pass_time(3)
    assert not [record for record in tap.of("keys-publish") if record["one_time"]]
    store_of(again).release()
    network.pass_time(3)
    assert [record for record in tap.of("keys-publish") if record["one_time"]]
    again.leave()


def test_nothing_is_shown_or_acknowledged_before_it_is_stored(
    pair: tuple[KeyPerson, KeyPerson], tap: Wiretap, network: Network
) -> None:
    alice, bob = pair
    store_of(bob).held = True
    tap.records.clear()
    alice.do("message", user="Bob", text="sealed")
    alice.do("say", room="den", text="sealed")
    network.pass_time(5)
    assert not tap.of("e2e-ack")
    assert (bob.private, bob.texts) == (["before"], ["before", "before"])
    store_of(bob).release()
    network.pass_time(5)
    assert tap.of("e2e-ack")
    assert (bob.private, bob.texts) == (["before", "sealed"], ["before", "before", "sealed"])


@pytest.mark.parametrize("do", ["message", "say"])
def test_what_was_sealed_and_not_sent_goes_out_after_a_crash(
    pair: tuple[KeyPerson, KeyPerson], tap: Wiretap, network: Network, do: str
) -> None:
    alice, bob = pair
    login, store = alice.client.state.credentials.login, store_of(alice)
    store.kill_at, store.stored = store.commits + 1, True
    tap.records.clear()
    given = alice.client.do(do, text="sealed once", **({"user": "Bob"} if do == "message" else {"room": "den"}))
    given.addErrback(lambda failure: None)
    network.flow()
    assert not tap.of("e2e-send", "say-sealed")
    kept = _outbox(store)
    alice.network.bury()  # type: ignore[attr-defined]
    again = mortal(network, alice.stores.reopened(), login=login, room="den", several=True)  # type: ignore[attr-defined]
    network.pass_time(5)
    if do == "message":
        sent = [record["envelopes"] for record in tap.of("e2e-send") if record["id"] == kept["record"]["id"]]
        assert sent == [kept["envelopes"]]
        assert bob.private == ["before", "sealed once"]
    else:
        assert {record["id"] for record in tap.of("say-sealed")} == {kept["record"]["id"]}  # for the members of now
        assert bob.texts == ["before", "before", "sealed once"]
    again.leave()


def _outbox(store: SlowStore) -> dict[str, Any]:
    """Return the only message in the outbox as it is stored."""
    (value,) = store._durable[0]["outbox"].values()
    kept: dict[str, Any] = decode(value)
    return kept
