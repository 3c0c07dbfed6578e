"""How far a file is, in words."""

from __future__ import annotations

from chatroom.client.files.progress import Progress


def test_at_first_only_the_part_is_known() -> None:
    assert Progress(1000, 0, 5.0).spell(5.0) == "0%"
    assert Progress(1000, 250, 5.0).spell(6.0) == "25%"


def test_the_rate_is_that_of_lately() -> None:
    progress = Progress(100_000_000, 0, 0.0)
    for second in range(1, 11):
        progress.reach(second * 100_000, float(second))
    assert progress.spell(10.0) == "1%, 100 kB/s, 16:30 min left"
    for second in range(11, 21):
        progress.reach(1_000_000 + (second - 10) * 2_000_000, float(second))
    assert progress.spell(20.0) == "21%, 2 MB/s, 40 s left"


def test_what_was_there_before_does_not_count_as_fast() -> None:
    progress = Progress(10_000, 9_000, 0.0)
    progress.reach(9_010, 1.0)
    assert progress.rate(1.0) == 10


def test_what_stands_still_has_no_rate() -> None:
    progress = Progress(10_000, 0, 0.0)
    for second in (1, 2, 3):
        progress.reach(1000 * second, float(second))
    assert progress.rate(3.0) == 1000
    assert progress.rate(60.0) < 100
    assert progress.done == 3000


def test_hours() -> None:
    progress = Progress(10_000_000, 0, 0.0)
    progress.reach(1000, 1.0)
    assert progress.spell(1.0) == "0%, 1 kB/s, 2:46 h left"
