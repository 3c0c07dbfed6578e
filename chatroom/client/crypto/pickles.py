"""How accounts and sessions of the Olm library are kept in rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

Random = Callable[[int], bytes]
"""Returns so many random bytes that nobody can guess, as ``os.urandom`` does."""

_KEY = 32


class Pickled(Protocol):
    """An object of the library that can be written and read."""

    def pickle(self, pickle_key: bytes) -> str:
        """Return the object as a text, encrypted by a key of 32 bytes."""
        ...

    @classmethod
    def from_pickle(cls, pickle: str, pickle_key: bytes) -> Self:
        """Return the object of a text."""
        ...


Thing = TypeVar("Thing", bound=Pickled)


def pickled(thing: Pickled, random: Random) -> bytes:
    """Return the value of a row for an object of the library.

    The library encrypts the same object under the same key to the same bytes, so each value has a key of its own, which
    stands before it. The rows are what protects both.
    """
    key = random(_KEY)
    return key + thing.pickle(key).encode("ascii")


def unpickled(kind: type[Thing], value: bytes) -> Thing:
    """Return the object of a row.

    Raises:
        ValueError: The value is not from ``pickled``.
    """
    return kind.from_pickle(value[_KEY:].decode("ascii"), value[:_KEY])
