"""Thousands of lines that come at once, in a real terminal: all are there, in order, and what is typed stays whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon, Peer
from blackbox.windows import ENTER, Window

from chatroom.chat.limits import HISTORY

MANY = 3000


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def say_many(bot: Peer) -> None:
    """Say numbered lines, and hear them all."""
    bot.send(
        b"".join(json.dumps({"do": "say", "text": f"line {n}", "id": f"m{n}"}).encode() + b"\n" for n in range(MANY))
    )
    bot.until(lambda line: f'"line {MANY - 1}"' in line)


def heard_on(window: Window) -> list[str]:
    """Return what the bot said, as one sees who scrolls back."""
    return [line for line in window.lines if line.startswith("bot: line ")]


def said(first: int) -> list[str]:
    """Return what the bot said from there on."""
    return [f"bot: line {n}" for n in range(first, MANY)]


def test_three_thousand_lines_that_come_at_once(daemon: Daemon, window: Callable[[str], Window]) -> None:
    bot = daemon.program("bot", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    ann.see("Current users: bot, ann", "[lobby]")
    ann.type("half a sentence 日本")
    ann.see("[lobby] half a sentence 日本")
    say_many(bot)
    ann.see(*said(MANY - 20), "[lobby] half a sentence 日本")
    assert heard_on(ann) == said(0)
    ann.press(ENTER)
    ann.see(f"bot: line {MANY - 1}", "ann: half a sentence 日本", "[lobby]")


def test_as_much_of_before_as_there_is_for_who_joins(daemon: Daemon, window: Callable[[str], Window]) -> None:
    say_many(daemon.program("bot", "lobby"))
    ann = window("ann")
    ann.start_as(daemon.port, "ann", plain=False)
    ann.enter(f"/join lobby {HISTORY}")
    ann.type("half a sentence 日本")
    ann.see(*said(MANY - 20), "[lobby] half a sentence 日本")
    assert heard_on(ann) == said(MANY - HISTORY)
