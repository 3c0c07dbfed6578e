"""How searches share their time: in turn by address, within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from engines.test_conformance import LOBBY, said
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from chatroom.engines.search_scheduler import BUDGET, MOST, MOST_OF_ONE, SearchScheduler, Step
from chatroom.engines.tokenizer import Query
from chatroom.model.log import Entry, Hits, TooBroad, TooManySearches, Unavailable


class Steps:
    """An engine's part, in the test's hands.

    Attributes:
        asked: The words of each step that was taken, and from where it goes back.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self._waiting: list[Deferred[Step]] = []

    def take(self, log: str, wanted: Query, before: int, most: int, until: float) -> Deferred[Step]:
        """Begin a step."""
        assert not self._waiting, "one at a time"
        self.asked.append((wanted.words[0], before))
        waiting: Deferred[Step] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def finish(self, step: Step | Exception) -> None:
        """End the step that is under way."""
        waiting = self._waiting.pop()
        if isinstance(step, Exception):
            waiting.errback(step)
        else:
            waiting.callback(step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def searches(clock: Clock, steps: Steps) -> SearchScheduler:
    return SearchScheduler(clock, steps.take)


def outcome(search: Deferred[Hits]) -> list[Any]:
    """Return a list that will hold the outcome."""
    box: list[Any] = []
    search.addBoth(box.append)
    return box


def entry(seq: int) -> Entry:
    """Return a message."""
    return Entry(LOBBY, said(f"m{seq}", at=seq * 10), b"", seq)


def test_the_steps_of_addresses_alternate_however_many_searches_one_has(
    searches: SearchScheduler, steps: Steps
) -> None:
    greedy = [searches.search(LOBBY, f"g{i}", 9, 100, "10.0.0.1") for i in range(3)]
    one = outcome(searches.search(LOBBY, "one", 9, 100, "10.0.0.2"))
    two = outcome(searches.search(LOBBY, "two", 9, 100, "10.0.0.3"))
    for _ in range(16):
        steps.finish(Step([], 50, 500))
    turns = ["greedy" if word[0] == "g" else word for word, _ in steps.asked[1:]]
    assert {turns.count(address) for address in ("greedy", "one", "two")} <= {5, 6}
    while steps._waiting:
        steps.finish(Step([]))
    assert [box[0].before for box in (one, two)] == [0, 0]
    assert all(search.called for search in greedy)


def test_a_search_ends_when_its_time_is_over_and_says_where(
    searches: SearchScheduler, steps: Steps, clock: Clock
) -> None:
    box = outcome(searches.search(LOBBY, "word", 9, None, "a"))
    steps.finish(Step([entry(90)], 80, 800))
    clock.advance(BUDGET / 2)
    steps.finish(Step([entry(75), entry(71)], 70, 700))
    assert not box
    clock.advance(BUDGET / 2)
    steps.finish(Step([entry(65)], 60, 600))
    (hits,) = box
    assert ([one.seq for one in hits.entries], hits.before, hits.at) == ([65, 71, 75, 90], 60, 600)


def test_a_search_that_waited_all_its_time_still_takes_a_step(
    searches: SearchScheduler, steps: Steps, clock: Clock
) -> None:
    outcome(searches.search(LOBBY, "first", 9, None, "a"))
    box = outcome(searches.search(LOBBY, "second", 9, None, "b"))
    clock.advance(BUDGET * 2)
    steps.finish(Step([], 50, 500))
    assert not box
    steps.finish(Step([entry(90)], 80, 800))
    assert box[0].before == 80


def test_a_search_that_has_enough_ends_at_the_last_that_it_gives(searches: SearchScheduler, steps: Steps) -> None:
    box = outcome(searches.search(LOBBY, "word", 2, None, "a"))
    steps.finish(Step([entry(90), entry(80), entry(70)], 60, 600))
    (hits,) = box
    assert ([one.seq for one in hits.entries], hits.before, hits.at) == ([80, 90], 80, 800)


def test_what_is_too_broad_is_so_only_before_anything_was_searched(searches: SearchScheduler, steps: Steps) -> None:
    box = outcome(searches.search(LOBBY, "word", 9, None, "a"))
    steps.finish(TooBroad())
    assert box[0].check(TooBroad)
    box = outcome(searches.search(LOBBY, "word", 9, None, "a"))
    steps.finish(Step([entry(90)], 80, 800))
    steps.finish(TooBroad())
    assert (len(box[0].entries), box[0].before) == (1, 80)


def test_a_search_that_fails_leaves_the_others_their_turn(searches: SearchScheduler, steps: Steps) -> None:
    first = outcome(searches.search(LOBBY, "first", 9, None, "a"))
    second = outcome(searches.search(LOBBY, "second", 9, None, "a"))
    steps.finish(Unavailable("the disk"))
    steps.finish(Step([]))
    assert (first[0].check(Unavailable), second[0].entries) == (Unavailable, [])


def test_many_steps_that_fail_at_once_are_no_recursion(clock: Clock) -> None:
    first: Deferred[Step] = Deferred()
    outcomes = [first, *(fail(Unavailable("stopped")) for _ in range(MOST))]
    searches = SearchScheduler(clock, lambda *args: outcomes.pop(0))
    boxes = [outcome(searches.search(LOBBY, "word", 9, None, f"address {i}")) for i in range(MOST)]
    first.callback(Step([]))
    assert boxes[0] == [Hits([])]
    assert all(box[0].check(Unavailable) for box in boxes[1:])
    for left in outcomes:
        left.addErrback(lambda failure: None)


def test_searches_are_bounded_for_each_address_and_in_all(clock: Clock) -> None:
    steps = Steps()
    searches = SearchScheduler(clock, steps.take)
    boxes = []
    for i in range(MOST // MOST_OF_ONE):
        boxes += [outcome(searches.search(LOBBY, "word", 9, None, f"address {i}")) for _ in range(MOST_OF_ONE)]
        (refused,) = outcome(searches.search(LOBBY, "word", 9, None, f"address {i}"))
        assert refused.check(TooManySearches)
    (refused,) = outcome(searches.search(LOBBY, "word", 9, None, "another"))
    assert refused.check(TooManySearches)
    while steps._waiting:
        steps.finish(Step([]))
    assert all(box[0] == Hits([]) for box in boxes)
    assert not searches._under_way
    assert not searches._waiting
    box = outcome(searches.search(LOBBY, "word", 9, None, "another"))
    steps.finish(Step([]))
    assert box[0] == Hits([])


def test_nothing_to_search_for_is_no_work(clock: Clock) -> None:
    def never(*args: Any) -> Deferred[Step]:
        return fail(AssertionError("a step"))

    assert outcome(SearchScheduler(clock, never).search(LOBBY, "?!", 9, None, "a"))[0] == Hits([])
