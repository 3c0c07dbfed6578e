"""Anybody can be a new guest at any time, so the keys of guests are few, and the oldest go first."""

from __future__ import annotations

from typing import Any

import pytest
from devices_with_keys import Device, Keyed, connected, keyed
from harness import World, result, stored_records

from chatroom.chat.keys import guest_keys
from chatroom.chat.keys.guest_keys import BUCKET, HOUR
from chatroom.chat.limits import DEVICES_OF_GUEST, ONE_TIME_KEYS_OF_GUEST

SCHOOL = "198.51.100.7"


def publish(world: World, name: str, host: str = SCHOOL, *, stay: bool = False) -> dict[str, Any]:
    """Let a new guest publish keys, and go unless the guest stays; return the answer."""
    client, user_id = connected(world, name, account=False, host=host)
    made = Keyed(client, name, world.chat.server_id, user_id)
    told = made.publish(1, 2)
    if not stay:
        client.drop()
    world.pass_time(1)
    return told


def with_keys(world: World) -> int:
    """Return how many users have keys, and see that exactly the guests among them are counted."""
    kept = {
        key.partition("/")[0] for bucket, key in stored_records(world) if bucket in ("device-keys", "one-time-keys")
    }
    assert {key.rpartition("/")[2] for bucket, key in stored_records(world) if bucket == BUCKET} == kept
    return len(kept)


def test_of_the_guests_at_one_address_the_last_have_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_keys, "GUESTS_WITH_KEYS_OF_ADDRESS", 3)
    first = publish(world, "first", stay=True)
    assert first["event"] == "keys-published"
    elsewhere = publish(world, "elsewhere", "198.51.101.7")
    assert elsewhere["event"] == "keys-published"
    told = [publish(world, f"guesty{i}")["event"] for i in range(5)]
    assert told == ["keys-published"] * 5
    assert with_keys(world) == 4
    online = next(user for user in world.chat.users.values() if user.name == "first")
    assert result(world.chat.keys.directory.devices(online.id)), "who is online keeps the keys"


def test_nobody_who_is_online_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_keys, "GUESTS_WITH_KEYS_OF_ADDRESS", 2)
    told = [publish(world, f"guesty{i}", stay=True) for i in range(3)]
    assert [each.get("code", "") for each in told] == ["", "", "guest-keys-full"]
    assert with_keys(world) == 2
    assert keyed(world, "alice", host=SCHOOL).publish(1)["event"] == "keys-published", "an account is no guest"


def test_in_all_only_so_many_guests_have_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_keys, "GUESTS_WITH_KEYS", 3)
    told = [publish(world, f"guesty{i}", f"198.51.100.{i}")["event"] for i in range(5)]
    assert told == ["keys-published"] * 5
    assert with_keys(world) == 3


def test_new_guests_at_one_address_publish_only_so_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_keys, "GUESTS_WITH_KEYS_AN_HOUR", 2)
    world = World(world.engine, world.clock, first_id=10**6)
    told = [publish(world, f"guesty{i}").get("code", "") for i in range(3)]
    assert told == ["", "", "guest-keys-limited"]
    assert publish(world, "elsewhere", "198.51.101.7")["event"] == "keys-published"
    world.pass_time(HOUR)
    assert publish(world, "later")["event"] == "keys-published"
    world.end()


def test_a_guest_who_publishes_again_is_counted_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_keys, "GUESTS_WITH_KEYS_OF_ADDRESS", 1)
    guest = keyed(world, "guesty", account=False, host=SCHOOL)
    assert [guest.publish(number)["count"] for number in range(3)] == [1, 2, 3]


def test_guests_who_are_gone_for_good_are_counted_no_more(world: World) -> None:
    publish(world, "guesty")
    assert with_keys(world) == 1
    world.pass_time(9 * 86400)
    world.pass_time(601)
    world.pass_time(601)
    assert with_keys(world) == 0


def test_a_guest_has_few_devices_with_few_keys(world: World) -> None:
    guest = keyed(world, "guesty", account=False, host=SCHOOL)
    devices = [Device(f"device{chr(97 + i)}", world.chat.server_id, guest.device.user_id) for i in range(6)]
    for device in devices:
        Keyed(guest.client, device.word, world.chat.server_id, device.user_id).publish(1)
    assert len(result(world.chat.keys.directory.devices(guest.device.user_id))) == DEVICES_OF_GUEST
    assert guest.list_devices(2, guest.device, *devices[-DEVICES_OF_GUEST:])["code"] == "guest-devices"
    for start in range(0, 150, 50):
        count = guest.publish(*range(start, start + 50))["count"]
    assert count == ONE_TIME_KEYS_OF_GUEST
