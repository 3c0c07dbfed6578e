"""Keys of contacts are pinned by id and by name; what changes is told, and blocks until it is accepted."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from crypto_people import Person, device_by
from msgspec.structs import replace

from chatroom.client.crypto.contacts import Learned
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.device_keys import DeviceList


@pytest.fixture
def alice() -> Person:
    return Person("alice")


@pytest.fixture
def bob() -> Person:
    return Person("bob")


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CryptoRefusal) as caught:
        act()
    return caught.value.code


def with_new_user_key(person: Person, rev: int) -> None:
    """Give a person a new user key, as after the loss of a device."""
    person.identity.make_user_key()
    person.list = person.relist(person.keys, rev=rev)


# ---- lists of devices


def test_the_first_key_is_pinned_and_survives_a_restart(alice: Person, bob: Person) -> None:
    assert alice.meet(bob) is Learned.FIRST
    assert alice.meet(bob) is Learned.SAME
    alice.restart()
    assert alice.contacts.recipients("bob") == (bob.keys,)
    assert alice.contacts.sender("bob", bob.identity.device) == bob.keys
    assert alice.contacts.count() == 1


def test_nothing_is_sealed_for_a_user_without_keys(alice: Person) -> None:
    assert alice.contacts.learn("telnet", "telnet", None) is Learned.NO_KEYS
    assert code_of(lambda: alice.contacts.recipients("telnet")) == "no-keys"
    assert code_of(lambda: alice.contacts.number("telnet")) == "no-keys"
    assert alice.contacts.count() == 0  # nothing to remember of the other
    assert alice.rows.keys("contact-names") == ["alice"]


def test_a_swapped_list_changes_nothing(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    mallory = Person("mallory")
    assert code_of(lambda: alice.contacts.learn("bob", "bob", mallory.list)) == "forged"
    assert alice.contacts.recipients("bob") == (bob.keys,)


def test_a_new_signed_device_is_no_alarm_and_an_unsigned_one_gets_nothing(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    second, ghost = Person("bob", linked=False), Person("bob", linked=False)
    bob.list = bob.relist(bob.keys, second.keys, rev=2)
    assert alice.meet(bob) is Learned.NEWER
    assert alice.contacts.recipients("bob") == (bob.keys, second.keys)
    haunted = replace(bob.list, rev=3, devices=(*bob.list.devices, ghost.keys))
    assert code_of(lambda: alice.contacts.learn("bob", "bob", haunted)) == "forged"
    assert ghost.keys not in alice.contacts.recipients("bob")
    assert code_of(lambda: alice.contacts.sender("bob", ghost.identity.device)) == "unknown-device"


def test_a_removed_device_cannot_be_brought_back(alice: Person, bob: Person) -> None:
    lost = Person("bob", linked=False)
    bob.list = before = bob.relist(bob.keys, lost.keys, rev=2)
    alice.meet(bob)
    bob.list = bob.relist(bob.keys, rev=3)
    alice.meet(bob)
    alice.restart()
    assert code_of(lambda: alice.contacts.learn("bob", "bob", before)) == "rolled-back"
    assert alice.contacts.recipients("bob") == (bob.keys,)


def test_another_list_of_the_same_revision_is_refused(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    fork = bob.relist(rev=1)
    assert code_of(lambda: alice.contacts.learn("bob", "bob", fork)) == "forked"
    assert alice.contacts.recipients("bob") == (bob.keys,)


def test_keys_that_are_withheld_do_not_make_messages_plain(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    assert alice.contacts.learn("bob", "bob", None) is Learned.WITHHELD
    assert alice.contacts.recipients("bob") == (bob.keys,)
    assert not alice.contacts.may_send_plain("bob")


# ---- a changed user key


def test_a_changed_key_blocks_until_it_is_accepted(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    with_new_user_key(bob, rev=2)
    assert alice.meet(bob) is Learned.CHANGED
    alice.restart()
    assert alice.contacts.get("bob").blocked
    assert code_of(lambda: alice.contacts.recipients("bob")) == "blocked"
    assert code_of(lambda: alice.contacts.sender("bob", bob.identity.device)) == "blocked"
    assert not alice.contacts.may_send_plain("bob")
    assert "bob's key has changed" in alice.contacts.why_blocked("bob")
    alice.contacts.accept("bob")
    alice.restart()
    assert alice.contacts.recipients("bob") == (bob.keys,)
    assert alice.contacts.why_blocked("bob") == ""
    assert alice.meet(bob) is Learned.SAME


def test_one_changed_key_does_not_block_others(alice: Person, bob: Person) -> None:
    carol = Person("carol")
    alice.meet(bob)
    alice.meet(carol)
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    assert alice.contacts.recipients("carol") == (carol.keys,)


def test_accepting_a_key_takes_the_verified_mark_away(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.contacts.verify("bob", alice.contacts.number("bob"))
    assert alice.contacts.is_verified("bob")
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    assert not alice.contacts.is_verified("bob")
    alice.contacts.accept("bob")
    assert not alice.contacts.is_verified("bob")


def test_accepting_what_is_not_blocked_keeps_the_verified_mark(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.contacts.verify("bob", alice.contacts.number("bob"))
    alice.contacts.accept("bob")
    assert alice.contacts.is_verified("bob")


def test_the_genuine_key_ends_the_block(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    genuine = bob.list
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    assert alice.contacts.learn("bob", "bob", genuine) is Learned.SAME
    assert alice.contacts.recipients("bob") == genuine.devices


def test_a_former_user_key_does_not_come_back(alice: Person, bob: Person) -> None:
    """Its secret may be what a thief has, and the reason why there is a new one."""
    alice.meet(bob)
    former = bob.list
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    alice.contacts.accept("bob")
    assert code_of(lambda: alice.contacts.learn("bob", "bob", former)) == "rolled-back"
    assert not alice.contacts.get("bob").blocked


def test_a_list_that_waits_to_be_accepted_is_not_replaced_by_an_older_one(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    lost = Person("bob", linked=False)
    bob.identity.make_user_key()
    older, fork = bob.relist(bob.keys, lost.keys, rev=2), bob.relist(rev=3)
    bob.list = bob.relist(bob.keys, rev=3)
    alice.meet(bob)
    assert code_of(lambda: alice.contacts.learn("bob", "bob", older)) == "rolled-back"
    assert code_of(lambda: alice.contacts.learn("bob", "bob", fork)) == "forked"
    alice.contacts.accept("bob")
    assert alice.contacts.recipients("bob") == (bob.keys,)


# ---- verifying


def test_both_sides_see_the_same_number(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    bob.meet(alice)
    assert alice.contacts.number("bob") == bob.contacts.number("alice")


def test_verifying_binds_to_the_digits_that_were_shown(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    shown = alice.contacts.number("bob")
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    assert code_of(lambda: alice.contacts.verify("bob", shown)) == "changed-meanwhile"
    assert alice.contacts.get("bob").blocked
    assert not alice.contacts.is_verified("bob")


def test_verifying_the_new_number_accepts_the_changed_key(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    with_new_user_key(bob, rev=2)
    alice.meet(bob)
    bob.contacts.learn("alice", "alice", alice.list)
    alice.contacts.verify("bob", bob.contacts.number("alice"))
    alice.restart()
    assert alice.contacts.is_verified("bob")
    assert alice.contacts.recipients("bob") == (bob.keys,)


def test_a_newer_list_by_the_same_key_stays_verified(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.contacts.verify("bob", alice.contacts.number("bob"))
    bob.list = bob.relist(bob.keys, rev=2)
    alice.meet(bob)
    assert alice.contacts.is_verified("bob")


def test_our_own_new_user_key_ends_what_was_verified(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.contacts.verify("bob", alice.contacts.number("bob"))
    alice.identity.make_user_key()
    assert not alice.contacts.is_verified("bob")


# ---- ourselves


def test_our_own_identity_swapped_blocks_everything_in_words_about_oneself(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    ghost = Person("alice")
    ghost.list = ghost.relist(ghost.keys, rev=2)
    assert alice.contacts.learn("alice", "alice", ghost.list) is Learned.CHANGED
    alice.restart()
    assert "your own key has changed" in alice.contacts.why_blocked("alice")
    assert "somebody poses as you" in alice.contacts.why_blocked("alice")
    for user in ("alice", "bob"):
        with pytest.raises(CryptoRefusal, match="your own key") as caught:
            alice.contacts.recipients(user)
        assert caught.value.code == "blocked"
    assert code_of(lambda: alice.contacts.sender("alice", ghost.identity.device)) == "blocked"
    assert code_of(lambda: alice.contacts.accept("alice")) == "own-key"
    assert code_of(lambda: alice.contacts.verify("alice", alice.contacts.number("alice"))) == "own-key"


def test_whoever_had_our_name_before_us_is_no_alarm(alice: Person) -> None:
    """We were a guest of that name before we registered, and that guest's keys are asked for."""
    guest = Person("guest-alice")
    assert alice.contacts.learn("guest-alice", "alice", guest.list) is Learned.FIRST
    assert not alice.contacts.why_blocked("guest-alice")


