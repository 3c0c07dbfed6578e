"""Users with several devices."""

from __future__ import annotations

from typing import Any

from client.encryption.crashing import MortalNetwork
from client.encryption.people import KeyPerson

from chatroom.model.device import Device

PASSWORD = "a good password"


def write(person: KeyPerson, to: str, text: str) -> None:
    """Write to somebody."""
    person.do("message", user=to, text=text)
    person.network.flow()


def another(alice: KeyPerson, name: str, stores: Any = None) -> KeyPerson:
    """Return another device of Alice, which is not linked yet."""
    network = alice.network._network if isinstance(alice.network, MortalNetwork) else alice.network
    person = KeyPerson(network, stores, login=("Alice", PASSWORD), device=Device(name, "one")).come()
    assert isinstance(person, KeyPerson)
    return person


def link(alice: KeyPerson, person: KeyPerson) -> None:
    """Link a device of Alice by the code that it shows."""
    alice.decide(alice.encryption.link(code_of(person)))
    alice.network.flow()


def code_of(person: KeyPerson) -> str:
    """Return the code that a device shows."""
    parts = person.driver.parts
    assert parts is not None
    return parts.devices.code


def linked(alice: KeyPerson, name: str) -> KeyPerson:
    """Return another device of Alice, which is linked."""
    person = another(alice, name)
    link(alice, person)
    return person


def device_of(person: KeyPerson) -> str:
    """Return the id of somebody's device."""
    parts = person.driver.parts
    assert parts is not None
    return parts.ring.identity.device
