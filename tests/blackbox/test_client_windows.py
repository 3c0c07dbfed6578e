"""Windows in a real terminal (tmux), against the real daemon: what somebody sees who is in several rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon
from blackbox.windows import CTRL_D, ENTER, Window

TIME = re.compile(r"^\d\d:\d\d ")
PLAIN = "-- To bob in plain text: the server can read it."


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def resize(window: Window, columns: int, rows: int) -> None:
    """Give the terminal another size, and wait until the client has drawn for it."""
    window.do("resize-window", "-t", window.name, "-x", str(columns), "-y", str(rows))
    window.until(lambda seen: len(seen) == rows and all(len(row) <= columns for row in seen))


def prompt(window: Window, text: str) -> None:
    """Wait until the row above the bar is that."""
    window.until(lambda rows: len(rows) > 1 and rows[-2] == text)


def bar(window: Window, text: str) -> None:
    """Wait until the bar begins with that."""
    window.until(lambda rows: rows[-1].startswith(f" {text}"))


def test_rooms_and_a_conversation_have_windows(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Their lines, drafts and counts stay apart."""
    bob, eve = daemon.person("bob", "lobby"), daemon.person("eve", "work")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    ann.see("Current users: bob, ann", "[lobby]")
    ann.enter("/join work")
    eve.expect("ann has joined the room.")
    prompt(ann, "[work]")
    bar(ann, "1:lobby 2:work | 2 users | ann | TLS 1.3")
    bob.say("hello ann", "one more", "/msg ann psst")
    bar(ann, "1:lobby(2!) 2:work 3:@bob(1!) | 2 users | ann")
    assert not any("hello" in row or "psst" in row for row in ann.rows)
    ann.type("a draft")
    ann.press("M-1")
    ann.enter("hello bob")
    bob.until(lambda line: line == "ann: hello bob")
    ann.see(
        "------------ new since you looked away ------------",
        "bob: hello ann",
        "bob: one more",
        "ann: hello bob",
        "[lobby]",
    )
    bar(ann, "1:lobby 2:work 3:@bob(1!) | 2 users | ann")
    ann.press("M-a")
    prompt(ann, "[@bob]")
    ann.enter("what is it?")
    bob.until(lambda line: line == "ann (private): what is it?")
    ann.see("bob: psst", PLAIN, "ann: what is it?", "[@bob]")
    ann.press("M-2")
    prompt(ann, "[work] a draft")
    ann.press(ENTER)
    eve.expect("ann: a draft")
    ann.enter("/leave")
    eve.expect("ann has left the room.")
    ann.see("You have left room work.", "[@bob]")
    bar(ann, "1:lobby 3:@bob | plain | ann")
    ann.press("M-1")
    prompt(ann, "[lobby]")
    ann.press(CTRL_D)
    ann.is_over()


def test_words_are_wrapped_anew_at_each_size_and_scrolling_keeps_its_place(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    eve = daemon.person("eve", "work")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "work")
    eve.expect("ann has joined the room.")
    for number in range(40):
        eve.ask(f"line {number} {'of some words ' * 6}end", f"eve: line {number} {'of some words ' * 6}end")
    ann.until(lambda rows: any("line 39" in row for row in rows))
    ann.press("PageUp")
    ann.until(lambda rows: any("more lines below; the End key shows the newest --" in row for row in rows))
    last = re.findall(r"line (\d+)", "\n".join(ann.rows))[-1]
    ann.type("typing while the terminal changes")
    for columns, rows in ((40, 15), (20, 8), (100, 30)):
        resize(ann, columns, rows)
        ann.until(lambda seen: any("below" in row for row in seen) and "changes" in " ".join(seen))
        seen = ann.rows
        assert f"line {last}" in " ".join(seen)
        assert sum(row.startswith("[work] typing") for row in seen) == 1
        text = seen[: next(number for number, row in enumerate(seen) if "below" in row)]
        assert all(TIME.match(row) or row.startswith("    ") or row == "" for row in text), text
    ann.press("End")
    ann.until(lambda rows: not any("below" in row for row in rows) and any("line 39" in row for row in rows))
    ann.press("C-u", CTRL_D)
    ann.is_over()


def test_read_in_one_client_is_read_in_the_other(daemon: Daemon, window: Callable[[str], Window]) -> None:
    bob = daemon.person("bob", "lobby")
    first, second = window("first"), window("second")
    first.start_as(daemon.port, "ann", "--room", "lobby")
    first.enter("/register ann s3cret-enough")
    first.until(lambda rows: any("You are logged in as ann." in row for row in rows))
    first.enter("/join work")
    prompt(first, "[work]")
    second.start(daemon.port, "--name", "ann", "--room", "lobby", "--room", "den")
    second.until(lambda rows: any("Password for ann" in row for row in rows))
    second.enter("s3cret-enough")
    second.until(lambda rows: any("You are logged in as ann." in row for row in rows))
    second.until(lambda rows: rows[-1].startswith(" 1:lobby 2:den |"))
    prompt(second, "[den]")
    bob.say("are you there, ann?")
    bar(first, "1:lobby(1!) 2:work")
    bar(second, "1:lobby(1!) 2:den")
    second.press("M-1")
    bar(first, "1:lobby 2:work")
    for one in (first, second):
        one.press(CTRL_D)
        one.is_over()