def test_our_own_first_list_is_not_believed_if_another_key_signed_it() -> None:
    alice = Person("alice", linked=False)
    alice.identity.make_user_key()
    assert alice.contacts.learn("alice", "alice", Person("alice").list) is Learned.CHANGED
    assert not alice.contacts.linked


def test_our_own_devices_are_recipients_but_not_this_one(alice: Person) -> None:
    second = Person("alice", linked=False)
    alice.list = alice.relist(alice.keys, second.keys, rev=2)
    assert alice.meet(alice) is Learned.NEWER
    assert alice.contacts.recipients("alice") == (second.keys,)


def test_our_own_older_list_is_refused(alice: Person) -> None:
    earlier = alice.list
    alice.list = alice.relist(alice.keys, rev=2)
    alice.meet(alice)
    with pytest.raises(CryptoRefusal, match="your devices") as caught:
        alice.contacts.learn("alice", "alice", earlier)
    assert caught.value.code == "rolled-back"


def test_our_own_new_user_key_is_no_alarm(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    with_new_user_key(alice, rev=2)
    assert alice.meet(alice) is Learned.NEWER
    assert alice.contacts.recipients("bob") == (bob.keys,)


def test_an_unlinked_device_sends_nothing(bob: Person) -> None:
    first, new = Person("alice"), Person("alice", linked=False)
    new.meet(bob)
    new.meet(first)
    assert code_of(lambda: new.contacts.recipients("bob")) == "not-linked"
    assert code_of(lambda: new.contacts.recipients("alice")) == "not-linked"
    assert code_of(lambda: new.contacts.number("bob")) == "not-linked"


def test_a_device_that_was_removed_sends_nothing(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.list = alice.relist(rev=2)
    alice.meet(alice)
    assert code_of(lambda: alice.contacts.recipients("bob")) == "not-linked"


def test_after_a_new_user_key_of_another_device_only_the_expected_list_is_listened_to(alice: Person) -> None:
    other = Person("alice")
    other.list = other.relist(other.keys, alice.keys, rev=2)
    alice.meet(other)
    assert code_of(lambda: alice.contacts.sender("alice", other.identity.device)) == "blocked"
    alice.identity.expect_user_key(Person("alice").identity.user_key)
    assert code_of(lambda: alice.contacts.sender("alice", other.identity.device)) == "blocked"
    alice.identity.expect_user_key(other.identity.user_key)
    assert alice.contacts.sender("alice", other.identity.device) == other.keys
    alice.identity.adopt_user_key(other.identity.user_seed())
    assert alice.meet(other) is Learned.NEWER
    assert alice.contacts.recipients("alice") == (other.keys,)


# ---- names


def test_a_name_that_comes_back_with_another_id_is_told(alice: Person) -> None:
    first, second = Person("guest:1"), Person("guest:2")
    alice.contacts.learn("guest:1", "Anna", first.list)
    assert alice.contacts.learn("guest:2", "anna", second.list) is Learned.OTHER_PERSON
    assert not alice.contacts.get("guest:2").blocked  # nothing was ever said to the first
    assert alice.contacts.id_of("ANNA") == "guest:2"


@pytest.mark.parametrize("with_keys", [True, False])
def test_a_name_of_somebody_with_whom_messages_were_encrypted_blocks(alice: Person, with_keys: bool) -> None:
    first, second, third = Person("guest:1"), Person("guest:2"), Person("guest:3")
    alice.contacts.learn("guest:1", "anna", first.list)
    alice.contacts.note_encrypted("guest:1")
    listed = second.list if with_keys else None
    assert alice.contacts.learn("guest:2", "anna", listed) is Learned.OTHER_PERSON
    alice.restart()
    assert code_of(lambda: alice.contacts.recipients("guest:2")) == "blocked"
    assert not alice.contacts.may_send_plain("guest:2")
    assert "not the person who had this name" in alice.contacts.why_blocked("guest:2")
    alice.contacts.learn("guest:3", "anna", third.list)
    assert alice.contacts.get("guest:3").blocked  # a second change does not wash the first away
    alice.contacts.learn("guest:1", "anna", first.list)
    assert not alice.contacts.get("guest:1").blocked  # the same person again
    alice.contacts.accept("guest:2")
    assert not alice.contacts.get("guest:2").blocked
    assert alice.contacts.recipients("guest:1") == (first.keys,)


def test_a_name_of_somebody_verified_blocks(alice: Person) -> None:
    alice.contacts.learn("guest:1", "anna", Person("guest:1").list)
    alice.contacts.verify("guest:1", alice.contacts.number("guest:1"))
    alice.contacts.learn("guest:2", "anna", Person("guest:2").list)
    assert alice.contacts.get("guest:2").blocked


def test_a_user_may_change_names(alice: Person, bob: Person) -> None:
    alice.meet(bob)
    alice.contacts.note_encrypted("bob")
    assert alice.contacts.learn("bob", "robert", bob.list) is Learned.SAME
    assert not alice.contacts.get("bob").blocked
    assert alice.contacts.id_of("robert") == "bob"
    assert alice.contacts.id_of("nobody") == ""


# ---- plain text


def test_plain_text_is_allowed_only_where_there_never_were_keys(alice: Person, bob: Person) -> None:
    assert alice.contacts.may_send_plain("bob")
    alice.meet(bob)
    assert not alice.contacts.may_send_plain("bob")
    alice.contacts.accept_plain("bob")
    alice.restart()
    assert alice.contacts.may_send_plain("bob")
    alice.contacts.note_encrypted("bob")
    alice.restart()
    assert not alice.contacts.may_send_plain("bob")
    assert alice.contacts.get("bob").encrypted_once


def test_no_plain_text_goes_to_whom_messages_were_encrypted_whatever_is_known_of_the_keys(alice: Person) -> None:
    alice.contacts.note_encrypted("bob")
    assert alice.contacts.get("bob").known is None
    assert not alice.contacts.may_send_plain("bob")


def test_keys_that_appear_end_the_consent_to_plain_text(alice: Person, bob: Person) -> None:
    alice.contacts.accept_plain("bob")
    alice.meet(bob)
    assert not alice.contacts.may_send_plain("bob")


def test_a_damaged_row_is_refused(alice: Person) -> None:
    alice.rows.put("contacts", "bob", b"{")
    assert code_of(lambda: alice.contacts.get("bob")) == "damaged"


def test_the_devices_of_a_hundred_members_are_at_hand(alice: Person) -> None:
    """Records are checked when they come, and not for each message; checking them again takes some 20 ms."""
    bob = Person("bob")
    for number in range(100):
        alice.contacts.learn(f"u{number}", f"u{number}", _as_user(bob, f"u{number}"))
    took = []
    for _ in range(20):
        start = time.perf_counter()
        for number in range(100):
            alice.contacts.recipients(f"u{number}")
        took.append(time.perf_counter() - start)
    assert min(took) < 0.002  # ten times what it takes


def _as_user(person: Person, user_id: str) -> DeviceList:
    """Return a list of the same keys in the name of another user."""
    return person.relist(device_by(person, user_id=user_id), rev=1, user_id=user_id)
