"""``/open``, links that the terminal can follow, notifications: what is written to the terminal, and what never is."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from client.screen.stage import NOW, Stage, on_stage, said

from chatroom.client.screen import opener
from chatroom.model import events as e
from chatroom.model import replies as a

URL = "https://e.org/x"
_WHO = {"id": "s", "at": NOW * 1000, "by": "bob", "by_id": "b", "room": "lobby", "seq": 3}
SHARED = e.Shared(**_WHO, file="f", number=7, name="p.png", size=3, sha256="5a")  # type: ignore[arg-type]
LINK = re.compile(r"\x1b\]8;[^\x1b]*\x1b\\")


class Opened:
    """Stands for the programs that open links and files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.targets: list[str] = []
        monkeypatch.setattr(opener.Opener, "link", lambda one, address: self.targets.append(address))
        monkeypatch.setattr(opener.Opener, "file", lambda one, path: self.targets.append(str(path)))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


def test_links_are_counted_back_from_the_newest(tmp_path: Path, opened: Opened) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said(f"{URL}1 and\n{URL}2."), said("nothing"), said(f"({URL}3)"))
        await stage.until(lambda: any(f"{URL}3" in row for row in stage.rows))
        stage.type("/open\r/open 1\r/open 2\r/open 3\r")
        await stage.until(lambda: len(opened.targets) == 4)
        assert opened.targets == [f"{URL}3", f"{URL}3", f"{URL}2", f"{URL}1"]
        stage.type("/open 4\r/open 0\r")
        wanted = ["Error: this window has only 3 links and files.", "Error: usage: /open [number]."]
        await stage.until(lambda: set(wanted) <= {*stage.rows})
        stage.type("/open -1\r/open x\r/open 9999999999999\r")
        await stage.until(lambda: stage.screen.terminal.line.text == "")
        assert len(opened.targets) == 4

    on_stage(tmp_path, scene)


def test_nothing_but_http_is_opened_and_what_the_client_says_is_not_counted(tmp_path: Path, opened: Opened) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.hearing.say(f"opening {URL}")
        stage.tell(said("file:///etc/passwd javascript:alert(1) -rf xhttps://e.org"), said("bob: /get 3"))
        stage.type("/open\r")
        await stage.until(lambda: any("Error: this window has no links and files." in row for row in stage.rows))
        assert opened.targets == []

    on_stage(tmp_path, scene)


def test_a_file_is_opened_once_it_is_fetched(tmp_path: Path, opened: Opened) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(SHARED)
        stage.type("/open\r")
        wanted = "-- that file is not fetched; /get 7 fetches it, and then /open opens it."
        await stage.until(lambda: wanted in stage.rows)
        path = tmp_path / "p.png"
        stage.screen.transfers.fetched["5a"] = path
        stage.type("/open\r")
        await stage.until(lambda: stage.rows.count(wanted) == 2)  # it was moved away
        path.write_text("abc")
        stage.type("/open\r")
        await stage.until(lambda: opened.targets == [str(path)])
        stage.tell(msgspec.structs.replace(SHARED, number=1, to="me", sha256="6b"))
        stage.type("/window 2\r/open\r")
        await stage.until(lambda: any("/get @1 fetches it" in row for row in stage.rows))

    on_stage(tmp_path, scene)


def test_what_cannot_be_fetched_is_not_counted(tmp_path: Path, opened: Opened) -> None:
    async def scene(stage: Stage) -> None:
        for changes in ({"name": ""}, {"to": "bea"}):
            stage.tell(msgspec.structs.replace(SHARED, **changes))
        stage.type("/open\r")
        await stage.until(lambda: any("Error: this window has no links and files." in row for row in stage.rows))

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("on", [True, False])
def test_the_terminal_gets_links_if_it_can_follow_them(tmp_path: Path, on: bool) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said(f"see {URL}/{'y' * 100}, and {URL};x"), said("plain"))
        await stage.until(lambda: any(row.startswith("bob: plain") for row in stage.rows))
        long, short = f"{URL}/{'y' * 100}", f"{URL}%3Bx"
        found = re.findall(r"\x1b\]8;(?:id=\d+)?;([^\x1b]*)\x1b\\", stage.glass.raw)
        assert {*found} == ({long, short, ""} if on else set())
        assert LINK.sub("", stage.glass.raw).count("\x1b]") == 0
        stage.tell(said("more"))
        await stage.until(lambda: any("more" in row for row in stage.rows))
        opens = stage.glass.raw.count("\x1b]8;id=")
        assert stage.glass.raw.count("\x1b]8;;\x1b\\") >= (1 if on else 0)
        assert (opens > 0) is on
        assert not on or stage.glass.raw.rfind("\x1b]8;;") > stage.glass.raw.rfind("\x1b]8;id=")  # all are ended

    on_stage(tmp_path, scene, links=on)


HOSTILE = [
    "https://e.org/\x1b]8;;https://evil.org\x1b\\x",
    "https://e.org/\x07\x9c;y\x9d52;c;aGk=",
    "https://e.org/;\u2028\x0b[link:1][ZeroWidthEscape]",
    "me \x1b]777;notify;x;y\x07 \x1b]9;z\x1b\\ ; \x9b2J",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("notify", ["osc9", "osc777"])
def test_nothing_that_others_write_is_an_escape(tmp_path: Path, text: str, notify: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("\x1b[O")  # the terminal has lost the focus
        await stage.until(lambda: not stage.screen.switcher.looking)
        start = len(stage.glass.raw)
        stage.tell(
            said(text, by=text),
            e.Private(id="p", at=NOW * 1000, by=f"bob{text}", by_id="b", to="me", text=text),
            msgspec.structs.replace(SHARED, name=text, by=text),
            e.Topic(id="t", at=NOW * 1000, by="bob", by_id="b", room="lobby", text=text),
            a.Rooms([a.RoomLine("x", 1, text)]),
            said("the end"),
        )
        await stage.until(lambda: any("the end" in row for row in stage.rows))
        written = stage.glass.raw[start:]
        written = LINK.sub("", written)
        told = re.findall(r"\x1b\]9;[^\x1b;]*\x1b\\|\x1b\]777;notify;chatroom;[^\x1b;]*\x1b\\", written)
        assert len(told) == 1
        written = written.replace(told[0], "")
        assert not re.search(r"\x1b[^\[]|[\x07\x0b\x80-\x9f\u2028]|\x1b\[2J|52;c", written), ascii(written)

    on_stage(tmp_path, scene, links=True, notify=notify, bell="off")


def test_a_mention_is_told_only_while_the_terminal_has_no_focus(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hello me"))
        stage.type("\x1b[O")
        await stage.until(lambda: not stage.screen.switcher.looking)
        assert "\x1b]9;" not in stage.glass.raw
        stage.tell(said("hello all"), said("hello again, me; yes"))
        assert "\x1b]9;bob in lobby: hello again, me, yes\x1b\\" in stage.glass.raw
        assert stage.glass.raw.count("\x1b]9;") == 1
        stage.type("\x1b[I")
        await stage.until(lambda: stage.screen.switcher.looking)
        stage.clock.advance(2)
        stage.tell(said("and me"))
        assert stage.glass.raw.count("\x1b]9;") == 1

    on_stage(tmp_path, scene, notify="osc9")
