"""Direct links with people who have several devices: who is asked, who is told, and what goes over a link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.encryption.test_hostile_private import another_device
from client.network import Network, Person
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.direct.channel import UseRelay
from chatroom.client.direct.direct_links import LinkState
from chatroom.client.direct.offer import LinkPeer
from chatroom.client.encryption import links
from chatroom.client.encryption.interface import LinkPath
from chatroom.client.encryption.links import Links
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import Envelope


class NoNetwork:
    """A reactor that cannot listen."""

    def __init__(self, clock: Any) -> None:
        self.callLater = clock.callLater

    def listenTCP(self, *told: Any, interface: str) -> Any:  # noqa: N802
        """Fail."""
        raise CannotListenError(interface, 0, OSError())


def no_network(person: KeyPerson) -> None:
    """Let a person's device listen nowhere."""
    links_of(person)._links._reactor = NoNetwork(person.network.world.clock)


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """She has one device."""
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    no_network(person)
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    """He has two devices; this is the first."""
    person = account(KeyPerson(network, name="bob").come(), "Bob")
    no_network(person)
    yield person
    person.leave()


@pytest.fixture
def phone(bob: KeyPerson) -> Iterator[KeyPerson]:
    """Bob's other device."""
    device = another_device(bob)
    no_network(device)
    yield device
    device.leave()


def links_of(person: KeyPerson) -> Links:
    """Return the links of a person's device."""
    links = person.client.privacy.file_links.links
    assert isinstance(links, Links)
    return links


def peer_of(person: KeyPerson) -> LinkPeer:
    """Return how others name a person's device."""
    parts = person.driver.parts
    assert parts is not None
    return LinkPeer(parts.ring.user_id, parts.ring.identity.device)


def agree(person: KeyPerson, to: str) -> None:
    """Ask for a link, or agree to one."""
    person.decide(links_of(person).agree(to, []))


def test_somebody_without_keys_gets_no_link(alice: KeyPerson, network: Network) -> None:
    carol = Person(network, name="carol").come()
    with pytest.raises(Rejected, match="has no keys"):
        agree(alice, "carol")
    carol.leave()


def test_all_devices_are_asked(alice: KeyPerson, bob: KeyPerson, phone: KeyPerson) -> None:
    agree(alice, "Bob")
    for device in (bob, phone):
        assert links_of(alice)._links.state(peer_of(device)) is LinkState.ASKING
        assert links_of(device)._links.state(peer_of(alice)) is LinkState.ASKED


def test_only_the_device_that_asked_gets_an_answer(alice: KeyPerson, bob: KeyPerson, phone: KeyPerson) -> None:
    agree(phone, "Alice")
    agree(alice, "Bob")
    assert links_of(alice)._links.state(peer_of(phone)) is LinkState.CONNECTING
    assert links_of(alice)._links.state(peer_of(bob)) is None
    assert links_of(bob)._links.state(peer_of(alice)) is None


def test_when_one_device_has_the_link_the_others_are_told(alice: KeyPerson, bob: KeyPerson, phone: KeyPerson) -> None:
    agree(alice, "Bob")
    links_of(alice).state_changed(peer_of(phone), LinkState.DIRECT, "")
    alice.network.flow()
    assert "messages and files to Bob go directly now." in alice.notices
    assert links_of(bob)._links.state(peer_of(alice)) is None
    assert links_of(phone)._links.state(peer_of(alice)) is LinkState.ASKED


def test_nothing_is_sent_to_a_device_that_is_not_signed(alice: KeyPerson, bob: KeyPerson) -> None:
    agree(alice, "Bob")
    with pytest.raises(CryptoRefusal):
        links_of(alice)._keys_of(LinkPeer(peer_of(bob).user_id, "AAAAAAAAAA"))


class Taker:
    """What takes files; it notes the links that were lost."""

    def __init__(self) -> None:
        self.gone: list[Any] = []

    def lost(self, peer: Any) -> None:
        """Note it."""
        self.gone.append(peer)


def test_the_loss_of_a_link_is_told_to_the_user_and_to_files(alice: KeyPerson, bob: KeyPerson) -> None:
    agree(alice, "Bob")
    alice.client.privacy.link_files = taker = Taker()
    links_of(alice).state_changed(peer_of(bob), LinkState.RELAYED, "it was lost")
    assert "messages and files to Bob are relayed by the server, encrypted as before (it was lost)." in alice.notices
    assert taker.gone == [peer_of(bob)]


def test_after_a_link_has_died_the_bar_says_relayed_to_whoever_agreed_to_it(alice: KeyPerson, bob: KeyPerson) -> None:
    assert links_of(alice).path("Bob") is LinkPath.NONE
    agree(alice, "Bob")
    agree(bob, "Alice")
    for one, other in ((alice, "Bob"), (bob, "Alice")):
        links_of(one).stop()
        assert links_of(one)._states(other) == []
        assert links_of(one).path(other) is LinkPath.RELAYED


def test_whoever_refused_a_link_is_not_told_of_the_relay(alice: KeyPerson, bob: KeyPerson) -> None:
    agree(alice, "Bob")
    bob.decide(links_of(bob).refuse("Alice"))
    alice.network.flow()
    assert links_of(bob).path("Alice") is LinkPath.NONE
    assert links_of(alice).path("Bob") is LinkPath.RELAYED


def test_only_so_many_are_remembered(alice: KeyPerson, bob: KeyPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_WANTED", 1)
    links_of(alice)._wanted["somebody"] = None
    agree(alice, "Bob")
    assert list(links_of(alice)._wanted) == [peer_of(bob).user_id]


@pytest.mark.parametrize("arrives", [True, False])
def test_what_did_not_go_over_the_link_goes_by_the_server(
    alice: KeyPerson, bob: KeyPerson, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    there, peer = links_of(alice), peer_of(bob)
    here = Envelope(user_id=peer.user_id, device=peer.device, kind=1, body="x")
    elsewhere = Envelope(user_id=peer.user_id, device="AAAAAAAAAA", kind=1, body="y")

    def send(to: LinkPeer, id: str, envelope: Envelope) -> Deferred[None]:
        assert (to, envelope) == (peer, here)
        return succeed(None) if arrives else fail(UseRelay("it was lost"))

    monkeypatch.setattr(there, "is_open", lambda device: device == tuple(peer))
    monkeypatch.setattr(there._links, "send_envelope", send)
    left = alice.decide(there.carry("m1", [elsewhere, here]))
    assert left == ([elsewhere] if arrives else [elsewhere, here])
