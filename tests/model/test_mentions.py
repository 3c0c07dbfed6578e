"""What mentions somebody: a whole name, and nothing that only contains it."""

from __future__ import annotations

from functools import partial
from itertools import product
from unicodedata import category, normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatroom.model.mentions import _MOST_REMEMBERED, _SEPARATED, is_mentioned, mentions
from chatroom.model.names import fold


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("ann", "ann", ["ann"]),
        ("hi ann, hi ANN!", "ann", ["ann", "ANN"]),
        ("ann.", "ann", ["ann"]),
        ("ann... you there?", "ann", ["ann"]),
        ("thanks @ann", "ann", ["ann"]),
        ('ann\'s turn (ann) [ann] <ann> "ann" `ann` *ann* _ann_ --ann--', "ann", ["ann"] * 9),
        ("ann: and ann;ann/ann", "ann", ["ann"] * 4),
        ("\xabann\xbb \u201cann\u201d ann\u2026 ann\u2014yes \uff08ann\uff09", "ann", ["ann"] * 5),
        ("ann-3 and mary-ann", "ann", []),
        ("ann.lee lee.ann ann_x x_ann annika joann ann3", "ann", []),
        ("ann\u0301", "ann", []),
        ("ann-3", "ann-3", ["ann-3"]),
        ("ask ann-3.", "ann-3", ["ann-3"]),
        ("ann-", "ann-", ["ann-"]),
        ("ann-.", "ann-", ["ann-"]),
        ("ann", "ann-", []),
        ("Zoe\u0308 and ZO\xcb and zo\xeb.", "Zo\xeb", ["Zoe\u0308", "ZO\xcb", "zo\xeb"]),
        ("zoe", "Zo\xeb", []),
        ("\uff21\uff2e\uff2e", "ann", ["\uff21\uff2e\uff2e"]),
        ("", "ann", []),
        ("ann", "", []),
        ("...", "", []),
        ("guest-k3f9: hello", "guest-k3f9", ["guest-k3f9"]),
        ("x" * 4096, "ann", []),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_mentions(text: str, name: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in mentions(text, name)] == found


def test_a_long_text_without_spaces_is_not_folded_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []
    monkeypatch.setattr("chatroom.model.mentions.fold", lambda text: folded.append(text) or text)
    mentions("a" + "-" * 4000, "ann")
    mentions("\xe9." * 2000, "ann")
    assert len(folded) < 200


# Names in several scripts and spellings, with letters that change when they are normalized or put in lower case.
NAMES = (
    "bob",
    "Jos\xe9",
    "\u039f\u0394\u039f\u03a3",  # in lower case it ends with a final sigma
    "\xc5ngstr\xf6m",
    "\u0130stanbul",
    "stra\xdfe",
    "\ud55c\uae00",
    "\uff42\uff4f\uff42",  # of double width
    "\u01c4oko",
    "\u041a\u0442\u043e",
    "\ufb01ona",
)
AROUND = ("{}", "x {} y", "({})", "@{}!", "{}'s x", "\u0391.{}.\u0392", "\xe9{}", "\u0301{}", "{}\u0301", "={}")
SPELLINGS = (
    str,
    str.upper,
    str.lower,
    str.title,
    *(partial(normalize, f"NF{form}") for form in ("C", "D", "KC", "KD")),
)
LETTERS = "boB \u039f\u0394\u03a3\u03c3\u03c2i\u0130\u0131\xe9e\u0301\uff42\xdfs.-'\uff20\u01c4\u01c6"
LETTERS += "\uac00\u1100\u1161\u0338="  # and some that are put together with their neighbours


def compared(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return the mentions that are found by comparing each word, without the quick look at the text before."""
    with monkeypatch.context() as patch:
        patch.setattr("chatroom.model.mentions._loose", lambda text: "")  # all texts and words may be mentions then
        return mentions(text, name)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_quick_look_misses_no_mention(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for spell, around in product(SPELLINGS, AROUND):
        text = around.format(spell(name))
        found = compared(text, name, monkeypatch)
        assert (mentions(text, name), is_mentioned(text, name)) == (found, bool(found)), ascii(text)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from(LETTERS), max_size=12), name=st.sampled_from(NAMES))
def test_the_quick_look_changes_nothing(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for whole in (text, f"{text} {name.lower()}", f"{name.upper()}{text}", f"{text}{name}"):
        found = compared(whole, name, monkeypatch)
        assert (mentions(whole, name), is_mentioned(whole, name)) == (found, bool(found))


def test_a_long_text_that_mentions_nobody_is_looked_through_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.model.mentions.fold", lambda text: folded.append(text) or text.lower())
    folded: list[str] = []
    assert mentions("\xfcber alles " * 1000, "bob") == []
    assert folded == ["bob"], "no word was compared"


def test_a_long_text_of_words_that_contain_the_name_is_looked_through_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.model.mentions.fold", lambda text: folded.append(text) or text.lower())
    folded: list[str] = []
    assert not is_mentioned("m\xe4lbob bobby\xe4 " * 500, "bob")
    assert folded == ["bob"]
    assert is_mentioned("Bob \xe4 " * 500, "bob")
    assert folded == ["bob", "bob", "Bob"], "one is enough"


@given(text=st.text(max_size=20))
def test_punctuation_and_symbols_of_any_script_separate_words(text: str) -> None:
    words = [""]
    for char in text:
        if char in "-_." or category(char)[0] in "LMN":
            words[-1] += char
        else:
            words.append("")
    named = f"bob {text} bob"
    expected = ["bob", *words, "bob"]
    stripped = [word.strip("-_.").lower() for word in expected]
    assert len(mentions(named, "bob")) == sum(fold(word) == "bob" for word in stripped)


def test_only_so_many_characters_are_remembered() -> None:
    for start in range(0x4E00, 0x4E00 + 3 * _MOST_REMEMBERED, 1000):
        mentions("bob" + "".join(chr(point) for point in range(start, start + 1000)), "bob")
    assert 0 < len(_SEPARATED) <= _MOST_REMEMBERED
