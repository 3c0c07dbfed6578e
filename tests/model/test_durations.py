"""Durations, as people write and read them."""

from __future__ import annotations

import pytest

from chatroom.model.durations import is_meant, parse, spell


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("7d", 604800),
        ("1w", 604800),
        ("5M", 300),
        ("0s", 0),
        ("999999w", 604799395200),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "10", "10 m", "-1m", "1.5h", "1y", "10mm", "1000000s", "10m ", "\u0661m", "1h30m"]
)
def test_anything_else_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["5q", "1y", "10mm", "1.5h", "1,5h", "1h30m", "10mins", "2hours", "1000000s"])
def test_what_is_no_duration_may_be_meant_as_one(text: str) -> None:
    assert is_meant(text)


@pytest.mark.parametrize("text", ["", "m", "10", "2nd", "3RD", "1st", "4th", "3strikes!", "5-8pm", "spam"])
def test_what_begins_a_reason_is_not_meant_as_one(text: str) -> None:
    assert not is_meant(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.4, "1 second"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (120, "2 minutes"),
        (179, "179 seconds"),
        (181, "3 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (7199, "2 hours"),
        (86399, "1 day"),
        (86400, "1 day"),
        (90000, "25 hours"),
        (7 * 86400, "7 days"),
        (10 * 365 * 86400, "3650 days"),
    ],
)
def test_a_duration_is_spelt_in_the_largest_unit_that_is_not_far_off(seconds: float, words: str) -> None:
    assert spell(seconds) == words
