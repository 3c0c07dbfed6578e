"""Who types slashes, line by line."""

from __future__ import annotations

import re

from blackbox.daemon import Daemon
from blackbox.transcripts.texts import HELP, NO_ROOM


def test_slash_commands_for_rooms(daemon: Daemon) -> None:
    """Made, entered with or without what was said before, listed, left."""
    other = daemon.person("otto")
    user = daemon.person("sue")
    user.ask("/rooms", "No rooms yet; create one with /create <room>.")
    user.ask("/leave", NO_ROOM)
    user.ask("/create lobby", "Room lobby created.", "Welcome to room lobby!", "Current users: sue")
    user.ask("/create lobby", "Error: room lobby already exists; join it with /join lobby.")
    user.ask("one", "sue: one")
    user.ask("/say two", "sue: two")
    user.ask("/me waves", "* sue waves")
    other.say("/join lobby")
    other.expect("Welcome to room lobby!", "Current users: sue, otto")
    other.expect_dated("sue: one", "sue: two", "* sue waves")
    user.expect("otto has joined the room.")
    user.ask("/rooms", "Rooms (1):", "  lobby  2 users")
    user.ask("/LIST", "Rooms (1):", "  lobby  2 users")
    other.ask("/leave", "You have left room lobby.")
    user.expect("otto has left the room.")
    other.ask("/join lobby 2", "Welcome to room lobby!", "Current users: sue, otto")
    other.expect_dated("sue: two", "* sue waves")
    other.ask("/leave", "You have left room lobby.")
    other.ask("/join lobby 0", "Welcome to room lobby!", "Current users: sue, otto")
    other.nothing_more()


def test_rooms_are_listed_with_their_users(daemon: Daemon) -> None:
    """One user is not ``1 users``; a room without any stays."""
    al, bob, cy = (daemon.person(name) for name in ("al", "bob", "cy"))
    for peer, room in ((al, "den"), (bob, "lobby"), (cy, "attic")):
        peer.ask(f"/create {room}", f"Room {room} created.", f"Welcome to room {room}!", f"Current users: {peer.name}")
    cy.ask("/join lobby", "You have left room attic.", "Welcome to room lobby!", "Current users: bob, cy")
    cy.ask("/rooms", "Rooms (3):", "  lobby  2 users", "  den  1 user", "  attic  0 users")


def test_slash_who_tells_who_is_where(daemon: Daemon) -> None:
    """In a room or in none."""
    daemon.person("zed", "lobby")
    daemon.person("abe")
    sue = daemon.person("sue")
    sue.ask("/who", "Users online (3):", "  abe", "  sue", "  zed  in lobby")
    sue.ask("/away tea", "You are away: tea")
    sue.ask("/who", "Users online (3):", "  abe", "  sue (away: tea)", "  zed  in lobby")


def test_what_is_said_with_slashes_reaches_the_room(daemon: Daemon) -> None:
    """/say, /me and // ."""
    sue = daemon.person("sue", "lobby")
    otto = daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    for line, heard in (
        ("/say leave", "sue: leave"),
        ("/SAY EXIT", "sue: EXIT"),
        ("/me waves", "* sue waves"),
        ("//quit is a word", "sue: /quit is a word"),
        ("///", "sue: //"),
        ("grüße 🎉", "sue: grüße 🎉"),
        ("  two  spaces ", "sue:   two  spaces "),
    ):
        sue.ask(line, heard)
        otto.expect(heard)
    for line in ("/say out", "/me out", "//out", "out"):
        sue.ask("/leave", "You have left room lobby.")
        sue.ask(line, NO_ROOM)
        sue.say("/join lobby 0")
        sue.expect("Welcome to room lobby!", "Current users: otto, sue")


def test_private_messages_by_slash(daemon: Daemon) -> None:
    """Both sides hear of it, nobody else does; the answer finds its way back by itself."""
    sue, otto, eve = (daemon.person(name, "lobby") for name in ("sue", "otto", "eve"))
    sue.expect("otto has joined the room.", "eve has joined the room.")
    otto.expect("eve has joined the room.")
    sue.ask("/reply hi", "Error: nobody has written to you yet; use /msg <user> <text>.")
    sue.ask("/msg otto hi  there", "To otto (private): hi  there")
    otto.expect("sue (private): hi  there")
    otto.ask("/reply hello", "To sue (private): hello")
    sue.expect("otto (private): hello")
    sue.ask("/message OTTO again", "To otto (private): again")
    otto.expect("sue (private): again")
    sue.ask("/msg zed hi", "Error: no user named zed; see /who.")
    for peer in (sue, otto, eve):
        peer.nothing_more()


