"""What Tab offers: everybody where a name is wanted, and all that an argument with a fixed set may be."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.screen.stage import Stage, on_stage
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from chatroom.client.screen.argument_values import DURATIONS, argument_at
from chatroom.client.screen.quiet_questions import FRESH
from chatroom.model import replies as a


def offered(stage: Stage, line: str) -> list[str]:
    """Return what the line would become by each of the completions that Tab offers."""
    made = stage.screen.terminal.line.completer.get_completions(
        Document(line), CompleteEvent(completion_requested=True)
    )
    return [line[: len(line) + one.start_position] + one.text for one in made]


def all_of(start: str, *words: str) -> list[str]:
    return [f"{start}{word} " for word in words]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("@b", ["@Bea ", "@bob "]),
        ("hello @BO", ["hello @bob "]),
        ("/window ", all_of("/window ", "next", "previous", "server", "lobby")),
        ("/window l", ["/window lobby "]),
        ("/close-window ", all_of("/close-window ", "server", "lobby")),
        ("hello  bo", ["hello  bob "]),
        ("  bo", ["  bob: "]),
        ("//slash bo", ["//slash bob "]),
        ("/me hugs @be", ["/me hugs @Bea "]),
        ("/msg  bo", ["/msg  bob "]),
        ("/msg bob  hi be", ["/msg bob  hi Bea "]),
        ("/kick b", ["/kick Bea ", "/kick bob "]),
        ("/echo ", all_of("/echo ", "on", "off")),
        ("/ECHO  of", ["/ECHO  off "]),
        ("/bell ", all_of("/bell ", "off", "private", "all")),
        ("/timestamps o", all_of("/timestamps ", "on", "off")),
        ("/ignore bob ", all_of("/ignore bob ", "on", "off")),
        ("/ignore bob on ", []),
        ("/focus bob o", ["/focus bob off "]),
        ("/focus bob be", ["/focus bob Bea "]),
        ("/mute bob ", all_of("/mute bob ", *DURATIONS)),
        ("/ban bob 1", all_of("/ban bob ", *(word for word in DURATIONS if word.startswith("1")))),
        ("/ban bob 1h bea", ["/ban bob 1h Bea "]),
        ("/account ", ["/account delete "]),
        ("/sessions e", ["/sessions end "]),
        ("/set-operator bob ", all_of("/set-operator bob ", "on", "off")),
        ("/login b", []),
        ("/register b", []),
        ("/name b", []),
        ("/topic be", ["/topic Bea "]),
        ("/history ", []),
        ("/nothing bo", []),
    ],
)
def test_what_is_offered(tmp_path: Path, line: str, lines: list[str]) -> None:
    async def scene(stage: Stage) -> None:
        assert offered(stage, line) == lines

    on_stage(tmp_path, scene)


def test_everybody_online_is_offered_as_they_are_now(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/msg z")
        await stage.until(lambda: stage.client.asked == 1)
        stage.tell(a.Users([a.UserLine("zoë", "attic"), a.UserLine("zed")], 2))
        stage.type("\t")
        await stage.until(lambda: any("zoë" in row for row in stage.rows))
        assert offered(stage, "/msg z") == ["/msg zed ", "/msg zoë "]
        assert offered(stage, "hello z") == []  # she is not in the room
        stage.type("\x03/kick z")
        await stage.until(lambda: stage.screen.terminal.line.text == "/kick z")
        assert stage.client.asked == 1
        stage.clock.advance(FRESH)
        stage.type("e")
        await stage.until(lambda: stage.client.asked == 2)
        stage.tell(a.Users([a.UserLine("zed")], 1))
        assert offered(stage, "/msg z") == ["/msg zed "]
        stage.clock.advance(FRESH)
        stage.type("\x03/join z")
        await stage.until(lambda: stage.screen.terminal.line.text == "/join z")
        assert stage.client.asked == 2

    on_stage(tmp_path, scene)


def test_a_short_form_is_completed_like_its_command(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        assert offered(stage, "/message bo") == ["/message bob "]

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("usage", "given", "kinds"),
    [
        ("", 0, []),
        ("/leave", 0, []),
        ("/ban [user] [duration] [reason]", 0, ["user"]),
        ("/ban [user] [duration] [reason]", 5, ["reason"]),
        ("/focus [user ...|off]", 3, ["user", "off"]),
        ("/help [topic or command]", 0, ["topic", "command"]),
        ("/echo [on|off]", 1, []),
    ],
)
def test_what_stands_where(usage: str, given: int, kinds: list[str]) -> None:
    assert argument_at(usage, given) == kinds
