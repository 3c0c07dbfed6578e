"""The recovery key is read back as it was shown, mistyped keys are told, and only the right one opens the user key."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.recovery_key import new_recovery_key, read, seal_seed, spell, unseal_seed
from chatroom.model.signed_bytes import b64, unb64

KEY = spell(bytes(range(16)))
SEED = bytes([7] * 32)


def refusal(text: str, sealed: str = "", server: str = "s", user_id: str = "alice") -> str:
    with pytest.raises(CryptoRefusal) as caught:
        unseal_seed(sealed or seal_seed(SEED, KEY, "s", "alice", os.urandom), text, server, user_id)
    return caught.value.code


@given(st.binary(min_size=16, max_size=16))
def test_a_key_is_six_groups_of_five_and_is_read_back(raw: bytes) -> None:
    text = spell(raw)
    assert [len(group) for group in text.split("-")] == [5] * 6
    assert read(text) == raw


def test_case_blanks_and_letters_that_look_like_digits_do_not_matter() -> None:
    key = next(key for key in (spell(bytes([n] * 16)) for n in range(99)) if "0" in key and "1" in key)
    typed = key.lower().replace("-", " ").replace("0", "o", 1).replace("1", "l", 1)
    assert read(f" {typed}\n") == read(key)


@given(st.integers(0, 29), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_letter_is_told(place: int, letter: str) -> None:
    letters = list(KEY.replace("-", ""))
    if letters[place] != letter:
        letters[place] = letter
        assert refusal("".join(letters)) == "mistyped"


@pytest.mark.parametrize("text", ["", KEY[:-1], KEY + "0", KEY[:-1] + "U", KEY[:-1] + "é", KEY + KEY])
def test_what_is_no_key_is_told(text: str) -> None:
    assert refusal(text) == "mistyped"


def test_the_right_key_opens_and_another_does_not() -> None:
    sealed = seal_seed(SEED, KEY, "s", "alice", os.urandom)
    assert unseal_seed(sealed, KEY, "s", "alice") == SEED
    assert refusal(new_recovery_key(os.urandom), sealed) == "wrong-recovery-key"


def test_what_is_sealed_belongs_to_one_user_of_one_server() -> None:
    assert refusal(KEY, user_id="bob") == "wrong-recovery-key"
    assert refusal(KEY, server="t") == "wrong-recovery-key"


def test_a_changed_backup_is_refused_and_a_newer_one_told_apart() -> None:
    raw = unb64(seal_seed(SEED, KEY, "s", "alice", os.urandom))
    assert refusal(KEY, b64(raw[:-1] + bytes([raw[-1] ^ 1]))) == "wrong-recovery-key"
    assert refusal(KEY, b64(raw[:5])) == "wrong-recovery-key"
    assert refusal(KEY, "not base64!") == "wrong-recovery-key"
    assert refusal(KEY, b64(b"\2" + raw[1:])) == "newer-version"


def test_two_backups_of_one_key_differ() -> None:
    assert seal_seed(SEED, KEY, "s", "alice", os.urandom) != seal_seed(SEED, KEY, "s", "alice", os.urandom)
    assert new_recovery_key(os.urandom) != new_recovery_key(os.urandom)
