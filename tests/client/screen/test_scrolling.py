"""Which rows are on the screen, scrolled back or not, in whatever size."""

from __future__ import annotations

import random

import pytest

from chatroom.client.screen.scrollback import MOST
from chatroom.client.screen.scrolling import Viewport
from chatroom.client.screen.window_list import ChatWindow, WindowKind
from chatroom.client.screen.wrapping import Row


def window(count: int, length: int = 1) -> ChatWindow:
    """A window with numbered lines of so many words."""
    made = ChatWindow(WindowKind.ROOM, "lobby", 1)
    for number in range(count):
        made.lines.add([("", " ".join([str(number)] * length))])
    return made


def texts(rows: list[Row]) -> list[str]:
    return ["".join(text for _, text in row) for row in rows]


def view(columns: int, height: int) -> Viewport:
    made = Viewport()
    made.resize(columns, height)
    return made


def test_the_newest_rows_are_shown_and_fewer_if_there_are_no_more() -> None:
    assert texts(view(40, 3).rows(window(10))) == ["7", "8", "9"]
    assert texts(view(40, 3).rows(window(2))) == ["0", "1"]
    assert view(40, 3).rows(window(0)) == []


def test_scrolling_back_and_forward_by_screenfuls() -> None:
    shown, lobby = view(80, 5), window(12)
    shown.up(lobby)
    assert texts(shown.rows(lobby)) == [*"5678", "-- 3 more lines below; the End key shows the newest --"]
    shown.up(lobby)
    assert texts(shown.rows(lobby))[:4] == [*"2345"]
    shown.up(lobby)
    shown.up(lobby)
    assert texts(shown.rows(lobby))[:4] == [*"0123"], "not beyond the oldest line"
    for _ in range(3):
        shown.down(lobby)
    assert lobby.position is None
    assert texts(shown.rows(lobby)) == ["7", "8", "9", "10", "11"]


def test_what_fits_does_not_scroll() -> None:
    shown, lobby = view(40, 5), window(5)
    shown.up(lobby)
    assert lobby.position is None


def test_what_comes_moves_nothing_that_is_scrolled_back() -> None:
    shown, lobby = view(80, 5), window(12)
    shown.up(lobby)
    before = texts(shown.rows(lobby))[:4]
    lobby.lines.add([("", "new")])
    assert texts(shown.rows(lobby))[:4] == before
    assert "4 more lines" in texts(shown.rows(lobby))[4]


def test_a_place_that_was_dropped_is_the_oldest_line() -> None:
    shown, lobby = view(80, 5), window(12)
    shown.up(lobby)
    for _ in range(MOST + 20):
        lobby.lines.add([("", "new")])
    assert texts(shown.rows(lobby))[0] == "new"


def test_another_width_wraps_anew_and_stays_at_the_line() -> None:
    shown, lobby = view(80, 6), window(30, length=20)
    shown.up(lobby)
    last = texts(shown.rows(lobby))[-2].split()[-1]
    shown.resize(24, 6)
    assert texts(shown.rows(lobby))[-2].split()[-1] == last
    assert all(len(row) <= 24 for row in texts(shown.rows(lobby)))


def test_the_unread_line_stands_before_its_line() -> None:
    shown, lobby = view(80, 3), window(3)
    lobby.lines.mark = lobby.lines[2].number
    assert texts(shown.rows(lobby)) == ["1", "------------ new since you looked away ------------", "2"]
    shown.resize(20, 3)
    assert len(texts(shown.rows(lobby))[1]) == 20


@pytest.mark.parametrize("seed", range(30))
def test_whatever_one_does_the_rows_fit_and_are_in_order(seed: int) -> None:
    chance = random.Random(seed)
    shown, lobby = view(30, 6), window(chance.randrange(1, 40), length=9)
    for _ in range(60):
        do = chance.choice(["up", "up", "down", "add", "size", "mark", "hide", "newest"])
        if do in ("up", "down"):
            getattr(shown, do)(lobby)
        elif do == "add":
            lobby.lines.add([("", " ".join([str(99)] * chance.randrange(12)))])
        elif do == "size":
            shown.resize(chance.randrange(1, 60), chance.randrange(1, 12))
        elif do == "mark":
            lobby.lines.mark = chance.choice(list(lobby.lines)).number
        elif do == "hide":
            lobby.lines.hide_all()
        else:
            lobby.position = None
        rows = texts(shown.rows(lobby))
        assert len(rows) <= shown.height
        numbers = [int(row) for row in rows if row.isdigit() and len(row) < 3]
        assert numbers == sorted(numbers) or shown.columns < 8
