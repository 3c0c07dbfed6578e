"""A fault of the client itself: one line on the screen, all of it in a file, and the chat goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from client.screen.stage import Stage, on_stage, said
from conftest import Errors
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from chatroom.client.screen.fault_log import MOST, FaultLog


def fail(folder: Path, why: str, told: list[str] | None = None) -> None:
    """Log an error and a warning; only the error is told."""
    log = Logger(
        observer=LogPublisher(FaultLog(folder / "x" / "faults.log", (told if told is not None else []).append))
    )
    log.warn("never mind")
    log.failure("it did not work", Failure(ValueError(why)))


def test_it_is_told_in_one_line_and_kept_in_a_file_of_ones_own(tmp_path: Path) -> None:
    told: list[str] = []
    fail(tmp_path, "one\ntwo\x1b[2J", told)
    path = tmp_path / "x" / "faults.log"
    assert told == [f"this client has a fault, which is written down in {path}: ValueError: one two\x1b[2J"]
    kept = path.read_text()
    assert "it did not work\n" in kept
    assert "ValueError: one\n    | two\n" in kept
    assert len([line for line in kept.splitlines() if not line.startswith("    | ")]) == 1  # no part poses as an error
    assert "never mind" not in kept
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    for _ in range(6):
        fail(tmp_path, "x" * (MOST // 2))
    assert (tmp_path / "x" / "faults.log").stat().st_size < 2 * MOST


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file where the folder should be")
    told: list[str] = []
    fail(tmp_path, "why", told)
    assert len(told) == 1


def test_what_cannot_be_shown_does_not_end_the_connection(tmp_path: Path, errors: Errors) -> None:
    """The client, which told it, does not see the error; what comes next is shown."""

    async def scene(stage: Stage) -> None:
        broken: Any = said("x")
        stage.screen.lines.message = lambda event, private: event.no_such_thing  # type: ignore[assignment,misc]
        stage.tell(broken)
        del stage.screen.lines.message
        stage.tell(said("hello"))
        await stage.shows("bob: hello", "[lobby]")
        errors.expect(AttributeError)

    on_stage(tmp_path, scene)
