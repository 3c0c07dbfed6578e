"""Moments are spelled, whatever number they are."""

from __future__ import annotations

import math
import re

import pytest

from chatroom.model.timestamps import spell_moment


def test_a_moment_is_spelled_in_local_time() -> None:
    assert re.fullmatch(r"2026-09-2\d \d\d:\d\d", spell_moment(1_790_000_000_000))


@pytest.mark.parametrize("at", [10**17, -(10**17), 2**80, math.inf, math.nan])
def test_a_moment_that_no_calendar_has_is_spelled_all_the_same(at: int) -> None:
    assert spell_moment(at) == "??-??-?? ??:??"
    assert spell_moment(at, "%H:%M") == "??:??"
