"""Which texts a search finds, in the scripts of the world, and what an index is told of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.engines.tokenizer import LONGEST_WORD, MOST_TERMS, normalized, query, tokens

FINDS = [
    # words
    ("tea", "A Teapot, please"),
    ("te", "te amo"),
    ("TEA pot", "pots of tea"),
    ("foo_bar-baz", "foo.bar/baz"),
    ("3.14", "about 3,14"),
    # case
    ("MASSE", "die Maße"),
    ("maße", "MASSE"),
    ("ΟΔΟΣ", "η οδός μας"),
    ("izmir", "İZMİR"),
    ("\u0131sparta", "ISPARTA"),
    ("ĲS", "ijs"),
    # composed or decomposed, with accents or without
    ("Zoë", "Zoe\u0308 is here"),
    ("Zoe\u0308", "Zoë is here"),
    ("zoe", "Zoë is here"),
    ("Zoë", "zoe is here"),
    ("pho bo", "phở bò"),
    ("ёлка", "елка"),
    # widths and ligatures
    ("office", "o\ufb03ce"),
    ("ABC", "\uff21\uff22\uff23\uff11\uff12\uff13"),
    ("カタカナ", "ｶﾀｶﾅ"),
    ("がく", "か\u3099く"),
    # scripts without spaces
    ("大学", "北京大学生"),
    ("学", "北京大学生"),
    ("生", "北京大学生"),
    ("𠮷野", "𠮷野家"),
    ("ラーメン", "味噌ラーメンを食べた"),
    ("々", "人々が"),
    ("영화", "어제영화를봤다"),
    ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ("เมือง", "ผมชอบเมืองไทย"),
    ("ປະເທດ", "ຢູ່ປະເທດລາວ"),
    ("ភាសា", "ខ្ញុំរៀនភាសាខ្មែរ"),
    ("ចង់", "ខ្ញុំ\u200bចង់\u200bទៅ"),
    ("မြန်မာ", "ကျွန်တော်မြန်မာစကားပြော"),
    ("東京 ramen", "東京のramenがいい"),
    # vowel signs are no ends of words
    ("किताब", "किताबें"),
    ("தமிழ்", "தமிழ்நாடு"),
    ("বাংলা", "আমি বাংলায় গান গাই"),
    # Arabic and Hebrew with and without points, Persian with and without a joiner
    ("سلام", "سَلَام"),
    ("احمد", "أحمد"),
    ("שלום", "שָׁלוֹם"),
    ("میخواهم", "می\u200cخواهم"),  # noqa: RUF001
    # symbols
    ("🍕", "lunch:🍕!"),
    ("❤️", "I ❤ you"),
    ("❤", "I ❤️ you"),
    ("👋🏿", "hello 👋🏻"),
    ("👩", "the 👩‍🚀 is back"),
    ("👩‍🚀", "the 👩‍🚀 is back"),
    ("🇫🇷", "🇩🇪🇫🇷"),
    ("€", "20€"),
    ("3️⃣", "take 3️⃣"),
    # what does not show
    ("cooperate", "co\u00adoperate"),
]
DOES_NOT_FIND = [
    ("te", "tea"),
    ("eapot", "teapot"),
    ("tea", "coffee"),
    ("tea coffee", "tea"),
    ("学大", "北京大学生"),
    ("京学", "北京大学生"),
    ("大学", "大きな学校"),
    ("мои", "мой"),
    ("んか", "んが"),
    ("한", "하나"),
    ("क", "किताब"),
    ("कि", "किताब"),
    ("🍔", "🍕"),
    ("🇪🇫", "🇩🇪🇫🇷"),
    ("1", "1️⃣"),
    ("", "anything"),
    ("!? - _ \u200d", "!? - _ \u200d"),
]


@pytest.mark.parametrize(("words", "text"), FINDS)
def test_a_text_is_found(words: str, text: str) -> None:
    assert query(words).matches(text)


@pytest.mark.parametrize(("words", "text"), DOES_NOT_FIND)
def test_a_text_is_not_found(words: str, text: str) -> None:
    assert not query(words).matches(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, hello WORLD", ["hello", "world"]),
        ("東京都", ["東京", "京都", "都"]),
        ("5€ für 🍕🍕", ["5", "€", "fur", "🍕"]),
        ("", []),
        ("a" * 100, ["a" * LONGEST_WORD]),
    ],
)
def test_what_an_index_is_told(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_all_words_count_however_many_there_are_and_an_index_is_asked_for_some() -> None:
    words = [f"word{i}" for i in range(60)]
    wanted = query(" ".join(words))
    assert wanted.matches(" ".join(words))
    assert not wanted.matches(" ".join(words[:-1]))
    assert not wanted.matches(" ".join(words[1:]))
    assert len(wanted.terms()) == MOST_TERMS


def test_of_a_very_long_word_the_first_characters_count() -> None:
    assert query("x" * 300).matches("x" * LONGEST_WORD + "y")
    assert not query("x" * 300).matches("x" * (LONGEST_WORD - 1) + "y")


LATIN = ("tea", "TEA", "ß", "SS", "é", "e", "\u0301", "\u0308", "\u0345", "ǰ", "ﬁ", "İ", "\u0131", "\u0438", "\u0306")
UNSPACED = ("大", "学", "か", "\u3099", "\u1112", "\u1161", "\u11ab", "한", "ก", "ำ", "\u0e4d", "က", "\u103b", "\u17d2")
OTHERS = (
    "क",
    "\u093c",
    "ि",
    "🍕",
    "\ufe0f",
    "\u200d",
    "🏿",
    "🇩",
    "🇪",
    "1",
    "\u20e3",
    "€",
    "_",
    " ",
    "-",
    "\u00ad",
    "\ue000",
)
PIECES = st.sampled_from((*LATIN, *UNSPACED, *OTHERS))
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12)


@given(TEXTS)
@example("\u0345\u0301")
def test_what_is_normalized_stays_as_it_is(text: str) -> None:
    assert normalized(normalized(text)).split() == normalized(text).split()


@given(TEXTS, TEXTS)
def test_the_index_proposes_every_text_that_matches(words: str, text: str) -> None:
    wanted = query(words)
    if wanted.matches(text):
        held = tokens(text)
        for term in wanted.terms():
            assert any(token.startswith(term.token) if term.prefix else token == term.token for token in held), term


@given(TEXTS, TEXTS, TEXTS)
def test_a_text_is_found_by_itself_wherever_it_stands(before: str, text: str, after: str) -> None:
    wanted = query(text)
    assert wanted.matches(f"{before} {text} {after}") == bool(wanted)


@given(st.text())
def test_an_index_can_tell_tokens_apart(text: str) -> None:
    for token in tokens(text):
        assert token
        assert all(not char.isascii() or char.isdigit() or "a" <= char <= "z" for char in token), token


@given(TEXTS)
def test_a_text_without_anything_to_find_is_found_by_nothing(text: str) -> None:
    assert bool(query(text)) == bool(tokens(text))
