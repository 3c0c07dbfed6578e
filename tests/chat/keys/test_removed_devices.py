"""A device that its user has removed, for example a lost one, is logged out."""

from __future__ import annotations

from typing import Any

import pytest
from devices_with_keys import Keyed, keyed
from harness import Client, World


def remembered(world: World, word: str) -> tuple[Keyed, str]:
    """Return a device of alice that waits to be listed, and the token by which it logs in."""
    client = world.connect()
    client.record(do="hello", version=1, device=word)
    client.record(do="login", user="alice", password="secret-1", remember=True, client=word)
    told = next(record for record in client.records() if record["event"] == "account")
    made = Keyed(client, word, world.chat.server_id, told["id"])
    assert made.publish()["event"] == "keys-published"
    return made, told["token"]


def by_token(world: World, token: str) -> dict[str, Any]:
    """Log in by a token; return the answer."""
    client = world.connect()
    client.record(do="hello", version=1, device="again")
    client.record(do="login", user="alice", token=token, ref=1)
    return next(record for record in client.records() if record.get("re") == 1)


def codes(client: Client) -> list[str]:
    """Return the codes of the refusals that have come."""
    return [record["code"] for record in client.records() if record["event"] == "error"]


def remove(alice: Keyed, *devices: Keyed, **more: Any) -> dict[str, Any]:
    """Replace the list by one of the user's own device alone; return the answer."""
    listed = alice.device.listing(3, alice.device, user_key="new")
    return alice.ask("keys-list", list=listed, reset=True, ends=[each.device.id for each in devices], **more)


@pytest.fixture
def alice(world: World) -> Keyed:
    return keyed(world, "alice")


def test_a_removed_device_is_logged_out(world: World, alice: Keyed) -> None:
    phone, token = remembered(world, "phone")
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    phone.client.take()
    assert remove(alice, phone)["event"] == "ok"
    assert codes(phone.client) == ["device-removed"]
    assert not phone.client.open
    assert by_token(world, token)["code"] == "wrong-token"
    assert alice.client.open


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "waiting"])
def test_a_removed_device_that_is_not_there_cannot_log_in_again(world: World, alice: Keyed, listed: bool) -> None:
    phone, token = remembered(world, "phone")
    if listed:
        assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    phone.client.drop()
    assert remove(alice, phone)["event"] == "ok"
    assert by_token(world, token)["code"] == "wrong-token"


def test_other_sessions_of_the_same_login_end_too(world: World, alice: Keyed) -> None:
    phone, token = remembered(world, "phone")
    tab = world.connect()
    tab.record(do="hello", version=1, device="phone", tab="2")
    tab.record(do="login", user="alice", token=token)
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    tab.take()
    remove(alice, phone)
    assert codes(tab) == ["device-removed"]


def test_a_device_that_is_only_not_listed_any_more_stays_logged_in(world: World, alice: Keyed) -> None:
    """After its user has begun anew elsewhere, it shows the code by which it is linked again."""
    phone, token = remembered(world, "phone")
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    phone.client.take()
    assert remove(alice)["event"] == "ok"
    assert codes(phone.client) == ["unlinked"]
    assert by_token(world, token)["event"] == "account"


def test_a_device_in_the_list_and_those_of_others_stay_logged_in(world: World, alice: Keyed) -> None:
    bob = keyed(world, "bob")
    phone, token = remembered(world, "phone")
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    listed = alice.device.listing(3, alice.device, phone.device)
    ends = [each.device.id for each in (alice, bob, phone)]
    assert alice.ask("keys-list", list=listed, ends=ends)["event"] == "ok"
    assert by_token(world, token)["event"] == "account"
    assert alice.client.open
    assert bob.client.open
    assert phone.client.open


def test_a_list_that_is_given_again_ends_the_login_that_is_left(world: World, alice: Keyed) -> None:
    """The first time, the daemon was killed after it had stored the list."""
    phone, token = remembered(world, "phone")
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    assert remove(alice)["event"] == "ok"
    assert remove(alice, phone)["event"] == "ok"
    assert by_token(world, token)["code"] == "wrong-token"


def test_a_list_that_is_refused_ends_no_login(world: World, alice: Keyed) -> None:
    """Whoever knows only the password can send an older list, which is public, or a new one without a reset."""
    phone, token = remembered(world, "phone")
    older = alice.device.listing(1, alice.device)
    assert alice.list_devices(2, alice.device, phone.device)["event"] == "ok"
    thief, _ = remembered(world, "thief")
    for listed in (older, thief.device.listing(3, thief.device, user_key="new")):
        assert thief.ask("keys-list", list=listed, ends=[phone.device.id])["code"] == "stale-devices"
    assert by_token(world, token)["event"] == "account"
