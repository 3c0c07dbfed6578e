"""Order in a room of the real daemon: what everybody sees of it, that it outlasts a restart; the audit log's file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blackbox.daemon import BOUND, Daemon, Peer, run_twistd

ACT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.*)")


def log_in(daemon: Daemon, word: str, name: str) -> Peer:
    """Return a person who has registered, or logged in to, the account and has heard all of it."""
    peer = daemon.connect()
    peer.greeted()
    peer.say(f"/{word} {name} secret of {name}")
    peer.expect(f"You are logged in as {name}.")
    assert peer.line().startswith("Users online (")
    peer.name = name
    return peer


def acts(daemon: Daemon) -> list[str]:
    """Return the acts in the audit log, each of which must begin with its time."""
    lines = (daemon.data / "audit-members.log").read_text().splitlines()
    matches = [ACT.fullmatch(line) for line in lines]
    assert all(matches), lines
    return [match[1] for match in matches if match]


def before(daemon: Daemon) -> None:
    """Al makes a room and keeps order in it; ben helps; cat, dan and a bot see it."""
    al = log_in(daemon, "register", "al")
    al.ask("/create den", "Room den created.", "Welcome to room den!", "Current users: al")
    ben = log_in(daemon, "register", "ben")
    al.expect("ben has entered the chat.")
    ben.ask("/join den", "Welcome to room den!", "Current users: al, ben")
    al.expect("ben has joined the room.")
    cat = daemon.person("cat", "den")
    for peer in (al, ben):
        peer.expect("cat has joined the room.")
    bot = daemon.program("bot", "den")
    people = (al, ben, cat)
    for peer in people:
        peer.expect("bot has joined the room.")

    def all_see(*lines: str) -> None:
        for peer in people:
            peer.expect(*lines)

    cat.ask("/topic mine", "Error: only a moderator of den can do that.")
    al.say("/topic all about cats")
    all_see("al set the topic: all about cats")
    bot.event(event="topic", text="all about cats", by="al", room="den")
    al.say("/op ben")
    all_see("ben was made a moderator by al.")
    bot.event(event="opped", user="ben")
    ben.ask("/kick al", "Error: al owns den; only an operator can do that.")
    cat.say("spam, spam")
    all_see("cat: spam, spam")
    bot.event(event="said", text="spam, spam")
    ben.say("/delete cat")
    all_see("ben deleted a message of cat.")
    bot.event(event="deleted", user="cat", by="ben")
    ben.say("/mute cat 5d no spam")
    all_see("cat was muted by ben for 5 days: no spam")
    bot.event(event="muted", user="cat", reason="no spam")
    cat.ask("but I like it", "Error: you are muted in den for 5 days: no spam.")
    bot.record(do="kick", user="cat", ref=1)
    bot.event(event="error", re=1, code="not-moderator", text="only a moderator of den can do that.")
    ben.say("/ban cat 7d no spam, I said")
    all_see("cat was banned by ben for 7 days: no spam, I said")
    bot.event(event="banned", user="cat", by="ben")
    cat.ask("/join den", "Error: you are banned from den for 7 days: no spam, I said.")
    al.say("/ban 192.0.2.7", "/lock", "/invite dan")
    for peer in (al, ben):
        peer.expect("an address was banned by al.", "al locked the room: only the invited may join.")
    al.expect("Error: no user named dan; see /who.")
    dan = log_in(daemon, "register", "dan")
    for peer in (al, ben, cat):
        peer.expect("dan has entered the chat.")
    dan.ask("/join den", "Error: den is locked; ask a moderator to invite you.")
    al.say("/invite dan")
    dan.expect("al invites you to room den; join it with /join den.")
    for peer in (al, ben):
        peer.expect("dan was invited by al.")
    cat.nothing_more()


def after(daemon: Daemon) -> None:
    """The room is as it was left, and its moderators are who they were."""
    cat, eve = daemon.person("cat"), daemon.person("eve")
    cat.ask("/join den", "Error: you are banned from den for 7 days: no spam, I said.")
    eve.ask("/join den", "Error: den is locked; ask a moderator to invite you.")
    dan = log_in(daemon, "login", "dan")
    dan.say("/join den")
    dan.expect("Welcome to room den!", "Topic: all about cats", "Current users: dan")
    dan.expect_dated("cat: (deleted)")
    dan.ask("/unlock", "Error: only a moderator of den can do that.")
    ben = log_in(daemon, "login", "ben")
    dan.expect("ben has entered the chat.")
    ben.say("/join den 0")
    ben.expect("Welcome to room den!", "Topic: all about cats", "Current users: dan, ben")
    dan.expect("ben has joined the room.")
    ben.say("/ban")
    ben.expect("Banned here:", "  cat, by ben for 7 days: no spam, I said", "  192.0.2.7, by al")
    ben.say("/unban cat", "/unlock")
    for peer in (ben, dan):
        peer.expect("cat was unbanned by ben.", "ben unlocked the room.")
    for peer in (cat, eve):
        peer.expect("dan has entered the chat.", "ben has entered the chat.")
    cat.say("/join den 0")
    cat.expect("Welcome to room den!", "Topic: all about cats", "Current users: dan, ben, cat")
    cat.ask("am I still silent?", "Error: you are muted in den for 5 days: no spam.")
    ben.ask("/close", "cat has joined the room.", "Error: only the owner of den can do that.")
    al = log_in(daemon, "login", "al")
    al.say("/join den 0")
    al.until(lambda line: line.startswith("Current users: "))
    al.ask("/close", "al closed the room.")
    assert dan.until(lambda line: "closed" in line)[-1] == "al closed the room."
    dan.ask("/join den", "Welcome to room den!", "Current users: dan")
    dan.say("/lock")
    dan.expect("dan locked the room: only the invited may join.")


FIRST = [
    "al topic: all about cats in den",
    "al opped ben in den",
    "ben deleted a message of cat in den",
    "ben muted cat for 5 days: no spam in den",
    "ben banned cat for 7 days: no spam, I said in den",
    "al banned 192.0.2.7 in den",
    "al locked in den",
    "al invited dan in den",
]
SECOND = ["ben unbanned cat in den", "ben unlocked in den", "al closed in den", "dan locked in den"]


def test_order_outlasts_a_restart(tmp_path: Path) -> None:
    """Bans, mutes, topic, moderators, the lock and who is invited; the acts are in the audit log, in both logs."""
    with Daemon(tmp_path) as daemon:
        before(daemon)
        assert acts(daemon) == FIRST
    assert [act for act in FIRST if act in daemon.log.text] == FIRST
    with Daemon(tmp_path, "--log-level", "warn", ready=BOUND) as daemon:
        after(daemon)
        assert acts(daemon) == FIRST + SECOND
    for name in ("audit.log", "audit-members.log"):
        assert (daemon.data / name).stat().st_mode & 0o777 == 0o600
    assert (daemon.data / "audit.log").read_text() == "", "members' acts are not among those of operators"
    assert "locked in den" not in daemon.log.text


def test_what_keeps_nothing_keeps_no_audit_log_but_says_it(tmp_path: Path) -> None:
    """The acts are in the daemon's own log alone."""
    with Daemon(tmp_path, "--ephemeral", keep=False, HOME=str(tmp_path)) as daemon:
        al = daemon.person("al", "den")
        al.ask("/lock", "al locked the room: only the invited may join.")
        daemon.log.wait_for(r"al locked in den")
    assert not list(tmp_path.rglob("audit*"))


@pytest.mark.parametrize("name", ["audit.log", "audit-members.log"])
def test_an_audit_log_that_cannot_be_written_ends_the_start_with_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "data" / name).mkdir(parents=True)
    command = ["-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1", "--data", "data"]
    result = run_twistd(tmp_path, *command)
    said = result.stdout + result.stderr
    assert result.returncode > 0, said
    assert "Traceback" not in said
    assert f"data/{name} is no file that this user may write; move it away" in said
