"""Digits that people compare: the safety number of two users, and the code of a device that wants to be linked."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha512

from chatroom.model.signed_bytes import unb64

ROUNDS = 5200  # of SHA-512, which makes the search for another key with the same digits so many times slower


def safety_number(user_id: str, user_key: str, other_id: str, other_key: str) -> str:
    """Return the safety number of two users: 60 digits in twelve groups of five. Both users get the same digits.

    Args:
        user_id: The id of one user.
        user_key: The user key of this user, in base64.
        other_id: The id of the other user.
        other_key: The user key of the other user, in base64.

    Raises:
        ValueError: A key is not base64.
    """
    halves = sorted((digits_of("user", user_id, user_key), digits_of("user", other_id, other_key)))
    return " ".join(halves)


@lru_cache(256)
def digits_of(kind: str, *parts: str) -> str:
    """Return 30 digits in six groups of five for an id and keys.

    Args:
        kind: What the digits stand for: ``user`` or ``device``. The kinds have different digits.
        parts: The id, and keys in base64, of which none can be mistaken for a part of the id.

    Raises:
        ValueError: A key is not base64.
    """
    name, keys = parts[0], b"".join(unb64(key) for key in parts[1:])
    state = kind.encode() + b"\0" + keys + name.encode()
    for _ in range(ROUNDS):
        state = sha512(state + keys).digest()
    groups = (int.from_bytes(state[start : start + 5], "big") % 100_000 for start in range(0, 30, 5))
    return " ".join(f"{group:05d}" for group in groups)
