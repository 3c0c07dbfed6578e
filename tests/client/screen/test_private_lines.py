"""What is typed for one person or for an encrypted room is in no file of typed lines, which is not encrypted."""

from __future__ import annotations

from pathlib import Path

from client.fake_encryption import FakeEncryption
from client.screen.stage import Stage, Unread, on_stage

from chatroom.client.screen.window_list import WindowKind

PUBLIC = ["hello lobby", "/me waves", "/join attic", "/query bob", "/keys", "//slash", "/quote -2 yes"]
PRIVATE = ["/msg bob secret", "/w bob secret", "/r secret", "/query bob secret", "/mgs bob secret"]
IN_PRIVATE = ["secret", "/me secret", "//secret", "/edit secret", "/quote -2 secret", "/say secret", "/search secret"]


def kept(tmp_path: Path) -> list[str]:
    """Return the lines in the file of typed lines."""
    return [line for path in tmp_path.rglob("history") for line in path.read_text().splitlines()]


async def typed(stage: Stage, lines: list[str]) -> None:
    """Add lines to the history, as if they were typed in the window in front."""
    for line in lines:
        stage.screen.terminal.parts.history.append_string(line)
    assert stage.screen.terminal.parts.history.get_strings()[-len(lines) :] == lines


def test_what_is_said_to_a_room_is_kept_and_what_is_for_a_person_is_not(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await typed(stage, [*PRIVATE, *PUBLIC])
        assert kept(tmp_path) == PUBLIC
        stage.screen.switcher.go(stage.screen.windows.open(WindowKind.PERSON, "bob"))
        await typed(stage, [*IN_PRIVATE, "/verify"])
        assert kept(tmp_path) == [*PUBLIC, "/verify"]

    on_stage(tmp_path, scene)


def test_what_is_said_to_an_encrypted_room_is_not_kept(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.privacy.encryption = FakeEncryption(rooms={"den"})
        stage.client.rooms["den"] = Unread("den")
        stage.screen.switcher.go(stage.screen.windows.open(WindowKind.ROOM, "den"))
        await typed(stage, [*IN_PRIVATE, "/topic cats"])
        assert kept(tmp_path) == ["/topic cats"]

    on_stage(tmp_path, scene)
