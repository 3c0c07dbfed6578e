"""What an engine counts: batches and messages stored, and how long it took, also when two batches overlap."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from chatroom.engines import base
from chatroom.engines.base import BatchingEngine
from chatroom.model.events import Left, Said
from chatroom.model.log import Entry, Unavailable


class ManualEngine(BatchingEngine):
    """Stores when the test says so.

    Attributes:
        storing: The batches that were handed over and are not stored yet.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.storing: list[list[Entry]] = []

    def _store(self, batch: list[Entry]) -> None:
        self.storing.append(batch)

    def _close(self) -> Deferred[None]:
        return succeed(None)

    def stored(self, error: Unavailable | None = None) -> None:
        """The batch that was handed over is stored, or is not."""
        self._stored(self.storing.pop(), error)

    def say(self, text: str, done: Any = None) -> None:
        """Append a message."""
        self.append("room/1", Said(text, 0, "al", "s1", text=text), done)


@pytest.fixture
def engine() -> ManualEngine:
    """An engine with a clock of its own."""
    return ManualEngine(Clock())


def test_a_batch_is_timed_from_its_first_append_and_from_when_it_was_handed_over(engine: ManualEngine) -> None:
    engine.say("one")
    engine.clock.rightNow += 0.25
    engine.say("two")
    engine.clock.advance(0)
    engine.clock.advance(0.5)
    engine.stored()
    counters = engine.counters
    assert (counters.messages, sum(counters.commits.counts), sum(counters.waits.counts)) == (2, 1, 1)
    assert (counters.commits.total, counters.waits.total) == (0.5, 0.75)


def test_a_batch_is_over_when_the_last_who_asked_has_been_told(engine: ManualEngine) -> None:
    """Also if that one fails, or if nobody asked."""

    def slow(*_: Any) -> None:
        engine.clock.rightNow += 2.0

    engine.follow("room/1", slow)
    engine.say("one", slow)
    engine.say("two", slow)
    engine.say("three")
    engine.clock.advance(0)
    engine.stored()
    while sum(engine.counters.waits.counts) == 0:
        engine.clock.advance(0)
    assert engine.counters.waits.total == 6.0
    assert engine.counters.commits.total == 0.0


def test_who_asked_is_told_and_who_fails_is_logged_and_counted(engine: ManualEngine, errors: Any) -> None:
    def fail(entry: Entry, error: Unavailable | None) -> None:
        assert error is None
        raise ZeroDivisionError

    engine.say("one", fail)
    engine.clock.advance(0)
    engine.stored()
    errors.expect(ZeroDivisionError)
    assert sum(engine.counters.waits.counts) == 1


def test_batches_that_overlap_are_timed_apart(engine: ManualEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is stored while the first, of 40 who asked, is still told in slices."""
    monkeypatch.setattr(base, "LONGEST_TURN", -1.0)  # every slice is one of 16

    told: list[str] = []
    for i in range(40):
        engine.say(f"a{i}", lambda entry, error: told.append(entry.event.id))
    engine.clock.advance(0)
    engine.clock.rightNow += 1.0
    engine.say("b", lambda entry, error: told.append(entry.event.id))
    engine.stored()  # hands b over, and tells the first slice
    assert 0 < len(told) < 40
    assert len(engine.storing) == 1
    engine.clock.rightNow += 2.0
    engine.stored()
    assert "b" not in told
    assert (engine.counters.commits.total, sum(engine.counters.commits.counts)) == (3.0, 2)
    assert sum(engine.counters.waits.counts) == 0
    while engine.clock.getDelayedCalls():
        engine.clock.rightNow += 1.0
        before = engine.counters.waits.total
        engine.clock.advance(0)
        if "a39" in told and not before:
            assert engine.counters.waits.total >= 4.0
    assert told[-1] == "b"
    assert sum(engine.counters.waits.counts) == 2


def test_each_batch_out_of_many_that_wait_has_a_first_of_its_own(
    engine: ManualEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MOST_IN_A_BATCH", 2)
    engine.say("first")
    engine.clock.advance(0)
    for i in range(5):  # at 1, 2, 3, 4, 5 seconds: batches begin at 1, 3 and 5
        engine.clock.rightNow += 1.0
        engine.say(f"m{i}")
    waits = []
    for _ in range(4):
        before = engine.counters.waits.total
        engine.stored()
        waits.append(engine.counters.waits.total - before)
    assert waits == [5.0, 4.0, 2.0, 0.0]
    engine.clock.rightNow += 1.0
    engine.say("later")
    engine.clock.advance(0)
    engine.stored()
    assert engine.counters.waits.total == 11.0
    assert engine.counters.messages == 7


def test_what_is_not_stored_or_no_message_is_not_counted_as_one(engine: ManualEngine) -> None:
    engine.say("lost")
    engine.clock.advance(0)
    engine.stored(Unavailable("disk full"))
    assert (engine.counters.messages, sum(engine.counters.commits.counts), sum(engine.counters.waits.counts)) == (
        0,
        0,
        0,
    )
    engine.append("room/1", Left("1", 0, "al", "s1", session="s1"))
    engine.clock.advance(0)
    engine.stored()
    assert (engine.counters.messages, sum(engine.counters.commits.counts), sum(engine.counters.waits.counts)) == (
        0,
        1,
        1,
    )


def test_a_clock_that_was_set_back_takes_nothing_away(engine: ManualEngine) -> None:
    engine.say("one")
    engine.clock.advance(0)
    engine.clock.rightNow -= 3600.0
    engine.stored()
    assert (engine.counters.commits.total, engine.counters.waits.total) == (0.0, 0.0)
