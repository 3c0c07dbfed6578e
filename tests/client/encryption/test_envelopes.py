"""Sealing one message for many devices: what goes wrong is told, and nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.errors import Rejected


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """She writes."""
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    """He would read."""
    person = account(KeyPerson(network, name="bob").come(), "Bob")
    yield person
    person.leave()


def test_a_server_that_gives_no_keys_is_told_in_its_words(alice: KeyPerson, bob: KeyPerson) -> None:
    def alter(record: Record) -> list[Record]:
        if record.get("event") == "claimed":
            return [{"event": "error", "code": "keys-limited", "text": "Too often; try later.", "re": record["re"]}]
        return [record]

    Meddler(alice).alter = alter
    with pytest.raises(Rejected, match="Too often"):
        alice.do("message", user="Bob", text="not for the server")
    assert (bob.private, bob.plain) == ([], [])


def test_a_message_that_fits_in_no_envelope_is_refused(alice: KeyPerson, bob: KeyPerson) -> None:
    parts = alice.driver.parts
    assert parts is not None
    devices = parts.peers.recipients(alice.decide(parts.peers.find("Bob")))
    with pytest.raises(Rejected) as refused:
        alice.decide(parts.envelopes.seal(devices, "msg", "m1", {"text": "x" * 100_000}))
    assert refused.value.code == "too-long"
