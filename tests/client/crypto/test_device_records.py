"""Records of the server are believed only if the right key has signed them for the right server, user and device."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from crypto_people import SERVER, ZERO_KEY, Person, device_by, key_by
from msgspec.structs import replace

from chatroom.client.crypto.device_records import (
    check_device,
    check_list,
    check_one_time_key,
    signature_holds,
)
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.signed_bytes import b64, device_id, to_sign


@pytest.fixture(scope="module")
def alice() -> Person:
    return Person("alice")


@pytest.fixture(scope="module")
def bob() -> Person:
    return Person("bob")


def refused(check: Callable[[], object], code: str, words: str) -> None:
    with pytest.raises(CryptoRefusal, match=words) as caught:
        check()
    assert caught.value.code == code


def test_genuine_records_are_believed(bob: Person) -> None:
    check_list(bob.list, SERVER, "bob")
    check_one_time_key(bob.new_key(), bob.keys)


def test_the_genuine_list_of_another_user_is_refused(bob: Person) -> None:
    refused(lambda: check_list(bob.list, SERVER, "alice"), "forged", "somebody else")


def test_the_genuine_list_for_another_server_is_refused(bob: Person) -> None:
    refused(lambda: check_list(bob.list, "server-2", "bob"), "forged", "another server")


def test_a_list_with_a_device_of_another_user_is_refused(alice: Person, bob: Person) -> None:
    refused(lambda: check_list(bob.relist(alice.keys, rev=2), SERVER, "bob"), "forged", "somebody else")


def test_a_user_cannot_claim_the_device_of_another(alice: Person, bob: Person) -> None:
    """The user key of bob can sign anything, but not in the name of alice's device."""
    stolen = replace(alice.keys, user_id="bob")
    refused(lambda: check_list(bob.relist(stolen, rev=2), SERVER, "bob"), "forged", "signature")


def test_a_device_for_another_server_inside_a_list_is_refused(bob: Person) -> None:
    elsewhere = device_by(bob, server="server-2")
    refused(lambda: check_list(bob.relist(elsewhere, rev=2), SERVER, "bob"), "forged", "another server")


def test_a_device_id_that_does_not_match_its_key_is_refused(alice: Person, bob: Person) -> None:
    wrong = device_by(bob, device=alice.identity.device)
    refused(lambda: check_device(wrong, SERVER, "bob"), "forged", "does not belong to its key")
    unreadable = replace(bob.keys, ed25519="é")
    refused(lambda: check_device(unreadable, SERVER, "bob"), "forged", "does not belong to its key")


def test_a_list_that_names_a_device_twice_is_refused(bob: Person) -> None:
    twice = bob.relist(bob.keys, device_by(bob, label="again"), rev=2)
    refused(lambda: check_list(twice, SERVER, "bob"), "forged", "twice")


@pytest.mark.parametrize("change", [{"rev": 7}, {"devices": ()}, {"user_key": ZERO_KEY}, {"sig": b64(bytes(64))}])
def test_a_changed_list_is_refused(bob: Person, change: dict[str, object]) -> None:
    refused(lambda: check_list(replace(bob.list, **change), SERVER, "bob"), "forged", "signature")


def test_a_list_signed_by_another_users_key_is_refused(alice: Person, bob: Person) -> None:
    signed = alice.identity._signing_key().sign(to_sign("device-list", bob.list))
    refused(lambda: check_list(replace(bob.list, sig=b64(signed)), SERVER, "bob"), "forged", "signature")


def test_a_ghost_device_that_the_user_has_not_signed_is_refused(bob: Person) -> None:
    ghost = Person("bob")
    refused(lambda: check_list(replace(bob.list, devices=(bob.keys, ghost.keys)), SERVER, "bob"), "forged", "signature")


def test_a_signature_of_another_domain_is_refused(bob: Person) -> None:
    signed = bob.identity._account.sign(to_sign("one-time-key", bob.keys)).to_base64()
    refused(lambda: check_device(replace(bob.keys, sig=signed), SERVER, "bob"), "forged", "signature")


def test_a_signature_has_one_spelling(bob: Person) -> None:
    last = {"A": "B", "Q": "R", "g": "h", "w": "x"}  # the same 64 bytes for a lenient reader
    respelled = bob.list.sig[:-1] + last[bob.list.sig[-1]]
    for spelling in (respelled, f"{bob.list.sig}==", f"{bob.list.sig}="):
        assert not signature_holds(bob.identity.user_key, to_sign("device-list", bob.list), spelling)
    assert not signature_holds(bob.identity.user_key + "=", to_sign("device-list", bob.list), bob.list.sig)
    assert signature_holds(bob.identity.user_key, to_sign("device-list", bob.list), bob.list.sig)


def test_no_text_is_signed_by_a_key_of_small_order() -> None:
    """Under such a key the same signature holds for one text in a few, for a lenient reader."""
    for key in (ZERO_KEY, b64(bytes([1]) + bytes(31)), b64(bytes([0xEC]) + b"\xff" * 30 + b"\x7f")):
        for point in (bytes(32), bytes([1]) + bytes(31), bytes([0xEC]) + b"\xff" * 30 + b"\x7f"):
            forged = b64(point + bytes(32))
            assert not any(signature_holds(key, str(number).encode(), forged) for number in range(64))


def test_a_device_or_one_time_key_of_zeros_is_refused(bob: Person) -> None:
    refused(lambda: check_device(device_by(bob, curve25519=ZERO_KEY), SERVER, "bob"), "forged", "worthless")
    refused(lambda: check_one_time_key(key_by(bob, key=ZERO_KEY), bob.keys), "forged", "worthless")


def test_the_one_time_key_of_another_user_is_refused(alice: Person, bob: Person) -> None:
    refused(lambda: check_one_time_key(alice.new_key(), bob.keys), "forged", "somebody else")
    renamed = key_by(alice, user_id="bob")
    refused(lambda: check_one_time_key(renamed, bob.keys), "forged", "another device")
    relabelled = key_by(alice, user_id="bob", device=bob.identity.device)
    refused(lambda: check_one_time_key(relabelled, bob.keys), "forged", "signature")


def test_a_one_time_key_for_another_server_is_refused(bob: Person) -> None:
    refused(lambda: check_one_time_key(key_by(bob, server="server-2"), bob.keys), "forged", "another server")


def test_a_swapped_one_time_key_is_refused(alice: Person, bob: Person) -> None:
    swapped = replace(bob.new_key(), key=alice.new_key().key)
    refused(lambda: check_one_time_key(swapped, bob.keys), "forged", "signature")
    as_fallback = replace(bob.new_key(), fallback=True)
    refused(lambda: check_one_time_key(as_fallback, bob.keys), "forged", "signature")


def test_a_newer_version_is_told_apart_from_a_forgery(bob: Person) -> None:
    refused(lambda: check_list(replace(bob.list, v=2), SERVER, "bob"), "newer-version", "update")
    refused(lambda: check_device(replace(bob.keys, v=2), SERVER, "bob"), "newer-version", "update")
    refused(lambda: check_one_time_key(replace(bob.new_key(), v=2), bob.keys), "newer-version", "update")


def test_a_record_with_an_unreadable_text_is_refused(bob: Person) -> None:
    refused(lambda: check_device(replace(bob.keys, label="\ud800"), SERVER, "bob"), "forged", "not readable")


def test_a_device_id_is_ten_letters_of_the_keys_hash(bob: Person) -> None:
    assert device_id(bob.identity.ed25519) == bob.identity.device
    assert len(bob.identity.device) == 10
