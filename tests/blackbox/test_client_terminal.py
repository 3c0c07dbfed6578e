"""chatroom-client in a real terminal (tmux), against the real daemon: what somebody sees who sits there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon
from blackbox.escapes import ALIEN, OWN
from blackbox.windows import CTRL_C, CTRL_D, CTRL_R, ENTER, TAB, UP, Window


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def test_two_at_terminals_and_one_on_telnet(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Names are asked for and taken; the input line stays whole whatever comes; a resize does no harm."""
    bob = daemon.person("bob", "lobby")
    ann, cid = window("ann"), window("cid")
    ann.start(daemon.port)
    ann.see("Your name (Enter: stay a guest):")
    ann.enter("bob")
    ann.see(
        "Error: username is already used; choose another with /name <name>.",
        "Your name (Enter: stay a guest):",
    )
    ann.enter("ann")
    ann.see("You are now ann.", "[-]")
    ann.enter("/jion")
    ann.see("Error: unknown command /jion; did you mean /join?", "[-]")
    ann.type("/joi")
    ann.until(lambda rows: any("join a room, which is made" in row for row in rows))
    ann.press(TAB)
    ann.type("lob")
    ann.see("[-] /join lob")
    ann.press(TAB)
    ann.see("[-] /join lobby")
    ann.press(ENTER)
    bob.expect("ann has joined the room.")
    cid.start_as(daemon.port, "cid")
    cid.enter("/join lobby")
    bob.expect("cid has joined the room.")
    ann.type("half a sentence 日本")
    bob.ask("hello ann 🎉", "bob: hello ann 🎉")
    ann.see("cid has joined the room.", "bob: hello ann 🎉", "[lobby] half a sentence 日本")
    ann.do("resize-window", "-t", "ann", "-x", "60", "-y", "20")
    bob.ask("still there?", "bob: still there?")
    ann.see("bob: still there?", "[lobby] half a sentence 日本")
    assert sum("[lobby]" in row for row in ann.rows) == 1
    ann.press(ENTER)
    bob.expect("ann: half a sentence 日本")
    cid.see("bob: hello ann 🎉", "bob: still there?", "ann: half a sentence 日本", "[lobby]")
    cid.enter("/quit")
    cid.is_over()
    ann.press(CTRL_D)
    ann.is_over()
    bob.expect("cid has disconnected.", "ann has disconnected.")


