"""The windows, their numbers and their order; and how much they keep."""

from __future__ import annotations

import pytest

from chatroom.client.screen.scrollback import LONGEST, MOST, MOST_TEXT, Scrollback
from chatroom.client.screen.window_list import MOST as MOST_WINDOWS
from chatroom.client.screen.window_list import MOST_LINES as MOST_LINES_OF_ALL
from chatroom.client.screen.window_list import MOST_TEXT as MOST_TEXT_OF_ALL
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows


def opened(*names: str) -> Windows:
    """Windows of rooms, and of persons if the name begins with ``@``; the first is in front."""
    windows = Windows()
    for name in names:
        windows.open(WindowKind.PERSON if name.startswith("@") else WindowKind.ROOM, name.removeprefix("@"))
    windows.go(named(windows, names[0]))
    return windows


def named(windows: Windows, name: str) -> ChatWindow:
    return next(window for window in windows if window.label == name)


def labels(windows: Windows) -> list[str]:
    return [f"{window.number}:{window.label}" for window in windows.shown]


def test_a_window_keeps_its_number_and_a_new_one_takes_the_lowest_free() -> None:
    windows = opened("lobby", "work", "@bob")
    assert labels(windows) == ["0:server", "1:lobby", "2:work", "3:@bob"]
    windows.close(named(windows, "work"))
    assert labels(windows) == ["0:server", "1:lobby", "3:@bob"]
    windows.open(WindowKind.ROOM, "den")
    assert labels(windows) == ["0:server", "1:lobby", "2:den", "3:@bob"]


def test_opening_steals_no_focus_and_finds_what_is_open() -> None:
    windows = opened("lobby")
    window = windows.open(WindowKind.PERSON, "Bob")
    assert windows.front.label == "lobby"
    assert windows.open(WindowKind.PERSON, "bOB") is window
    assert windows.open(WindowKind.ROOM, "bob") is not window


def test_the_first_window_goes_on_where_the_servers_window_was() -> None:
    windows = Windows()
    windows.server.lines.add([("", "connected")])
    windows.server.lines.hide_all()
    lobby = windows.open(WindowKind.ROOM, "lobby").lines
    assert [line.text for line in lobby] == ["connected"]
    assert lobby.hidden == windows.server.lines.hidden == 1, "what was cleared there stays so here"
    assert len(windows.open(WindowKind.ROOM, "work").lines) == 0


def test_the_window_that_was_there_before_comes_to_the_front() -> None:
    windows = opened("lobby", "work", "@bob")
    windows.go(named(windows, "@bob"))
    windows.go(named(windows, "work"))
    windows.close(windows.front)
    assert windows.front.label == "@bob"
    windows.hide(windows.front)
    assert windows.front.label == "lobby"
    assert labels(windows) == ["0:server", "1:lobby"]
    windows.open(WindowKind.PERSON, "bob")
    assert labels(windows) == ["0:server", "1:lobby", "3:@bob"]
    windows.close(windows.server)
    assert windows.server in windows


def test_going_round_leaves_out_hidden_windows() -> None:
    windows = opened("lobby", "work", "@bob")
    windows.hide(named(windows, "work"))
    assert windows.beside(1).label == "@bob"
    assert windows.beside(-1).label == "server"
    windows.go(named(windows, "@bob"))
    assert windows.beside(1).label == "server"


def test_the_next_with_something_unread_is_one_with_mentions() -> None:
    windows = opened("lobby", "a", "b", "c")
    assert windows.next_unread() is None
    named(windows, "a").unread = named(windows, "c").unread = 1
    assert windows.next_unread() is named(windows, "a")
    named(windows, "c").mentions = 1
    assert windows.next_unread() is named(windows, "c")
    windows.go(named(windows, "b"))
    named(windows, "c").unread = 0
    assert windows.next_unread() is named(windows, "a")


@pytest.mark.parametrize(
    ("word", "label"),
    [("1", "lobby"), ("0", "server"), ("9", None), ("lobby", "lobby"), ("LOB", "lobby"), ("@b", None), ("bob", "@bob"),
     ("bobb", "@bobby"), ("", None), ("w", "work"), ("x", None)],
)  # fmt: skip
def test_which_window_a_word_means(word: str, label: str | None) -> None:
    windows = opened("lobby", "work", "@bob", "@bobby")
    found = windows.meant(word)
    assert (found.label if found else None) == label


def test_a_person_with_a_new_name_keeps_the_window() -> None:
    windows = opened("lobby", "@bob", "@eve")
    windows.renamed("bob", "rob")
    windows.renamed("eve", "rob")
    assert labels(windows) == ["0:server", "1:lobby", "2:@rob", "3:@eve"]


def test_windows_are_not_without_end() -> None:
    windows = opened("lobby")
    for number in range(2 * MOST_WINDOWS):
        windows.open(WindowKind.PERSON, f"p{number}").unread = number == 0
    assert len(list(windows)) == MOST_WINDOWS
    assert {"server", "lobby", "@p0"} <= {window.label for window in windows}, "what is unread goes last"


def test_a_window_keeps_so_many_lines_and_characters() -> None:
    lines = Scrollback()
    for number in range(MOST + 10):
        lines.add([("", str(number))])
    assert len(lines) == MOST
    assert lines[0].text == "10"
    for _ in range(100):
        lines.add([("", "x" * 10_000)])
    assert lines.size == sum(len(line.text) for line in lines) <= MOST_TEXT
    assert len(lines.add([("", "y" * 2 * LONGEST), ("", "z")]).text) <= LONGEST + 3


def test_all_windows_together_keep_so_much() -> None:
    windows = opened(*(f"r{number}" for number in range(20)))
    windows.front.lines.add([("", "kept")])
    for window in list(windows)[2:]:
        for _ in range(26):
            window.lines.add([("", "x" * 10_000)])
            windows.thin_out()
    assert sum(window.lines.size for window in windows) <= MOST_TEXT_OF_ALL
    assert windows.front.lines[0].text == "kept"


def test_all_windows_together_have_so_many_lines() -> None:
    windows = opened(*(f"r{number}" for number in range(4)))
    windows.front.lines.add([("", "kept")])
    for window in list(windows)[2:]:
        for _ in range(MOST):
            window.lines.add([("", "x")])
    windows.open(WindowKind.ROOM, "r4").lines.add([("", "y")])
    windows.thin_out()
    assert sum(len(window.lines) for window in windows) <= MOST_LINES_OF_ALL
    assert windows.front.lines[0].text == "kept"


def test_what_is_shown_cannot_act_on_the_terminal_and_only_a_message_has_several_lines() -> None:
    line = Scrollback().add([("", "a\nb\x1b[2J")], [("", "c\nd\x1b]0;x\x07\x9b")], [("", "e\nf")])
    assert line.text == "a\ufffdbc\nde\ufffdf"


def test_a_message_changes_in_its_place() -> None:
    lines = Scrollback()
    lines.add([("", "before")])
    line = lines.add([("bold", "bob"), ("", ": ")], [("", "teh text")], seq=7)
    assert lines.find(7) is line
    assert lines.find(8) is None
    lines.change(line, [("", "the text")], [("", " (edited)")])
    assert line.text == "bob: the text (edited)"
    assert line.pieces[0] == ("bold", "bob")
    lines.change(line, None, [])
    assert line.text == "bob: the text"
    assert lines.size == len("before") + len(line.text)
