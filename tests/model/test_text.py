"""What `clean` lets through, and what it makes of the rest."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.model.text import CONTINUATION, clean, clean_lines, is_blank, marked, on_one_line, shortened

ACUTE = "\u0301"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
# Random text alone hardly ever holds an escape sequence, a surrogate, or five marks in a row.
HOSTILE = st.text(st.sampled_from("\x1b[]P\\()01;mxX^_ \t\n\0\x07\x18\x7f\x80\x85\x90\x9b\x9c\x9d\ufeff\u2028\u202e"))
ANYTHING = st.one_of(
    HOSTILE,
    st.text(st.characters(exclude_categories=[])),
    st.text(st.sampled_from("\u1000\u103b\u103c\u103d\u103e\u102d\u1036\u200d\u0301\u0e49\u0e38"), max_size=40),
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


WORDS = {
    "Burmese": "\u1019\u103c\u103d\u103e\u102d\u102f\u1036\u1037",
    "Burmese, Pali": "\u1000\u1039\u1001\u103b\u103d\u1031\u102f\u1036\u1037",
    "Tibetan": "\u0f67\u0f71\u0f72\u0f74\u0f83\u0f90\u0fb1",
    "Tibetan, Kalachakra": "\u0f67\u0f90\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f83",
    "Tai Tham": "\u1a20\u1a60\u1a3f\u1a6e\u1a63\u1a74\u1a75\u1a65",
    "Thai": "\u0e01\u0e34\u0e38\u0e4d\u0e49\u0e4c",
    "Lao": "\u0e81\u0eb4\u0ebc\u0ecd\u0ec9\u0ecc",
    "Hebrew with accents": "\u05e9\u05c1\u05bc\u05b8\u05bd\u0591",
    "Arabic of the Quran": "\u0646\u0651\u064e\u0670\u06e5\u06da",
    "Khmer": "\u1780\u17b6\u17c6\u17c9\u17cc\u17d0",
    "Devanagari of the Vedas": "\u0915\u093c\u093f\u0902\u0951\u1cd0",
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_words_of_every_script_stay(word: str) -> None:
    assert clean(word) == word
    assert clean(f"{word} {word}{word}") == f"{word} {word}{word}"


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("\u1019" + "\u103b\u103d" * 200, 4),  # no word has the same mark again and again
        ("\u0e01" + "\u0e49" * 99, 4),
        ("\u0f40" + "".join(map(chr, range(0x0F99, 0x0FB8))), 10),
        ("\u0e01" + "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e3a\u0e47\u0e48\u0e49", 6),
        ("\u1019\u103b\u103c\u103d\u103e" + ACUTE * 50, 4),
        ("x" + "\u0301\u0302\u0303\u0304\u0305\u0306", 4),
        ("x" + "\u103b\u103c\u103d\u103e\u102d", 4),  # marks of another script than the letter's
        ("\u1019" + "\u103b\u103c\u103d\u103e\u102d" + "\u20dd\u0489" * 20, 5),
        ("x" + (ACUTE + "\u200d") * 50, 4),  # an invisible character between them does not end the pile
        ("x" + (ACUTE * 4 + "\u200c") * 50, 4),
        ("x" + (ACUTE * 4 + "\xad") * 50, 4),
        ("x" + (ACUTE * 4 + "\u2060\U000e0061") * 50, 4),
        ("x" + (ACUTE * 3 + "\u034f\ufe0f") * 50, 4),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_pile_of_marks_is_cut(text: str, most: int) -> None:
    cleaned = clean(text)
    assert sum(unicodedata.category(char)[0] == "M" for char in cleaned) == most
    assert clean(cleaned) == cleaned


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


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\xa0\u3000",
        "\u200b",
        "\u200b \u200d\u2060",
        "\u2800\u2800",
        "\u3164",
        "\u115f\u1160\uffa0",
        "\xad\xad",
        "\U000e0068\U000e0069\U000e007f",
        "\u200e\u200f\u061c",
        "\ufe0f\U000e0100\u180e",
        "\U0001d173\U0001d159",
        "\u034f\u17b4",
    ],
    ids=ascii,
)
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}.{text}")


def test_all_that_is_shown_as_nothing_is_known() -> None:
    """Format characters are invisible, but for a few that are drawn around or before numbers."""
    drawn = {*map(chr, range(0x600, 0x606)), *"\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
    for char in map(chr, range(0x110000)):
        if unicodedata.category(char) in {"Zs", "Zl", "Zp"}:
            assert is_blank(char), ascii(char)
        if unicodedata.category(char) == "Cf":
            assert is_blank(char) is (char not in drawn), ascii(char)


def test_what_somebody_can_see_is_not_blank() -> None:
    for text in (
        "a",
        "\ufffd",
        "\u0301",
        FAMILY,
        "\u2764\ufe0f",
        "\U0001fadf",
        "\ue000",
        "\u1019\u103b",
        "-",
        "\u0640",
    ):
        assert not is_blank(text), ascii(text)


def test_what_is_cut_off_is_told_by_three_dots() -> None:
    assert [shortened(text, 5) for text in ("", "abcde", "abcdef")] == ["", "abcde", "ab..."]


@given(ANYTHING)
@example("a\n\r\n\x85b")
@example("\x1b]0;\n\x07")
@example("\r\0\nx")
def test_a_text_of_several_lines_holds_no_control_but_lf(text: str) -> None:
    kept = clean_lines(text)
    assert clean_lines(kept) == kept
    assert kept.splitlines() == (kept.split("\n") if kept else [])
    assert all(clean(line) == line for line in kept.split("\n"))
    assert "\n" not in kept or not (is_blank(kept.split("\n")[0]) or is_blank(kept.split("\n")[-1]))


@given(st.text(st.characters(exclude_characters="\n")))
def test_one_line_is_cleaned_as_ever(text: str) -> None:
    assert clean_lines(text) == clean(text)


@given(ANYTHING)
def test_each_further_line_is_marked(text: str) -> None:
    first, *further = marked(clean_lines(text), "\r\n").split("\r\n")
    assert [first, *(line.removeprefix(CONTINUATION) for line in further)] == clean_lines(text).split("\n")
    assert all(line.startswith(CONTINUATION) for line in further)
    assert on_one_line(clean_lines(text)).splitlines() in ([on_one_line(clean_lines(text))], [])
