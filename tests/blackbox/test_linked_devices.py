"""Two devices of one account, one linked by the other: what was sent while one was off is there when it comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon
from blackbox.keyed import Client, Person

ROOM = [f"room {i}" for i in range(20)]
CODE = r"/devices link ((?:[0-9]{5} ?){6})"  # the whole code: its line may be half written yet
PRIVATE = [f"private {i}" for i in range(20)]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A daemon's."""
    with Daemon(tmp_path, "--no-announce") as daemon:
        yield daemon.port


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[Person, Person, Person]]:
    """The computers of alice, her other one, and bob's."""
    with Person(tmp_path / "laptop") as laptop, Person(tmp_path / "phone") as phone, Person(tmp_path / "bob") as bob:
        yield laptop, phone, bob


def on_laptop(computer: Person, port: int) -> Client:
    """Return alice's first client, which has an account and an encrypted room."""
    laptop = computer.client(port, "--plain")
    laptop.type("/register alice secret-1", "/create den", "/encrypt yes")
    laptop.out.wait_for("alice encrypted the room")
    return laptop


def of_bob(computer: Person, port: int) -> Client:
    """Return bob's client, in the room."""
    bob = computer.client(port, "--plain", "--name", "bob")
    bob.type("/join den")
    bob.out.wait_for("Current users: alice, bob")
    return bob


def on_phone(computer: Person, port: int) -> Client:
    """Return a client of alice's that has logged in with the password."""
    phone = computer.client(port, "--plain")
    phone.type("/login alice secret-1")
    phone.out.wait_for("You are logged in as alice")
    return phone


def words(client: Client, pattern: str) -> list[str]:
    """Return what a client has shown of this pattern, which has one group."""
    return re.findall(pattern, client.out.text, re.MULTILINE)


def test_a_linked_device_that_was_off_gets_everything_once(people: tuple[Person, Person, Person], port: int) -> None:
    laptop, bob = on_laptop(people[0], port), of_bob(people[2], port)
    phone = on_phone(people[1], port)
    laptop.err.wait_for("waits to be linked")
    laptop.type(f"/devices link {phone.err.wait_for(CODE)[1]}")
    phone.err.wait_for("This device is linked now")
    phone.type("/join den")
    phone.out.wait_for("Current users: alice, bob")
    phone.end()
    bob.type(*ROOM, *(f"/msg alice {text}" for text in PRIVATE))
    laptop.out.wait_for(rf"bob \(private\): {PRIVATE[-1]}$")
    laptop.type("from the laptop", "/msg bob also from the laptop")
    bob.out.wait_for("also from the laptop")
    phone = on_phone(people[1], port)
    phone.type("/join den", "from the phone")
    bob.out.wait_for("alice: from the phone")
    phone.out.wait_for("alice: from the phone")
    assert words(phone, r"bob: (room \d+)$") == ROOM == words(laptop, r"bob: (room \d+)$")
    assert words(phone, r"bob \(private\): (private \d+)$") == PRIVATE == words(laptop, r"\(private\): (private \d+)$")
    assert words(phone, r"alice: (from the laptop)$") == ["from the laptop"]
    assert words(phone, r"To bob \(private\): (.*)$") == ["also from the laptop"]
    assert phone.end() == ""
    for client in (laptop, bob):
        client.end()


def test_a_device_that_is_not_linked_reads_nothing(people: tuple[Person, Person, Person], port: int) -> None:
    """The password is not enough: it is refused at the door of the room, and nobody seals for it."""
    laptop, bob = on_laptop(people[0], port), of_bob(people[2], port)
    phone = on_phone(people[1], port)
    laptop.err.wait_for("waits to be linked")
    phone.type("/join den")
    phone.err.wait_for("den is encrypted")
    bob.type("/msg alice for the laptop")
    laptop.out.wait_for(r"bob \(private\): for the laptop")
    phone.type("/devices")
    phone.out.wait_for("this device is not linked")
    assert "for the laptop" not in phone.out.text
    for client in (laptop, bob):
        client.end()
