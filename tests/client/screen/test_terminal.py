"""The terminal is given to the shell as it was, and taken again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from client.screen.stage import Stage, on_stage, said

from chatroom.client.screen.job_control import survive_hangup

PAGE_UP = "\x1b[5~"
BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"
MODES = ("?1004", "?1049", "?2004")  # the focus is told; the screen is ours; pasting is told apart from typing


def on(raw: str) -> list[str]:
    """Return which of the modes the terminal is in, after all that was written."""
    return [mode for mode in MODES if raw.rfind(f"\x1b[{mode}h") > raw.rfind(f"\x1b[{mode}l")]


def test_ctrl_z_gives_the_terminal_to_the_shell_as_it_was(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        found: list[list[str]] = []

        def stop() -> None:
            found.append([row for row in stage.rows if row])
            found.append(on(stage.glass.raw))

        stage.screen.terminal.stop = stop
        stage.type("half a sen")
        await stage.shows("[lobby] half a sen", BAR)
        stage.type("\x1a")
        await stage.until(lambda: found)
        await stage.shows("[lobby] half a sen", BAR)
        assert found == [[], []]
        assert on(stage.glass.raw) == list(MODES)
        stage.tell(said("hello"))
        stage.type("tence")
        await stage.shows("bob: hello", "[lobby] half a sentence", BAR)

    on_stage(tmp_path, scene)


def test_who_was_stopped_without_being_asked_draws_anew(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("half a sen")
        await stage.shows("[lobby] half a sen", BAR)
        stage.tell(said("hello"))
        await stage.shows("bob: hello", "[lobby] half a sen", BAR)
        stage.glass.write("\r\n\x1b[J[1]+  Stopped\x1b[?1004l\x1b[?1049l\x1b[?2004l\r\n$ fg\r\n")
        assert on(stage.glass.raw) == []
        stage.screen.terminal.resume()
        await stage.shows("bob: hello", "[lobby] half a sen", BAR)
        assert not any("Stopped" in row or "fg" in row for row in stage.rows)
        assert on(stage.glass.raw) == list(MODES)

    on_stage(tmp_path, scene)


def test_nothing_is_drawn_for_a_client_that_has_ended(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.terminal.leave()
        await stage.until(stage.running.done)
        raw = stage.glass.raw
        stage.screen.terminal.suspend()
        stage.screen.terminal.resume()
        assert stage.glass.raw == raw

    on_stage(tmp_path, scene)


def test_who_cannot_press_a_key_any_more_leaves(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.keys.close()
        await stage.until(stage.running.done)
        assert stage.running.exception() is None

    on_stage(tmp_path, scene)


class Pipe:
    """An output into a pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def flush(self) -> None:
        os.write(self._descriptor, b"x")


def test_what_is_written_to_a_terminal_that_is_gone_goes_nowhere() -> None:
    reading, writing = os.pipe()
    left: list[bool] = []
    output = Pipe(writing)
    survive_hangup(output, lambda: left.append(True))
    output.flush()
    assert not left
    os.close(reading)
    output.flush()
    output.flush()
    assert left == [True]
    os.close(writing)


# ---- resizing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [24, 16])
@pytest.mark.parametrize("columns", [100, 60, 45, 31])
@pytest.mark.parametrize(
    "typed",
    ["short", "a line that is longer than sixty columns are, by a word or by two", "漢字" * 30, "word " * 40],
    ids=["short", "two rows", "wide", "many rows"],
)
def test_a_terminal_of_another_size_has_one_prompt_and_all_that_was_said(
    tmp_path: Path, typed: str, columns: int, rows: int
) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(*(said(f"line {i}", seq=i) for i in range(1, 23)))
        await stage.shows("bob: line 22", "[lobby]")
        stage.type(f"{typed}\x1b[D")
        line = stage.screen.terminal.line
        await stage.until(lambda: line.cursor_position == len(typed) - 1)
        stage.resize(columns, rows)
        stage.tell(said("line 23", seq=23))
        await stage.until(lambda: "bob: line 23" in stage.rows)
        text = "".join(stage.rows)
        assert text.count("[lobby]") == text.count("lobby (3") == text.count("| me") == 1, stage.rows
        lines = [row for row in stage.rows if row.startswith("bob:")]
        assert lines == [f"bob: line {i}" for i in range(24 - len(lines), 24)]
        stage.resize(80, 60)
        await stage.until(lambda: stage.rows[-2].startswith("[lobby]") or "bob: line 1" in stage.rows)
        assert [row for row in stage.rows if row.startswith("bob:")] == [f"bob: line {i}" for i in range(1, 24)]

    on_stage(tmp_path, scene)


