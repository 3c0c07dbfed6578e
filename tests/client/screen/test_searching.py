"""Ctrl-R looks through what was typed before, as in a shell; nothing is said before Enter is pressed on the line."""

from __future__ import annotations

from pathlib import Path

from client.screen.stage import Stage, on_stage, said

CTRL_C, CTRL_D, CTRL_G, CTRL_R, CTRL_U = "\x03", "\x04", "\x07", "\x12", "\x15"
BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"


async def say(stage: Stage, *lines: str) -> None:
    """Type lines, and wait until they are said."""
    for line in lines:
        stage.type(f"{line}\r")
        await stage.until(lambda line=line: stage.client.said[-1:] == [line])  # type: ignore[misc]


async def search(stage: Stage, words: str, *found: str) -> None:
    """Press Ctrl-R and type, and wait until that is found."""
    stage.type(CTRL_R)
    await stage.shows("(reverse-i-search)`':" + "".join(f" {line}" for line in found[:-1]), BAR)
    stage.type(words)
    await stage.shows(f"(reverse-i-search)`{words}': {found[-1]}", BAR)


def test_what_was_typed_is_found_and_can_be_said_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await say(stage, "the old plan", "the new plan", "lunch?")
        await search(stage, "plan", "the new plan")
        stage.type(CTRL_R)
        await stage.shows("(reverse-i-search)`plan': the old plan", BAR)
        stage.tell(said("meanwhile"))
        await stage.shows("bob: meanwhile", "(reverse-i-search)`plan': the old plan", BAR)
        stage.type("\r")
        await stage.shows("bob: meanwhile", "[lobby] the old plan", BAR)
        assert stage.client.said[-1] == "lunch?"
        stage.type("\r")
        await stage.until(lambda: stage.client.said[-1] == "the old plan")

    on_stage(tmp_path, scene)


def test_the_search_is_given_up_and_the_line_is_as_it_was(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await say(stage, "the plan")
        for key in (CTRL_C, CTRL_G):
            stage.type("half")
            await search(stage, "plan", "half", "the plan")
            stage.type(key)
            await stage.shows("[lobby] half", BAR)
            stage.type(CTRL_U)
            await stage.shows("[lobby]", BAR)
        assert not any("Ctrl-C" in row for row in stage.rows)
        assert stage.client.said == ["the plan"]

    on_stage(tmp_path, scene)


def test_ctrl_d_in_a_search_does_not_leave(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(CTRL_R)
        await stage.shows("(reverse-i-search)`':", BAR)
        stage.type(f"{CTRL_D}x")
        await stage.shows("(reverse-i-search)`x':", BAR)
        stage.type(f"{CTRL_G}still there\r")
        await stage.until(lambda: stage.client.said == ["still there"])

    on_stage(tmp_path, scene)


def test_a_question_ends_the_search(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await say(stage, "the plan")
        stage.type("half")
        await search(stage, "plan", "half", "the plan")
        answers: list[str] = []
        stage.screen.terminal.questions.ask("Password: ", secret=True).addCallback(answers.append)
        await stage.shows("Password:", BAR)
        stage.type("secret")
        await stage.shows("Password: ******", BAR)
        stage.type("\r")
        await stage.shows("[lobby] half", BAR)
        assert answers == ["secret"]
        stage.type(CTRL_U)
        await search(stage, "p", "the plan")

    on_stage(tmp_path, scene)
