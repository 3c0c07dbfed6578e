"""The terminal is given to the shell as it was, and taken again."""

from __future__ import annotations

import os
from pathlib import Path

from client.screen.stage import Stage, on_stage, said

from chatroom.client.screen.hangup import survive

BAR = " chatroom chat.example:8888 | plain | me | lobby (3 users)"
MODES = ("?1004", "?2004")  # the focus is told; pasting is told apart from typing


def on(raw: str) -> list[str]:
    """Return which of the modes the terminal is in, after all that was written."""
    return [mode for mode in MODES if raw.rfind(f"\x1b[{mode}h") > raw.rfind(f"\x1b[{mode}l")]


def test_ctrl_z_gives_the_terminal_to_the_shell_as_it_was(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        found: list[list[str]] = []

        def stop() -> None:
            found.append([row for row in stage.rows if row])
            found.append(on(stage.glass.raw))
            stage.glass.write("$ fg\r\n")

        stage.screen.terminal.stop = stop
        stage.type("half a sen")
        await stage.shows("[lobby] half a sen", BAR)
        stage.type("\x1a")
        await stage.shows("$ fg", "[lobby] half a sen", BAR)
        assert found == [[], []]
        assert on(stage.glass.raw) == list(MODES)
        stage.tell(said("hello"))
        stage.type("tence")
        await stage.shows("$ fg", "bob: hello", "[lobby] half a sentence", BAR)

    on_stage(tmp_path, scene)


def test_who_was_stopped_without_being_asked_draws_anew(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("half a sen")
        await stage.shows("[lobby] half a sen", BAR)
        stage.glass.write("\r\n\x1b[J[1]+  Stopped\x1b[?1004l\x1b[?2004l\r\n$ fg\r\n")
        stage.screen.terminal.resume()
        await stage.shows("$ fg", "[lobby] half a sen", BAR)
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
    survive(output, lambda: left.append(True))
    output.flush()
    assert not left
    os.close(reading)
    output.flush()
    output.flush()
    assert left == [True]
    os.close(writing)
