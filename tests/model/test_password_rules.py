"""What a password may be: RFC 8265's OpaqueString, and nothing whose bytes were not UTF-8."""

from __future__ import annotations

import pytest

from chatroom.model.password_rules import LONGEST, BadLength, BadPassword, new_password, prepared, spellings


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("hunter22", "hunter22"),
        ("Cafe\u0301 Noir", "Caf\u00e9 Noir"),  # NFC
        ("\u1112\u1161\u11ab\uae00\uc554\ud638", "\ud55c\uae00\uc554\ud638"),
        ("two\u00a0words", "two words"),  # every kind of space is one
        ("\u3000deep\u2003space", " deep space"),
        ("\uff21scii", "\uff21scii"),  # width and case are kept
        ("\U0001f408\U0001f408", "\U0001f408\U0001f408"),
        ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"),  # Persian
    ],
)
def test_a_password_is_prepared_by_opaque_string(given: str, form: str) -> None:
    assert prepared(given) == form
    assert prepared(form) == form, "once is enough"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("tab\tulator", "control"),
        ("nul\0nul", "control"),
        ("rub\x7fout", "control"),
        ("next\x85line", "control"),
        ("\x1b[Asecret", "control"),
        ("caf\ufffd noir", "UTF-8"),
        ("caf\udce9-noir", "UTF-8"),
        ("zero\u200bwidth", "invisible"),
        ("line\u2028end", "invisible"),
        ("private\ue000", "invisible"),
        ("\ufeffsecret", "invisible"),
        ("", "at least 1 character"),
        ("x" * (LONGEST + 1), "at most 128"),
        ("x" * 100_000, "at most 128"),
    ],
)
def test_what_cannot_be_a_password_is_refused_without_showing_it(given: str, word: str) -> None:
    with pytest.raises(BadPassword, match=word) as raised:
        prepared(given)
    assert raised.value.__cause__ is None
    for part in ("caf", "secret", "private"):
        assert part not in str(raised.value)


def test_the_length_is_of_the_composed_characters() -> None:
    assert len(prepared("e\u0301" * LONGEST)) == LONGEST
    with pytest.raises(BadLength, match="at least 7 characters"):
        new_password("e\u0301" * 6, 7)
    assert new_password("\u00e9" * 7, 7)


@pytest.mark.parametrize(("least", "words"), [(9, "9 characters"), (1, "1 character"), (0, "1 character")])
def test_a_new_password_has_at_least_so_many(least: int, words: str) -> None:
    with pytest.raises(BadLength) as raised:
        new_password("seven77" if least == 9 else "", least)
    assert str(raised.value) == f"a password has at least {words}"


@pytest.mark.parametrize("given", [" leading", "trailing ", "trailing\u00a0"])
def test_a_new_password_has_no_space_at_its_ends(given: str) -> None:
    with pytest.raises(BadPassword, match="no space at its ends"):
        new_password(given, 6)


def test_what_is_held_against_a_stored_hash() -> None:
    assert spellings("plain old one") == ("plain old one",)
    assert spellings("no\u00ebl") == ("no\u00ebl",)
    assert spellings("noe\u0308l") == ("no\u00ebl", "noe\u0308l"), "of before, too"
    assert spellings("with\ttab") == ("with\ttab",), "as it may have been stored before"
    with pytest.raises(BadPassword, match="UTF-8"):
        spellings("no\ufffdl")
    assert len(spellings("x" * 100_000)[0]) < 1000, "the work is bounded"
