"""A padded text tells little about its length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from vodozemac import GroupSession

from chatroom.client.crypto.padding import PADDING, ROOM_PADDING, padded


@given(st.binary(max_size=400), st.sampled_from([PADDING, ROOM_PADDING]))
def test_padding_with_blanks_leaves_one_byte_to_the_cipher(plain: bytes, step: int) -> None:
    result = padded(plain, step)
    assert (len(result) + 1) % step == 0
    assert len(result) - len(plain) < step
    assert result == plain + b" " * (len(result) - len(plain))


@given(st.binary(max_size=400), st.sampled_from([PADDING, ROOM_PADDING]))
def test_the_cipher_adds_just_that_byte(plain: bytes, step: int) -> None:
    text = padded(plain, step)
    sealed, longer = (len(GroupSession().encrypt(each).to_base64()) for each in (text, text + b"x"))
    assert longer > sealed  # so the last block was full
