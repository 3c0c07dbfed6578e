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
        stage.screen.doing.start(stage.screen.naming.take_a_name())
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
        await stage.shows("Error: you are not in lobby; join it with /join lobby.")
        stage.type("\x1b0nobody hears this either\r")
        await stage.shows("Error: you are not in a room; join one with /join <room>.")
        stage.type("quit\r")
        await stage.until(lambda: stage.running.done())

    on_stage(tmp_path, scene)


# ---- several lines -----------------------------------------------------------------------------------------------


def test_alt_enter_begins_another_line_of_the_same_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("one\x1b\rtwo\x1b\r\x1b\rfour")
        await stage.shows("[lobby] one", "    | two", "    |", "    | four", BAR)
        assert stage.client.said == []
        stage.type("\r")
        await stage.until(lambda: stage.client.said == ["one\ntwo\n\nfour"])
        await stage.shows("[lobby]", BAR)

    on_stage(tmp_path, scene)


def test_the_arrows_move_in_the_lines_and_bring_them_back_as_they_were(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        line = stage.screen.terminal.line
        stage.type("one\x1b\rtwo\r")
        await stage.until(lambda: stage.client.said == ["one\ntwo"])
        await stage.until(lambda: len(line._working_lines) > 1)
        stage.type("\x1b[A")
        await stage.until(lambda: line.text == "one\ntwo")
        stage.type("\x1b[A!")
        await stage.until(lambda: line.text in ("one!\ntwo", "!one\ntwo"))

    on_stage(tmp_path, scene)


def test_a_question_has_one_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login nora\r")
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("sec\x1b\rret")
        await stage.until(lambda: stage.client.did)
        assert [fields.get("password") for _, fields in stage.client.did] == ["sec"]

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        ("/me waves\nand smiles", ("me", {"text": "waves\nand smiles"})),
        ("/me\nwaves", ("me", {"text": "waves"})),
        ("/msg bob one\n/quit", ("message", {"user": "bob", "text": "one\n/quit"})),
        ("/msg bob\none\n\ntwo", ("message", {"user": "bob", "text": "one\n\ntwo"})),
    ],
)
def test_commands_that_take_a_text_take_its_lines(tmp_path: Path, typed: str, done: object) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(typed.replace("\n", "\x1b\r") + "\r")
        await stage.until(lambda: stage.client.did == [done])

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("typed", ["/topic one\ntwo", "/bell off\noff", "/join den\nden", "/quit\nme"])
def test_other_commands_take_one_line(tmp_path: Path, typed: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(typed.replace("\n", "\x1b\r") + "\r")
        word = typed.split()[0]
        await stage.shows(f"Error: {word} takes one line; to say these lines, begin the first with //.", "[lobby]", BAR)
        assert stage.client.did == stage.client.said == []
        assert not stage.running.done()

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("typed", ["LEAVE_ROOM\nhere", "leave\nit", "//etc/passwd\n/quit", "who\nhi"])
def test_other_lines_are_one_message_and_no_command(tmp_path: Path, typed: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(typed.replace("\n", "\x1b\r") + "\r")
        await stage.until(lambda: stage.client.said == [typed.replace("//", "/", 1)])
        assert stage.client.did == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n".join("x" * 51), "Error: a message may have at most 50 lines; send the rest as another message."),
        ("x" * 4097, "Error: line too long (limit 4096 bytes)."),
        ("/me " + "x" * 4097, "Error: line too long (limit 4096 bytes)."),
    ],
)
def test_what_is_too_long_stays_in_the_input_line(tmp_path: Path, text: str, why: str) -> None:
    async def scene(stage: Stage) -> None:
        line = stage.screen.terminal.line
        line.text = text
        stage.type("\r")
        await stage.shows(why)
        assert line.text == text
        assert stage.client.said == []
        line.text = text.removesuffix("x").removesuffix("\n")
        stage.type("\r")
        await stage.until(lambda: [*stage.client.said, *stage.client.did])
        assert line.text == ""

    on_stage(tmp_path, scene)


def test_a_password_in_a_further_line_is_asked_about(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("hello\x1b\rlogin nora,secretpw2\r")
        await stage.shows("That looks like a password. Say it to everybody here? [y]es, [n]o:", BAR)
        stage.type("n\r")
        await stage.until(lambda: stage.screen.terminal.questions.current is None)
        assert stage.client.said == []

    on_stage(tmp_path, scene)


def test_a_password_is_hidden_with_all_that_follows_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login nora secretpw2\x1b\rsecretpw3")
        await stage.shows("[lobby] /login nora *********", "    | *********", BAR)
        assert "secretpw" not in stage.glass.raw

    on_stage(tmp_path, scene)
