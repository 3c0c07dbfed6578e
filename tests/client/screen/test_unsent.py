"""A line that was refused is kept: in the input line of its window, or in words if something else is typed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.screen.stage import Stage, on_stage
from client.screen.test_paste import paste
from twisted.internet.defer import fail

from chatroom.client.errors import Rejected
from chatroom.client.screen.window_list import WindowKind


@pytest.mark.parametrize(
    ("line", "person"),
    [
        *(
            (line, person)
            for person in (False, True)
            for line in ("hello", "//quit", "/edit -2 better", "/quote -1 yes")
        ),
        ("/me waves", False),
        ("/msg nobody hello", False),
        ("/reply hello", False),
    ],
)
def test_a_refused_line_stands_in_the_input_line_again(tmp_path: Path, line: str, person: bool) -> None:
    async def scene(stage: Stage) -> None:
        if person:
            stage.screen.switcher.go(stage.screen.windows.open(WindowKind.PERSON, "bob"))
        stage.type(f"{line}\r")
        await stage.until(lambda: stage.client.answers)
        assert stage.screen.terminal.line.text == ""
        stage.client.refuse("you are muted.")
        await stage.shows("Error: you are muted.", f"[{'@bob' if person else 'lobby'}] {line}")
        stage.type("!\r")
        await stage.until(lambda: stage.client.answers)
        assert not stage.screen.terminal.line.text

    on_stage(tmp_path, scene)


def test_a_line_that_is_refused_at_once_stands_there_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.say = lambda text, room="": fail(Rejected("muted", "you are muted."))  # type: ignore[method-assign]
        stage.type("hello\r")
        await stage.shows("Error: you are muted.", "[lobby] hello")
        assert stage.screen.terminal.parts.history.get_strings() == ["hello"]

    on_stage(tmp_path, scene)


def test_without_a_connection_the_input_line_stays_empty_for_enter(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("hello\r")
        await stage.until(lambda: stage.client.answers)
        stage.client.refuse("the server has closed.", "ended")
        await stage.shows("-- not sent to lobby: hello", "Error: the server has closed.", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_is_typed_meanwhile_is_not_disturbed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("one\rtwo\rthree")
        await stage.until(lambda: len(stage.client.answers) == 2)
        stage.client.answers[0].errback(Rejected("muted", "you are muted."))
        stage.client.answers[1].errback(Rejected("muted", "you are muted."))
        await stage.shows(
            "-- not sent to lobby: one",
            "Error: you are muted.",
            "-- not sent to lobby: two",
            "Error: you are muted.",
            "[lobby] three",
        )

    on_stage(tmp_path, scene)


def test_a_line_goes_back_to_the_window_where_it_was_typed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("hello\r")
        await stage.until(lambda: stage.client.answers)
        stage.screen.switcher.go(stage.screen.windows.server)
        stage.client.refuse("you are muted.")
        await stage.shows(
            "-- what you typed in lobby was not sent; it stands in the input line there.",
            "Error: you are muted.",
            "[-]",
        )
        stage.type("/window lobby\r")
        await stage.until(lambda: stage.rows[-2] == "[lobby] hello")
        assert stage.screen.terminal.parts.history.get_strings() == ["hello", "/window lobby"]

    on_stage(tmp_path, scene)


def test_a_line_of_a_window_that_was_closed_is_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        window = stage.screen.windows.open(WindowKind.PERSON, "bob")
        stage.screen.switcher.go(window)
        stage.type("a\x1b\rb\r")
        await stage.until(lambda: stage.client.answers)
        stage.screen.switcher.close(window)
        stage.client.refuse("you are muted.")
        await stage.shows("-- not sent to @bob: a", "-- b", "Error: you are muted.")

    on_stage(tmp_path, scene)


def test_other_commands_do_not_come_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/kick bob\r")
        await stage.until(lambda: stage.client.answers)
        stage.client.refuse("you may not.")
        await stage.shows("Error: you may not.", "[lobby]")

    on_stage(tmp_path, scene)


def test_a_text_of_query_is_kept_in_the_persons_window(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.windows.open(WindowKind.PERSON, "bob")
        stage.type("/query bob hello\r")
        await stage.until(lambda: stage.client.answers)
        stage.client.refuse("the mailbox is full.")
        await stage.shows("Error: the mailbox is full.", "[@bob] hello")

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(("key", "shown"), [("o", ["[lobby] one", "    | two", "    | three"]), ("l", ["[lobby] one"])])
def test_a_refused_paste_is_kept(tmp_path: Path, key: str, shown: list[str]) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("one\ntwo\nthree") + key + "\r")
        await stage.until(lambda: stage.client.answers)
        stage.client.refuse("you are muted.")
        error = "Error: you are muted."
        rest = [error] if key == "o" else ["-- not sent to lobby: two", "-- three", error]
        await stage.shows(*rest, *shown)

    on_stage(tmp_path, scene)