def test_what_comes_before_the_client_hears_of_the_new_width_leaves_one_prompt_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("first"))
        stage.type("words that fill more than one row of thirty")
        await stage.until(lambda: stage.rows[-2].endswith("of thirty"))
        stage.resize(30, told=False)
        stage.tell(said("second"))
        for told in (False, True):
            if told:
                stage.screen.terminal.app._on_resize()
            await stage.shows("bob: first", "bob: second", "[lobby] words that fill more t", "han one row of thirty")
            assert "".join(stage.rows).count("[lobby]") == 1

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("columns", [60, 30])
def test_a_narrower_terminal_has_one_prompt_after_it_was_cleared(tmp_path: Path, columns: int) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/clear\rwords that fill more than one row, and more than two if they have to")
        await stage.until(lambda: "have to" in stage.rows[-2])
        stage.resize(columns)
        await stage.until(lambda: "have to" in stage.rows[-2])
        assert "".join(stage.rows).count("[lobby]") == 1

    on_stage(tmp_path, scene)


def test_what_was_cleared_is_found_by_scrolling_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("first"))
        await stage.shows("bob: first", "[lobby]", BAR)
        stage.type("/clear\r")
        await stage.until(lambda: stage.rows == [*[""] * 22, "[lobby]", BAR])
        stage.tell(said("second"))
        await stage.until(lambda: stage.rows == [*[""] * 21, "bob: second", "[lobby]", BAR])
        stage.type(PAGE_UP)
        await stage.until(lambda: stage.rows == [*[""] * 20, "bob: first", "bob: second", "[lobby]", BAR])

    on_stage(tmp_path, scene)


def test_the_last_screenful_stays_when_the_client_has_ended(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(*(said(f"line {i}", seq=i) for i in range(1, 40)))
        await stage.shows("bob: line 39", "[lobby]", BAR)
        stage.type(PAGE_UP)
        await stage.until(lambda: "bob: line 39" not in stage.rows)
        stage.type("\x04")
        await stage.until(stage.running.done)
        assert on(stage.glass.raw) == []
        stage.screen._print_last_screen()
        shown = [f"bob: line {i}" for i in range(18, 40)]
        assert stage.rows[: len(shown)] == shown

    on_stage(tmp_path, scene)


def test_an_error_gives_the_terminal_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.terminal.app.exit(exception=ValueError("a fault"))
        await stage.until(stage.running.done)
        assert isinstance(stage.running.exception(), ValueError)
        assert on(stage.glass.raw) == []
        stage.running = asyncio.ensure_future(asyncio.sleep(0))

    on_stage(tmp_path, scene)


def test_the_mouse_is_left_to_the_terminal(tmp_path: Path) -> None:
    """So that text can be marked and copied, and the wheel recalls no old lines."""

    async def scene(stage: Stage) -> None:
        raw = stage.glass.raw
        assert not any(f"\x1b[?{mode}h" in raw for mode in (1000, 1002, 1003, 1006, 1007, 1015))
        assert "\x1b[?1007s\x1b[?1007l" in raw
        stage.screen.terminal.draw_anew()
        assert stage.glass.raw.count("\x1b[?1007s") == 1, "it would save what we have set"
        stage.screen.terminal.leave()
        await stage.until(stage.running.done)
        left = stage.glass.raw
        assert left.index("\x1b[?1007h\x1b[?1007r") > left.rindex("\x1b[?1007l")
        assert left.count("\x1b[?1007r") == 1

    on_stage(tmp_path, scene)