def test_no_old_prompt_stays_above_the_screen(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Neither what was there before the screen was cleared, nor what a narrower terminal has wrapped anew."""
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby")
    bob.expect("ann has joined the room.")
    ann.enter("/clear")
    ann.until(lambda rows: "[lobby]" in rows and not any("Welcome" in row for row in rows))
    for i in range(12):
        bob.ask(f"line {i}", f"bob: line {i}")
    ann.see("bob: line 11", "[lobby]")
    ann.type("one sentence that fills more than a single row of forty columns, or even two")
    ann.until(lambda rows: " two" in rows)
    ann.do("resize-window", "-t", "ann", "-x", "40", "-y", "12")
    ann.until(lambda rows: sum("lobby (2) | ann" in row for row in rows) == 1)  # tmux tells of its new size a bit later
    bob.ask("still there?", "bob: still there?")
    once = ("bob: still there?", "[lobby]", "one sentence", "| ann", "bob: line 11")
    ann.until(lambda rows: all(sum(words in line for line in ann.lines) == 1 for words in once))


def test_who_comes_is_shown_what_was_said_before(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """As on telnet, so much as the server shows; and what is typed is found again by Ctrl-R."""
    bob = daemon.person("bob", "lobby")
    for i in range(12):
        bob.ask(f"line {i}", f"bob: line {i}")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--room", "lobby")
    ann.see(*(f"bob: line {i}" for i in range(2, 12)), "[lobby]")
    assert "bob: line 1" not in "\n".join(ann.rows).replace("line 10", "").replace("line 11", "")
    ann.enter("hello")
    ann.see("bob: line 11", "ann: hello", "[lobby]")
    ann.press(CTRL_R)
    ann.type("ell")
    ann.see("ann: hello", "(reverse-i-search)`ell': hello")
    ann.press(ENTER)
    ann.see("ann: hello", "[lobby] hello")
    ann.press(ENTER)
    bob.expect("ann has joined the room.", "ann: hello", "ann: hello")
    ann.press(CTRL_D)
    ann.is_over()


def test_what_cannot_be_remembered_is_told_above_the_line(daemon: Daemon, window: Callable[[str], Window]) -> None:
    ann = window("ann")
    ann.start_as(daemon.port, "ann")
    (ann.folder / "state" / "chatroom" / "tokens.json").mkdir(parents=True)
    ann.enter("/register ann s3cret")
    ann.until(lambda rows: "Users online (1): ann" in "".join(rows))
    whole = "".join(ann.rows)
    assert "Error: the login cannot be remembered in " in whole
    assert "chatroom-client: " not in whole
    ann.press(CTRL_D)
    ann.is_over()


def test_a_password_is_seen_and_kept_nowhere(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """Neither asked for nor typed in the line; other lines come back by the arrow key, also the next time."""
    ann = window("ann")
    ann.start_as(daemon.port, "ann")
    ann.enter("/register ann")
    ann.see("Choose a password:")
    ann.type("s3cret")
    ann.see("Choose a password: ******")
    ann.press(ENTER)
    ann.see("The same again:")
    ann.enter("s3cret")
    ann.until(lambda rows: "You are logged in as ann." in "".join(rows))
    ann.enter("/logout")
    ann.until(lambda rows: "You have logged out of ann." in "".join(rows))
    ann.enter("/login ann s3cret")
    ann.until(lambda rows: sum("You are logged in as ann." in row for row in rows) == 2)
    ann.press(CTRL_D)
    ann.is_over()
    assert "s3cret" not in ann.state
    assert "/logout" in ann.state
    history = next(path for path in (ann.folder / "state").rglob("history"))
    assert history.stat().st_mode & 0o777 == 0o600
    ann.start_as(daemon.port, "ann2")
    ann.press(UP)
    ann.see("[-] /logout")
    ann.press(CTRL_C)
    ann.see("[-]")
    ann.press(CTRL_C)
    ann.see("-- press Ctrl-C again to leave, or Ctrl-D.", "[-]")
    ann.press(CTRL_C)
    ann.is_over()


def test_a_newcomer_with_the_name_of_an_account_is_asked_for_its_password(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    """And may then type what the help of telnet says."""
    nora = daemon.person("nora", "attic")
    nora.say("/register nora h7sh-h7sh", "/logout", "/quit")
    nora.until(lambda line: line == "Goodbye!")
    nell = window("nell")
    nell.start(daemon.port, "--name", "nora")
    nell.until(lambda rows: "nora is a registered name. Password for nora" in " ".join(rows))
    nell.enter("wr0ng-one")
    nell.until(lambda rows: "Error: wrong username or password." in rows)
    nell.enter("h7sh-h7sh")
    nell.until(lambda rows: any(row.startswith("You are logged in as nora.") for row in rows))
    nell.enter("join attic")
    nell.see("Current users: nora", "[attic]")
    nell.enter("who")
    nell.see("nora: who", "[attic]")
    nell.enter("LEAVE_ROOM")
    nell.see("You have left room attic.", "[-]")
    nell.enter("logout")
    nell.until(lambda rows: "You have logged out of nora." in " ".join(rows))
    nell.enter("EXIT")
    nell.is_over()
    assert "h7sh" not in nell.state


def test_pasted_lines_are_held(daemon: Daemon, window: Callable[[str], Window]) -> None:
    """And nothing of them is carried out."""
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann")
    ann.enter("/join lobby")
    bob.expect("ann has joined the room.")
    ann.paste("one\n/quit\nthree\n")
    ann.see(
        "-- you pasted 3 lines: one...", "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?"
    )
    bob.nothing_more()
    ann.enter("l")
    bob.expect("ann: one", "ann: /quit", "ann: three")


def test_five_pasted_lines_are_one_message_everywhere(daemon: Daemon, window: Callable[[str], Window]) -> None:
    bob, bot = daemon.person("bob", "lobby"), daemon.program("bot", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann")
    ann.enter("/join lobby")
    bob.expect("bot has joined the room.", "ann has joined the room.")
    ann.paste("def wave():\n    /quit\n\n    bob: hi\n/join den\n")
    question = "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?"
    ann.see("-- you pasted 5 lines: def wave():...", question)
    ann.enter("")
    further = ["    |     /quit", "    | ", "    |     bob: hi", "    | /join den"]
    bob.expect("ann: def wave():", *further)
    text = "def wave():\n    /quit\n\n    bob: hi\n/join den"
    bot.event(event="joined", by="ann")
    assert bot.event(event="said", by="ann")["text"] == text
    bot.record(do="history", messages=1, ref=1)
    assert [event["text"] for event in bot.event(event="history", re=1)["events"]] == [text]
    ann.until(
        lambda rows: [row.rstrip() for row in rows if row.startswith("    |")] == [each.rstrip() for each in further]
    )
    ann.type("one")
    ann.press("M-Enter")
    ann.enter("two")
    bob.expect("ann: one", "    | two")


HOSTILE = "https://e.org/\x1b]8;;https://evil.org\x1b\\x;y \x1b]777;notify;x;z\x07 \x9d9;w\x9c \u2028 ann"
LINK = re.compile(r"\x1b\]8;(?:id=\d+)?;[!#-:=?-\[\]_a-zA-Z~]*\x1b\\")
TOLD = re.compile(r"\x1b\]9;[^\x00-\x1f\x7f-\x9f;]{0,120}\x1b\\")


def test_links_and_notifications_are_the_only_escapes_that_follow_from_a_message(
    daemon: Daemon, window: Callable[[str], Window]
) -> None:
    bot = daemon.program("bot", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann", "--links", "on", "--notify", "osc9")
    ann.enter("/join lobby")
    bot.event(event="joined", by="ann")
    ann.enter("/bell off")
    ann.press("Escape", "[", "O")  # what a terminal sends when it loses the focus
    ann.type("x")
    ann.until(lambda rows: "[lobby] x" in rows)
    bot.record(do="say", text=HOSTILE)
    ann.until_written(lambda written: b"\x1b]9;bot in lobby: https://e.org/x,y" in written)
    bot.record(do="say", text=f"{HOSTILE}\n{HOSTILE}")
    bot.record(do="say", text="that was all")
    text = ann.written("that was all").decode()
    addresses = re.findall(r"\x1b\]8;id=\d+;([^\x1b]*)\x1b", text)
    assert {*addresses} == {"https://e.org/x%3By"}
    assert len(TOLD.findall(text)) == 1  # the second came within a second
    left = OWN.sub("", TOLD.sub("", LINK.sub("", text)))
    assert not ALIEN.search(left), ascii(left)
    ann.press("C-u")
    ann.enter("/quit")
    ann.is_over()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_sane(
    daemon: Daemon, window: Callable[[str], Window], number: signal.Signals
) -> None:
    bob = daemon.person("bob", "lobby")
    ann = window("ann")
    ann.start_as(daemon.port, "ann")
    ann.enter("/join lobby")
    bob.expect("ann has joined the room.")
    ann.type("half a sen")
    ann.see("[lobby] half a sen")
    os.kill(ann.pid, number)
    ann.is_over()
    bob.expect("ann has disconnected.")
