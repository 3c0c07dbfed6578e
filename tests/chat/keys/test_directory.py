"""The directory of keys, by itself: what no session can bring about, because its signatures are checked before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from devices_with_keys import Device, public_key
from harness import World, result

from chatroom.chat.keys.directory import MOST_AHEAD, KeyDirectory
from chatroom.model.commands import KeysPublish
from chatroom.model.device_keys import DeviceKeys, DeviceList
from chatroom.model.errors import Refused

USER = "account:1"


@pytest.fixture
def directory(world: World) -> KeyDirectory:
    """The directory, with one device of a user."""
    directory = world.chat.keys.directory
    result(directory.publish(USER, published(device())))
    return directory


def device(**changes: Any) -> dict[str, Any]:
    """Return the keys of the device, perhaps changed; the id stays."""
    return {**Device("laptop", "server", USER).keys, **changes}


def published(keys: dict[str, Any]) -> KeysPublish:
    """Return the command that publishes a device."""
    return KeysPublish(device=msgspec.convert(keys, DeviceKeys), proof="A" * 86)


def listed(rev: int, *devices: dict[str, Any]) -> DeviceList:
    """Return a list."""
    empty = Device("laptop", "server", USER).listing(rev)
    return msgspec.convert({**empty, "devices": list(devices)}, DeviceList)


def code(coroutine: Any) -> str:
    """Return by which word something is refused."""
    with pytest.raises(Refused) as refused:
        result(coroutine)
    return refused.value.code


def test_another_key_under_the_id_of_a_device_is_refused(directory: KeyDirectory) -> None:
    """The id is a part of the key's hash, of 50 bits, so somebody might find another key that has it."""
    other = device(ed25519=public_key("another"))
    assert code(directory.publish(USER, published(other))) == "bad-keys"
    assert code(directory.replace_list("alice", listed(1, other), reset=False)) == "bad-keys"
    assert result(directory.replace_list("alice", listed(1, device()), reset=False)) == set()


def test_a_list_uses_up_only_some_of_the_numbers(directory: KeyDirectory) -> None:
    assert code(directory.replace_list("alice", listed(MOST_AHEAD + 1), reset=True)) == "stale-devices"
    assert result(directory.replace_list("alice", listed(MOST_AHEAD), reset=True)) == set()
    assert code(directory.replace_list("alice", listed(2 * MOST_AHEAD + 1), reset=True)) == "stale-devices"
