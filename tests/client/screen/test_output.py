"""Lines wait for others a moment, but never more of them than a bound in lines and in characters."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from chatroom.client.screen.formatter import Line
from chatroom.client.screen.output import MOST, MOST_TEXT, TOGETHER, LineOutput


def written(output: list[Line]) -> list[str]:
    """Return the text of each write."""
    return ["".join(text for _, text in pieces) for pieces in output]


def test_lines_that_come_together_are_written_together() -> None:
    """Two lines within a moment are one write."""
    clock, output = Clock(), list[Line]()
    lines = LineOutput(clock, output.append)
    lines.add([("", "one")])
    lines.add([("bold", "t"), ("", "wo")])
    assert output == []
    clock.advance(TOGETHER)
    assert written(output) == ["one\ntwo\n"]


@pytest.mark.parametrize(("count", "length"), [(MOST, 1), (4, MOST_TEXT // 4), (1, MOST_TEXT)])
def test_no_more_waits_than_the_bound(count: int, length: int) -> None:
    """Many lines, or few long ones, are written at once, and the next begin anew."""
    clock, output = Clock(), list[Line]()
    lines = LineOutput(clock, output.append)
    for _ in range(count - 1):
        lines.add([("", "x" * length)])
    assert output == []
    lines.add([("", "x" * length)])
    assert written(output) == [("x" * length + "\n") * count]
    assert clock.getDelayedCalls() == []
    lines.add([("", "y")])
    assert len(output) == 1
    clock.advance(TOGETHER)
    assert written(output)[1:] == ["y\n"]
