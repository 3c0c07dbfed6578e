"""Both sides see the same sixty digits, and other digits for any other key or user."""

from __future__ import annotations

import re

import pytest

from chatroom.client.crypto.safety_number import digits_of, safety_number
from chatroom.model.signed_bytes import b64

A, B, C = (b64(bytes([n]) * 32) for n in (1, 2, 3))


def test_both_sides_see_the_same_twelve_groups_of_five() -> None:
    number = safety_number("alice", A, "bob", B)
    assert number == safety_number("bob", B, "alice", A)
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)


@pytest.mark.parametrize("other", [("alice", A, "bob", C), ("alice", C, "bob", B), ("alice", A, "bobby", B)])
def test_another_key_or_user_has_another_number(other: tuple[str, str, str, str]) -> None:
    assert safety_number(*other) != safety_number("alice", A, "bob", B)


def test_digits_of_a_device_are_of_another_kind_than_those_of_a_user() -> None:
    assert digits_of("device", "alice", A) != digits_of("user", "alice", A)
    assert digits_of("device", "alice", A, B) != digits_of("device", "alice", B, A)


def test_the_digits_stay_the_same_over_versions() -> None:
    """Users compare digits across versions of the program, so a change of the computation is a new kind."""
    assert digits_of("user", "alice", A) == "91626 54228 40621 96990 13090 15261"
