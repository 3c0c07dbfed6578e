"""Whoever publishes keys must have the secret keys that belong to them: a password alone is not enough."""

from __future__ import annotations

from typing import Any

import pytest
from devices_with_keys import Device, Keyed, connected, keyed, nonce_of, public_key, shown, signed
from harness import World, result
from order import owner, session_of

from chatroom.chat.keys.signatures import SessionNonces
from chatroom.chat.limits import LISTS_OF_ONE, NEW_DEVICES_OF_ONE


def intruder(world: World, victim: Keyed, host: str = "127.0.0.1") -> Keyed:
    """Return a program that has logged in with the victim's password, and knows what is public of the victim's keys."""
    client, user_id = connected(world, "alice", device="intruder", host=host)
    return Keyed(client, victim.device.word, world.chat.server_id, user_id)


def other_device(thief: Keyed) -> Device:
    """Return a device of the intruder's own."""
    return Device("intruder", str(thief.device.whose["server"]), thief.device.user_id)


def test_each_connection_has_a_nonce_of_its_own(world: World) -> None:
    found = []
    for _ in range(2):
        client = world.connect()
        client.record(do="hello", version=1)
        found.append(client.records()[0]["nonce"])
        assert found[-1] == nonce_of(client)
    assert len(set(found)) == 2
    assert all(len(nonce) == 32 for nonce in found)
    later = World(world.engine, world.clock)  # it gives the same ids again
    client = later.connect()
    client.record(do="hello", version=1)
    assert client.records()[0]["nonce"] not in found
    later.end()


def test_nobody_can_guess_a_nonce_from_the_id_of_a_session(world: World) -> None:
    session = session_of(owner(world, "alice"))
    found = [SessionNonces(lambda length, secret=secret: secret * length).of(session) for secret in "ab"]  # type: ignore[misc]
    assert found[0] != found[1]


