"""Pasting several lines: they are one message, and nothing of them is lost or taken for a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.screen.stage import Stage, on_stage
from twisted.internet.defer import fail

from chatroom.client.errors import Rejected
from chatroom.client.pending import check_text

BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"


def paste(text: str) -> str:
    """Return what a terminal sends for a paste."""
    return f"\x1b[200~{text}\x1b[201~"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n".join("x" * 51), "Error: a message may have at most 50 lines; send the rest as another message."),
        (f"/{'x' * 2050}\n{'y' * 2050}", "Error: line too long (limit 4096 bytes)."),
    ],
)
def test_a_paste_too_long_for_one_message_is_in_the_input_line_then(tmp_path: Path, text: str, why: str) -> None:
    async def scene(stage: Stage) -> None:
        client: Any = stage.client
        client.say = checked(client)
        stage.type(paste(text))
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("o\r")
        await stage.shows(why)
        assert stage.screen.terminal.line.text in (text, f"/{text}")
        assert stage.client.said == []

    on_stage(tmp_path, scene)


def test_a_command_that_was_copied_over_two_rows_becomes_one_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("/devices link 12345 67890 12345\n   67890 12345 67890\n"))
        await stage.until(lambda: stage.screen.terminal.questions.current)
        await stage.shows("One [c]ommand (Enter), [o]ne message, [l]ine by line, [e]dit, or [d]rop them?")
        stage.type("\r")
        await stage.until(lambda: stage.screen.terminal.line.text)
        assert stage.screen.terminal.line.text == "/devices link 12345 67890 12345 67890 12345 67890"
        assert stage.client.said == []

    on_stage(tmp_path, scene)


def checked(client: Any) -> Any:
    """Return what says a text as a ``Client`` does: it refuses what the server would refuse."""
    say = client.say

    def as_client(text: str, room: str) -> Any:
        try:
            check_text(text, client.limits.text)
        except Rejected as refused:
            return fail(refused)
        return say(text, room)

    return as_client


def test_a_paste_may_be_edited_first_and_stays_a_text(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("/quit\n\n  two\n/me three\n"))
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("e\r")
        await stage.shows(
            "-- you pasted 4 lines: /quit...", "[lobby] //quit", "    |", "    |   two", "    | /me three", BAR
        )
        stage.type("!\r")
        await stage.until(lambda: stage.client.said == ["/quit\n\n  two\n/me three!"])
        assert not stage.running.done()

    on_stage(tmp_path, scene)


def test_a_paste_is_one_message_with_its_lines(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("draft " + paste("\r\n/quit\r\n\r\n\tgo on\x1b[J\r\n/me three\r\n\r\n") + "o\r")
        await stage.until(lambda: stage.client.said == ["/quit\n\n go on\n/me three"])
        assert stage.client.did == []
        assert stage.screen.terminal.line.text == "draft "

    on_stage(tmp_path, scene)


def test_a_long_text_leaves_room_for_the_chat(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.terminal.keep("\n".join(map(str, range(200))))
        stage.screen.terminal.refresh()
        await stage.until(lambda: stage.rows[-2:] == ["    | 199", BAR])
        assert len([row for row in stage.rows if row.startswith("    | ")]) == 12

    on_stage(tmp_path, scene)


def test_the_question_about_a_text_of_too_many_lines_offers_what_is_possible(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        text = "\n".join(map(str, range(60)))
        stage.type(paste(text))
        question = "A message has at most 50 lines. Say them [l]ine by line, [e]dit (Enter), or"
        await stage.until(lambda: any(question in row for row in stage.rows))
        stage.type("\r")
        await stage.until(lambda: stage.screen.terminal.line.text == text)
        assert stage.client.said == []

    on_stage(tmp_path, scene, size=(100, 24))
