"""What may be a reaction."""

from __future__ import annotations

import pytest

from chatroom.model.emoji import is_emoji, same_emoji

THUMB, HEART, JOINER = "\U0001f44d", "\u2764", "\u200d"
FAMILY = JOINER.join("\U0001f468\U0001f469\U0001f467\U0001f466")
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        *(THUMB, THUMB + "\U0001f3fd", HEART, HEART + "\ufe0f", HEART + "\ufe0e", FAMILY, ENGLAND),
        *("1\ufe0f\u20e3", "\U0001f1e9\U0001f1ea", "+1", ":-)", "<3", "?"),
    ],
)
def test_emojis_and_short_signs_are_reactions(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a b", "a\u00a0b", "\t", "\n", "\x1b[31m", "\x00", "\x7f", "\x85", "\u2028", "\ud800"),
        *(JOINER, "\ufe0f", "\u200b", THUMB + "\u200b", "\u202e" + THUMB, "\u2066x", "\u3164", "\ufeff"),
        *("\U000e0067", THUMB + "\U000e0067\U000e007f", ENGLAND[:-1]),
        *("!" * 11, THUMB * 9, "e" + "\u0301" * 9),
        *("ok", "\u597d", "You", "vera:", "/quit", '"!', "\u20e3", "\ufffd"),
    ],
)
def test_what_is_long_or_hides_something_is_no_reaction(text: str) -> None:
    assert not is_emoji(text)


def test_the_forms_of_an_emoji_are_the_same() -> None:
    forms = (HEART, HEART + "\ufe0f", HEART + "\ufe0e", HEART + "\ufe0f\ufe0f", JOINER + HEART)
    assert all(same_emoji(one, other) for one in forms for other in forms)
    assert not same_emoji(THUMB, HEART)
    assert not same_emoji(THUMB, THUMB + "\U0001f3fd")