def test_a_password_does_not_take_the_mailbox_nor_change_what_is_kept_of_a_device(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.publish(1, 2, fallback="last", generation=3)
    thief = intruder(world, alice)
    stolen = shown(alice.client, alice.device)
    signature_of_theirs = other_device(thief).shown(nonce_of(thief.client))["proof"]
    wrong: list[dict[str, Any]] = [
        {"proof": stolen["proof"]},  # seen on another connection
        {"proof": signature_of_theirs},
        {"proof": stolen["device"]["sig"]},
        {"proof": "A" * 86},
    ]
    for fields in wrong:
        told = thief.publish_as({**fields, "withdraw": True, "generation": 2**50})
        assert told["code"] == "bad-proof"
    assert thief.publish_as({"proof": "_" * 86})["code"] == "bad-record"
    assert thief.publish_as({"proof": "A" * 85 + "B"})["code"] == "bad-keys", "it has another spelling"
    kept = result(world.chat.keys.directory.device(alice.device.user_id, alice.device.id))
    assert (kept.generation, result(world.chat.keys.one_time.count(alice.device.user_id, alice.device.id))) == (3, 2)
    bob.send("m1", alice.device.envelope("ForAlice"))
    assert (alice.bodies(), thief.bodies()) == (["ForAlice"], [])
    assert thief.ask("e2e-ack", seq=1)["code"] == "no-keys"


@pytest.mark.parametrize("wrong", [{"label": "tablet"}, {"curve25519": public_key("any")}, {"sig": "A" * 86}], ids=str)
def test_the_keys_of_a_device_must_be_signed_by_the_device(world: World, wrong: dict[str, str]) -> None:
    alice = keyed(world, "alice")
    assert alice.publish_as({"device": {**alice.device.keys, **wrong}})["code"] == "bad-keys"
    assert alice.publish()["event"] == "keys-published"


def test_the_id_of_a_device_is_that_of_its_key(world: World) -> None:
    """Otherwise somebody could take the place of a device that has not published its keys yet."""
    client, user_id = connected(world, "alice")
    alice = Keyed(client, "alice", world.chat.server_id, user_id)
    other = Device("other", world.chat.server_id, user_id)
    for id in (other.id, alice.device.id.lower()):
        posing = Device("alice", world.chat.server_id, user_id)
        posing.id = id
        assert alice.publish_as(posing.shown(nonce_of(client)))["code"] == "bad-keys"


def test_a_list_must_be_signed_by_its_user_key(world: World) -> None:
    alice = keyed(world, "alice")
    thief = intruder(world, alice)
    listed = alice.device.listing(2)  # of no devices, which removes all
    by_others = signed("another", "device-list", listed), signed("user key", "device", listed)
    no_key = {**listed, "user_key": "A" * 42 + "B"}  # another spelling
    for forged in ({**listed, "sig": "A" * 86}, *by_others, no_key):
        for reset in (True, False):
            assert thief.ask("keys-list", list=forged, reset=reset)["code"] == "bad-keys"
    assert result(world.chat.keys.directory.list_of(alice.device.user_id)).rev == 1


def test_a_new_user_key_needs_a_device_of_the_same_session(world: World) -> None:
    alice = keyed(world, "alice")
    thief = intruder(world, alice)
    assert thief.ask("keys-list", list=alice.device.listing(2, user_key="mine"), reset=True)["code"] == "no-keys"
    told = thief.ask("keys-list", list=alice.device.listing(2, alice.device, user_key="mine"), reset=True)
    assert told["code"] == "no-keys"


def test_a_first_list_needs_a_device_of_the_same_session(world: World) -> None:
    alice = keyed(world, "alice", listed=False)
    thief = intruder(world, alice)
    assert thief.list_devices(1)["code"] == "no-keys"
    assert alice.list_devices(1)["event"] == "ok"


def test_a_password_does_not_remove_the_sealed_user_key(world: World) -> None:
    alice = keyed(world, "alice")
    assert alice.ask("keys-backup", sealed="c2VhbGVk")["event"] == "ok"
    thief = intruder(world, alice)
    assert thief.ask("keys-backup", sealed="")["code"] == "no-keys"
    waiting = keyed(world, "alice", "waiting", listed=False)
    assert waiting.ask("keys-backup", sealed="")["code"] == "no-keys", "its device is not in the list"
    assert waiting.ask("keys-restore")["sealed"] == "c2VhbGVk", "it may have the recovery key"


def test_a_sealed_user_key_needs_a_list(world: World) -> None:
    assert keyed(world, "alice", listed=False).ask("keys-backup", sealed="c2VhbGVk")["code"] == "no-keys"


def test_an_intruder_elsewhere_does_not_use_up_what_the_owner_may_do(world: World) -> None:
    alice = keyed(world, "alice")
    thief = keyed(world, "alice", "thief", listed=False, host="10.9.8.7")
    for rev in range(2, LISTS_OF_ONE + 2):
        thief.list_devices(rev, alice.device, thief.device, user_key=f"reset {rev}", reset=True)
    told = thief.list_devices(99, alice.device, thief.device, user_key="again", reset=True)
    assert told["code"] == "devices-limited"
    rev = result(world.chat.keys.directory.list_of(alice.device.user_id)).rev
    assert alice.list_devices(rev + 1, user_key="taken back", reset=True)["event"] == "ok"


def test_devices_that_are_here_are_not_displaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.chat.keys.service.DEVICES_OF_ONE", 3)
    alice = keyed(world, "alice")
    waiting = keyed(world, "alice", "waiting", listed=False)
    thief = intruder(world, alice)
    for number in range(4):
        world.pass_time(60)
        other = Keyed(thief.client, f"thief {number}", world.chat.server_id, alice.device.user_id)
        assert other.publish()["event"] == "keys-published"
    kept = {record.keys.device for record in result(world.chat.keys.directory.devices(alice.device.user_id))}
    assert kept == {alice.device.id, waiting.device.id, other.device.id}


def test_a_list_that_is_sent_again_by_somebody_else_is_not_told(world: World) -> None:
    """The list is public."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.ask("keys-query", users=["alice"])
    thief = intruder(world, alice)
    for _ in range(LISTS_OF_ONE + 1):
        assert thief.ask("keys-list", list=alice.device.listing(1, alice.device))["event"] == "ok"
    assert [each for each in bob.client.records() if each["event"] == "keys-changed"] == []
    assert alice.list_devices(2)["event"] == "ok"


def test_the_resets_of_an_intruder_at_the_same_address_leave_the_owner_other_lists(world: World) -> None:
    """And a new password gives the owner resets again."""
    alice = keyed(world, "alice")
    thief = keyed(world, "alice", "thief", listed=False)
    for rev in range(2, LISTS_OF_ONE + 2):
        told = thief.list_devices(rev, alice.device, thief.device, user_key=f"reset {rev}", reset=True)
        assert told["event"] == "ok"
    rev += 1
    again = {"user_key": "taken back", "reset": True}
    assert alice.list_devices(rev, **again)["code"] == "devices-limited"
    assert alice.list_devices(rev, user_key=f"reset {rev - 1}")["event"] == "ok"
    alice.ask("password", old="secret-1", new="secret-2")
    assert alice.list_devices(rev + 1, **again)["event"] == "ok"


def test_a_device_that_waits_neither_sends_nor_claims(world: World) -> None:
    """Otherwise it would use up what the user's other devices may send and claim."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    thief = keyed(world, "alice", "thief", listed=False)
    assert thief.send("m1", bob.device.envelope(), user="bob")["code"] == "not-listed"
    assert thief.ask("keys-claim", user_id=bob.device.user_id, devices=[bob.device.id])["code"] == "not-listed"
    client, _ = connected(world, "alice", device="without")
    client.record(do="keys-claim", user_id=bob.device.user_id, devices=[bob.device.id], ref=1)
    assert client.records()[-1]["code"] == "not-listed"
    assert alice.send("m1", bob.device.envelope(), user="bob")["event"] == "e2e-sent"


def test_devices_that_wait_are_told_to_their_user_alone_and_so_many_in_an_hour(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.ask("keys-query", users=["alice"])
    thief = intruder(world, alice)
    told = []
    for number in range(NEW_DEVICES_OF_ONE + 1):
        other = Keyed(thief.client, f"thief {number}", world.chat.server_id, alice.device.user_id)
        told.append(other.publish().get("code", ""))
    assert told == [""] * (NEW_DEVICES_OF_ONE - 1) + ["devices-limited"] * 2, "the first one was the owner's"
    assert [each for each in bob.client.records() if each["event"] == "keys-changed"] == []
    changed = [each["rev"] for each in alice.client.records() if each["event"] == "keys-changed"]
    assert changed == [1] * (NEW_DEVICES_OF_ONE - 1)
    assert alice.publish()["event"] == "keys-published", "it is not new"


def test_an_older_list_of_the_owner_costs_the_owner_nothing(world: World) -> None:
    """It is public, too, and has a genuine signature."""
    alice = keyed(world, "alice")
    older = alice.device.listing(1, alice.device)
    assert alice.list_devices(2)["event"] == "ok"
    thief = intruder(world, alice)
    for _ in range(LISTS_OF_ONE + 1):
        assert thief.ask("keys-list", list=older)["code"] == "stale-devices"
    assert alice.list_devices(3)["event"] == "ok"


def test_with_a_new_password_the_owner_may_have_new_devices_again(world: World) -> None:
    alice = keyed(world, "alice")
    thief = intruder(world, alice)
    for number in range(NEW_DEVICES_OF_ONE):
        Keyed(thief.client, f"thief {number}", world.chat.server_id, alice.device.user_id).publish()
    fresh = Keyed(alice.client, "fresh", world.chat.server_id, alice.device.user_id)
    assert fresh.publish()["code"] == "devices-limited"
    alice.ask("password", old="secret-1", new="secret-2")
    assert fresh.publish()["event"] == "keys-published"
