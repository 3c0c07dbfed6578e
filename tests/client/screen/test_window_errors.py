"""What the windows say when a line does not fit the window, and where else it may go."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.screen.stage import Stage, Unread, on_stage
from client.screen.test_windows import bar_begins, entered, joined, private, prompt

from chatroom.client.screen.window_list import WindowKind
from chatroom.client.status import Denied
from chatroom.model import events as e


async def in_window_of_bob(stage: Stage) -> None:
    """Be in a lobby and in front of the window of bob."""
    stage.tell(private("psst"))
    stage.type("\x1b2")
    await prompt(stage, "[@bob]")


@pytest.mark.parametrize("leave", ["\x1b0", "/close-window\r"])
def test_join_goes_to_the_window_of_a_room_that_one_is_in(tmp_path: Path, leave: str) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        await prompt(stage, "[work]")
        stage.type(leave)
        await stage.until(lambda: stage.screen.windows.front.name != "work")
        stage.type("/join Work\r")
        await prompt(stage, "[work]")
        assert stage.client.did == []

    on_stage(tmp_path, scene)


def test_close_window_closes_the_one_that_is_named(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(private("psst"), private("hi", by="bea"))
        await bar_begins(stage, "1:lobby 2:@bob 3:@bea | ")
        stage.type("/close-window 2\r")
        await bar_begins(stage, "1:lobby 3:@bea | ")
        stage.type("/close-window @bea\r")
        await bar_begins(stage, "lobby (3 users) | ")
        stage.type("/close-window nobody\r")
        await stage.shows("Error: there is no window nobody; /window lists them.", "[lobby]")
        stage.type("/close-window 1 2\r")
        await stage.shows("Error: usage: /close-window [number|name].", "[lobby]")
        stage.type("/close-window 0\r")
        await stage.shows("Error: the server's window stays.", "[lobby]")
        stage.type("/window next next\r")
        await stage.shows("Error: usage: /window [number|name|next|previous].", "[lobby]")

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/edit no", "/edit is about a message of a room; go to the window of the room first."),
        ("/react -1 👍", "/react is about a message of a room; go to the window of the room first."),
        ("/topic new", "/topic is about a room; go to the window of the room first."),
        ("/leave", "/leave is about a room; go to the window of the room first."),
    ],
)
def test_a_command_about_a_room_says_where_to_give_it(tmp_path: Path, line: str, error: str) -> None:
    async def scene(stage: Stage) -> None:
        await in_window_of_bob(stage)
        if not error.endswith("about a message of a room; go to the window of the room first."):
            stage.type(f"{line}\r")  # about a message, it would be about one of the conversation
            await stage.shows(f"Error: {error}", "[@bob]")
        stage.type("\x1b0")
        await prompt(stage, "[-]")
        stage.type(f"{line}\r")
        await stage.shows(f"Error: {error}", "[-]")
        assert stage.client.did == []

    on_stage(tmp_path, scene)


def test_files_are_listed_and_a_named_room_is_left_in_any_window(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await in_window_of_bob(stage)
        stage.type("/files\r")
        await stage.until(lambda: stage.client.did == [("files", {"room": "lobby"})])
        stage.type("/leave Lobby\r")
        await stage.until(lambda: stage.client.did[1:] == [("leave", {"room": "lobby"})])

    on_stage(tmp_path, scene)


def test_send_in_a_private_window_gives_the_file_to_that_person(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await in_window_of_bob(stage)
        stage.type("/send a.txt\r/send b.txt Bea\r")
        await stage.until(lambda: len(stage.screen.transfers.lines()) == 2)
        assert [one._user for one in stage.screen.transfers._under_way] == ["bob", "Bea"]  # type: ignore[attr-defined]

    on_stage(tmp_path, scene)


def test_a_line_that_nobody_would_hear_says_so(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("\x1b0")
        await prompt(stage, "[-]")
        stage.type("hello?\r")
        await stage.shows("Error: nobody hears this; go to the window of a room or a person first.", "[-]")
        joined(stage, "work")
        await prompt(stage, "[work]")
        del stage.client.rooms["work"]
        stage.client.focus("")
        stage.tell(e.Kicked("", 0, "bob", "b", room="work", seq=3, user="me"))
        for line in ("hello?", "/names"):
            stage.type(f"\x15{line}\r")
            await stage.shows("Error: you are not in work; join it with /join work.", "[-]")
            stage.screen.clear()
        assert stage.client.said == stage.client.did == []

    on_stage(tmp_path, scene)


def test_a_refused_first_room_is_told_where_the_user_looks(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Denied("room", "den", "banned", "you are banned from room den."))
        joined(stage, "work")
        await stage.shows("Error: you are banned from room den.", "[work]")
        stage.tell(entered("work"))
        stage.type("x\r")
        await stage.until(lambda: stage.client.said)
        joined(stage, "more")
        await prompt(stage, "[more]")
        errors = [line.text for window in stage.screen.windows for line in window.lines if "banned" in line.text]
        assert len(errors) == 2, "in the window where it was told, and in the one that came to the front"

    on_stage(tmp_path, scene)


def test_a_paste_while_a_question_is_open_is_refused_aloud(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("\x1b[200~one\ntwo\x1b[201~")
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("\x1b[200~three\nfour\x1b[201~")
        await stage.until(lambda: any("answer the question first, then paste again" in row for row in stage.rows))
        stage.type("o\r")
        await stage.until(lambda: stage.client.said == ["one\ntwo"])

    on_stage(tmp_path, scene)


def test_the_rooms_of_the_command_line_have_the_first_numbers(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        windows = stage.screen.windows
        windows.keep_numbers(["lobby", "work", "den"])
        stage.tell(private("early"))
        stage.client.rooms["den"] = Unread("den")
        stage.tell(entered("den"))
        joined(stage, "work")
        await bar_begins(stage, "1:lobby 2:work 3:den 4:@bob | ")
        windows.free_numbers()
        windows.close(windows.meant("den"))  # type: ignore[arg-type]
        assert windows.open(WindowKind.PERSON, "bea").number == 3

    on_stage(tmp_path, scene)