def test_what_was_unread_when_the_client_starts_is_shown_once_and_then_read(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    """It does not matter whether an earlier run of the client has got the messages already."""
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    ann.see("Current users: bob, ann", "[lobby]")
    ann.enter("/register ann tr0ub4dor")
    ann.see("Users online (2): ann, bob", "[lobby]")
    bob.say("/msg ann zero")
    bar(ann, "1:lobby 2:@bob(1!) |")
    ann.press("M-2")
    ann.enter("go on")  # it is answered after what the window asks for when it is opened for the first time
    bob.until(lambda line: line == "ann (private): go on")
    ann.see("bob: zero", PLAIN, "ann: go on", "[@bob]")
    bar(ann, "1:lobby 2:@bob |")
    ann.press("M-1")
    prompt(ann, "[lobby]")
    bob.say("/msg ann one", "/msg ann two")
    bar(ann, "1:lobby 2:@bob(2!) |")
    ann.press(CTRL_D)
    ann.is_over()
    bob.say("/msg ann three")
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    bar(ann, "1:lobby 2:@bob(3!) |")
    ann.press("M-a")
    rule = "------------ new since you looked away ------------"
    ann.see("bob: zero", "ann: go on", rule, "bob: one", "bob: two", "bob: three", "[@bob]")
    bar(ann, "1:lobby 2:@bob |")
    ann.enter("four")
    bob.until(lambda line: line == "ann (private): four")
    ann.press(CTRL_D)
    ann.is_over()
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    prompt(ann, "[lobby]")
    bar(ann, "lobby (2 users) | ann")
    ann.enter("/query bob")
    ann.see("bob: zero", "ann: go on", "bob: one", "bob: two", "bob: three", "ann: four", "[@bob]")
    ann.press(CTRL_D)
    ann.is_over()


def test_one_account_on_two_terminals_shows_both_halves_of_a_conversation_once(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    bob = daemon.person("bob", "lobby")
    first, second = window("first"), window("second")
    first.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    first.see("Current users: bob, ann", "[lobby]")
    first.enter("/register ann tr0ub4dor")
    first.see("Users online (2): ann, bob", "[lobby]")
    second.start_as(daemon.port, "eve", "--room", "lobby", plain=False)
    prompt(second, "[lobby]")
    second.enter("/login ann tr0ub4dor")
    second.until(lambda rows: any("/devices link" in row for row in rows))  # its keys have been loaded
    bar(second, "lobby (2 users) |")
    bob.say("/msg ann hi")
    for terminal in (first, second):
        bar(terminal, "1:lobby 2:@bob(1!) |")
    second.press("M-2")
    for terminal in (second, first):
        bar(terminal, "1:lobby 2:@bob |")
    first.press("M-2")
    first.see("bob: hi", "[@bob]")
    first.enter("my answer")
    second.see("bob: hi", "ann: my answer", "[@bob]")
    second.enter("another")
    second.see(PLAIN, "ann: another", "[@bob]")
    first.see("bob: hi", PLAIN, "ann: my answer", "ann: another", "[@bob]")
    first.enter("/msg ann to myself")  # encrypted, so that a device which is not linked does not get it
    bar(first, "1:lobby 2:@bob 3:@ann")
    first.press("M-3")
    first.see("ann: to myself", "[@ann]")
    for terminal in (first, second):
        terminal.press(CTRL_D)
        terminal.is_over()


def test_the_rooms_of_the_command_line_come_before_a_message_that_waited(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
    ann.see("Current users: bob, ann", "[lobby]")
    ann.enter("/register ann tr0ub4dor")
    ann.see("Users online (2): ann, bob", "[lobby]")
    ann.press(CTRL_D)
    ann.is_over()
    bob.say("/msg ann early")
    ann.start_as(daemon.port, "ann", "--room", "lobby", "--room", "work", plain=False)
    bar(ann, "1:lobby 2:work 3:@bob(1!) |")
    prompt(ann, "[work]")
    ann.press("M-3")
    ann.until(lambda rows: any("early" in row for row in rows) and rows[-2] == "[@bob]")
    bar(ann, "1:lobby 2:work 3:@bob |")
    ann.press(CTRL_D)
    ann.is_over()
