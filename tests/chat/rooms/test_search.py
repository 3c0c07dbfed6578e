"""``/search``: what is told of it, how it goes on, and what it refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import NOON, World
from twisted.internet.defer import Deferred, fail

from chatroom.chat.limits import FOUND, SEARCH_REMEMBERED
from chatroom.engines.search_scheduler import MOST_OF_ONE
from chatroom.model.log import TooBroad


def told(lines: list[str]) -> list[str]:
    """Return the lines without the days and times of messages."""
    return [line.partition("] ")[2] if line.startswith("[") else line for line in lines]


def stamp(world: World, form: str) -> str:
    """Return the time of the world's clock as the server writes it."""
    return format(datetime.fromtimestamp(NOON + world.clock.seconds()), form)


def chatter(world: World, number: int, text: str = "plum") -> Any:
    """Return a person in a room where so many messages were said, a minute after one another."""
    person = world.person("ann", "orchard")
    for i in range(number):
        person.say(f"{text} {i}")
        world.pass_time(60)
    person.lines()
    return person


def test_a_search_of_everything_says_no_more_than_it_found(world: World) -> None:
    ann = chatter(world, 3)
    ann.say("/search PLUM", "/search 2", "/search pear")
    assert told(ann.lines()) == [
        *("3 messages found:", "ann: plum 0", "ann: plum 1", "ann: plum 2"),
        *("1 message found:", "ann: plum 2"),
        "No messages found.",
    ]


def test_more_than_one_answer_holds_is_gone_on_with(world: World) -> None:
    ann = chatter(world, FOUND + 7)
    ann.say("/search plum")
    lines = ann.lines()
    assert told(lines[:2]) == [f"{FOUND} messages found:", "ann: plum 7"]
    assert lines[-1] == f"Searched back to {lines[1][12:17]}; search again for older ones."
    ann.say("/search plum")
    assert told(ann.lines()) == ["7 messages found:", *(f"ann: plum {i}" for i in range(7))]
    ann.say("/search plum")
    assert told(ann.lines())[:2] == [f"{FOUND} messages found:", "ann: plum 7"], "from the newest again"


def test_the_day_is_told_when_it_is_not_today(world: World) -> None:
    ann = world.person("ann", "orchard")
    said = stamp(world, "%Y-%m-%d %H:%M")
    for i in range(FOUND + 1):
        ann.say(f"plum {i}")
    world.pass_time(30 * 3600)
    ann.lines()
    ann.say("/search plum")
    assert ann.lines()[-1] == f"Searched back to {said}; search again for older ones."


@pytest.mark.parametrize(
    "between",
    [["/search pear"], ["/join garden", "/search plum", "/join orchard"], []],
    ids=["another search", "a search in another room", "a while"],
)
def test_a_search_begins_anew_after(world: World, between: list[str]) -> None:
    ann = chatter(world, FOUND + 7)
    ann.say("/search plum", *between)
    if not between:
        world.pass_time(SEARCH_REMEMBERED + 1)
    ann.lines()
    ann.say("/search plum")
    assert told(ann.lines())[:2] == [f"{FOUND} messages found:", "ann: plum 7"]


def test_an_answer_that_would_be_too_long_is_gone_on_with(world: World) -> None:
    ann = chatter(world, 40, "plum " * 750)
    ann.say("/search plum")
    first = told(ann.lines())
    assert first[-1].startswith("Searched back to ")
    ann.say("/search plum")
    second = told(ann.lines())
    assert first[0] == f"{len(first) - 2} messages found:"
    assert len(second) + len(first) - 3 == 40


def test_a_program_says_itself_from_where_to_go_on(world: World) -> None:
    chatter(world, FOUND + 3)
    bot = world.program("bot", "orchard")
    bot.record(do="search", words="plum", ref=1)
    (found,) = bot.records()
    oldest = found["events"][0]
    assert (found["complete"], found["searched_to"], found["searched_at"]) == (False, oldest["seq"], oldest["at"])
    assert found["at"] == round((NOON + world.clock.seconds()) * 1000)
    bot.record(do="search", words="plum", ref=2)
    assert bot.records()[0]["events"] == found["events"], "the same is answered alike"
    bot.record(do="search", words="plum", before=found["searched_to"], ref=3)
    (older,) = bot.records()
    assert [event["text"] for event in older["events"]] == ["plum 0", "plum 1", "plum 2"]
    assert "complete" not in older
    assert "searched_to" not in older


def test_a_client_can_leave_that_to_the_server(world: World) -> None:
    chatter(world, FOUND + 3)
    bot = world.program("bot", "orchard")
    for ref in (1, 2):
        bot.record(do="search", words="plum", again=True, ref=ref)
    first, second = bot.records()
    assert [len(found["events"]) for found in (first, second)] == [FOUND, 3]


def test_what_is_too_broad_is_told_what_to_do(moody: World, engine: MoodyEngine, monkeypatch: Any) -> None:
    ann = moody.person("ann", "orchard")
    monkeypatch.setattr(engine._searches, "_take", lambda *args: fail(TooBroad()))
    ann.say("/search a b c")
    assert ann.lines() == ["Error: too many matches; add a word."]


def test_too_many_searches_at_once_are_refused_and_work_later(
    moody: World, engine: MoodyEngine, monkeypatch: Any
) -> None:
    waiting: Deferred[None] = Deferred()
    take = engine._searches._take

    def slow(*args: Any) -> Deferred[Any]:
        step: Deferred[Any] = Deferred()
        waiting.addCallback(lambda _: take(*args).chainDeferred(step) and None)
        return step

    monkeypatch.setattr(engine._searches, "_take", slow)
    people = [moody.person(f"p{i}", "orchard") for i in range(MOST_OF_ONE + 1)]
    for person in people:
        person.lines()
        person.say("/search plum")
    assert people[0].lines() == []
    assert people[-1].lines() == ["Error: too many people are searching at this moment; try again in a few seconds."]
    monkeypatch.setattr(engine._searches, "_take", take)
    waiting.callback(None)
    assert [person.lines() for person in people[:-1]] == [["No messages found."]] * MOST_OF_ONE
    people[-1].say("/search plum")
    assert people[-1].lines() == ["No messages found."]


def test_a_message_is_found_in_any_script_from_where_it_was_typed(world: World) -> None:
    ann, bob = world.person("ann", "orchard"), world.person("bob", "orchard")
    ann.say("明日は果樹園で会いましょう", "Die Größe zählt 🍎", "les poires d'été")
    bob.lines()
    bob.say("/search 果樹園", "/search GRÖSSE", "/search e\u0301te\u0301", "/search 🍎\ufe0f")
    assert told(bob.lines()) == [
        *("1 message found:", "ann: 明日は果樹園で会いましょう"),
        *("1 message found:", "ann: Die Größe zählt 🍎"),
        *("1 message found:", "ann: les poires d'été"),
        *("1 message found:", "ann: Die Größe zählt 🍎"),
    ]