def test_a_private_message_is_asked_for_when_it_is_not_given(daemon: Daemon) -> None:
    """First to whom, then what; a line that answers is no command and not said to the room."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/msg", "To whom?")
    sue.ask("otto", "Message:")
    sue.ask("LEAVE_ROOM or not", "To otto (private): LEAVE_ROOM or not")
    otto.expect("sue (private): LEAVE_ROOM or not")
    sue.ask("/message", "To whom?")
    otto.ask("meanwhile", "otto: meanwhile")
    sue.expect("otto: meanwhile")
    sue.ask("zed", "Message:")
    sue.ask("hi", "Error: no user named zed; see /who.")
    sue.ask("/msg otto", "Message:")
    sue.ask("hi", "To otto (private): hi")
    otto.expect("sue (private): hi")
    otto.nothing_more()


def test_a_question_can_be_cancelled(daemon: Daemon) -> None:
    """At each of the two, by an empty line or by /cancel; what comes next is read as ever."""
    sue = daemon.person("sue", "lobby")
    for answers, line in (((), ""), ((), "/cancel"), (("sue",), ""), (("sue",), "/cancel")):
        sue.ask("/msg", "To whom?")
        for answer in answers:
            sue.ask(answer, "Message:")
        sue.ask(line, "Cancelled.")
        sue.ask("hi", "sue: hi")


def test_history_and_search_of_a_room(daemon: Daemon) -> None:
    """Only what was said, only in this room, the newest last."""
    sue = daemon.person("sue", "den")
    sue.ask("the den is secret", "sue: the den is secret")
    sue.ask("/join lobby", "You have left room den.", "Welcome to room lobby!", "Current users: sue")
    sue.ask("/history", "No messages in lobby.")
    for text in ("the first", "the second", "Grüße"):
        sue.ask(text, f"sue: {text}")
    sue.ask("/me waves at the sea", "* sue waves at the sea")
    sue.say("/history")
    sue.expect_dated("sue: the first", "sue: the second", "sue: Grüße", "* sue waves at the sea")
    sue.say("/history 2")
    sue.expect_dated("sue: Grüße", "* sue waves at the sea")
    sue.ask("/search the", "3 messages found:")
    sue.expect_dated("sue: the first", "sue: the second", "* sue waves at the sea")
    sue.ask("/search FIRST the", "1 message found:")
    sue.expect_dated("sue: the first")
    sue.ask("/search grüße", "1 message found:")
    sue.expect_dated("sue: Grüße")
    sue.ask("/search secret", "No messages found.")
    sue.ask("/search", "Error: usage: /search <words>.")
    sue.ask("/history many", "Error: usage: /history [messages] [user].")


def test_history_outside_a_room_is_of_ones_private_messages(daemon: Daemon) -> None:
    """``/history`` shows the room's messages in a room, and private messages outside."""
    sue, otto = daemon.person("sue"), daemon.person("otto")
    sue.ask("/msg otto hi", "To otto (private): hi")
    otto.expect("sue (private): hi")
    otto.say("/history")
    otto.expect_dated("sue (private): hi")


def test_the_echo_can_be_switched_off(daemon: Daemon) -> None:
    """For the one who wants it so, and for nobody else."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/echo off", "Echo is off.")
    sue.say("unheard", "/me hides")
    otto.expect("sue: unheard", "* sue hides")
    otto.ask("heard", "otto: heard")
    sue.expect("otto: heard")
    sue.ask("/echo on", "Echo is on.")
    sue.ask("again", "sue: again")
    sue.ask("/echo loud", "Error: usage: /echo [on|off].")


def test_who_is_ignored_is_not_heard(daemon: Daemon) -> None:
    """Neither in the room nor in private, nor under another name, until this is taken back."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/ignore zed", "Error: no user named zed; see /who.")
    sue.ask("/ignore Otto", "You ignore otto.")
    otto.ask("unheard", "otto: unheard")
    otto.ask("/msg sue unheard", "To sue (private): unheard")
    otto.ask("/name olaf", "You are now olaf.")
    sue.expect("otto is now known as olaf.")
    otto.ask("still unheard", "olaf: still unheard")
    sue.nothing_more()
    sue.ask("/ignore otto off", "You ignore nobody.")
    otto.ask("heard", "olaf: heard")
    sue.expect("olaf: heard")


