"""A program publishes the keys of its device and the list of its user's devices; others ask for them."""

from __future__ import annotations

from typing import Any

import pytest
from devices_with_keys import Device, Keyed, connected, keyed, public_key, signed
from fakes import SocketClient
from harness import World, result, stored_records

from chatroom.chat.keys.claiming import ONE_TIME
from chatroom.chat.keys.directory import DEVICES, LISTS
from chatroom.chat.limits import DEVICES_OF_ONE, KEY_BACKUPS, ONE_TIME_KEYS
from chatroom.model.replies import FEATURES


def test_the_welcome_has_the_id_of_the_server_for_ever_and_that_of_the_user(world: World) -> None:
    first, second = world.connect(), world.connect()
    for client in (first, second):
        client.record(do="hello", version=1)
    one, other = first.records()[0], second.records()[0]
    assert one["server_id"] == other["server_id"] == world.chat.server_id != ""
    assert one["you_id"] != other["you_id"]
    assert "keys" in one["features"]
    assert "keys" in FEATURES
    later = World(world.engine, world.clock, first_id=10**6)
    assert later.chat.server_id == world.chat.server_id
    later.end()


def test_keys_are_published_and_counted(world: World) -> None:
    alice = keyed(world, "alice", listed=False)
    told = alice.publish(1, 2, 3, fallback="last", generation=4)
    assert told == {
        **{"event": "keys-published", "re": "it"},
        **{"count": 3, "rev": 0, "pending": True, "generation": 0},
    }
    assert alice.list_devices(1)["event"] == "ok"
    told = alice.publish(3, 4, generation=4)
    assert (told["count"], told["rev"], told["pending"]) == (4, 1, False), "the same key is no second one"
    assert alice.publish(9, withdraw=True, generation=4)["count"] == 1
    (session,) = world.chat.sessions.values()
    assert (session.keys_device, session.keyed) == (alice.device.id, True)


def test_a_session_has_its_keys_until_it_has_another_user(world: World) -> None:
    alice = keyed(world, "alice", listed=False)
    (session,) = world.chat.sessions.values()
    assert (session.keys_device, session.keyed) == (alice.device.id, False)
    alice.list_devices(1)
    assert session.keyed
    alice.ask("logout")
    assert (session.keys_device, session.keyed, session.mailbox) == ("", False, None)
    assert list(world.chat.keys.holders) == []
    assert alice.ask("e2e-ack", seq=1)["code"] == "no-keys"
    assert alice.publish()["code"] == "bad-keys", "these are keys of the account"


def test_only_so_many_one_time_keys_are_kept(world: World) -> None:
    alice = keyed(world, "alice")
    for start in range(0, 250, 50):
        count = alice.publish(*range(start, start + 50))["count"]
    assert count == ONE_TIME_KEYS


def test_an_old_copy_of_the_keys_is_refused(world: World) -> None:
    alice = keyed(world, "alice")
    alice.publish(generation=7)
    assert alice.publish(1, generation=6)["code"] == "stale-vault"
    assert alice.publish(generation=7)["count"] == 0
    assert alice.publish(generation=8)["generation"] == 7, "another copy, in use with a lower one, is found by that"
    assert alice.publish(generation=8)["generation"] == 8


@pytest.mark.parametrize("wrong", [{"user_id": "somebody"}, {"server": "another"}], ids=str)
def test_nobody_publishes_for_another_user_or_server(world: World, wrong: dict[str, str]) -> None:
    client, user_id = connected(world, "alice")
    alice = Keyed(client, "alice", world.chat.server_id, user_id)
    right, device = alice.device.keys, alice.device
    assert alice.publish_as({"device": device.signed({**right, **wrong})})["code"] == "bad-keys"
    for field in ("one_time", "fallback"):
        key: Any = {**device.key(1, fallback=field == "fallback"), **wrong}
        keys = {field: key if field == "fallback" else [key]}
        assert alice.publish_as(keys)["code"] == "bad-keys"
    assert result(world.chat.keys.directory.device(user_id, device.id)) is None
    alice.publish()
    for listed in ({**device.listing(1, device), **wrong}, {**device.listing(1), "devices": [{**right, **wrong}]}):
        assert alice.ask("keys-list", list=signed("user key", "device-list", listed))["code"] == "bad-keys"
    assert result(world.chat.keys.directory.list_of(user_id)) is None


