"""The recovery key: what is said when it cannot help, and that a device notices when its backup is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.device_people import another, device_of, linked
from client.encryption.meddling import Meddler, own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from twisted.internet.defer import Deferred

from chatroom.client.errors import Rejected
from chatroom.model.device import Device

DAY = 86_400


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="alice", device=Device("laptop", "one")).come(), "Alice")  # type: ignore[arg-type]
    yield person
    person.leave()


def erase(alice: KeyPerson) -> None:
    """Erase the backup at the server, as another session of the user does."""
    directory = alice.network.world.chat.keys.directory
    Deferred.fromCoroutine(directory.keep_backup(user_id(alice), ""))
    alice.network.flow()


def reconnect(alice: KeyPerson) -> None:
    """Have a client connect anew a day later."""
    alice.network.pass_time(DAY, 600)
    alice.driver.conversation.drop("a test")
    alice.network.pass_time(5)


def refuse_to_give(person: KeyPerson) -> None:
    """Have the server refuse to give the backup to a client from now on."""
    refusal = {"event": "error", "code": "limited", "text": "that was very often; try again in 1 hour."}

    def alter(record: dict[str, Any]) -> list[dict[str, Any]]:
        return [record if record.get("event") != "keys-backup" else {**refusal, "re": record["re"]}]

    Meddler(person).alter = alter


def told_of_recovery(person: KeyPerson) -> list[str]:
    """Return what somebody was told about the recovery key."""
    return [text for text in person.notices if "recovery key" in text]


def test_a_key_that_is_not_the_newest_says_so(alice: KeyPerson) -> None:
    old = alice.decide(alice.encryption.new_recovery_key())
    alice.decide(alice.encryption.new_recovery_key())
    phone = another(alice, "phone")
    with pytest.raises(Rejected, match="only the newest one does") as refused:
        phone.decide(phone.encryption.recover(old))
    assert "/devices shows the code" in refused.value.text
    phone.leave()


def test_a_key_from_before_a_device_was_removed_says_so(alice: KeyPerson) -> None:
    phone = linked(alice, "phone")
    key = alice.decide(alice.encryption.new_recovery_key())
    directory = alice.network.world.chat.keys.directory
    box: list[Any] = []
    Deferred.fromCoroutine(directory.backup(user_id(alice))).addBoth(box.append)
    alice.decide(alice.encryption.unlink(device_of(phone)))
    Deferred.fromCoroutine(directory.keep_backup(user_id(alice), box[0]))  # the server brings it back
    tablet = another(alice, "tablet")
    with pytest.raises(Rejected, match="a key that is not yours any more"):
        tablet.decide(tablet.encryption.recover(key))
    for person in (phone, tablet):
        person.leave()


def test_without_a_backup_the_next_steps_are_named(alice: KeyPerson) -> None:
    key = alice.decide(alice.encryption.new_recovery_key())
    erase(alice)
    phone = another(alice, "phone")
    with pytest.raises(Rejected, match="somebody has erased it") as refused:
        phone.decide(phone.encryption.recover(key))
    assert "/devices" in refused.value.text
    assert "/keys reset" in refused.value.text
    phone.leave()


def test_a_linked_device_and_a_guest_need_none(alice: KeyPerson, network: Network) -> None:
    key = alice.decide(alice.encryption.new_recovery_key())
    with pytest.raises(Rejected, match="This device is linked"):
        alice.decide(alice.encryption.recover(key))
    guest = KeyPerson(network, name="guest").come()  # type: ignore[arg-type]
    assert isinstance(guest, KeyPerson)
    for what in (guest.encryption.recover(key), guest.encryption.new_recovery_key()):
        with pytest.raises(Rejected, match="a guest cannot have a recovery key"):
            guest.decide(what)
    guest.leave()


def test_the_state_of_the_keys_is_shown_however_often(alice: KeyPerson) -> None:
    alice.decide(alice.encryption.new_recovery_key())
    for _ in range(15):
        assert alice.decide(alice.encryption.keys()).recovery


def test_a_refusal_of_the_server_is_told_as_a_refusal(alice: KeyPerson) -> None:
    """Not as if there were no recovery key, which would lead people to begin anew."""
    key = alice.decide(alice.encryption.new_recovery_key())
    phone = another(alice, "phone")
    refuse_to_give(phone)
    state = phone.decide(phone.encryption.keys())
    assert "try again in 1 hour" in state.refused
    with pytest.raises(Rejected, match="try again in 1 hour") as refused:
        phone.decide(phone.encryption.recover(key))
    assert "erased" not in refused.value.text
    phone.leave()


def test_a_refusal_at_the_daily_look_is_not_told_as_no_recovery_key(alice: KeyPerson) -> None:
    phone = linked(alice, "phone")
    alice.decide(alice.encryption.new_recovery_key())
    refuse_to_give(phone)
    reconnect(phone)
    assert told_of_recovery(phone) == []
    assert phone.driver.problem == ""
    phone.leave()


def test_all_linked_devices_say_that_a_recovery_key_is_set(alice: KeyPerson) -> None:
    phone = linked(alice, "phone")
    alice.decide(alice.encryption.new_recovery_key())
    tablet = another(alice, "tablet")
    for _ in range(12):
        assert tablet.decide(tablet.encryption.keys()).recovery  # as a question that is given up does
    for person in (alice, phone):
        assert person.decide(person.encryption.keys()).recovery
    for person in (phone, tablet):
        person.leave()


def test_a_device_tells_that_its_backup_was_erased(alice: KeyPerson) -> None:
    alice.decide(alice.encryption.new_recovery_key())
    reconnect(alice)
    assert told_of_recovery(alice) == []
    erase(alice)
    reconnect(alice)
    (told,) = told_of_recovery(alice)
    assert "somebody has erased" in told
    assert "change your password" in told
    reconnect(alice)
    assert len(told_of_recovery(alice)) == 1


def test_a_device_tells_that_another_recovery_key_was_made(alice: KeyPerson) -> None:
    phone = linked(alice, "phone")
    alice.decide(alice.encryption.new_recovery_key())
    phone.decide(phone.encryption.new_recovery_key())
    assert alice.decide(alice.encryption.keys()).recovery
    (told,) = told_of_recovery(alice)
    assert "another one was made" in told
    phone.leave()


def test_a_device_tells_once_that_there_is_no_recovery_key(alice: KeyPerson) -> None:
    assert told_of_recovery(alice) == []
    reconnect(alice)
    (told,) = told_of_recovery(alice)
    assert "/keys recovery makes one" in told
    reconnect(alice)
    assert len(told_of_recovery(alice)) == 1


def test_the_end_of_a_recovery_key_with_a_removed_device_is_no_alarm(alice: KeyPerson) -> None:
    phone, tablet = linked(alice, "phone"), linked(alice, "tablet")
    alice.decide(alice.encryption.new_recovery_key())
    tablet.decide(tablet.encryption.keys())
    alice.decide(alice.encryption.unlink(device_of(phone)))
    for person in (alice, tablet):
        reconnect(person)
        assert not any("erased" in text for text in told_of_recovery(person))
    for person in (phone, tablet):
        person.leave()


def test_a_new_recovery_key_is_not_erased_by_what_was_left_to_do(alice: KeyPerson, network: Network) -> None:
    phone = linked(alice, "phone")
    alice.decide(alice.encryption.new_recovery_key())
    backups = network.world.chat.keys.backups
    wait = backups.wait
    backups.wait = lambda key: 60.0
    alice.decide(alice.encryption.unlink(device_of(phone)))
    backups.wait = wait
    key = alice.decide(alice.encryption.new_recovery_key())
    alice.driver.conversation.drop("a test")
    network.pass_time(5)
    tablet = another(alice, "tablet")
    tablet.decide(tablet.encryption.recover(key))
    assert own_list(tablet) == own_list(alice)
    for person in (phone, tablet):
        person.leave()


def test_a_device_that_was_left_behind_comes_back_by_the_new_recovery_key(alice: KeyPerson) -> None:
    phone = another(alice, "phone")
    phone.decide(phone.encryption.reset())
    key = phone.decide(phone.encryption.new_recovery_key())
    phone.network.pass_time(1)
    before = device_of(alice)
    alice.decide(alice.encryption.recover(key))
    alice.network.pass_time(1)
    assert own_list(alice) == own_list(phone)
    assert device_of(alice) == before
    assert not any("copied" in text for text in alice.notices)
    phone.leave()
