"""What keys do: Escape loses nothing that is typed after it, and no key brings back an old line by surprise."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.screen.stage import Stage, on_stage

BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"


@pytest.mark.parametrize(
    "typed", ["/register dora", "#1 is done", "*waves*", "-1", "5 of 7", "all", "<3", ".hidden", "y"]
)
def test_what_follows_escape_at_once_is_typed(tmp_path: Path, typed: str) -> None:
    """A terminal sends the same for Escape and a letter as for Alt and that letter."""

    async def scene(stage: Stage) -> None:
        stage.type(f"\x1b{typed}")
        await stage.until(lambda: stage.screen.terminal.line.text == typed)

    on_stage(tmp_path, scene)


def test_alt_moves_over_words_while_nothing_is_offered(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("one two\x1bb")
        await stage.until(lambda: stage.screen.terminal.line.cursor_position == len("one "))

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("next", ["/", "b", " "])
def test_escape_closes_what_is_offered(tmp_path: Path, next: str) -> None:
    async def scene(stage: Stage) -> None:
        line = stage.screen.terminal.line
        stage.type("/m")
        await stage.until(lambda: line.complete_state and any("/mute" in row for row in stage.rows))
        stage.type("\x1b")
        await stage.until(lambda: line.complete_state is None)
        await stage.shows("[lobby] /m", BAR)
        stage.type("\t")
        await stage.until(lambda: line.complete_state)
        stage.type(f"\x1b{next}")
        await stage.until(lambda: line.text == f"/m{next}")

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("key", ["\x1b[5~", "\x1b[6~", "\x1b[1;5A", "\x1b<", "\x1b.", "\x1b_"])
def test_no_key_but_the_arrows_brings_back_an_old_line(tmp_path: Path, key: str) -> None:
    async def scene(stage: Stage) -> None:
        line = stage.screen.terminal.line
        stage.type("an old line\r")
        await stage.until(lambda: stage.client.said == ["an old line"])
        await stage.until(lambda: len(line._working_lines) > 1)
        stage.type(f"{key}!")
        await stage.until(lambda: line.text.endswith("!"))
        assert "old" not in line.text
        assert "line" not in line.text

    on_stage(tmp_path, scene)


def test_a_login_without_its_slash_is_asked_about(tmp_path: Path) -> None:
    question = "That looks like a password. Say it to everybody here? [y]es, [n]o:"

    async def scene(stage: Stage) -> None:
        stage.type("login dora,tr0ub4dor\r")
        await stage.shows(question, BAR)
        assert stage.client.said == []
        stage.type("\r")
        told = "-- nothing was said; /login is the command, and asks for what you leave out."
        await stage.shows(told, "[lobby]")
        stage.type(" /register dora tr0ub4dor\rno\r")
        await stage.shows(told, told.replace("login", "register"), "[lobby]")
        stage.type("Password: tr0ub4dor\rn\r")
        await stage.shows(*(told.replace("login", word) for word in ("login", "register", "password")), "[lobby]")
        assert stage.client.said == []
        stage.type("password reset\ry\r")
        await stage.until(lambda: stage.client.said == ["password reset"])
        stage.type("/say login dora x\r")
        await stage.until(lambda: stage.client.said == ["password reset", "login dora x"])
        assert "tr0ub4dor" not in (tmp_path / "history").read_text()

    on_stage(tmp_path, scene)


def test_login_alone_is_the_command_for_a_guest(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("register\r")
        await stage.shows("Name:", BAR)
        stage.type("dora\rtr0ub4dor\rtr0ub4dor\r")
        await stage.until(lambda: stage.client.did == [("register", {"user": "dora", "password": "tr0ub4dor"})])
        stage.client.guest = False
        stage.type("login\ry\r")
        await stage.until(lambda: stage.client.said == ["login"])

    on_stage(tmp_path, scene)


def test_a_login_is_no_name(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.doing.start(stage.screen.doing.take_a_name())
        stage.type("login dora tr0ub4dor\r")
        await stage.shows("Error: that is no name; /login is the command, and asks for what you leave out.")
        stage.type("pw=correcthorse\r")
        await stage.shows("Error: that is no name; /password is the command, and asks for what you leave out.")
        assert stage.client.did == []

    on_stage(tmp_path, scene, size=(120, 24))


def test_bare_words_are_commands_outside_a_room_and_upper_case_words_anywhere(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("LIST_ROOMS\rwho knows\r")
        await stage.until(lambda: stage.client.said == ["who knows"])
        stage.client.room = ""
        stage.type("rooms\rjoin attic\r")
        await stage.until(lambda: [do for do, _ in stage.client.did] == ["rooms", "rooms", "join"])
        stage.type("nobody hears this\r")
        await stage.shows("Error: you are not in a room; join one with /join <room>.")
        stage.type("quit\r")
        await stage.until(lambda: stage.running.done())

    on_stage(tmp_path, scene)
