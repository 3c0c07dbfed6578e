"""A padded text tells little about its length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatroom.client.crypto.padding import padded


@given(st.binary(max_size=400))
def test_padding_is_to_a_multiple_of_160_with_blanks(plain: bytes) -> None:
    result = padded(plain)
    assert len(result) % 160 == 0
    assert len(result) - len(plain) < 160
    assert result == plain + b" " * (len(result) - len(plain))
