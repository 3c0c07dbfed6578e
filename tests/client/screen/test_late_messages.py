"""Messages of a room that are opened late stand where they belong in its window."""

from __future__ import annotations

from pathlib import Path

from client.screen.stage import NOW, Stage, on_stage

from chatroom.client.screen.scrollback import Scrollback
from chatroom.model import events as e
from chatroom.model import replies as a


def said(seq: int, text: str) -> e.Said:
    """Return a message of the lobby."""
    return e.Said(f"id{seq}", NOW * 1000, "bob", "b", room="lobby", seq=seq, text=text)


def entered(seq: int) -> a.Entered:
    """Return the answer to a join of the lobby."""
    return a.Entered(room="lobby", room_id="r", topic="", users=["me"], seq=seq, complete=True)


def test_they_stand_between_the_messages_before_and_after_them(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(entered(9), said(2, "two"), said(5, "five"), said(10, "ten"))
        stage.tell(said(1, "one"), said(3, "three"), said(4, "four"))
        await stage.shows("bob: one", "bob: two", "bob: three", "bob: four", "bob: five", "bob: ten", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_a_join_shows_again_stands_below_what_was_shown_in_an_earlier_stay(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(entered(3), said(4, "four"), said(5, "five"))
        stage.tell(entered(9), said(4, "four"), said(5, "five"))
        await stage.shows("bob: four", "bob: five", "[lobby]")
        texts = [row for row in stage.rows if "bob: " in row]
        assert texts == ["bob: four", "bob: five", "bob: four", "bob: five"]

    on_stage(tmp_path, scene)


def test_the_unread_line_and_what_is_scrolled_stay_where_they_are() -> None:
    lines, late = Scrollback(), Scrollback()
    first, second = (lines.add([("", text)], seq=seq) for text, seq in (("first", 2), ("second", 7)))
    lines.mark = second.number
    late.add([("", "late")], seq=4)
    place = lines.place_of(4, 0)
    assert place == second.number
    lines.put_before(place, late)
    assert [line.text for line in lines] == ["first", "late", "second"]
    assert (first.number, lines.mark) == (1, second.number)
    assert lines.place_of(9, 0) == lines.next
    assert lines.place_of(1, second.number) == second.number
