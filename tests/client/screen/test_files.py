"""Files on the screen: what is typed, the bar, Tab; sending and fetching itself is in ``tests/client/files``."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.screen.stage import NOW, Stage, Unread, on_stage
from msgspec.structs import replace

from chatroom.client.status import ConversationsListed
from chatroom.model import events as e
from chatroom.model import replies as a

BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"


async def tells(stage: Stage, text: str) -> None:
    """Wait until that is on the screen, wherever its lines are broken."""

    def there() -> bool:
        stage.clock.advance(0.02)
        return text in "".join(stage.rows)

    await stage.until(there)


def test_what_is_under_way_stands_above_the_bar_and_can_be_cancelled(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/send a.txt\r/get 3\r/send b.txt bob\r")
        await stage.shows("[lobby]", " sending a.txt waits", " fetching file 3 waits", " sending b.txt waits", BAR)
        stage.type("/cancel\r")
        await tells(stage, "which file? Give its number, name or path")
        stage.type("/cancel 3\r")
        await tells(stage, "file 3: cancelled.")
        stage.type("/cancel a.txt\r/cancel b.txt\r")
        await tells(stage, "b.txt: cancelled.")
        await stage.until(lambda: (stage.clock.advance(1), stage.rows[-1] == BAR)[1])

    on_stage(tmp_path, scene, size=(120, 24))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/send", "usage: /send <path> [user]."),
        ("/get notes.txt", "usage: /get <number> [path]."),
        ("/get 0x3", "usage: /get <number> [path]."),
        ("/cancel", "no file is being sent or fetched."),
        (f"/get 3 {'y' * 300}/", f"there is no folder {'y' * 30}"),
        ("/get 3 ~nosuchuser/", "there is no folder ~nosuchuser; make it, or name another."),
        ("/help send", "/send <path> [user]: share a file with the room, or give it to somebody."),
    ],
)
def test_what_is_typed_wrongly_is_explained(tmp_path: Path, line: str, told: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"{line}\r")
        await tells(stage, told)

    on_stage(tmp_path, scene)


def test_tab_completes_a_path_and_then_a_user(tmp_path: Path) -> None:
    (tmp_path / "my notes.txt").touch()

    async def scene(stage: Stage) -> None:
        stage.type(f"/send {tmp_path}/my\t")
        await stage.until(lambda: stage.screen.terminal.line.text == f"/send {tmp_path}/my notes.txt")
        stage.type(" Be\t")
        await stage.until(lambda: stage.screen.terminal.line.text == f"/send {tmp_path}/my notes.txt Bea ")

    on_stage(tmp_path, scene, size=(200, 24))


def test_leaving_says_what_was_not_finished(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/send a.txt\r")
        await stage.until(lambda: stage.screen.transfers.lines())
        stage.screen.files.end()
        await tells(stage, "sending a.txt waits: stopped; the same command continues it next time.")

    on_stage(tmp_path, scene, size=(120, 24))


def given(seq: int, name: str = "notes.txt") -> e.Shared:
    """Return the event of a file that Bob gives the user."""
    fields = {"file": f"f{seq}", "number": seq, "name": name, "size": 9, "sha256": "0" * 64, "to": "me"}
    return e.Shared(id=f"s{seq}", at=NOW * 1000, by="bob", by_id="bob", seq=seq, **fields)


def test_a_file_for_the_user_is_news_like_a_private_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 1, seq=7, read=5)
        stage.tell(given(7))
        await stage.until(lambda: stage.rows[-1].startswith(" 1:lobby 2:@bob(1!) | "))
        assert stage.glass.raw.count("\a") == 1

    on_stage(tmp_path, scene)


def test_a_file_that_was_given_stands_once_in_a_window_that_is_filled_later(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 1, seq=7, read=5)
        stage.tell(ConversationsListed())
        own = replace(given(0), by="me", by_id="me", to="bob")
        stage.tell(own)
        stage.type("\x1b2")
        await stage.until(lambda: stage.client.pasts)
        stage.client.pasts.pop().callback(a.History("", [replace(own, seq=6), given(7)], True, user="bob"))
        await tells(stage, "/get @7")
        assert "".join(stage.rows).count("me shares notes.txt with bob") == 1

    on_stage(tmp_path, scene)


def test_a_file_stands_once_in_a_window_that_was_filled_before_it_came(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 1, seq=7, read=5)
        stage.tell(ConversationsListed())
        stage.type("\x1b2")
        await stage.until(lambda: stage.client.pasts)
        stage.client.pasts.pop().callback(a.History("", [given(7)], True, user="bob"))
        await tells(stage, "/get @7")
        stage.tell(given(7), given(8, "more.txt"))
        await tells(stage, "/get @8")
        assert "".join(stage.rows).count("/get @7") == 1

    on_stage(tmp_path, scene)


def test_files_lists_what_is_offered_over_direct_links_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        direct = stage.screen.files._commands._direct
        assert direct is not None
        direct.lines = lambda: ["Files offered over direct links (1):", "  d1  notes.txt  12 kB"]  # type: ignore[method-assign]
        stage.tell(a.Files("lobby", []))
        await stage.shows(
            "No files in lobby.", "-- Files offered over direct links (1):", "--   d1  notes.txt  12 kB", "[lobby]", BAR
        )

    on_stage(tmp_path, scene, size=(100, 24))
