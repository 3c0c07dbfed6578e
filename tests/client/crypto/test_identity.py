"""Our own keys survive a restart; a device is linked only by a compared code or the recovery key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from crypto_people import SERVER, Person, device_by
from msgspec.structs import replace

from chatroom.client.crypto.device_records import check_device, check_list, check_one_time_key
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.identity import FALLBACK_LASTS, Identity
from chatroom.client.crypto.recovery_key import new_recovery_key
from chatroom.client.crypto.rows import MemoryRows
from chatroom.model.signed_bytes import b64

DAY = 86_400_000


@pytest.fixture
def old() -> Person:
    """A linked device of alice."""
    return Person("alice")


@pytest.fixture
def new() -> Person:
    """A device of alice that is not linked."""
    return Person("alice", linked=False)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CryptoRefusal) as caught:
        act()
    return caught.value.code


# ---- keys of the device


def test_keys_are_the_same_after_a_restart(old: Person) -> None:
    before = (old.keys, old.identity.user_key, old.identity.user_seed())
    old.restart()
    assert (old.keys, old.identity.user_key, old.identity.user_seed()) == before
    check_device(old.keys, SERVER, "alice")


def test_nothing_is_signed_before_it_is_known_for_whom() -> None:
    identity = Identity(MemoryRows(), os.urandom)
    assert code_of(lambda: identity.device_keys("")) == "no-user"
    assert code_of(lambda: identity.one_time_keys(1)) == "no-user"
    identity.act_as("", "alice")
    assert code_of(lambda: identity.device_keys("")) == "no-user"


def test_one_time_keys_are_the_same_until_their_publication_is_confirmed(old: Person) -> None:
    keys = old.identity.one_time_keys(10)
    assert len({key.key for key in keys}) == 10
    old.restart()
    assert old.identity.one_time_keys(30) == keys
    old.identity.mark_published()
    old.restart()
    others = old.identity.one_time_keys(200)
    assert len(others) == 50
    assert not {key.key for key in keys} & {key.key for key in others}
    for key in keys + others:
        check_one_time_key(key, old.keys)
    assert not any(key.fallback for key in keys)


def test_no_one_time_keys_are_made_for_nothing(old: Person) -> None:
    assert old.identity.one_time_keys(0) == []


def test_the_fallback_key_lasts_longer_than_mail(old: Person) -> None:
    first = old.identity.fallback_key(0)
    assert first is not None
    assert first.fallback
    check_one_time_key(first, old.keys)
    old.restart()
    assert old.identity.fallback_key(DAY) == first  # its publication was not confirmed
    old.identity.mark_published()
    old.restart()
    assert old.identity.fallback_key(31 * DAY) is None
    second = old.identity.fallback_key(FALLBACK_LASTS)
    assert second is not None
    assert second != first


def test_a_fallback_key_made_in_the_future_is_replaced(old: Person) -> None:
    first = old.identity.fallback_key(9 * DAY)
    old.identity.mark_published()
    assert old.identity.fallback_key(DAY) not in (None, first)


def test_another_user_on_this_device_gets_a_fallback_key_of_their_own(old: Person) -> None:
    old.identity.fallback_key(0)
    old.identity.mark_published()
    old.identity.act_as(SERVER, "guest:1")
    key = old.identity.fallback_key(1)
    assert key is not None
    assert key.user_id == "guest:1"


def test_an_identity_shows_no_secret(old: Person) -> None:
    assert repr(old.identity) == f"<Identity {old.identity.device}>"


# ---- the device list


def test_a_list_with_this_device_alone_is_signed(old: Person) -> None:
    check_list(old.list, SERVER, "alice")
    assert old.list.devices == (old.keys,)


def test_an_unlinked_device_signs_nothing_and_gives_nothing(new: Person) -> None:
    assert code_of(lambda: new.identity.sign_list([new.keys], 1)) == "not-linked"
    assert code_of(new.identity.user_seed) == "not-linked"
    assert code_of(lambda: new.identity.link_code(new.keys)) == "not-linked"
    assert code_of(lambda: new.identity.seal_user_key(new_recovery_key(os.urandom))) == "not-linked"


def test_a_device_whose_code_was_not_compared_is_not_signed(old: Person, new: Person) -> None:
    assert code_of(lambda: old.identity.sign_list([old.keys, new.keys], 2, old.list)) == "not-compared"


def test_a_device_is_signed_after_its_code_was_compared(old: Person, new: Person) -> None:
    code = new.identity.expect_user_key(old.identity.user_key)
    assert old.identity.compare([new.keys], code) == new.keys
    listed = old.identity.sign_list([old.keys, new.keys], 2, old.list)
    check_list(listed, SERVER, "alice")
    new.identity.adopt_user_key(old.identity.user_seed())
    assert new.identity.user_key == old.identity.user_key
    new.restart()
    assert new.identity.sign_list([old.keys, new.keys], 3, listed).devices == listed.devices


def test_a_code_finds_its_device_among_others_and_forged_ones(old: Person, new: Person) -> None:
    forged = replace(new.keys, curve25519=old.keys.curve25519)
    code = new.identity.expect_user_key(old.identity.user_key)
    other = Person("alice", linked=False)
    assert old.identity.compare([forged, other.keys, new.keys], code.replace(" ", "")) == new.keys
    assert code_of(lambda: old.identity.compare([forged, other.keys], code)) == "wrong-code"
    assert code_of(lambda: old.identity.link_code(forged)) == "forged"
    assert code_of(lambda: old.identity.compare([new.keys], code[:-1])) == "wrong-code"
    assert code_of(lambda: old.identity.sign_list([old.keys, other.keys], 2, old.list)) == "not-compared"


def test_no_code_is_shown_for_a_forged_device(old: Person, new: Person) -> None:
    forged = replace(new.keys, label="another label")
    assert code_of(lambda: old.identity.link_code(forged)) == "forged"
    assert old.identity.link_code(new.keys)


def test_a_compared_device_is_signed_only_with_the_keys_that_were_compared(old: Person, new: Person) -> None:
    old.identity.compare([new.keys], new.identity.expect_user_key(old.identity.user_key))
    other = Person("alice", linked=False)
    swapped = device_by(new, curve25519=other.keys.curve25519)
    assert code_of(lambda: old.identity.sign_list([swapped], 2, old.list)) == "not-compared"


def test_a_device_of_another_user_is_never_linked(old: Person) -> None:
    bob = Person("bob", linked=False)
    code = bob.identity.expect_user_key(old.identity.user_key)
    assert code_of(lambda: old.identity.compare([bob.keys], code)) == "wrong-code"
    assert code_of(lambda: old.identity.sign_list([bob.keys], 2)) == "forged"


def test_the_server_cannot_tell_the_new_device_another_user_key(old: Person, new: Person) -> None:
    """The code of the new device covers the user key that it was told."""
    code = new.identity.expect_user_key(Person("alice").identity.user_key)
    assert code_of(lambda: old.identity.compare([new.keys], code)) == "wrong-code"


def test_only_the_expected_user_key_is_adopted(old: Person, new: Person) -> None:
    assert code_of(lambda: new.identity.adopt_user_key(old.identity.user_seed())) == "wrong-user-key"
    new.identity.expect_user_key(old.identity.user_key)
    new.restart()
    assert code_of(lambda: new.identity.adopt_user_key(Person("alice").identity.user_seed())) == "wrong-user-key"
    assert code_of(lambda: new.identity.adopt_user_key(b"short")) == "forged"
    assert new.identity.user_key == ""
    new.identity.adopt_user_key(old.identity.user_seed())
    assert new.identity.expected_user_key == ""
    new.restart()
    assert new.identity.expected_user_key == ""


def test_a_base_list_of_another_user_key_vouches_for_nothing(old: Person, new: Person) -> None:
    foreign = Person("alice")
    base = foreign.relist(foreign.keys, new.keys, rev=4)
    assert code_of(lambda: old.identity.sign_list([old.keys, new.keys], 5, base)) == "not-compared"
    forged = replace(base, user_key=old.identity.user_key)
    assert code_of(lambda: old.identity.sign_list([old.keys, new.keys], 5, forged)) == "forged"


def test_a_new_user_key_signs_the_devices_that_stay(old: Person, new: Person) -> None:
    old.identity.compare([new.keys], new.identity.expect_user_key(old.identity.user_key))
    base = old.identity.sign_list([old.keys, new.keys], 2, old.list)
    former = old.identity.user_key
    old.identity.proposed.make()
    old.restart()
    assert old.identity.user_key == former
    listed = old.identity.sign_list([old.keys, new.keys], 3, base, proposed=True)
    check_list(listed, SERVER, "alice")
    old.identity.confirm_user_key(former)
    assert old.identity.user_key == former
    old.identity.confirm_user_key(listed.user_key)
    old.restart()
    assert old.identity.user_key == listed.user_key != former
    assert not old.identity.proposed.public


def test_a_proposed_user_key_that_was_refused_is_gone(old: Person) -> None:
    former = old.identity.user_key
    old.identity.proposed.make()
    proposed = old.identity.proposed.public
    old.identity.proposed.drop()
    old.restart()
    old.identity.confirm_user_key(proposed)
    assert old.identity.user_key == former
    assert code_of(lambda: old.identity.sign_list([old.keys], 3, proposed=True)) == "not-linked"


# ---- the recovery key


def test_the_recovery_key_brings_the_user_key_to_a_new_device(old: Person, new: Person) -> None:
    key = new_recovery_key(os.urandom)
    sealed = old.identity.seal_user_key(key)
    new.identity.expect_user_key(old.identity.user_key)
    wrong = new_recovery_key(os.urandom)
    assert code_of(lambda: new.identity.restore_user_key(sealed, wrong)) == "wrong-recovery-key"
    assert code_of(lambda: new.identity.restore_user_key(sealed, key[:-1])) == "mistyped"
    new.identity.restore_user_key(sealed, key)
    assert new.identity.user_key == old.identity.user_key


def test_a_backup_of_another_user_key_is_not_taken(old: Person, new: Person) -> None:
    key = new_recovery_key(os.urandom)
    new.identity.expect_user_key(old.identity.user_key)
    earlier = Person("alice").identity.seal_user_key(key)
    assert code_of(lambda: new.identity.restore_user_key(earlier, key)) == "wrong-user-key"


def test_no_secret_lies_in_rows_twice_or_under_one_pickle_key(old: Person) -> None:
    first = old.rows.get("identity", "account")
    old.identity.mark_published()
    assert first is not None
    second = old.rows.get("identity", "account")
    assert second is not None
    assert first[:32] != second[:32]
    assert b64(old.identity.user_seed()).encode() not in first


def test_the_library_is_loaded_only_by_who_uses_it() -> None:
    code = "import sys, chatroom.client.main, chatroom.client.bot; sys.exit('vodozemac' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
