"""Lines are wrapped at the borders of words, and no row of a message can pose as another line."""

from __future__ import annotations

import random

import pytest
from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.wrapping import wrapped


def rows(text: str, columns: int) -> list[str]:
    return ["".join(piece for _, piece in row) for row in wrapped([("", text)], columns)]


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("", 20, [""]),
        ("bob: hello", 20, ["bob: hello"]),
        ("bob: one two three four five", 20, ["bob: one two three", "    four five"]),
        ("bob: exactly twenty!", 20, ["bob: exactly twenty!"]),
        ("bob: exactly twenty! more", 20, ["bob: exactly twenty!", "    more"]),
        ("bob: " + "x" * 40, 20, ["bob: " + "x" * 15, "    " + "x" * 16, "    " + "x" * 9]),
        ("bob: see https://e.org/" + "y" * 20, 20, ["bob: see https://e.o", "    rg/" + "y" * 13, "    " + "y" * 7]),
        ("bob: 漢字漢字漢字漢字漢字", 20, ["bob: 漢字漢字漢字漢", "    字漢字"]),
        ("bob: 1234567890 漢字漢字", 20, ["bob: 1234567890 漢字", "    漢字"]),
        ("  attic  2 users  the topic is long", 20, ["  attic  2 users", "    the topic is", "    long"]),
        ("bob: one two", 10, ["bob: one", " two"]),
        ("a" + "\u0301" * 3 + "b" * 20, 20, ["a" + "\u0301" * 3 + "b" * 19, "    b"]),
        ("one\ntwo words of more\n\nthree", 20, ["one", "    | two words of", "    | more", "    | ", "    | three"]),
    ],
)
def test_a_line_in_its_rows(text: str, columns: int, shown: list[str]) -> None:
    assert rows(text, columns) == shown


def test_styles_stay_with_their_text() -> None:
    line = [("bold", "bob"), ("", ": one two three "), ("reverse", "four five")]
    assert wrapped(line, 20) == [
        [("bold", "bob"), ("", ": one two three")],
        [("#767676", "    "), ("reverse", "four five")],
    ]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_no_row_is_too_wide_or_begins_like_a_line(seed: int) -> None:
    chance = random.Random(seed)
    text = "bob: " + "".join(chance.choice("ab  漢é\u0301🎉\n-") for _ in range(chance.randrange(1, 400)))
    for columns in (2, 5, 16, 20, 40, 80, 200):
        shown = rows(text, columns)
        assert all(get_cwidth(row) <= max(columns, 4) for row in shown)
        assert all(row.startswith((" ", "| ")) for row in shown[1:])
        left = "".join(row.lstrip(" ").removeprefix("|") for row in shown)
        assert left.replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_a_very_long_line_is_wrapped_in_bounded_time() -> None:
    assert len(rows("漢" * 16_000, 80)) > 400
    assert len(rows("x " * 8_000, 80)) > 200
