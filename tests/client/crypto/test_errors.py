"""What the core refuses, it refuses in words."""

from __future__ import annotations

from chatroom.client.crypto.errors import CryptoRefusal


def test_an_error_has_a_word_and_a_sentence() -> None:
    error = CryptoRefusal("forged", "the message is forged")
    assert (error.code, error.text, str(error)) == ("forged", "the message is forged", "the message is forged")
