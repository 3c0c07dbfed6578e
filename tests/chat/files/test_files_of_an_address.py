"""Everybody at one address together may fill only a part of the store, with however many accounts."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest
from chat.files.about import refused
from harness import Client, World
from order import restarted
from sharing import begin, hear, kept_files, offer, only, share

from chatroom.chat.files import record_storage
from chatroom.chat.limits import PART_OF_ADDRESS

STORE = 4000
FILE = b"h" * 390  # nearly a tenth


def member(world: World, name: str, host: str) -> Client:
    """Return a program at an address, logged in and in a room."""
    client = world.connect(host)
    client.record(do="hello", version=1)
    client.record(do="register", user=name, password="secret")
    client.record(do="join", room="lobby")
    hear(client)
    return client


def fill(world: World, hosts: tuple[str, ...]) -> Client:
    """Share files of many accounts at these addresses in turn, as long as that goes; return the one who is refused."""
    for number in range(STORE):
        client = member(world, f"hog{number}", hosts[number % len(hosts)])
        offer(client, FILE)
        if hear(client)[-1]["event"] == "error":
            assert sum(file.size for file in kept_files(world)) <= STORE
            return client
        client.record(do="cancel", file=kept_files(world)[-1].id)
        hear(client)
        share(client, FILE)
    raise AssertionError("nobody was refused")


@pytest.mark.parametrize(
    "hosts",
    [("192.0.2.7",), ("2001:db8::1", "2001:db8::2"), ("127.0.0.1", "127.0.0.9", "::1")],
    ids=["IPv4", "one network of IPv6", "this machine"],
)
def test_many_accounts_at_one_address_fill_a_quarter(hosts: tuple[str, ...]) -> None:
    with closing(World(store=STORE)) as world:
        last = fill(world, hosts)
        taken = sum(file.size for file in kept_files(world))
        assert STORE // PART_OF_ADDRESS - len(FILE) < taken <= STORE // PART_OF_ADDRESS
        offer(last, FILE)
        assert "/unshare" in refused(last, "too-many-address-files")
        guest = world.connect(hosts[0])
        guest.record(do="hello", version=1, name="guest")
        guest.record(do="join", room="lobby")
        hear(guest)
        offer(guest, FILE)
        refused(guest, "too-many-address-files")
        share(member(world, "honest", "198.51.100.1"), FILE)


def test_an_address_is_still_charged_after_a_restart_and_until_its_files_are_taken_back() -> None:
    world = World(store=STORE)
    last = fill(world, ("192.0.2.7",))
    names = {file.by for file in kept_files(world)}
    last.drop()
    with closing(restarted(world)) as again:
        again.rules.store = STORE
        late = member(again, "late", "192.0.2.7")
        offer(late, FILE)
        refused(late, "too-many-address-files")
        owner = again.connect("203.0.113.5")
        owner.record(do="hello", version=1)
        owner.record(do="login", user=sorted(names)[0], password="secret")
        owner.record(do="unshare", name="notes.txt")
        hear(owner)
        share(late, FILE)


def test_without_counting_by_address_accounts_fill_all_of_it() -> None:
    with closing(World(store=STORE, throttle=False)) as world:
        last = fill(world, ("192.0.2.7",))
        assert sum(file.size for file in kept_files(world)) > STORE - len(FILE)
        offer(last, FILE)
        refused(last, "store-full")


def test_the_first_file_of_an_address_may_have_any_size() -> None:
    with closing(World(store=STORE)) as world:
        share(member(world, "alice", "192.0.2.7"), b"a" * (STORE // 2))
        bob = member(world, "bob", "192.0.2.7")
        offer(bob, b"b")
        refused(bob, "too-many-address-files")


def test_a_record_of_an_earlier_version_has_no_address(world: World) -> None:
    alice = member(world, "alice", "192.0.2.7")
    begin(alice, FILE)
    (record,) = kept_files(world)
    assert record.place == "address:192.0.2.7"
    old = msgspec.to_builtins(record)
    del old["whence"]
    assert record_storage.decode(msgspec.json.encode(old)).place == ""
    alice.record(do="files")
    only(alice, event="files")
