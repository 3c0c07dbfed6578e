"""What `clean` lets through, and what it makes of the rest."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.text import clean, shortened

ACUTE = "\u0301"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
# Random text alone hardly ever holds an escape sequence, a surrogate, or five marks in a row.
HOSTILE = st.text(st.sampled_from("\x1b[]P\\()01;mxX^_ \t\n\0\x07\x18\x7f\x80\x85\x90\x9b\x9c\x9d\ufeff\u2028\u202e"))
ANYTHING = st.one_of(
    HOSTILE,
    st.text(st.characters(exclude_categories=[])),
    st.text(st.sampled_from("a\u0301\u0302\u0903\u20dd\ufe0f\u200d\u2066\u202a\ufeff\x1b[m\ud800\udc00")),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello, world ~",
        "\xa0caf\xe9\xad",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u05e9\u05dc\u05d5\u05dd\u200f",
        FAMILY,
        "1\ufe0f\u20e3",
        "a" + ACUTE * 4,
        "[31m ]0;x",
        "\u2027\u202f\u2065\u206a",
        "\ud7ff\ue000",
        "\U0010ffff",
    ],
    ids=ascii,
)
def test_harmless_text_stays(text: str) -> None:
    assert clean(text) == text


def test_plain_ascii_is_not_even_copied() -> None:
    text = "hello there"
    assert clean(text) is text


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[31m",
        "\x1b[m",
        "\x1b[?25;1 q",
        "\x1b[1@",
        "\x9b1;31m",
        "\x1b]0;title\x07",
        "\x1b]0;title\x1b\\",
        "\x1b]0;title\x9c",
        "\x9d0;two\nlines\x07",
        "\x1bPq#0\x1b\\",
        "\x90q\x9c",
        "\x1bXsos\x1b\\",
        "\x98sos\x9c",
        "\x1b^pm\x1b\\",
        "\x9epm\x9c",
        "\x1b_apc\x1b\\",
        "\x9fapc\x9c",
        "\x1bc",
        "\x1b7",
        "\x1b(B",
        "\x1b#8",
        "\x1b\\",
        "\x1b~",
        "\x1b]0;title\x1b[1m",
    ],
    ids=ascii,
)
def test_escape_sequences_go_whole(sequence: str) -> None:
    assert clean(f"a{sequence}b{sequence}c") == "abc"


@pytest.mark.parametrize(
    "cut_off", ["\x1b]0;rest \u0434", "\x1bPrest", "\x9d", "\x1b[", "\x9b1;2 ", "\x1b[31"], ids=ascii
)
def test_escape_sequences_may_be_cut_off_by_the_end(cut_off: str) -> None:
    assert clean("a" + cut_off) == "a"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\tb\t", "a b "),
        ("a\0b\ufeffc", "abc"),
        ("a\nb\rc", "a\ufffdb\ufffdc"),
        ("\x01\x07\x0b\x0c\x1c\x1f", "\ufffd" * 6),
        ("\x7f\x80\x85\x9a\x9c", "\ufffd" * 5),
        ("\u2028\u2029", "\ufffd\ufffd"),
        ("\ud800|\udfff", "\ufffd|\ufffd"),
        ("\ud83d\ude00", "\ufffd\ufffd"),
        ("a\x1b", "a\ufffd"),
        ("\x1b\u0434", "\ufffd\u0434"),
        ("\x1b[3\nm", "\ufffdm"),
        ("\x1b\x1b[m[31m", "\ufffd[31m"),
        ("a\u202a\u202b\u202c\u202d\u202eb", "ab"),
        ("a\u2066\u2067\u2068\u2069b", "ab"),
        ("e" + ACUTE * 5 + "x" + ACUTE, "e" + ACUTE * 4 + "x" + ACUTE),
        ("\u0438" + ACUTE * 5 + "\u0439" + ACUTE, "\u0438" + ACUTE * 4 + "\u0439" + ACUTE),
        (ACUTE * 9, ACUTE * 4),
        ("e" + "\u0301\u0903\u20dd" * 2, "e\u0301\u0903\u20dd\u0301"),
        ("e" + ACUTE * 3 + "\u202e" + ACUTE * 3, "e" + ACUTE * 4),
        ("e" + ACUTE * 3 + "\x1b[m" + ACUTE * 3, "e" + ACUTE * 4),
    ],
    ids=ascii,
)
def test_the_rest_is_dropped_or_replaced(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_every_character_alone_gives_a_clean_line() -> None:
    for char in map(chr, range(0x110000)):
        cleaned = clean(char)
        assert unicodedata.category(cleaned or "x") not in {"Cc", "Cs", "Zl", "Zp"}
        assert cleaned in {char, "", " ", "\ufffd"}


def test_no_mark_is_below_where_the_search_for_them_starts() -> None:
    assert not [char for char in map(chr, range(0x300)) if unicodedata.category(char)[0] == "M"]


@given(ANYTHING)
@example("\x1b\x1b[m[31m")
@example("e" + ACUTE * 4 + "\ufeff" + ACUTE)
def test_what_is_clean_is_one_line_of_utf8_and_stays_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not [char for char in cleaned if unicodedata.category(char) == "Cc"]
    assert len(cleaned.splitlines()) <= 1
    assert cleaned.encode().decode() == cleaned


@pytest.mark.parametrize("piece", ["\x1b[", "\x1b]", "\x1b(", "\x1b", "\x1b[;", "\x9d", "\x1bP\x1b", ACUTE], ids=ascii)
@pytest.mark.parametrize("start", ["", "\x1b", "\x1b[", "\x1b("], ids=ascii)
def test_hostile_text_costs_linear_time(start: str, piece: str) -> None:
    text = (start + piece * 4096)[:4096]
    assert min(_seconds(text) for _ in range(3)) < 0.02


def _seconds(text: str) -> float:
    start = time.perf_counter()
    clean(text)
    return time.perf_counter() - start


def test_what_is_cut_off_is_told_by_three_dots() -> None:
    assert [shortened(text, 5) for text in ("", "abcde", "abcdef")] == ["", "abcde", "ab..."]
