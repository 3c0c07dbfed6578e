"""Run by ``test_adding.py`` on a copy of the code to which a command, ``wave``, and its event were added."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from harness import World

import chatroom
from chatroom.client.connection import decoded
from chatroom.client.plain_text import lines_of
from chatroom.client.screen.formatter import Formatter
from chatroom.client.screen.parser import CommandLine, read
from chatroom.model import events as e
from chatroom.model.commands import BY_SLASH


def people_and_programs() -> None:
    """A person and a program in one room both wave, and both see both waves."""
    world = World()
    ann, bot = world.person("ann", "lobby"), world.program("bot", "lobby")
    ann.lines()
    ann.say("/wave bot")
    assert ann.lines() == ["ann waves to bot."]
    (waved,) = bot.records()
    assert {key: waved[key] for key in ("event", "by", "to", "room")} == {
        **{"event": "waved", "by": "ann", "to": "bot", "room": "lobby"}
    }
    bot.record(do="wave", user="ann", ref=7)
    waved, answer = bot.records()
    assert (waved["event"], waved["by"]) == ("waved", "bot")
    assert answer == {"event": "ok", "re": 7}
    assert ann.lines() == ["bot waves to ann."]
    world.close()


def refusals() -> None:
    """What the row says is checked, and a program's record as well."""
    world = World()
    ann, bot = world.person("ann"), world.program("bot")
    ann.say("/wave bot")
    assert ann.lines() == ["Error: you are not in a room; join one with /join <room>."]
    ann.say("/join lobby", "/wave")
    assert ann.lines()[-1] == "To whom?"
    ann.say("bot")
    assert ann.lines() == ["ann waves to bot."]
    bot.record(do="wave", ref=1)
    assert bot.records()[0]["code"] == "bad-record"
    world.close()


def help_and_spelling() -> None:
    """``/help`` shows the command, and corrects a slip."""
    world = World()
    ann = world.person("ann")
    ann.say("/help wave")
    assert ann.lines() == ["/wave <user>: wave to somebody in the room.", "Spellings: /wave"]
    ann.say("/help talk")
    assert "  /wave <user>" in "\n".join(ann.lines())
    ann.say("/wvae bot")
    (line,) = ann.lines()
    assert line.endswith("Did you mean /wave?"), line
    world.close()


def client() -> None:
    """The client reads the typed command, and shows the event in a pipe and on the screen."""
    assert read("/wave bot", ()) == CommandLine(BY_SLASH["wave"], {"user": "bot"})
    line = b'{"event":"waved","id":"1","at":1790000000000,"by":"ann","by_id":"a","to":"bot","room":"lobby","seq":9}'
    event, _ = decoded(line)
    assert event is not None
    assert lines_of(event) == ["ann waves to bot."]
    (shown,) = Formatter(lambda: "me", lambda: 0, stamps=False).heard(event)
    assert "".join(text for _, text in shown) == "ann waves to bot."


def storage() -> None:
    """A log keeps the event."""
    kind = e.Waved  # type: ignore[attr-defined]
    event = kind("1", 1790000000000, "ann", "a", to="bot")
    assert e.decode(e.encode(event)) == event
    assert kind in e.STORED
    assert kind in e.OF_A_ROOM
    assert kind not in e.MESSAGES


def protocol_page() -> None:
    """The page explains the record and the event, and shows what people see."""
    path = Path(chatroom.__file__).parents[1] / "docs" / "make_protocol.py"
    spec = importlib.util.spec_from_file_location("make_protocol", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.protocol()
    assert "#### do `wave`\n\nWave to somebody in the room. For people: `/wave <user>`." in page
    assert "#### event `waved`\n\nA member waves to somebody." in page
    assert "    people see: bob waves to alice.\n" in page


if __name__ == "__main__":
    assert Path(chatroom.__file__).parents[1] == Path(sys.argv[1])
    for check in (people_and_programs, refusals, help_and_spelling, client, storage, protocol_page):
        check()
    print("added")
