"""Joins one by one when they are few, together when they are many; and where one left off."""

from __future__ import annotations

from typing import Any

from client.screen.stage import said
from twisted.internet.task import Clock

from chatroom.client.screen.join_coalescing import CALM, FEW, MOST, WHILE, JoinCoalescing
from chatroom.client.screen.read_marker import ROOMS, ReadMarker
from chatroom.model import events as e


class Seen:
    """A crowd and what it shows."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.shown: list[str] = []
        self.crowd = JoinCoalescing(self.clock, lambda event: self.shown.append(event.by), self.shown.append)  # type: ignore[attr-defined]

    def joins(self, *names: str) -> None:
        for name in names:
            self.crowd.add(e.Joined("", 0, name, "", session=""))

    def does(self, kind: Any, name: str) -> None:
        more = {} if kind is e.Arrived else {"session": ""}
        self.crowd.add(kind("", 0, name, "", **more))


def test_few_are_shown_at_once() -> None:
    seen = Seen()
    seen.joins(*"abcd")
    assert seen.shown == list("abcd")
    seen.clock.advance(WHILE + 0.1)
    seen.joins("e")
    assert seen.shown == list("abcde")
    assert not seen.clock.getDelayedCalls()


def test_many_are_shown_together_when_it_is_calm() -> None:
    seen = Seen()
    seen.joins(*"abcd", *"efghi", "e")
    seen.crowd.add(e.Left("", 0, "a", "", session=""))
    seen.clock.advance(CALM - 0.1)
    seen.crowd.add(e.Disconnected("", 0, "b", "", session=""))
    seen.clock.advance(CALM - 0.1)
    assert seen.shown == list("abcd")
    seen.clock.advance(0.1)
    assert seen.shown[FEW:] == ["e, f, g and 2 more joined; a left; b disconnected."]


def test_the_line_about_many_tells_how_it_is_at_the_end() -> None:
    seen = Seen()
    seen.joins(*"abcd")
    seen.does(e.Left, "a")
    seen.joins("a", "e", "f")
    seen.does(e.Left, "e")
    seen.does(e.Disconnected, "b")
    seen.does(e.Left, "c")
    seen.joins("c")
    seen.does(e.Left, "c")
    seen.does(e.Departed, "b")
    seen.joins("g")
    seen.clock.advance(CALM)
    assert seen.shown[FEW:] == ["f, g joined; c left; b disconnected; b left the chat."]


def test_nothing_is_told_when_nothing_is_different() -> None:
    seen = Seen()
    seen.joins(*"abcd")
    seen.does(e.Left, "a")
    seen.joins("a")
    seen.clock.advance(CALM)
    assert seen.shown == list("abcd")
    seen.does(e.Left, "b")
    seen.joins("c")
    seen.does(e.Disconnected, "c")
    seen.clock.advance(CALM)
    assert seen.shown[FEW:] == ["b"]


def test_who_is_kicked_or_renamed_has_been_seen_to_come() -> None:
    seen = Seen()
    seen.joins(*"abcdef")
    seen.crowd.before(e.Kicked("", 0, "x", "", user="y", user_id=""))
    assert seen.shown == list("abcd")
    seen.crowd.before(e.Kicked("", 0, "x", "", user="f", user_id=""))
    assert seen.shown[FEW:] == ["e, f joined."]
    seen.joins("g", "h")
    seen.crowd.before(e.Renamed("", 0, "h", "", name="i", session=""))
    assert seen.shown[FEW + 1 :] == ["g, h joined."]


def test_who_speaks_has_been_seen_to_come() -> None:
    seen = Seen()
    seen.joins(*"abcdef")
    seen.crowd.before(said("hello", by="x"))
    assert seen.shown == list("abcd")
    seen.crowd.before(said("hello", by="e"))
    assert seen.shown[FEW:] == ["e, f joined."]
    assert not seen.clock.getDelayedCalls()


def test_those_that_wait_are_not_without_end() -> None:
    seen = Seen()
    seen.joins(*(f"u{i}" for i in range(FEW + MOST)))
    assert len(seen.shown) == FEW + 1
    assert not seen.clock.getDelayedCalls()


# ---- where one left off --------------------------------------------------------------------------------------------


def test_the_mark_comes_before_what_was_not_seen_the_last_time() -> None:
    mark = ReadMarker({"lobby": 5})
    due = [mark.before(said("x", seq=seq), own=False, away=False) for seq in (4, 5, 6, 7)]
    assert due == [False, False, True, False]
    assert mark.seen == {"lobby": 7}


def test_no_mark_before_what_one_says_oneself_nor_where_one_never_was() -> None:
    mark = ReadMarker({"lobby": 5})
    assert not mark.before(said("x", seq=6), own=True, away=False)
    assert not mark.before(said("x", seq=7), own=False, away=False)
    assert not mark.before(said("x", seq=7, room="attic"), own=False, away=False)


def test_the_mark_comes_where_one_has_looked_away() -> None:
    mark = ReadMarker({"lobby": 5})
    assert mark.before(said("x", seq=6, room="attic"), own=False, away=True)
    assert not mark.before(said("x", seq=7, room="attic"), own=True, away=True)
    assert mark.before(e.Private("", 0, "bob", "b", to="me", text="x"), own=False, away=True)
    assert not mark.before(e.Private("", 0, "bob", "b", to="me", text="x"), own=False, away=False)


def test_the_mark_of_another_device_counts_too() -> None:
    mark = ReadMarker({"lobby": 5})
    mark.entered("lobby", 7)
    mark.entered("attic", 0)
    assert [mark.before(said("x", seq=seq), own=False, away=False) for seq in (6, 7, 8, 9)] == [
        False,
        False,
        True,
        False,
    ]
    assert not mark.before(said("x", seq=8, room="attic"), own=False, away=False)


def test_what_was_shown_and_not_looked_at_is_new_the_next_time() -> None:
    mark = ReadMarker()
    for seq in range(1, 8):
        mark.before(said("x", seq=seq), own=False, away=False)
    mark.unread("lobby", 4)
    mark.unread("attic", 4)
    assert mark.seen == {"lobby": 4}


def test_only_so_many_rooms_are_remembered() -> None:
    mark = ReadMarker()
    for i in range(ROOMS + 10):
        mark.before(said("x", room=f"r{i}"), own=False, away=False)
    assert len(mark.seen) == ROOMS
    assert "r0" not in mark.seen