@pytest.mark.parametrize("fallback", [True, False])
def test_a_fallback_key_is_no_one_time_key_and_the_other_way_round(world: World, fallback: bool) -> None:
    alice = keyed(world, "alice")
    key = alice.device.key(1, fallback=fallback)
    keys: dict[str, Any] = {"one_time": [key]} if fallback else {"fallback": key}
    assert alice.publish_as(keys)["code"] == "bad-keys"


def test_a_key_of_another_device_is_refused(world: World) -> None:
    alice = keyed(world, "alice")
    other = Device("other", world.chat.server_id, alice.device.user_id)
    assert alice.publish_as({"one_time": other.one_time(1)})["code"] == "bad-keys"


def test_a_device_does_not_change_its_key(world: World) -> None:
    alice = keyed(world, "alice")
    changed = {**alice.device.keys, "ed25519": public_key("another")}
    assert alice.publish_as({"device": signed("another", "device", changed)})["code"] == "bad-keys"


@pytest.mark.parametrize(
    "wrong",
    [{"ed25519": "short"}, {"device": "../../../x"}, {"sig": ""}, {"label": "x" * 65}, {"v": 0}, {"curve25519": None}],
    ids=str,
)
def test_what_is_no_record_of_keys_is_refused(world: World, wrong: dict[str, Any]) -> None:
    alice = keyed(world, "alice")
    assert alice.publish_as({"device": {**alice.device.keys, **wrong}})["code"] == "bad-record"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"v": 2}, "unknown-keys"), *(({"label": label}, "bad-label") for label in ("a\x1b[2J", "a\nb", "\u202eevil"))],
    ids=str,
)
def test_keys_that_are_signed_are_refused_if_they_are_of_another_version_or_their_label_is_not_safe(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    """A newer version may have fields that this server does not know, and would not give to others."""
    alice = keyed(world, "alice")
    device = alice.device.signed({**alice.device.keys, **wrong})
    assert alice.publish_as({"device": device})["code"] == code
    listed = {**alice.device.listing(2, alice.device), "devices": [device]}
    assert alice.ask("keys-list", list=signed("user key", "device-list", listed))["code"] == code
    assert alice.list_devices(2)["event"] == "ok"


def test_one_time_keys_and_lists_of_another_version_are_refused(world: World) -> None:
    alice = keyed(world, "alice")
    one_time = signed(alice.device.word, "one-time-key", {**alice.device.key(1), "v": 2})
    fallback = signed(alice.device.word, "one-time-key", {**alice.device.key(2, fallback=True), "v": 2})
    assert alice.publish_as({"one_time": [one_time]})["code"] == "unknown-keys"
    assert alice.publish_as({"fallback": fallback})["code"] == "unknown-keys"
    listed = signed("user key", "device-list", {**alice.device.listing(2, alice.device), "v": 2})
    assert alice.ask("keys-list", list=listed)["code"] == "unknown-keys"


# ---- lists -------------------------------------------------------------------------------------------------------


def test_a_list_follows_the_present_one_and_keeps_the_user_key(world: World) -> None:
    alice = keyed(world, "alice")
    assert alice.list_devices(1, user_key="user key")["event"] == "ok", "the same list again changes nothing"
    phone = keyed(world, "alice", "phone", listed=False).device
    assert alice.list_devices(1, alice.device, phone)["code"] == "stale-devices"
    assert alice.list_devices(2, alice.device, phone, user_key="another")["code"] == "stale-devices"
    assert alice.list_devices(2, alice.device, phone)["event"] == "ok"
    assert alice.list_devices(3, user_key="another", reset=True)["event"] == "ok"
    kept = result(world.chat.keys.directory.list_of(alice.device.user_id))
    assert (kept.rev, kept.user_key) == (3, public_key("another"))


def test_after_a_restored_backup_a_list_may_leave_out_numbers(world: World) -> None:
    alice = keyed(world, "alice")
    assert alice.list_devices(7)["event"] == "ok"
    assert alice.list_devices(6)["code"] == "stale-devices"


def test_a_list_names_a_device_once_and_only_devices_that_have_keys(world: World) -> None:
    alice = keyed(world, "alice")
    unknown = Device("unknown", world.chat.server_id, alice.device.user_id)
    assert alice.list_devices(2, alice.device, alice.device)["code"] == "bad-keys"
    assert alice.list_devices(2, alice.device, unknown)["code"] == "bad-keys"


def test_a_device_that_is_taken_out_is_told_and_forgotten(world: World) -> None:
    alice = keyed(world, "alice")
    phone = keyed(world, "alice", "phone", listed=False)
    phone.publish(1, 2)
    alice.list_devices(2, alice.device, phone.device)
    phone.client.records()
    alice.client.record(do="keys-list", list=alice.device.listing(3, alice.device))
    told = [(record["event"], record.get("code")) for record in phone.client.records()]
    assert ("error", "unlinked") in told
    assert phone.ask("e2e-ack", seq=1)["code"] == "no-keys"
    left = [key for bucket, key in stored_records(world) if phone.device.id in key]
    assert left == []
    assert phone.publish()["pending"] is True


def test_a_new_device_waits_to_be_in_the_list_and_the_others_are_told(world: World) -> None:
    alice = keyed(world, "alice")
    phone = keyed(world, "alice", "phone", listed=False)
    (told,) = [record for record in alice.client.records() if record["event"] == "keys-changed"]
    assert told == {"event": "keys-changed", "user": "alice", "user_id": alice.device.user_id, "rev": 1}
    answer = alice.ask("keys-query", users=["alice"])
    assert answer["pending"] == [phone.device.keys]
    assert answer["users"][0]["list"]["devices"] == [alice.device.keys]


def test_too_many_devices_displace_those_in_no_list(world: World) -> None:
    alice = keyed(world, "alice")
    for number in range(DEVICES_OF_ONE + 3):
        world.pass_time(60)
        word = f"x{chr(97 + number // 26)}{chr(97 + number % 26)}"
        other = Keyed(alice.client, word, world.chat.server_id, alice.device.user_id)
        assert other.publish(1)["event"] == "keys-published"
    kept = {key for bucket, key in stored_records(world) if bucket == DEVICES}
    one_time = {key.rpartition("/")[0] for bucket, key in stored_records(world) if bucket == ONE_TIME}
    assert one_time == kept - {f"{alice.device.user_id}/{alice.device.id}"}
    assert len(kept) == DEVICES_OF_ONE
    assert f"{alice.device.user_id}/{alice.device.id}" in kept
    assert f"{alice.device.user_id}/{other.device.id}" in kept


# ---- asking ------------------------------------------------------------------------------------------------------


def test_a_query_by_name_and_by_id(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob", account=False)
    connected(world, "carol")
    nobody = {"name": "nobody", "user_id": "", "list": None, "rev": 0}
    told = alice.ask("keys-query", users=["bob", f"id:{bob.device.user_id}", "carol", "nobody", "id:nobody", "/"])
    by_name, by_id, carol, missing, no_id, no_name = told["users"]
    assert by_name == by_id
    assert (by_name["name"], by_name["rev"], by_name["list"]["devices"]) == ("bob", 1, [bob.device.keys])
    assert (carol["name"], carol["list"], carol["rev"]) == ("carol", None, 0)
    assert carol["user_id"]
    assert missing == nobody
    assert (no_id["user_id"], no_id["list"]) == ("nobody", None)
    assert no_name["user_id"] == ""


def test_an_offline_account_is_found_by_id(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    (found,) = alice.ask("keys-query", users=[f"id:{bob.device.user_id}"])["users"]
    assert (found["name"], found["rev"]) == ("bob", 1)


def test_an_answer_has_as_many_lists_as_fit_and_says_how_many_are_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["alice", "bob", "carol", "dora"]
    alice, *_ = (keyed(world, name) for name in names)
    size = len(stored_records(world)[LISTS, alice.device.user_id][0])
    monkeypatch.setattr("chatroom.chat.keys.asking.KEYS_BYTES", 2 * size + 20)
    told = alice.ask("keys-query", users=[*names, "bob"])
    assert ([user["name"] for user in told["users"]], told["more"]) == (names[:2], 2)
    told = alice.ask("keys-query", users=names[2:])
    assert ([user["name"] for user in told["users"]], told.get("more", 0)) == (names[2:], 0)
    monkeypatch.setattr("chatroom.chat.keys.asking.KEYS_BYTES", 10)
    told = alice.ask("keys-query", users=names)
    assert ([user["name"] for user in told["users"]], told["more"]) == (names[:1], 3), "one list always fits"


def test_nothing_more_is_looked_up_for_who_has_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    get, looked_up = world.engine.get, []

    def get_and_go(bucket: str, key: str) -> Any:
        if bucket == LISTS:
            looked_up.append(key)
            alice.client.transport.end()
        return get(bucket, key)

    monkeypatch.setattr(world.engine, "get", get_and_go)
    alice.client.record(do="keys-query", users=[f"id:{bob.device.user_id}", "id:one", "id:two"])
    assert looked_up == [bob.device.user_id]


def test_who_does_not_read_is_not_answered_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a few bytes of questions would make the server hold many bytes of answers."""
    bob = keyed(world, "bob")
    client = SocketClient(world)
    client.record(do="hello", version=1)
    client.records()
    get, looked_up = world.engine.get, []

    def counted(bucket: str, key: str) -> Any:
        if (bucket, key) == (LISTS, bob.device.user_id):
            looked_up.append(key)
        return get(bucket, key)

    monkeypatch.setattr(world.engine, "get", counted)
    client.socket.room = 100
    for number in range(3):
        client.record(do="keys-query", users=["bob"], ref=number)
    assert len(looked_up) == 1
    client.transport.make_room()
    assert [record["re"] for record in client.records()] == [0, 1, 2]
    assert len(looked_up) == 3


def changes(client: Any) -> list[tuple[str, int]]:
    """Return of whose new lists a client was told."""
    return [(record["user"], record["rev"]) for record in client.records() if record["event"] == "keys-changed"]


def test_who_is_told_of_a_new_list(world: World) -> None:
    """The user's own sessions, those in a room with the user, and those that asked; nobody else."""
    bob = keyed(world, "bob")
    tablet = keyed(world, "bob", "tablet", listed=False)
    neighbour, asker, stranger = (keyed(world, name) for name in ("neighbour", "asker", "stranger"))
    without_keys, _ = connected(world, "nokeys")
    for client in (bob.client, neighbour.client, without_keys):
        client.record(do="join", room="lobby")
    asker.ask("keys-query", users=["bob"])
    everybody = (bob, tablet, neighbour, asker, stranger)
    for each in everybody:
        each.client.records()
    without_keys.records()
    bob.client.record(do="keys-list", list=bob.device.listing(2, bob.device))
    assert [changes(each.client) for each in everybody] == [[("bob", 2)]] * 4 + [[]]
    assert changes(without_keys) == []


def test_only_the_last_users_who_were_asked_for_are_watched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.chat.keys.delivery.WATCHED", 2)
    asker, bob = keyed(world, "asker"), keyed(world, "bob")
    asker.ask("keys-query", users=["bob", "id:one", "id:two"])
    bob.list_devices(2)
    assert changes(asker.client) == []


# ---- the sealed user key ---------------------------------------------------------------------------------------------


def test_the_sealed_user_key_is_kept_for_its_owner_alone(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    assert alice.ask("keys-restore")["sealed"] == ""
    assert alice.ask("keys-backup", sealed="c2VhbGVk")["event"] == "ok"
    assert bob.ask("keys-restore")["sealed"] == ""
    again, _ = connected(world, "alice", device="another")
    again.record(do="keys-restore", ref=1)
    assert again.records()[-1] == {"event": "keys-backup", "re": 1, "sealed": "c2VhbGVk"}
    assert alice.ask("keys-backup", sealed="")["event"] == "ok"
    assert alice.ask("keys-restore")["sealed"] == ""
    for wrong in ("x" * 4097, "no base64", "AA=="):
        assert alice.ask("keys-backup", sealed=wrong)["code"] == "bad-record"


def test_the_sealed_user_key_is_stored_only_so_often(world: World) -> None:
    alice = keyed(world, "alice")
    told = [alice.ask("keys-backup", sealed="x") for _ in range(KEY_BACKUPS + 1)]
    assert [answer.get("code", "") for answer in told] == [""] * KEY_BACKUPS + ["key-backups-limited"]
    assert "recovery key" in told[-1]["text"]
    assert "try again in 1 hour" in told[-1]["text"]
    world.pass_time(3601)
    assert "code" not in alice.ask("keys-backup", sealed="x")


def test_the_sealed_user_key_is_given_as_often_as_it_is_asked_for(world: World) -> None:
    alice = keyed(world, "alice")
    alice.ask("keys-backup", sealed="c2VhbGVk")
    for _ in range(3):
        for _ in range(30):
            assert alice.ask("keys-restore")["sealed"] == "c2VhbGVk"
        world.pass_time(10)
