"""One-time keys are given out once each, the oldest first; then the fallback key; and not too many to one asker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from devices_with_keys import Keyed, keyed
from harness import World, result

from chatroom.chat.keys.claiming import OneTimeKeys
from chatroom.chat.limits import CLAIMS_OF_ADDRESS, CLAIMS_OF_ONE, FALLBACK_CLAIMS, FALLBACK_OF_ADDRESS, FEW_KEYS


def claim(asker: Keyed, of: Keyed, *more: str) -> list[dict[str, Any]]:
    """Return the keys that are given of a device."""
    told = asker.ask("keys-claim", user_id=of.device.user_id, devices=[of.device.id, *more])
    return told.get("keys", [told])


def words(owner: Keyed, given: list[dict[str, Any]], candidates: range) -> list[int]:
    """Return which one-time keys of a device were given, by the numbers that they were made from."""
    by_key = {owner.device.key(number)["key"]: number for number in candidates}
    return [by_key[one["key"]["key"]] for one in given]


def test_the_oldest_key_is_given_first_and_each_once(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.publish(3, 1, 2)
    world.pass_time(1)
    bob.publish(9)
    given = [claim(alice, bob) for _ in range(4)]
    assert [words(bob, one, range(10)) for one in given] == [[3], [1], [2], [9]]
    assert given[0][0] == {
        "user_id": bob.device.user_id,
        "device": bob.device.id,
        "key": bob.device.key(3),
    }
    assert claim(alice, bob) == [], "a device without any key is left out"


def test_the_fallback_key_is_given_when_none_is_left_and_stays(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.publish(1, fallback="last")
    claim(alice, bob)
    last = bob.device.key("last", fallback=True)
    assert [claim(alice, bob)[0]["key"] for _ in range(2)] == [last, last]
    bob.publish()
    assert claim(alice, bob)[0]["key"] == last, "it is kept when no other is published"


def test_a_device_named_twice_or_in_no_list_gives_no_further_key(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    phone = keyed(world, "bob", "phone", listed=False)
    bob.publish(1, 2)
    phone.publish(1, 2)
    told = claim(alice, bob, bob.device.id, phone.device.id)
    assert [one["device"] for one in told] == [bob.device.id]


def test_nobody_has_keys_who_has_no_list(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob", listed=False)
    bob.publish(1)
    assert claim(alice, bob)[0]["code"] == "no-user"


def test_a_device_is_told_when_few_are_left(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.publish(*range(FEW_KEYS + 1))
    claim(alice, bob)
    assert bob.client.records() == []
    claim(alice, bob)
    assert bob.client.records() == [{"event": "keys-low", "count": FEW_KEYS - 1}]


def fallbacks(given: list[dict[str, Any]]) -> list[Any]:
    """Return whether each key that was given is a fallback key; the code instead of one that was not given."""
    return [one["key"]["fallback"] if "key" in one else one["code"] for one in given]


def test_one_asker_does_not_take_all_keys(world: World) -> None:
    alice, bob, carol = (keyed(world, name) for name in ("alice", "bob", "carol"))
    bob.publish(*range(50), fallback="last")
    given = fallbacks([claim(alice, bob)[0] for _ in range(CLAIMS_OF_ONE + FALLBACK_CLAIMS + 1)])
    assert given == [False] * CLAIMS_OF_ONE + [True] * FALLBACK_CLAIMS + ["keys-limited"]
    assert claim(carol, bob)[0]["key"]["fallback"] is False
    world.pass_time(3601)
    assert claim(alice, bob)[0]["key"]["fallback"] is False


def pupils(world: World, number: int, *, account: bool, host: str = "198.51.100.7") -> Iterator[Keyed]:
    """Give so many users behind one address, one after the other."""
    for i in range(number):
        word = f"pupil{chr(97 + i // 26)}{chr(97 + i % 26)}"
        yield keyed(world, word, word, account=account, host=host)


@pytest.mark.parametrize("account", [True, False], ids=["accounts", "guests"])
def test_a_class_behind_one_address_can_write_to_its_teacher(world: World, account: bool) -> None:
    teacher = keyed(world, "teacher")
    teacher.publish(*range(50), fallback="last")
    given = [claim(pupil, teacher)[0] for pupil in pupils(world, 40, account=account)]
    assert fallbacks(given) == [False] * 40
    assert len({one["key"]["key"] for one in given}) == 40


@pytest.mark.parametrize("account", [True, False], ids=["accounts", "guests"])
def test_one_address_takes_only_so_many_whoever_asks_there(world: World, account: bool) -> None:
    """Guests and accounts are made at will."""
    bob = keyed(world, "bob")
    for start in (0, 50):
        bob.publish(*range(start, start + 50), fallback="last")
    given: list[Any] = []
    for mallory in pupils(world, 8, account=account):
        given += fallbacks([claim(mallory, bob)[0] for _ in range(CLAIMS_OF_ONE)])
    assert given == [False] * CLAIMS_OF_ADDRESS + [True] * (8 * CLAIMS_OF_ONE - CLAIMS_OF_ADDRESS)
    elsewhere = keyed(world, "another", account=False, host="198.51.101.7")
    assert claim(elsewhere, bob)[0]["key"]["fallback"] is False


def test_one_address_is_given_the_fallback_key_only_so_often(world: World) -> None:
    bob = keyed(world, "bob")
    bob.publish(fallback="last")
    given: list[Any] = []
    for mallory in pupils(world, 16, account=False):
        given += fallbacks([claim(mallory, bob)[0] for _ in range(FALLBACK_CLAIMS)])
    most = CLAIMS_OF_ADDRESS + FALLBACK_OF_ADDRESS
    assert given == [True] * most + ["keys-limited"] * (len(given) - most)


def test_two_daemons_on_one_engine_give_no_key_twice(world: World) -> None:
    bob = keyed(world, "bob")
    bob.publish(*range(2 * CLAIMS_OF_ONE), fallback="last")
    second = World(world.engine, world.clock, first_id=10**6)
    askers = [keyed(world, "alice"), keyed(second, "carol")]
    for asker in askers:
        for _ in range(CLAIMS_OF_ONE):
            devices = {"user_id": bob.device.user_id, "devices": [bob.device.id]}
            line = json.dumps({"do": "keys-claim", **devices}).encode() + b"\n"
            asker.client.transport.protocol.dataReceived(line)
    world.settle()
    given = [record["keys"][0]["key"] for asker in askers for record in asker.client.records() if "keys" in record]
    assert len(given) == 2 * CLAIMS_OF_ONE
    assert len({key["key"] for key in given}) == 2 * CLAIMS_OF_ONE
    assert [record["count"] for record in bob.client.records() if record["event"] == "keys-low"][-1] == 0
    second.end()


def test_who_comes_second_takes_the_next_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two have read the same oldest key; only one of them can remove it."""
    bob = keyed(world, "bob")
    bob.publish(1, 2, 3)
    where = bob.device.user_id, bob.device.id
    keys, second = world.chat.keys.one_time, OneTimeKeys(world.engine, world.chat.now)
    read, taken = world.engine.get, []

    def get(bucket: str, key: str) -> Any:
        found = read(bucket, key)
        if not taken:
            monkeypatch.undo()
            taken.append(result(second.take(*where)))
        return found

    monkeypatch.setattr(world.engine, "get", get)
    taken.append(result(keys.take(*where)))
    assert [key.key for key in taken] == [bob.device.key(number)["key"] for number in (1, 2)]
    assert result(keys.count(*where)) == 1


def test_keys_keep_their_order_when_the_clock_is_set_back(world: World) -> None:
    bob = keyed(world, "bob")
    where = bob.device.user_id, bob.device.id
    bob.publish(1)
    earlier = OneTimeKeys(world.engine, lambda: world.chat.now() - 3_600_000)
    (key,) = bob.device.one_time(2)
    publish = world.chat.keys.one_time._now
    world.chat.keys.one_time._now = earlier._now
    bob.publish_as({"one_time": [key]})
    world.chat.keys.one_time._now = publish
    first = result(world.chat.keys.one_time.take(*where))
    assert first.key == bob.device.key(1)["key"]
