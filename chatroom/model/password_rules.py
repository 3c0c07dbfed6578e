"""The rules for passwords: text by RFC 8265 (OpaqueString), the same wherever the password comes from.

Bytes that are not UTF-8 are decoded as U+FFFD or as a lone surrogate. So many different bytes become the same text, and
one password would log in instead of another. Therefore such a text is never a password.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

LEAST = 6  # characters of a new password, unless the operator says otherwise
LONGEST = 128  # characters
_LONGEST_GIVEN = 4 * LONGEST  # characters of a password before NFC composes them; limits the work

_NOT_TEXT = re.compile("[\ufffd\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")


class BadPassword(ValueError):
    """The text cannot be a password. The text of the error is part of a sentence for the user, without the password."""


class BadLength(BadPassword):
    """The password is too short or too long."""


def is_text(password: str) -> bool:
    """Return whether all bytes of a password were UTF-8."""
    return _NOT_TEXT.search(password) is None


def check_text(password: str) -> None:
    """Check that all bytes of a password were UTF-8.

    Raises:
        BadPassword: Some bytes were not UTF-8.
    """
    if not is_text(password):
        raise BadPassword("a password is text in UTF-8, and some of these bytes are not; type it in a UTF-8 terminal")


def prepared(password: str) -> str:
    """Return the form of a password that is hashed and compared: NFC, with every kind of space as U+0020.

    Args:
        password: The password as it was given.

    Raises:
        BadPassword: The password is empty or too long, or has characters that are not allowed.
    """
    if not password:
        raise too_short(1)
    check_text(password)
    if len(password) > _LONGEST_GIVEN:
        raise _too_long()
    if not (password.isascii() and password.isprintable()):
        password = _composed(password)
    if len(password) > LONGEST:
        raise _too_long()
    return password


def new_password(password: str, least: int) -> str:
    """Return the form of a new password that is hashed.

    Args:
        password: The password as it was given.
        least: The least number of characters.

    Raises:
        BadPassword: The password is not allowed or too short, or has a space at an end, which would get lost when it is
            typed.
    """
    if len(password) < least and is_text(password):
        raise too_short(least)
    form = prepared(password)
    if len(form) < least:
        raise too_short(least)
    if form != form.strip():
        raise BadPassword("a password has no space at its ends; choose another")
    return form


def spellings(password: str) -> tuple[str, ...]:
    """Return the texts to compare with a stored hash, in this order.

    The second text, if there is one, is the password as it was given: older hashes were made from that, before
    passwords were prepared.

    Raises:
        BadPassword: Some bytes were not UTF-8, so the text is no password.
    """
    check_text(password)
    password = password[: _LONGEST_GIVEN + 1]
    try:
        form = prepared(password)
    except BadPassword:
        return (password,)
    return (form,) if form == password else (form, password)


def too_short(least: int) -> BadLength:
    """Return the error that says how long a password must be.

    Args:
        least: The least number of characters.
    """
    return BadLength(f"a password has at least {max(1, least)} character{'' if least <= 1 else 's'}")


def _too_long() -> BadLength:
    return BadLength(f"a password has at most {LONGEST} characters; choose another")


def _composed(password: str) -> str:
    """Return the form of a password that the rules of OpaqueString make of it.

    Raises:
        BadPassword: The password has characters that these rules do not allow.
    """
    if _CONTROL.search(password):
        raise BadPassword("a password has no control characters; type it again")
    try:
        form: str = _profile().enforce(password)
    except UnicodeError:  # its text shows the password
        raise BadPassword("a password has no invisible or unknown characters; choose another") from None
    return form


@cache
def _profile() -> Any:
    from precis_i18n import get_profile  # loads tables that ASCII passwords never need

    return get_profile("OpaqueString")