def test_who_is_away_says_so_to_those_who_write(daemon: Daemon) -> None:
    """The message is delivered all the same."""
    sue, otto = daemon.person("sue"), daemon.person("otto")
    sue.ask("/away at the sea", "You are away: at the sea")
    otto.ask("/msg sue hi", "To sue (private): hi", "sue is away: at the sea")
    sue.expect("otto (private): hi")
    sue.ask("/away", "You are not away.")
    otto.ask("/msg sue hi", "To sue (private): hi")
    sue.expect("otto (private): hi")
    otto.nothing_more()


def test_timestamps_are_shown_to_who_wants_them(daemon: Daemon) -> None:
    """And to nobody else in the same room."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/timestamps on", "Timestamps are on.")
    otto.ask("hi", "otto: hi")
    assert re.fullmatch(r"\[[012]\d:[0-5]\d\] otto: hi", sue.line())
    sue.ask("/timestamps off", "Timestamps are off.")
    otto.ask("hi", "otto: hi")
    sue.expect("otto: hi")


def test_settings_are_shown(daemon: Daemon) -> None:
    """All of them, as they are."""
    sue = daemon.person("sue")
    daemon.person("otto")
    sue.ask("/set", "Echo is on.", "Timestamps are off.", "You are not away.", "You ignore nobody.")
    sue.ask("/echo off", "Echo is off.")
    sue.ask("/timestamps on", "Timestamps are on.")
    sue.ask("/away tea", "You are away: tea")
    sue.ask("/ignore otto", "You ignore otto.")
    sue.ask("/set", "Echo is off.", "Timestamps are on.", "You are away: tea", "You ignore otto.")


def test_help_names_every_command_and_explains_one(daemon: Daemon) -> None:
    """By what people want to do, on one screen, and a last line about everything that is no command."""
    sue = daemon.person("sue")
    sue.ask("/help", HELP)
    lines = sue.until(lambda line: "//text" in line)
    assert len(lines) < 23
    words = "name create join leave rooms who say me msg reply history search hello help quit echo ignore away set"
    assert {f"/{word}" for word in (*words.split(), "timestamps", "names", "whois")} <= set(" ".join(lines).split())
    sue.nothing_more()
    sue.ask("/help people", "To see who is there:")
    sue.until(lambda line: line.startswith("  /hello "))
    for asked in ("/help join", "/help /join", "/HELP JOIN"):
        sue.say(asked)
        assert sue.line().startswith("/join <room> [messages]: ")
        sue.expect("Spellings: /join, /j, join")
    sue.ask("/help foo", "Error: unknown command /foo; type /help.")


WRONG = (
    ("/foo", "unknown command /foo; type /help"),
    ("/foo bar", "unknown command /foo; type /help"),
    ("/", "unknown command /; type /help"),
    ("/jonn den", "unknown command /jonn; type /help. Did you mean /join?"),
    ("/join", "usage: /join <room> [messages]"),
    ("/join two rooms", "usage: /join <room> [messages]"),
    ("/join lobby 1 2", "usage: /join <room> [messages]"),
    ("/join lobby -1", "usage: /join <room> [messages]"),
    ("/create", "usage: /create <room>"),
    ("/create two rooms", "usage: /create <room>"),
    ("/name", "usage: /name <name>"),
    ("/name two names", "usage: /name <name>"),
    ("/leave now", "usage: /leave"),
    ("/rooms now", "usage: /rooms"),
    ("/who now", "usage: /who"),
    ("/ignore bob maybe", "usage: /ignore [user] [on|off]"),
    ("/timestamps maybe", "usage: /timestamps [on|off]"),
    ("/set echo", "usage: /set"),
)


def test_unknown_and_wrong_slash_commands_are_explained(daemon: Daemon) -> None:
    """In a room and outside; and are never said to the room."""
    for sue in (daemon.person("sue"), daemon.person("sam", "lobby")):
        for line, why in WRONG:
            sue.ask(line, f"Error: {why}" + ("" if why.endswith("?") else "."))
        sue.nothing_more()


def test_quit_says_goodbye(daemon: Daemon) -> None:
    """And closes the connection."""
    for line in ("/quit", "/exit", "/QUIT"):
        sue = daemon.person("sue", "lobby")
        sue.ask("/hello", "Hello, sue!")
        sue.ask(line, "Goodbye!")
        sue.eof()
