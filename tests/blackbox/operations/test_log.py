"""What the daemon logs, and what it does not."""

from __future__ import annotations

import re
from pathlib import Path

from blackbox.daemon import BOUND, Daemon


def test_the_log_tells_who_came_and_went_but_not_what_was_said(daemon: Daemon) -> None:
    """Connections, names and rooms; nobody's words, private, mistyped or searched for."""
    bob = daemon.person("bob")
    al = daemon.connect()
    al.greeted()
    guest = al.name
    al.ask("/name al", "You are now al.")
    al.ask("/join lobby", "Welcome to room lobby!", "Current users: al")
    al.ask("secret one", "al: secret one")
    al.ask("/me secret two", "* al secret two")
    al.ask("/msg bob secret three", "To bob (private): secret three")
    bob.expect("al (private): secret three")
    al.ask("/secret four", "Error: unknown command /secret; type /help.")
    al.ask("/search secret five", "No messages found.")
    al.ask("/away secret six", "You are away: secret six")
    al.ask("/leave", "You have left room lobby.")
    al.ask("secret seven", "Error: you are not in a room; join one with /join <room>.")
    al.ask("/quit", "Goodbye!")
    al.eof()
    assert daemon.stop() == 0
    log = daemon.log.text
    for wanted in (f"{guest}.*127.0.0.1", f"{guest}.* al", "al.* lobby", "al disconnected"):
        assert re.search(wanted, log), wanted
    assert "secret" not in log


def test_nothing_that_is_sent_makes_a_log_line_of_its_own(tmp_path: Path) -> None:
    """Not even at the most talkative level; every line begins with the time, and holds nothing that acts."""
    bad = "x\nINJECTED\r\nINJECTED\x1b[2J\x85\u2028INJECTED"
    with Daemon(tmp_path, "--log-level", "debug") as daemon:
        pam, al = daemon.program("pam", "lobby"), daemon.person("al")
        pam.record(do="hello", version=1, client=bad[:50], name=bad, ref=1)
        pam.event(event="error", re=1)
        pam.record(do="name", name=bad, ref=2)
        pam.event(event="error", re=2, code="bad-name")
        pam.record(do="join", room=bad, ref=3)
        pam.event(event="error", re=3, code="bad-room")
        pam.record(do=bad, ref=4)
        pam.event(event="error", re=4)
        pam.record(do="message", user=bad, text=bad, ref=5)
        pam.event(event="error", re=5, code="no-user")
        pam.record(do="say", text=bad)
        pam.event(event="said")
        pam.record(do="away", text=bad, ref=6)
        pam.event(event="settings", re=6)
        al.say("/name x\rINJECTED", "/join x\rINJECTED", "/x\rINJECTED")
        for _ in range(3):
            assert al.line().startswith("Error: ")
        assert daemon.stop() == 0
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in daemon.log.lines[:-1]), daemon.log.text
    assert all(line.isprintable() for line in daemon.log.lines)


def test_at_the_level_of_errors_connections_are_not_logged(tmp_path: Path) -> None:
    """twistd itself still says that it starts and ends."""
    with Daemon(tmp_path, "--log-level", "error", ready=BOUND) as daemon:
        al = daemon.person("albert", "lobby")
        al.ask("hi", "albert: hi")
        assert daemon.stop() == 0
    lines = [line for line in daemon.log.lines if "reactor class: " not in line]  # twistd names the daemon's reactor
    assert len(lines) == len(daemon.log.lines) - 1
    for word in ("albert", "lobby", "guest", "connected", "chatroom."):
        assert not any(word in line for line in lines), daemon.log.text
